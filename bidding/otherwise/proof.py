"""Every package placed otherwise was placed by two people, at the price and in the way that the trail tells."""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from bidding.otherwise.records import Placement, PlacementState
from dps.kernel.audit import AuditEvent


def placement_faults(session: Session) -> Iterator[str]:
    """What the approved placements and the trail say differently, in words."""
    events = select(AuditEvent).where(AuditEvent.kind == "referral.place_otherwise").order_by(col(AuditEvent.id))
    told = {event.body["placement"]: event for event in session.exec(events) if "placement" in event.body}
    approved = select(Placement).where(Placement.state == PlacementState.APPROVED).order_by(col(Placement.id))
    for placement in session.exec(approved):
        event = told.pop(placement.ref, None)
        if event is None:
            yield f"placement {placement.ref}: it is approved, and the trail knows of no such approval"
        elif (event.stream, event.actor) != (placement.stream, placement.decided_by) or placement.terms != {
            name: event.body[name] for name in placement.terms
        }:
            yield f"placement {placement.ref}: the trail says otherwise of who approved what"
        elif event.actor == placement.proposed_by:
            yield f"placement {placement.ref}: one person proposed and approved it"
    for ref in sorted(told):
        yield f"placement {ref}: the trail approved it, and it is gone or not approved"
