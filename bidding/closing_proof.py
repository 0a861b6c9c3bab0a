"""Proof that no closing was changed: held against what the trail says was published, moved, closed and drawn."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from bidding.bids.records import scores_sha256
from bidding.closings import Closing, ClosingState
from bidding.sealing.seal import recipients_id
from dps.kernel.audit import AuditEvent
from dps.kernel.columns import canonical_json
from dps.kernel.errors import NotFound
from dps.schemes.stored import rules_by_hash

_NO_SCORES = hashlib.sha256(b"[]").hexdigest()


@dataclass(frozen=True, slots=True)
class KnownClosing:
    """What the trail says of one closing: the instants at which it was due, one after another, and its manifest."""

    dues: tuple[datetime, ...]
    manifest: dict[str, tuple[str, str]]


def check_closing(session: Session, closing: Closing) -> tuple[KnownClosing, list[str]]:
    """What the trail says of a closing, and each fault where the row says otherwise."""
    query = select(AuditEvent).where(AuditEvent.stream == closing.stream).order_by(col(AuditEvent.seq))
    events = session.exec(query).all()
    latest = {event.kind: event for event in events}
    dues = [event.body["closes_at"] for event in events if event.kind == "closing.published"]
    dues += [event.body["to"] for event in events if event.kind == "closing.extended"]
    closed = latest.get("closing.close")
    lines = closed.body["manifest"] if closed else []
    known = KnownClosing(
        dues=tuple(datetime.fromisoformat(due) for due in dues),
        manifest={ref: (ciphertext, committed) for ref, ciphertext, committed in lines},
    )
    return known, list(_faults(session, closing, latest))


def _faults(session: Session, closing: Closing, events: Mapping[str, AuditEvent]) -> Iterator[str]:
    published = events.get("closing.published")
    if published is None:
        yield "the trail does not know it"
        return
    for name in ("mode", "number_sha256", "recipients_id", "rule_hash"):
        if published.body[name] != getattr(closing, name):
            yield f"its {name} is not the one that was published"
    if hashlib.sha256(closing.sealed_number).hexdigest() != published.body["sealed_number_sha256"]:
        yield "its sealed number is not the one that was committed"
    # A closing that was moved is no longer the published one of its hour.
    if closing.published != (published.body["published"] and "closing.extended" not in events):
        yield "the trail says otherwise of whether it is a published one"
    if recipients_id(tuple(closing.recipients)) != closing.recipients_id:
        yield "its recipients are not those that were published"
    if closing.custody != published.body.get("custody"):
        yield "its custodians are not those that were published"
    waited = events.get("custody.opening_refused")
    if closing.shares_usable != (waited.body["usable"] if waited else None):
        yield "the trail says otherwise of how many custodians had released a share"
    if not _is_of_its_scheme(session, closing):
        yield "it is not of the scheme whose rules it was published under"
    due = events["closing.extended"].body["to"] if "closing.extended" in events else published.body["closes_at"]
    if due != closing.closes_at.isoformat():
        yield "the trail says that it closes at another instant"
    moves = [event.body["to"] for event in events.values() if "to" in event.body and "ref" in event.body]
    if str(closing.state) != (moves[-1] if moves else str(ClosingState.GATHERING)):
        yield f"it is {closing.state}, and the trail says otherwise"
    for kind, at in (("closing.close", closing.closed_at), ("closing.open", closing.opened_at)):
        if (events[kind].at if kind in events else None) != at:
            yield f"the trail has another instant for its {kind.rpartition('.')[2]}"
    if "closing.close" in events:
        yield from _draw_faults(closing, events["closing.close"].body)
    elif closing.manifest_sha256 is not None or closing.lot_seed is not None:
        yield "it has not closed, and its draw is there"
    scored = events["closing.score"].body.get("scores_sha256") if "closing.score" in events else _NO_SCORES
    # Closings scored by an earlier release kept no fingerprint.
    if scored is not None and scored != scores_sha256(session, closing.id):
        yield "its scores are not those that were worked out"


def _draw_faults(closing: Closing, closed: Mapping[str, Any]) -> Iterator[str]:
    """The lots' seed follows from the number committed beforehand and the manifest: neither side chose it."""
    manifest, number = closed["manifest"], bytes.fromhex(closed["number"])
    commitments = "\n".join(sorted(line[2] for line in manifest))
    facts = {
        "its manifest": (hashlib.sha256(canonical_json(manifest).encode()).hexdigest(), closing.manifest_sha256),
        "its number": (hashlib.sha256(number).hexdigest(), closing.number_sha256),
        "the seed of its lots": (hashlib.sha256(number + commitments.encode()).hexdigest(), closing.lot_seed),
    }
    for words, (derived, stored) in facts.items():
        if derived != stored:
            yield f"{words} does not follow from what was committed"


def _is_of_its_scheme(session: Session, closing: Closing) -> bool:
    try:
        return rules_by_hash(session, closing.rule_hash).key == closing.scheme
    except NotFound:
        return False
