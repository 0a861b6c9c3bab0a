"""Bids that several key-holders must help to open: each holds a share of a bid's secret, and no share tells anything.

Two locks lie around the padded content. The inner one is a secret of this bid alone, dealt out (Shamir) when the bid is
received, by the process that has the bid in its hands anyway, and kept nowhere whole; the outer one is the worker's, as
for any bid. So the worker can open nothing without the custodians, nor all custodians together without the worker.

Formats: bidding/README.md, *Custodians*.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyrage
from Crypto.Protocol.SecretSharing import Shamir
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dps.kernel.columns import canonical_json
from dps.kernel.entropy import Entropy
from dps.kernel.errors import BadInput
from dps.kernel.keys import SecretBox

LOCKED = "dps-custody-1"
HAND_OUT = "dps-custody-hand-out-1"
RELEASE = "dps-custody-release-1"
_SECRET_BYTES = 16
_SHARE_BYTES = 1 + _SECRET_BYTES


@dataclass(frozen=True, slots=True)
class Holder:
    """A custodian: its reference and the age recipient that its shares are sealed to."""

    ref: str
    recipient: str


class TooFewShares(Exception):
    """Not enough custodians have released a share that holds: nothing was opened."""

    def __init__(self, usable: int, needed: int) -> None:
        super().__init__(f"{usable} of {needed} shares")
        self.usable, self.needed = usable, needed


# Dealing


def lock(
    padded: bytes, *, holders: Sequence[Holder], needed: int, recipients: Sequence[str], entropy: Entropy
) -> bytes:
    """`padded` under a fresh secret of which each holder gets a share, and under the worker's recipients."""
    secret = entropy.token(_SECRET_BYTES)
    shares = [bytes([index]) + share for index, share in Shamir.split(needed, len(holders), secret)]
    inner = SecretBox(_key_of(secret)).seal(padded, about=LOCKED)
    locked = {
        "format": LOCKED,
        "needed": needed,
        "shares": {
            holder.ref: [_text(pyrage.encrypt(share, [_recipient(holder.recipient)])), _sha256(share)]
            for holder, share in zip(holders, shares, strict=True)
        },
        "sealed": _text(pyrage.encrypt(inner, [_recipient(one) for one in recipients])),
    }
    return canonical_json(locked).encode()


def is_locked(ciphertext: bytes) -> bool:
    """Whether custodians are needed; a ciphertext of age alone begins with age's own words."""
    return ciphertext.startswith(b"{")


def unlock(ciphertext: bytes, identities: Sequence[pyrage.x25519.Identity], released: Iterable[bytes]) -> bytes:
    """The padded content, with shares that were released to `identities`.

    A share that is another than was dealt counts for nothing, whoever handed it in. Raises TooFewShares; ValueError
    where the ciphertext can't be opened by anybody.
    """
    locked = _read(ciphertext)
    dealt = {sha256 for _, sha256 in locked["shares"].values()}
    usable = {share for one in released if (share := _decrypted(one, identities)) and _sha256(share) in dealt}
    if len(usable) < locked["needed"]:
        raise TooFewShares(len(usable), locked["needed"])
    points = [(share[0], share[1:]) for share in sorted(usable)[: locked["needed"]]]
    secret = Shamir.combine(points)
    inner = _decrypted(_bytes(locked["sealed"]), identities)
    if inner is None:
        raise ValueError("it was not sealed to this worker's keys")
    return SecretBox(_key_of(secret)).open(inner, about=LOCKED)


# What a custodian is given, and gives back


def hand_out_of(
    ciphertexts: Mapping[str, bytes], *, closing: str, custodian: str, recipients: Sequence[str]
) -> dict[str, Any]:
    """The shares of one custodian in these bids (by their SHA-256), and to whom they are to be released."""
    shares = {name: _read(ciphertext)["shares"][custodian] for name, ciphertext in sorted(ciphertexts.items())}
    return {
        "format": HAND_OUT,
        "closing": closing,
        "custodian": custodian,
        "recipients": list(recipients),
        "shares": shares,
    }


def release(hand_out: Mapping[str, Any], identity: str) -> dict[str, Any]:
    """Open each share with the custodian's own key and seal it to the worker. It needs no network and no database.

    BadInput where the file is another, the key is not this custodian's, or a share is not what was dealt.
    """
    if hand_out.get("format") != HAND_OUT:
        raise BadInput("is no hand-out of shares: bring the file that `dps custody hand-out` wrote", field="file")
    try:
        own = pyrage.x25519.Identity.from_str(identity.strip())
    except pyrage.IdentityError:
        raise BadInput("is no custodian's key: bring the file that `dps custody make-key` wrote", field="key") from None
    try:
        recipients = [_recipient(str(one)) for one in hand_out["recipients"]]
        given = {str(name): (_bytes(sealed), str(sha256)) for name, (sealed, sha256) in hand_out["shares"].items()}
        head = {name: str(hand_out[name]) for name in ("closing", "custodian")}
    except (KeyError, ValueError, TypeError, AttributeError, pyrage.RecipientError):
        raise BadInput("is damaged: have it handed out again", field="file") from None
    released = {}
    for name, (sealed, sha256) in given.items():
        share = _decrypted(sealed, [own])
        if share is None:
            raise BadInput(
                f"opens none of the shares of {head['custodian']}: bring that custodian's own key", field="key"
            )
        if _sha256(share) != sha256:
            raise BadInput(f"the share of {name[:16]} is not the one that was dealt; nothing is released", field="file")
        released[name] = _text(pyrage.encrypt(share, recipients))
    return {"format": RELEASE, **head, "shares": released}


def released_shares(file: Mapping[str, Any]) -> tuple[str, str, dict[str, str]]:
    """Closing, custodian and shares of a release; BadInput where it is none."""
    shares = file.get("shares")
    if file.get("format") != RELEASE or not isinstance(shares, dict):
        raise BadInput("is no release: bring the file that `dps custody release` wrote", field="file")
    try:
        kept = {str(name): _text(_bytes(share)) for name, share in shares.items()}
    except (ValueError, TypeError, AttributeError):
        raise BadInput("is damaged: have it released again", field="file") from None
    return str(file.get("closing")), str(file.get("custodian")), kept


def _read(ciphertext: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ciphertext)
    if found.get("format") != LOCKED:
        raise ValueError("it is not sealed in a format that is known here")
    return found


def _decrypted(sealed: bytes, identities: Sequence[pyrage.x25519.Identity]) -> bytes | None:
    try:
        plain: bytes = pyrage.decrypt(sealed, identities)
    except pyrage.DecryptError:
        return None
    return plain


def _key_of(secret: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=LOCKED.encode()).derive(secret)


def _recipient(text: str) -> pyrage.x25519.Recipient:
    return pyrage.x25519.Recipient.from_str(text)


def _sha256(share: bytes) -> str:
    return hashlib.sha256(share).hexdigest()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as fault:
        raise ValueError(str(fault)) from None
