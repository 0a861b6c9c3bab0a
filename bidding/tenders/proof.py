"""Proof that tenders were evaluated as the rules say, and that contracts for areas say what was bid.

Each evaluation is worked out again from the opened bids, and the trail keeps its salted fingerprint: neither side of
the comparison can be changed alone.
"""

from collections.abc import Iterator

from sqlmodel import Session, col, select

from bidding.bids.records import Bid, OpenedBid
from bidding.tenders.deciding import replayed
from bidding.tenders.records import Tender, TenderState, scores_fingerprint
from dps.contracts.area_contracts import AreaContractRow
from dps.kernel.audit import AuditEvent
from dps.schemes.stored import rules_by_hash

_SAID = ("scheme", "key", "locality")


def tender_faults(session: Session) -> Iterator[str]:
    """What does not hold of any tender or area contract, in words; nothing where everything holds."""
    for tender in session.exec(select(Tender).order_by(col(Tender.id))):
        yield from (f"tender {tender.ref}: {fault}" for fault in _faults(session, tender))
    rows = select(AreaContractRow, Tender).join(Tender, col(Tender.ref) == col(AreaContractRow.tender), isouter=True)
    for row, its in session.exec(rows.order_by(col(AreaContractRow.id))):
        if its is None or not is_what_was_bid(session, row, its):
            yield f"area contract {row.ref}: it is not what was bid"


def _faults(session: Session, tender: Tender) -> Iterator[str]:
    query = select(AuditEvent).where(AuditEvent.stream == tender.stream, col(AuditEvent.kind).like("tender.%"))
    events = session.exec(query.order_by(col(AuditEvent.seq))).all()
    latest = {event.kind: event for event in events}
    published = latest.get("tender.published")
    if published is None:
        yield "the trail does not know it"
        return
    said = {name: getattr(tender, name) for name in _SAID} | {"from_day": tender.from_day.isoformat()}
    for name, value in said.items():
        if published.body[name] != value:
            yield f"its {name} is not the one that was published"
    moves = [event.body["to"] for event in events if "to" in event.body]
    if str(tender.state) != (moves[-1] if moves else str(TenderState.PUBLISHED)):
        yield f"it is {tender.state}, and the trail says otherwise"
    if tender.offered_bid is not None and tender.offered_bid != latest["tender.offer"].body["bid"]:
        yield "the trail says that another bid was offered the contract"
    if "tender.evaluate" not in latest:
        if tender.scores is not None:
            yield "it was not evaluated, and its scores are there"
        return
    nonces = session.exec(
        select(OpenedBid.nonce)
        .join(Bid, col(Bid.id) == col(OpenedBid.bid_id))
        .where(Bid.closing_id == tender.closing_id)
    ).all()
    if scores_fingerprint(tender.scores, nonces) != latest["tender.evaluate"].body["scores_sha256"]:
        yield "its scores are not those that were worked out"
    again = replayed(session, tender, rules_by_hash(session, tender.rule_hash))
    if [one.to_dict() for one in again] != tender.scores:
        yield "its scores are not what the rules make of its bids"


def is_what_was_bid(session: Session, row: AreaContractRow, tender: Tender) -> bool:
    """Whether an area contract is its tender's, and says what the bid that was offered it said."""
    found = session.exec(
        select(Bid.provider, OpenedBid.content)
        .join(OpenedBid, col(OpenedBid.bid_id) == col(Bid.id))
        .where(Bid.ref == tender.offered_bid)
    ).first()
    if found is None or tender.state is not TenderState.AWARDED:
        return False
    provider, content = found
    score = tender.score_of(tender.offered_bid)
    place = (row.scheme, row.authority, row.key, row.locality, row.rule_hash)
    return (
        provider == row.provider
        and place == (tender.scheme, tender.authority, tender.key, tender.locality, tender.rule_hash)
        and all(content[name] == value for name, value in row.terms.items())
        and score is not None
        and score.yearly_pence == row.evaluated_pence
    )
