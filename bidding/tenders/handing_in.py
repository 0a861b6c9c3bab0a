"""Handing in a bid for an area: in time by the clock read after the locks, sealed at once, answered with a receipt."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, select

from bidding.bids.records import Bid, BidState
from bidding.bids.storing import row_of, sealed_for
from bidding.closings import Closing
from bidding.tenders.content import AreaBid, problems
from bidding.tenders.entitled import NOT_ENTITLED, entitled
from bidding.tenders.records import Tender, TenderState, locked_tender
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import canonical_json
from dps.kernel.database import find_all, locked_one
from dps.kernel.errors import InvalidBid, NotEligible, NotFound, TooLate
from dps.kernel.idempotency import Answers, key_hash
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.register.providers import ids_of, locked_provider
from dps.schemes.stored import rules_by_hash


def hand_in_for_area(
    session: Session, ports: Ports, *, tender_ref: str, content: AreaBid, idempotency_key: str, actor: Actor
) -> dict[str, Any] | TooLate:
    """Seal a bid for an area in place of the same provider's earlier one; the signed receipt.

    A bid that is late leaves an event that says so and nothing of itself: `TooLate` is given back, not raised, so that
    the event is kept.
    """
    provider = _bidder(actor)
    tender = locked_tender(session, tender_ref, actor, shared=True)
    closing = locked_one(session, Closing, tender.closing_id, shared=True)
    bidder = locked_provider(session, ids_of(session, [provider])[0])
    # After the locks: whoever closes holds the closing, and the clock says what has happened meanwhile.
    now = ports.clock.read(session)
    hashed = key_hash(actor.ref, idempotency_key)
    body = canonical_json([tender.ref, content.to_dict(), provider]).encode()
    answers = Answers(session, ports.keyring, [hashed])
    if (known := answers.recall(hashed, body)) is not None:
        return dict(known)
    if tender.state is TenderState.CANCELLED:
        raise InvalidBid(problems=("This tender was cancelled.",))
    if now >= closing.closes_at or tender.state is not TenderState.PUBLISHED:
        facts = {"tender": tender.ref, "closes_at": closing.closes_at.isoformat()}
        audit.append(session, tender.stream, "bid.refused_late", actor, now, facts)
        return TooLate(closes_at=closing.closes_at, now=now)
    scheme = rules_by_hash(session, tender.rule_hash)
    asked = scheme.area_contract(tender.key)
    if found := problems(content, asked, tender.locality, scheme.evaluation.questions):
        raise InvalidBid(problems=found)
    if not entitled(session, scheme, asked, now, ids=[bidder.id or 0]):
        raise NotEligible(reasons=(NOT_ENTITLED,))
    for before in own_bids(session, tender, provider):
        advance(session, before, "replace", actor, now)
    row = row_of(
        ports,
        sealed_for(closing, content.to_dict(), ports.entropy),
        provider=provider,
        names=[tender.ref],
        stream=tender.ref,
        closing=closing,
        valid_until=scheme.award.bid_valid.end(closing.closes_at, scheme.calendar()),
        now=now,
    )
    session.add(Bid(**row))
    session.flush()
    receipt: dict[str, Any] = row["receipt"]
    audit.append(session, tender.stream, "bid.sealed", actor, now, {"receipt": receipt, "provider": provider})
    answers.remember(hashed, body, receipt, now)
    return receipt


def withdraw_from_area(session: Session, ports: Ports, *, tender_ref: str, actor: Actor) -> None:
    """Take one's own sealed bid back before the closing; TooLate afterwards, NotFound where there is none."""
    provider = _bidder(actor)
    tender = locked_tender(session, tender_ref, actor, shared=True)
    closing = locked_one(session, Closing, tender.closing_id, shared=True)
    locked_provider(session, ids_of(session, [provider])[0])
    now = ports.clock.read(session)
    if now >= closing.closes_at:
        raise TooLate(closes_at=closing.closes_at, now=now)
    bids = own_bids(session, tender, provider)
    if not bids:
        raise NotFound(kind="bid", ref=tender.ref)
    for bid in bids:
        advance(session, bid, "withdraw", actor, now)


def own_bids(session: Session, tender: Tender, provider: str, *states: BidState) -> list[Bid]:
    """This provider's bids for the tender in these states: the sealed one, unless told otherwise."""
    wanted: Mapping[str, Any] = {"invitation_ref": tender.ref, "provider": provider}
    return list(find_all(session, Bid, fresh=True, **wanted, state=states or (BidState.SEALED,)))


def offered_areas(session: Session, actor: Actor) -> Sequence[Tender]:
    """The tenders whose contract waits for the answer of the actor's provider, the first sought first."""
    query = (
        select(Tender)
        .join(Bid, col(Bid.ref) == col(Tender.offered_bid))
        .where(col(Tender.state) == TenderState.OFFERED, Bid.provider == _bidder(actor))
        .order_by(col(Tender.id))
    )
    return session.exec(query).all()


def _bidder(actor: Actor) -> str:
    actor.needs("bid for an area", Role.PROVIDER)
    if actor.provider is None:
        raise NotFound(kind="provider", ref="")
    return actor.provider
