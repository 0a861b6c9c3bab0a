"""Opening sealed bids. Only the worker process may import this module (an import contract says so)."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyrage

from bidding.sealing.seal import unpad
from bidding.sealing.sharing import is_locked, unlock
from dps.kernel.errors import Misconfigured


class Identities:
    """The age identities of this worker, read from the directory that it alone was given."""

    def __init__(self, directory: Path) -> None:
        files = sorted(directory.glob("*.age")) if directory.is_dir() else []
        if not files:
            lost = f"No identity in {directory}: without it no sealed bid can be opened. Restore it from its backup."
            raise Misconfigured(reason=lost)
        self._identities = [pyrage.x25519.Identity.from_str(file.read_text().strip()) for file in files]

    def open(
        self, ciphertext: bytes, *, ciphertext_sha256: str, commitment: str, released: Sequence[bytes] = ()
    ) -> dict[str, Any]:
        """The content of a sealed bid, its nonce included: both together are what was committed.

        `released` are the shares that custodians have handed in for it; TooFewShares where more are needed.

        Raises ValueError, with a reason that names no content, where the stored ciphertext is not what was received,
        was not sealed to this worker, or does not hold what was committed.
        """
        if hashlib.sha256(ciphertext).hexdigest() != ciphertext_sha256:
            raise ValueError("the stored ciphertext is not what was received")
        try:
            if is_locked(ciphertext):
                padded = unlock(ciphertext, self._identities, released)
            else:
                padded = pyrage.decrypt(ciphertext, self._identities)
            plain = unpad(padded)
        except pyrage.DecryptError:
            raise ValueError("it was not sealed to this worker's keys") from None
        if hashlib.sha256(plain).hexdigest() != commitment:
            raise ValueError("its content is not what was committed")
        content: dict[str, Any] = json.loads(plain)
        return content
