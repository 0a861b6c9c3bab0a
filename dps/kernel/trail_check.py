"""Checks a trail that was written to a file, alone: it needs Python and `cryptography`, and nothing of the engine.

    python trail_check.py TRAIL.jsonl --public-keys signing.pub.json

Finds any edit, deletion, reorder or truncation up to the latest checkpoint. Whoever cuts off checkpoints and all that
they signed leaves an older trail that was whole once: name the hash of a checkpoint that you know (`--checkpoint`), and
it must be there. The format stands in dps/kernel/README.md,
*The trail as a file*; it is read from there anew, so that a fault in the engine's code shows here.
"""

import argparse
import base64
import binascii
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "dps-trail-1"
_ZERO = "0" * 64
_UNREADABLE = (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError)


@dataclass
class Checked:
    """What was read, and every fault found, in words."""

    events: int = 0
    checkpoints: int = 0
    faults: list[str] = field(default_factory=list)
    _signed: dict[str, str] = field(default_factory=dict)
    _ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    _hashes: set[str] = field(default_factory=set)
    _last: str = _ZERO


def check(lines: Iterable[str], public_keys: Mapping[str, str], *, known: str = "") -> Checked:
    """Read the file's lines. `public_keys`: hex by key id, as in signing.pub.json; `known`: a checkpoint's hash."""
    found, told = Checked(), {"format": "", "events": -1, "checkpoints": -1}
    for number, line in enumerate(lines, start=1):
        try:
            said = json.loads(line)
            if not isinstance(said, dict) or canonical(said) != line.rstrip("\n"):
                raise ValueError(line)
            if number == 1:
                told = said
            elif "checkpoint" in said and not found.events:
                found.faults += _checkpoint_faults(found, said["checkpoint"], public_keys)
            else:
                found.faults += _event_faults(found, said["event"])
        except _UNREADABLE:
            found.faults.append(f"line {number}: it is not written as it was")
    if told != {"format": FORMAT, "events": found.events, "checkpoints": found.checkpoints}:
        found.faults.append(
            f"the file holds {found.events} events and {found.checkpoints} checkpoints, and says {told}"
        )
    if known and known not in found._hashes:
        found.faults.append(f"the checkpoint {known} that is known is not in the file")
    found.faults += [f"{where}: a checkpoint signed it, and it is not there" for where in found._signed.values()]
    return found


def _checkpoint_faults(found: Checked, said: Mapping[str, Any], public_keys: Mapping[str, str]) -> Iterator[str]:
    found.checkpoints += 1
    seq, heads = said["seq"], said["heads"]
    if seq != found.checkpoints:
        yield f"checkpoint {seq}: it stands in the place of checkpoint {found.checkpoints}"
    text = json.dumps([seq, said["at"], heads, said["previous_hash"]], ensure_ascii=False, separators=(",", ":"))
    if hashlib.sha256(text.encode()).hexdigest() != said["hash"] or said["previous_hash"] != found._last:
        yield f"checkpoint {seq}: its content does not match its hash"
    elif not _is_signed(said, public_keys):
        yield f"checkpoint {seq}: its signature does not hold"
    for stream, at, digest in heads:
        found._signed[digest] = f"stream {stream}, event {at}"
    found._last = said["hash"]
    found._hashes.add(found._last)


def _is_signed(said: Mapping[str, Any], public_keys: Mapping[str, str]) -> bool:
    public = bytes.fromhex(public_keys.get(said["key_id"], ""))
    if hashlib.sha256(public).hexdigest()[:16] != said["key_id"]:
        return False
    try:
        signature = base64.b64decode(said["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(signature, said["hash"].encode())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _event_faults(found: Checked, said: Sequence[Any]) -> Iterator[str]:
    found.events += 1
    stream, seq, at, actor, role, kind, body, previous_hash, digest = said
    last, previous = found._ends.get(stream, (0, _ZERO))
    text = canonical([stream, seq, at, actor, role, kind, body, previous_hash])
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        yield f"stream {stream}, event {seq}: it was changed after it was written"
    if (seq, previous_hash) != (last + 1, previous):
        yield f"stream {stream}, event {seq}: it does not follow event {last}"
    found._signed.pop(digest, None)
    found._ends[stream] = (seq, digest)


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, nothing escaped that need not be."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def check_file(trail: Path, public_keys: Mapping[str, str], *, known: str = "") -> Checked:
    """`check` of a file, line by line, so that a million events fit in little memory."""
    with trail.open(encoding="utf-8", newline="\n") as lines:
        return check(lines, public_keys, known=known)


def main(arguments: Sequence[str]) -> int:
    """0 where everything holds, 1 where something does not, 2 where a file can't be read."""
    parser = argparse.ArgumentParser(prog="trail_check.py", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("trail", type=Path, help="what `dps audit export` wrote")
    parser.add_argument("--public-keys", type=Path, required=True, help="the authority's signing.pub.json")
    parser.add_argument("--checkpoint", default="", help="the hash of a checkpoint that must be there")
    asked = parser.parse_args(arguments)
    try:
        found = check_file(asked.trail, json.loads(asked.public_keys.read_text()), known=asked.checkpoint)
    except (OSError, ValueError) as fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    for fault_ in found.faults:
        sys.stderr.write(f"{fault_}\n")
    words = f"{len(found.faults)} faults" if found.faults else "nothing was changed"
    sys.stdout.write(f"{found.events} events and {found.checkpoints} checkpoints checked: {words}.\n")
    return 1 if found.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
