"""Checks a bidder's receipt, alone: it needs Python and `cryptography`, and nothing of the engine that wrote it.

    python checking.py RECEIPT --public-keys signing.pub.json [--bid FILE] [--content FILE] [--closing FILE]

Whoever holds a receipt proves with it, on a machine of their own, that the authority received these bytes at that
instant (`--bid`: the ciphertext), that they said this (`--content`: the opened bid with its nonce), and that they were
in the manifest from which the lots of the closing were drawn (`--closing`). Formats: bidding/README.md, *Sealing and
receipts*; they are read from there anew and not from the engine's code, so that a fault in one shows in the other.
"""

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "dps-receipt-1"
_LARGEST = 1 << 20
_UNSIGNED = ("key_id", "signature")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_HASH = re.compile(r"[0-9a-f]{64}")


class Unreadable(Exception):
    """A file is not what it should be; the words name the file and what to bring instead."""


def faults(
    receipt: Mapping[str, Any],
    public_keys: Mapping[str, str],
    *,
    ciphertext: bytes | None = None,
    content: Mapping[str, Any] | None = None,
    closing: Mapping[str, Any] | None = None,
) -> Iterator[str]:
    """What does not hold, in words; nothing where everything holds.

    `public_keys`: hex by key id, as in signing.pub.json. `content`: the bid's fields and its `nonce`. `closing`: its
    `closing`, `manifest`, `number`, `number_sha256`, `manifest_sha256` and `lot_seed`, as an audit pack has them.
    """
    if receipt.get("format") != FORMAT:
        yield f"it is no receipt of the format {FORMAT}"
        return
    yield from _signature_faults(receipt, public_keys)
    for name in ("received_at", "closes_at"):
        if not _INSTANT.fullmatch(str(receipt.get(name))):
            yield f"its {name} is no instant in UTC to the millisecond"
    if str(receipt.get("received_at")) >= str(receipt.get("closes_at")):
        yield "it says that the bid was received at or after the closing"
    if ciphertext is not None:
        if hashlib.sha256(ciphertext).hexdigest() != receipt.get("ciphertext_sha256"):
            yield "the bid is not the one that was received: its hash is another"
        if len(ciphertext) != receipt.get("ciphertext_bytes"):
            yield "the bid is not the one that was received: its length is another"
    if content is not None and _sha256(content) != receipt.get("commitment"):
        yield "the opened bid is not what was committed when it was received"
    if closing is not None:
        yield from _closing_faults(receipt, closing)


def _signature_faults(receipt: Mapping[str, Any], public_keys: Mapping[str, str]) -> Iterator[str]:
    key_id = str(receipt.get("key_id"))
    if key_id not in public_keys:
        yield f"it is signed with the key {key_id}, which is not among the public keys"
        return
    public = bytes.fromhex(public_keys[key_id])
    if hashlib.sha256(public).hexdigest()[:16] != key_id:
        yield f"the public key {key_id} is not the one that has this name"
        return
    said = {name: value for name, value in receipt.items() if name not in _UNSIGNED}
    try:
        signature = base64.b64decode(str(receipt.get("signature")), validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, canonical(said))
    except (InvalidSignature, binascii.Error, ValueError):
        yield "its signature does not hold"


def _closing_faults(receipt: Mapping[str, Any], closing: Mapping[str, Any]) -> Iterator[str]:
    """The receipt's bid is in the manifest, and the lots follow from manifest and committed number alone."""
    manifest: Any = closing.get("manifest")
    if closing.get("closing") != receipt.get("closing"):
        yield f"the closing is {closing.get('closing')}, and the receipt is for {receipt.get('closing')}"
    if not _is_manifest(manifest):
        yield "the closing's manifest is no sorted list of bid, hash and commitment"
        return
    line = [receipt.get("bid"), receipt.get("ciphertext_sha256"), receipt.get("commitment")]
    if line not in manifest:
        yield "the manifest of the closing does not list it; one that was replaced, withdrawn or lapsed stands in none"
    if _sha256(manifest) != closing.get("manifest_sha256"):
        yield "the manifest is not the one whose hash was published"
    try:
        number = bytes.fromhex(str(closing.get("number")))
    except ValueError:
        yield "the closing's number is not written in hex"
        return
    if hashlib.sha256(number).hexdigest() != closing.get("number_sha256"):
        yield "the number is not the one that was committed when the closing was published"
    commitments = "\n".join(sorted(line[2] for line in manifest)).encode()
    if hashlib.sha256(number + commitments).hexdigest() != closing.get("lot_seed"):
        yield "the seed of the lots does not follow from the number and the manifest"


def _is_manifest(manifest: Any) -> bool:
    return (
        isinstance(manifest, list)
        and all(
            isinstance(line, list)
            and len(line) == 3
            and isinstance(line[0], str)
            and all(isinstance(part, str) and _HASH.fullmatch(part) for part in line[1:])
            for line in manifest
        )
        and manifest == sorted(manifest)
    )


def canonical(value: Any) -> bytes:
    """Canonical JSON: sorted keys, no spaces, nothing escaped that need not be, UTF-8."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True).encode()


def _sha256(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


# Files


def check_files(
    receipt: Path, public_keys: Path, bid: Path | None, content: Path | None, closing: Path | None
) -> list[str]:
    """`faults` of what these files hold; Unreadable where one of them can't be what it is given as."""
    return list(
        faults(
            _object(receipt),
            _object(public_keys, check=_are_keys),
            ciphertext=_bytes(bid) if bid else None,
            content=_object(content) if content else None,
            closing=_object(closing) if closing else None,
        )
    )


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            found = file.read(_LARGEST + 1)
    except OSError as fault:
        raise Unreadable(f"{path}: {fault.strerror}") from None
    if len(found) > _LARGEST:
        raise Unreadable(f"{path}: is longer than {_LARGEST >> 20} MiB, and none of these files is")
    return found


def _object(path: Path, check: Callable[[dict[str, Any]], bool] = bool) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(path))
    except (ValueError, RecursionError):
        raise Unreadable(f"{path}: is no JSON; bring the file as it was downloaded") from None
    if not isinstance(found, dict) or not check(found):
        raise Unreadable(f"{path}: is not the file that is asked for here")
    return found


def _are_keys(found: dict[str, Any]) -> bool:
    return bool(found) and all(isinstance(key, str) and _HASH.fullmatch(key) for key in found.values())


def main(arguments: Sequence[str]) -> int:
    """0 where everything holds, 1 where something does not, 2 where a file can't be read."""
    parser = argparse.ArgumentParser(prog="checking.py", description=__doc__.splitlines()[0])
    parser.add_argument("receipt", type=Path, help="the receipt, as it was downloaded")
    parser.add_argument("--public-keys", type=Path, required=True, help="the authority's signing.pub.json")
    parser.add_argument("--bid", type=Path, help="the ciphertext that was received")
    parser.add_argument("--content", type=Path, help="the opened bid with its nonce, as JSON")
    parser.add_argument("--closing", type=Path, help="the closing with manifest and number, as JSON")
    asked = parser.parse_args(arguments)
    try:
        found = check_files(asked.receipt, asked.public_keys, asked.bid, asked.content, asked.closing)
    except Unreadable as unreadable:
        sys.stderr.write(f"{unreadable}\n")
        return 2
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    sys.stdout.write("The receipt does not hold.\n" if found else "The receipt holds.\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
