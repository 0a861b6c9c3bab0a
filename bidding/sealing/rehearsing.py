"""A rehearsed opening: a page without a bid is sealed to all custodians as a bid is, and opened with what comes back.

It is sealed to an identity of its own, thrown away afterwards: neither the worker's nor any bid is touched.
"""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import pyrage

from bidding.sealing.seal import pad
from bidding.sealing.sharing import Holder, TooFewShares, hand_out_of, lock, released_shares, unlock
from dps.kernel.entropy import Entropy
from dps.kernel.errors import BadInput

CLOSING = "rehearsal"
"""Stands in a hand-out and a release where a closing's reference would."""
_FORMAT = "dps-custody-rehearsal-1"
_PAGE = b"A rehearsal: no bid is in it."


def begin(
    holders: Sequence[Holder], *, needed: int, entropy: Entropy
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """What the officer keeps, and each custodian's hand-out by its reference."""
    identity = pyrage.x25519.Identity.generate()
    recipients = (str(identity.to_public()),)
    locked = lock(pad(_PAGE), holders=holders, needed=needed, recipients=recipients, entropy=entropy)
    name = hashlib.sha256(locked).hexdigest()
    kept = {"format": _FORMAT, "identity": str(identity), "locked": b64encode(locked).decode()}
    return kept, {
        holder.ref: hand_out_of({name: locked}, closing=CLOSING, custodian=holder.ref, recipients=recipients)
        for holder in holders
    }


def finish(kept: Mapping[str, Any], releases: Sequence[Mapping[str, Any]]) -> tuple[list[str], bool]:
    """Which custodians released the share that was dealt to them, and whether the page opens with these."""
    if kept.get("format") != _FORMAT:
        raise BadInput("is no rehearsal: bring the kept.json that `rehearsal begin` wrote", field="kept")
    locked, identity = b64decode(kept["locked"]), pyrage.x25519.Identity.from_str(kept["identity"])
    name, dealt = hashlib.sha256(locked).hexdigest(), json.loads(locked)["shares"]
    back: dict[str, bytes] = {}
    for one in releases:
        _closing, custodian, shares = released_shares(one)
        if custodian in dealt and name in shares and _holds(shares[name], identity, dealt[custodian][1]):
            back[custodian] = b64decode(shares[name])
    try:
        opens = unlock(locked, [identity], back.values()) == pad(_PAGE)
    except TooFewShares:
        opens = False
    return sorted(back), opens


def _holds(share: str, identity: pyrage.x25519.Identity, sha256: str) -> bool:
    try:
        return hashlib.sha256(pyrage.decrypt(b64decode(share), [identity])).hexdigest() == sha256
    except pyrage.DecryptError:
        return False
