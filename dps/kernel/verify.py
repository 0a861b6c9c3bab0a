"""Proof that the trail is whole: every chain recomputed, every checkpoint's signature checked (law 3).

Reads only the four audit tables and the public keys, streaming, so that a million events fit in little memory.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlmodel import Session, col, select

from dps.kernel.audit import ZERO_HASH, AuditEvent, AuditHead, Checkpoint, CheckpointHead, checkpoint_hash, event_hash
from dps.kernel.keys import signature_holds


@dataclass
class TrailReport:
    """What was checked and every fault found, in words; `ok` means none."""

    events: int = 0
    streams: int = 0
    checkpoints: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults


def verify_trail(session: Session, public_keys: Mapping[str, bytes]) -> TrailReport:
    """Recompute the whole trail. Finds any edit, deletion, reorder or truncation up to the latest checkpoint."""
    report = TrailReport()
    heads = {head.stream: (head.seq, head.hash) for head in session.exec(select(AuditHead))}
    signed = _verify_checkpoints(session, public_keys, report)
    seen = _verify_chains(session, signed, report)
    for stream, head in heads.items():
        if seen.get(stream) != head:
            end = _seq(seen.get(stream))
            report.faults.append(f"stream {stream}: its events end at {end}, its head says {head[0]}")
    for stream in seen.keys() - heads.keys():
        report.faults.append(f"stream {stream}: it has events but no head")
    for stream in {stream for stream, _ in signed}:
        if stream not in seen:
            report.faults.append(f"stream {stream}: a checkpoint signed it, and it is gone")
    return report


def _seq(end: tuple[int, str] | None) -> int:
    return end[0] if end else 0


def _verify_checkpoints(
    session: Session, public_keys: Mapping[str, bytes], report: TrailReport
) -> dict[tuple[str, int], str]:
    """Check the chain of checkpoints; returns the hash that was signed for (stream, seq)."""
    signed: dict[tuple[str, int], str] = {}
    expected, previous = 1, ZERO_HASH
    for checkpoint in session.exec(select(Checkpoint).order_by(col(Checkpoint.seq))):
        report.checkpoints += 1
        heads = session.exec(select(CheckpointHead).where(CheckpointHead.checkpoint_seq == checkpoint.seq)).all()
        listed = sorted((head.stream, head.seq, head.hash) for head in heads)
        digest = checkpoint_hash(seq=checkpoint.seq, at=checkpoint.at, heads=listed, previous_hash=previous)
        public = public_keys.get(checkpoint.key_id)
        name = f"checkpoint {checkpoint.seq}"
        if checkpoint.seq != expected:
            report.faults.append(f"{name}: checkpoint {expected} is missing")
        if digest != checkpoint.hash or checkpoint.previous_hash != previous or len(listed) != checkpoint.heads:
            report.faults.append(f"{name}: its content does not match its hash")
        elif public is None:
            report.faults.append(f"{name}: signed with the unknown key {checkpoint.key_id}")
        elif not signature_holds(public, checkpoint.signature, checkpoint.hash.encode()):
            report.faults.append(f"{name}: its signature does not hold")
        signed.update({(stream, seq): hash_ for stream, seq, hash_ in listed})
        expected, previous = checkpoint.seq + 1, checkpoint.hash
    return signed


def _verify_chains(
    session: Session, signed: Mapping[tuple[str, int], str], report: TrailReport
) -> dict[str, tuple[int, str]]:
    """Recompute every chain; returns where each stream ends."""
    seen: dict[str, tuple[int, str]] = {}
    furthest: dict[str, int] = {}
    for stream, seq in signed:
        furthest[stream] = max(furthest.get(stream, 0), seq)
    for event in _events(session):
        report.events += 1
        seq, previous = seen.get(event.stream, (0, ZERO_HASH))
        place = f"stream {event.stream}, event {event.seq}"
        if event.seq != seq + 1:
            report.faults.append(f"{place}: event {seq + 1} is missing")
        digest = event_hash(
            stream=event.stream,
            seq=event.seq,
            at=event.at,
            actor=event.actor,
            role=event.role,
            kind=event.kind,
            body=event.body,
            previous_hash=event.previous_hash,
        )
        if digest != event.hash:
            report.faults.append(f"{place}: it was changed after it was written")
        elif event.seq == seq + 1 and event.previous_hash != previous:
            report.faults.append(f"{place}: it does not follow the event before it")
        if signed.get((event.stream, event.seq), event.hash) != event.hash:
            report.faults.append(f"{place}: it is not what a checkpoint signed")
        seen[event.stream] = (event.seq, event.hash)
    for stream, seq in furthest.items():
        if stream in seen and seen[stream][0] < seq:
            report.faults.append(f"stream {stream}: a checkpoint signed {seq} events, {seen[stream][0]} are left")
    report.streams = len(seen)
    return seen


def _events(session: Session) -> Iterator[AuditEvent]:
    query = select(AuditEvent).order_by(col(AuditEvent.stream), col(AuditEvent.seq)).execution_options(yield_per=2000)
    yield from session.exec(query)
