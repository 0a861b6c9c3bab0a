"""From the closing of a tender to its contract: evaluate what was opened, offer it in line, accept or decline."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from bidding.asking import best_rating_score
from bidding.awards.line import lot_number
from bidding.bids.records import Bid, BidState, OpenedBid, bids_of_closing
from bidding.closings import Closing, ClosingState
from bidding.tenders.content import AreaBid
from bidding.tenders.entitled import NO_LONGER, entitled
from bidding.tenders.publishing import tell
from bidding.tenders.records import (
    Tender,
    TenderState,
    locked_tender,
    scores_fingerprint,
    tender_of_closing,
)
from bidding.tenders.scoring import AreaEntry, AreaScore, score_area
from dps.contracts.area_contracts import AreaContractRow, AreaContractState
from dps.contracts.quality.recognition import score_or_usual, scores_in_force
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.database import find, find_all, locked_one
from dps.kernel.errors import NeedsSecondPerson, NotEligible, NotFound, RuleNotMet, TooLate
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.register.interests import refuse_tied
from dps.register.providers import ids_of, locked_provider
from dps.schemes.model import Scheme
from dps.schemes.stored import rules_by_hash


def evaluate(session: Session, ports: Ports, closing_id: int) -> bool:
    """Score what was opened and put the bids in line, once; nothing is awarded. False where there is nothing to do."""
    tender = locked_one(session, Tender, tender_of_closing(session, closing_id).id)
    closing = locked_one(session, Closing, closing_id)
    now = ports.clock.read(session)
    if closing.state is not ClosingState.OPENED:
        return False
    scheme = rules_by_hash(session, tender.rule_hash)
    bids = bids_of_closing(session, closing.id, BidState.OPENED)
    providers = {bid.provider for bid in bids}
    ratings = best_rating_score(session, scheme, tender.authority, now, providers)
    recognised = scores_in_force(session, scheme.key, at=closing.closes_at, providers=providers) if providers else {}
    ids = ids_of(session, providers)
    able = entitled(session, scheme, scheme.area_contract(tender.key), closing.closes_at, ids=ids) if ids else set()
    opened = _opened(session, bids)
    entries = [
        AreaEntry(
            bid=bid.ref,
            provider=bid.provider,
            content=AreaBid.from_dict(opened[bid.id or 0].content),
            rating_score=ratings[bid.provider],
            recognition_score=score_or_usual(scheme, recognised, bid.provider),
            lot=lot_number(closing.lot_seed or "", bid),
            barred=() if bid.provider in able else (NO_LONGER,),
        )
        for bid in bids
    ]
    scores = score_area(entries, scheme, scheme.area_contract(tender.key), tender.locality)
    stored = [one.to_dict() for one in scores]
    advance(session, closing, "score", CLOCK, now, facts={"scored": len(bids)})
    advance(session, closing, "allocate", CLOCK, now, facts={"tender": tender.ref})
    if tender.state is not TenderState.PUBLISHED:
        return True
    fingerprint = scores_fingerprint(stored, [one.nonce for one in opened.values()])
    facts = {"bids": len(bids), "valid": sum(one.is_valid for one in scores), "scores_sha256": fingerprint}
    advance(session, tender, "evaluate", CLOCK, now, facts=facts, scores=stored)
    invalid = {one.bid for one in scores if not one.is_valid}
    for bid in bids:
        if bid.ref in invalid:
            advance(session, bid, "invalidate", CLOCK, now)
    recipient = f"authority:{tender.authority}"
    post(session, ports.entropy, recipient=recipient, kind="tender_evaluated", about=tender.ref, now=now)
    return True


def replayed(session: Session, tender: Tender, scheme: Scheme) -> list[AreaScore]:
    """The evaluation once more, from the opened bids and what was frozen: what is stored, if nothing changed."""
    closing = session.get_one(Closing, tender.closing_id)
    bids = {bid.ref: bid for bid in bids_of_closing(session, closing.id, *BidState)}
    opened = _opened(session, list(bids.values()))
    entries = [
        AreaEntry(
            bid=one.bid,
            provider=bids[one.bid].provider,
            content=AreaBid.from_dict(opened[bids[one.bid].id or 0].content),
            rating_score=one.rating_score,
            recognition_score=one.recognition_score,
            lot=lot_number(closing.lot_seed or "", bids[one.bid]),
            barred=tuple(reason for reason in one.reasons if reason == NO_LONGER),
        )
        for one in tender.evaluation
    ]
    return score_area(entries, scheme, scheme.area_contract(tender.key), tender.locality)


def offer_area(session: Session, ports: Ports, *, tender_ref: str, actor: Actor) -> str:
    """Offer the contract to the next bid in line that still stands; returns its provider.

    Another person than the one who published it does so (law 9). Whoever may no longer take part is passed over.
    """
    actor.needs("offer an area contract", Role.APPROVER)
    tender = locked_tender(session, tender_ref, actor)
    Tender.STEPS.step(tender.state, "offer", tender.ref)
    if tender.published_by == actor.ref:
        raise NeedsSecondPerson(actor=actor.ref, step="offer it")
    bids = {bid.ref: bid for bid in bids_of_closing(session, tender.closing_id, BidState.OPENED)}
    for provider in sorted({bid.provider for bid in bids.values()}):
        refuse_tied(session, actor, provider, "offer it")
    now = ports.clock.read(session)
    scheme = rules_by_hash(session, tender.rule_hash)
    passed = list(tender.passed)
    for score in tender.evaluation:
        bid = bids.get(score.bid)
        if bid is None or score.place is None or score.bid in passed:
            continue
        if bid.valid_until <= now:
            raise RuleNotMet(reason="No bid stands any longer. Cancel this tender and publish another.")
        if _may_take(session, tender, scheme, bid.provider, now):
            facts = {"bid": bid.ref, "place": score.place}
            advance(session, tender, "offer", actor, now, facts=facts, offered_bid=bid.ref, passed=passed)
            tell(session, ports, bid.provider, "tender_offered", tender)
            return bid.provider
        passed.append(score.bid)
    raise RuleNotMet(reason="Nobody is left in line. Cancel this tender and publish another.")


def accept_area(session: Session, ports: Ports, *, tender_ref: str, actor: Actor) -> AreaContractRow:
    """Take the contract that is offered; it is agreed at what was bid. TooLate once the bid no longer stands."""
    tender, bid, score = _offered(session, tender_ref, actor)
    locked_provider(session, ids_of(session, [bid.provider])[0])
    now = ports.clock.read(session)
    if now >= bid.valid_until:
        raise TooLate(closes_at=bid.valid_until, now=now)
    scheme = rules_by_hash(session, tender.rule_hash)
    if not _may_take(session, tender, scheme, bid.provider, now):
        raise NotEligible(reasons=("You may no longer take part: look at your lists and documents.",))
    content = _opened(session, [bid])[bid.id or 0].content
    advance(session, tender, "accept", actor, now, facts={"bid": bid.ref})
    row = AreaContractRow(
        ref=new_reference(Kind.AREA_CONTRACT, ports.entropy),
        state=AreaContractState.AGREED,
        tender=tender.ref,
        provider=bid.provider,
        authority=tender.authority,
        scheme=tender.scheme,
        rule_hash=tender.rule_hash,
        key=tender.key,
        lots=list(scheme.area_contract(tender.key).lots),
        locality=tender.locality,
        evaluated_pence=score.yearly_pence,
        terms={name: content[name] for name in ("rates", "yearly_pence", "targets")},
        from_day=tender.from_day,
        last_day=tender.last_day,
        agreed_at=now,
    )
    session.add(row)
    session.flush()
    facts = {"tender": tender.ref, "provider": row.provider, "from_day": row.from_day.isoformat()}
    audit.append(session, row.stream, "area-contract.agreed", actor, now, facts)
    for other in bids_of_closing(session, tender.closing_id, BidState.OPENED):
        won = other.ref == bid.ref
        advance(session, other, "win" if won else "lose", CLOCK, now)
        if not won:
            tell(session, ports, other.provider, "tender_decided", tender)
    recipient = f"authority:{tender.authority}"
    post(session, ports.entropy, recipient=recipient, kind="tender_accepted", about=tender.ref, now=now)
    return row


def decline_area(session: Session, ports: Ports, *, tender_ref: str, actor: Actor) -> None:
    """Leave the contract that is offered to the next in line."""
    tender, bid, _ = _offered(session, tender_ref, actor)
    now = ports.clock.read(session)
    passed = [*tender.passed, bid.ref]
    advance(session, tender, "decline", actor, now, facts={"bid": bid.ref}, offered_bid=None, passed=passed)
    recipient = f"authority:{tender.authority}"
    post(session, ports.entropy, recipient=recipient, kind="tender_declined", about=tender.ref, now=now)


def _offered(session: Session, tender_ref: str, actor: Actor) -> tuple[Tender, Bid, AreaScore]:
    """A tender that is offered to this provider; to another it is not found."""
    tender = locked_tender(session, tender_ref, actor)
    bid = find(session, Bid, ref=tender.offered_bid or "")
    score = tender.score_of(tender.offered_bid)
    if bid is None or score is None or bid.provider != actor.provider or tender.state is not TenderState.OFFERED:
        raise NotFound(kind="offer", ref=tender_ref)
    return tender, bid, score


def _may_take(session: Session, tender: Tender, scheme: Scheme, provider: str, now: datetime) -> bool:
    return bool(entitled(session, scheme, scheme.area_contract(tender.key), now, ids=ids_of(session, [provider])))


def _opened(session: Session, bids: Sequence[Bid]) -> Mapping[int, OpenedBid]:
    return {one.bid_id: one for one in find_all(session, OpenedBid, bid_id=[bid.id for bid in bids])} if bids else {}
