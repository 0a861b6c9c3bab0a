"""An area contract's whole story, for an auditor: who sought it, what was bid, how it was evaluated, what it is paid.

Told from the rows and the trail like the story of an award; it names no person, because none is in it.
"""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from bidding.bids.records import Bid, BidState, bids_of_closing
from bidding.closings import Closing
from bidding.story.telling import ByKind, Story, bid_facts, closing_facts
from bidding.tenders.deciding import replayed
from bidding.tenders.proof import is_what_was_bid
from bidding.tenders.records import Tender
from dps.contracts.area_contracts import AreaContractRow, area_contract_of
from dps.contracts.statements.area_contracts import area_stated_anew
from dps.contracts.statements.records import Statement
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import find, find_all
from dps.register.interests import Interest
from dps.schemes.model import Scheme
from dps.schemes.stored import rules_by_hash

_DECIDING = ("tender.published", "tender.offer", "tender.accept", "tender.decline", "tender.cancel")


def area_story(session: Session, *, area_contract_ref: str, actor: Actor) -> Story:
    """The story of one area contract; NotFound to another authority's auditor."""
    actor.needs("read the whole story of an area contract", Role.AUDITOR, Role.ADMINISTRATOR)
    row = area_contract_of(session, area_contract_ref, actor)
    tender = find(session, Tender, ref=row.tender)
    assert tender is not None
    closing = session.get_one(Closing, tender.closing_id)
    bids = bids_of_closing(session, closing.id, *BidState)
    statements = find_all(session, Statement, area_contract=row.ref, order=("first_day", "id"))
    events = _events(session, row, tender, closing, bids, statements)
    of, rules = ByKind(events), rules_by_hash(session, row.rule_hash)
    facts: dict[str, Any] = {
        "area_contract": _contract(session, row, tender, rules),
        "rules": {"hash": row.rule_hash, "name": rules.name},
        "tender": _tender(tender, of),
        "closing": closing_facts(closing, of),
        "bids": [bid_facts(session, bid) for bid in bids],
        "evaluation": tender.scores or [],
        "evaluated_again": [one.to_dict() for one in replayed(session, tender, rules)],
        "people": _people(session, tender, bids, of),
        "looks": {
            "opened": of.said("closing.open"),
            "refused_before": of.said("closing.opening_refused", "custody.refused_early", "custody.opening_refused"),
            "refused_late": of.said("bid.refused_late"),
        },
        "statements": [_statement(session, one) for one in statements],
    }
    return Story(facts=facts, bids={bid.ref: bid.ciphertext for bid in bids}, events=events)


def _events(
    session: Session,
    row: AreaContractRow,
    tender: Tender,
    closing: Closing,
    bids: Sequence[Bid],
    statements: Sequence[Statement],
) -> Sequence[AuditEvent]:
    """Every event of every stream of this story: an auditor recomputes whole chains or none."""
    streams = {row.stream, tender.stream, closing.stream}
    streams |= {bid.stream for bid in bids} | {one.stream for one in statements}
    query = select(AuditEvent).where(col(AuditEvent.stream).in_(streams))
    return session.exec(query.order_by(col(AuditEvent.stream), col(AuditEvent.seq))).all()


# Chapters


def _contract(session: Session, row: AreaContractRow, tender: Tender, rules: Scheme) -> dict[str, Any]:
    return {
        "ref": row.ref,
        "state": str(row.state),
        "name": rules.area_contract(row.key).name,
        "authority": row.authority,
        "scheme": row.scheme,
        "lots": list(row.lots),
        "locality": row.locality,
        "provider": row.provider,
        "from_day": row.from_day.isoformat(),
        "last_day": row.last_day.isoformat(),
        "agreed_at": row.agreed_at.isoformat(),
        "yearly_pence": row.evaluated_pence,
        "terms": row.terms,
        "is_what_was_bid": is_what_was_bid(session, row, tender),
    }


def _tender(tender: Tender, of: ByKind) -> dict[str, Any]:
    return {
        "ref": tender.ref,
        "key": tender.key,
        "state": str(tender.state),
        "offered_bid": tender.offered_bid,
        "passed": list(tender.passed),
        "steps": of.said(*_DECIDING, "tender.evaluate"),
    }


def _people(session: Session, tender: Tender, bids: Sequence[Bid], of: ByKind) -> dict[str, Any]:
    """Who published and who offered, and who of them had declared a tie to a provider that bid."""
    offered_by = sorted({event.actor for event in of("tender.offer")})
    bidders = {bid.provider for bid in bids}
    ties = session.exec(
        select(Interest)
        .where(col(Interest.account).in_([*offered_by, tender.published_by]), col(Interest.provider).in_(bidders))
        .order_by(col(Interest.id))
    ).all()
    return {
        "published_by": [tender.published_by],
        "offered_by": offered_by,
        "interests": [
            {"account": tie.account, "provider": tie.provider, "declared_at": tie.declared_at.isoformat()}
            for tie in ties
        ],
    }


def _statement(session: Session, one: Statement) -> dict[str, Any]:
    return {
        "ref": one.ref,
        "state": str(one.state),
        "first_day": one.first_day.isoformat(),
        "last_day": one.last_day.isoformat(),
        "pence": one.pence,
        "reckoned_pence": area_stated_anew(session, one),
        "to_discussion_pence": one.to_discussion_pence,
        "told": one.figures,
        "lines": one.lines,
    }
