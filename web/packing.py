"""An audit pack: the whole story of one award or area contract, for an auditor to take away and check without us.

A ZIP with `story.html` to read, `story.json` with the same facts, the receipts, ciphertexts and opened contents of its
bids, the closing's manifest and number, every event of the streams it was told from, the checkpoints that signed them,
the public keys, and `checking.py`, which proves a receipt from these files alone. The same database gives the same
bytes. It names no person; it holds the prices of every opened bid, so it is the auditor's and nobody else's.
"""

import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlmodel import Session, col, select

from bidding.sealing import checking
from bidding.story.areas import area_story
from bidding.story.claims import Claim, area_claims, claims
from bidding.story.telling import Story, story
from dps.kernel.actors import Actor
from dps.kernel.audit import AuditEvent, AuditHead, Checkpoint, CheckpointHead
from matching.allocation import SolverProcess
from web.pages.rendering import render

_EPOCH = (1980, 1, 1, 0, 0, 0)


def pack(
    session: Session,
    *,
    award_ref: str,
    actor: Actor,
    public_keys: Mapping[str, bytes],
    replay: SolverProcess | None = None,
) -> tuple[bytes, list[Claim]]:
    """The ZIP, and the claims of the award with what speaks against each of them."""
    told = story(session, award_ref=award_ref, actor=actor, replay=replay)
    keys = _in_hex(public_keys)
    found = claims(told.facts, told.bids, keys)
    return _pack(session, told, found, keys, "pack.html"), found


def pack_area(
    session: Session, *, area_contract_ref: str, actor: Actor, public_keys: Mapping[str, bytes]
) -> tuple[bytes, list[Claim]]:
    """The same of an area contract; its evaluation is worked out again from the bids."""
    told = area_story(session, area_contract_ref=area_contract_ref, actor=actor)
    keys = _in_hex(public_keys)
    found = area_claims(told.facts, told.bids, keys)
    return _pack(session, told, found, keys, "pack_area.html"), found


def _in_hex(public_keys: Mapping[str, bytes]) -> dict[str, str]:
    return {name: key.hex() for name, key in public_keys.items()}


def _pack(session: Session, told: Story, found: list[Claim], keys: Mapping[str, str], template: str) -> bytes:
    files: dict[str, bytes] = {
        "story.html": render(template, story=told.facts, claims=found, events=len(told.events)).encode(),
        "story.json": _json({**told.facts, "claims": [{"claim": one.words, "against": one.against} for one in found]}),
        "signing.pub.json": _json(keys),
        "checking.py": Path(checking.__file__).read_bytes(),
        "trail.jsonl": b"".join(_line(_event(event)) for event in told.events),
        "checkpoints.jsonl": b"".join(_line(one) for one in _checkpoints(session, told)),
        **_bids(told),
    }
    if told.facts["closing"] is not None:
        files["closing.json"] = _json(told.facts["closing"])
    return _zipped(files)


def write(content: bytes, path: Path) -> None:
    """The file whole or not at all, readable by its owner alone."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _bids(told: Story) -> dict[str, bytes]:
    files = {}
    for bid in told.facts["bids"]:
        files[f"bids/{bid['ref']}.receipt.json"] = _json(bid["receipt"])
        files[f"bids/{bid['ref']}.age"] = told.bids[bid["ref"]]
        if bid["content"] is not None:
            files[f"bids/{bid['ref']}.content.json"] = _json(bid["content"])
    return files


def _event(event: AuditEvent) -> dict[str, Any]:
    """Every column that its hash covers, and the hash."""
    return {
        "stream": event.stream,
        "seq": event.seq,
        "at": event.at.isoformat(timespec="microseconds"),
        "actor": event.actor,
        "role": event.role,
        "kind": event.kind,
        "body": event.body,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }


def _checkpoints(session: Session, told: Story) -> Iterable[dict[str, Any]]:
    """The checkpoints that last signed one of these streams, each with every head it signed: so it can be rehashed."""
    streams = sorted({event.stream for event in told.events})
    signed = select(CheckpointHead.checkpoint_seq).join(
        AuditHead,
        (col(AuditHead.stream) == col(CheckpointHead.stream)) & (col(AuditHead.signed_seq) == col(CheckpointHead.seq)),
    )
    wanted = set(session.exec(signed.where(col(AuditHead.stream).in_(streams))))
    for one in session.exec(select(Checkpoint).where(col(Checkpoint.seq).in_(wanted)).order_by(col(Checkpoint.seq))):
        heads = session.exec(
            select(CheckpointHead).where(CheckpointHead.checkpoint_seq == one.seq).order_by(col(CheckpointHead.stream))
        )
        yield {
            "seq": one.seq,
            "at": one.at.isoformat(timespec="microseconds"),
            "heads": [[head.stream, head.seq, head.hash] for head in heads],
            "previous_hash": one.previous_hash,
            "hash": one.hash,
            "key_id": one.key_id,
            "signature": one.signature,
        }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """The files by name, each with the same date: nothing of the machine or the moment is in the pack."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return made.getvalue()
