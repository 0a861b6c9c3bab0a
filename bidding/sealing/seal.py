"""Sealing a bid the moment it is received, and the receipt that proves it.

Formats, fixed here because others verify them:

- *content*: the canonical JSON of a bid with a random `nonce` (32 hex digits), as UTF-8;
- *padded*: 4 bytes of length (big-endian), the content, zeros up to the next of 4, 16, 64 or 256 KiB;
- *ciphertext*: the padded content in the age v1 format (binary), to the closing's X25519 recipients; where custodians
  are needed, what `sharing.lock` makes of it;
- *commitment*: SHA-256 of the content. The nonce hides the price: without it no guess can be confirmed;
- *receipt*: canonical JSON with the members of `receipt_of`, signed with Ed25519; it hashes the ciphertext.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pyrage

from bidding.sealing.sharing import Holder, lock
from dps.kernel.columns import canonical_json
from dps.kernel.entropy import Entropy
from dps.kernel.errors import BadInput
from dps.kernel.keys import Keyring, SigningKey, key_id

_SIZES = tuple(kib * 1024 for kib in (4, 16, 64, 256))
_LENGTH_BYTES = 4
_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Sealed:
    """A bid as it is stored from receipt to opening."""

    ciphertext: bytes
    ciphertext_sha256: str
    commitment: str


def pad(content: bytes) -> bytes:
    """`content` with its length in front, filled up to a fixed size, so that size tells nothing of the price."""
    needed = len(content) + _LENGTH_BYTES
    size = next((size for size in _SIZES if needed <= size), None)
    if size is None:
        raise BadInput(f"a bid has at most {_SIZES[-1] // 1024} KiB of text", field="answers")
    return len(content).to_bytes(_LENGTH_BYTES, "big") + content + bytes(size - needed)


def unpad(padded: bytes) -> bytes:
    """What `pad` was given. Raises ValueError where the length can't be true."""
    length = int.from_bytes(padded[:_LENGTH_BYTES], "big")
    if length > len(padded) - _LENGTH_BYTES:
        raise ValueError("the stated length is longer than what is there")
    return padded[_LENGTH_BYTES : _LENGTH_BYTES + length]


def seal(
    content: dict[str, Any],
    *,
    recipients: tuple[str, ...],
    entropy: Entropy,
    holders: Sequence[Holder] = (),
    needed: int = 0,
) -> Sealed:
    """Encrypt a bid's content to `recipients`; nothing readable is left behind.

    With `holders` it opens only once `needed` of these custodians have released their shares of it.
    """
    plain = _committed(content, entropy.token(_NONCE_BYTES).hex())
    if holders:
        ciphertext = lock(pad(plain), holders=holders, needed=needed, recipients=recipients, entropy=entropy)
    else:
        keys = [pyrage.x25519.Recipient.from_str(recipient) for recipient in recipients]
        ciphertext = pyrage.encrypt(pad(plain), keys)
    return Sealed(
        ciphertext=ciphertext,
        ciphertext_sha256=hashlib.sha256(ciphertext).hexdigest(),
        commitment=hashlib.sha256(plain).hexdigest(),
    )


def _committed(content: dict[str, Any], nonce: str) -> bytes:
    return canonical_json({**content, "nonce": nonce}).encode()


def commitment_of(content: dict[str, Any], nonce: str) -> str:
    """What was committed, if the bid said this: whoever knows both can check an opened bid."""
    return hashlib.sha256(_committed(content, nonce)).hexdigest()


def recipients_id(recipients: tuple[str, ...]) -> str:
    """The short name of a set of recipients, stored with the closing."""
    return key_id("\n".join(recipients).encode())


def receipt_of(
    *,
    bid: str,
    rounds: list[str],
    closing: str,
    closes_at: datetime,
    received_at: datetime,
    sealed: Sealed,
    sealed_to: str,
) -> dict[str, Any]:
    """What the receipt says: which bid, for which rounds, received when, and the hash of its ciphertext."""
    return {
        "format": "dps-receipt-1",
        "bid": bid,
        "rounds": sorted(rounds),
        "closing": closing,
        "closes_at": in_milliseconds(closes_at),
        "received_at": in_milliseconds(received_at),
        "ciphertext_sha256": sealed.ciphertext_sha256,
        "ciphertext_bytes": len(sealed.ciphertext),
        "commitment": sealed.commitment,
        "recipients_id": sealed_to,
    }


def signed(receipt: dict[str, Any], key: SigningKey) -> dict[str, Any]:
    """The receipt with the id of the key that signed it and the signature over its canonical JSON."""
    return {**receipt, "key_id": key.key_id, "signature": key.sign(canonical_json(receipt).encode())}


def in_milliseconds(instant: datetime) -> str:
    """UTC to the millisecond, cut, not rounded: a receipt never claims a later instant than the true one."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def committed_number(entropy: Entropy, keyring: Keyring, closing_ref: str) -> tuple[bytes, str]:
    """A secret number for a closing's lots: (the number at rest, its published SHA-256)."""
    number = entropy.token(32)
    return keyring.application.seal(number, about=closing_ref), hashlib.sha256(number).hexdigest()
