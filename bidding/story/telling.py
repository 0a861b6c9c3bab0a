"""One award's whole story, for an auditor: who was asked and why, who could read what when, and what follows from what.

Everything here is read from the rows and the trail; nothing names a person, and of a provider that was confidentially
excluded only the count is told (law 7). A sealed bid has no content here, whoever asks: it has none in the database.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from bidding.allocation.runs import AllocationRun
from bidding.awards.records import Award, award_of
from bidding.bids.records import Bid, BidRound, OpenedBid, ScoredBid
from bidding.closings import Closing
from bidding.otherwise.records import Placement
from bidding.referrals import Referral
from bidding.rounds import EligibilityReport, Invitation, Round
from bidding.story.solving import run_facts
from dps.contracts.contracts import Contract
from dps.contracts.statements.making import stated_anew
from dps.contracts.statements.records import Statement
from dps.contracts.variations.records import Variation
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.register.interests import Interest
from dps.schemes.stored import rules_by_hash
from matching import allocation as solver
from matching.eligibility import words

_CONFIDENTIAL = "confidential_exclusion"
_DECIDING = ("award.approved", "award.overturn_asked", "award.overturn_agreed", "award.overturn", "award.refuse")


@dataclass(frozen=True, slots=True)
class Story:
    """`facts` is JSON; `bids` are ciphertexts by reference; `events` every event of the streams it was told from."""

    facts: dict[str, Any]
    bids: Mapping[str, bytes]
    events: Sequence[AuditEvent]


def story(session: Session, *, award_ref: str, actor: Actor, replay: solver.SolverProcess | None = None) -> Story:
    """The story of one award, its run solved again where `replay` is given; NotFound to another authority's auditor."""
    actor.needs("read the whole story of an award", Role.AUDITOR, Role.ADMINISTRATOR)
    award = award_of(session, award_ref, actor)
    referral = session.get_one(Referral, award.referral_id)
    rounds = session.exec(
        select(Round)
        .where(Round.referral_id == referral.id, Round.cycle == _cycle_of(session, award))
        .order_by(col(Round.id))
    ).all()
    decided = next(round_ for round_ in rounds if round_.id == award.round_id)
    closing = session.get(Closing, decided.closing_id) if decided.closing_id else None
    bids = _bids(session, [round_.id for round_ in rounds])
    contract = session.exec(select(Contract).where(Contract.award_ref == award.ref)).first()
    events = _events(session, award, referral, rounds, closing, bids, contract)
    of = ByKind(events)
    run = session.exec(select(AllocationRun).where(AllocationRun.closing_id == closing.id)).first() if closing else None
    facts: dict[str, Any] = {
        "award": _award(session, award),
        "referral": _referral(referral, of),
        "rules": {"hash": decided.rule_hash, "name": rules_by_hash(session, decided.rule_hash).name},
        "rounds": [_round(session, round_) for round_ in rounds],
        "closing": closing_facts(closing, of) if closing else None,
        "bids": [bid_facts(session, bid) for bid in bids],
        "run": run_facts(run, replay) if run else None,
        "people": _people(session, award, referral, rounds, of),
        "otherwise": _otherwise(session, referral, of),
        "looks": _looks(session, referral, of),
        "contract": _contract(session, contract) if contract else None,
    }
    return Story(facts=facts, bids={bid.ref: bid.ciphertext for bid in bids}, events=events)


class ByKind:
    """Events by kind, in the order in which they were written."""

    def __init__(self, events: Sequence[AuditEvent]) -> None:
        self._events = events

    def __call__(self, *kinds: str) -> list[AuditEvent]:
        return [event for event in self._events if event.kind in kinds]

    def said(self, *kinds: str) -> list[dict[str, Any]]:
        """Who did it, in which role, when, and what was said of it."""
        return [
            {"kind": event.kind, "by": event.actor, "role": event.role, "at": event.at.isoformat(), "of": event.body}
            for event in self(*kinds)
        ]


def _cycle_of(session: Session, award: Award) -> int:
    return session.get_one(Round, award.round_id).cycle


def _bids(session: Session, rounds: Sequence[int | None]) -> Sequence[Bid]:
    asked = select(BidRound.bid_id).where(col(BidRound.round_id).in_(rounds))
    return session.exec(select(Bid).where(col(Bid.id).in_(asked)).order_by(col(Bid.id))).all()


def _events(
    session: Session,
    award: Award,
    referral: Referral,
    rounds: Sequence[Round],
    closing: Closing | None,
    bids: Sequence[Bid],
    contract: Contract | None,
) -> Sequence[AuditEvent]:
    """Every event of every stream of this story: an auditor recomputes whole chains or none."""
    package = session.get_one(Package, referral.package_id)
    person = session.get_one(Person, package.person_id)
    streams: set[str] = {award.ref, referral.ref, referral.package_ref, person.ref, *(round_.ref for round_ in rounds)}
    ids = [round_.id for round_ in rounds]
    streams |= set(session.exec(select(Invitation.ref).where(col(Invitation.round_id).in_(ids))))
    streams |= {bid.stream for bid in bids}
    if closing is not None:
        streams.add(closing.stream)
    if contract is not None:
        streams.add(contract.ref)
        streams |= set(session.exec(select(Statement.ref).where(Statement.contract_id == contract.id)))
    query = select(AuditEvent).where(col(AuditEvent.stream).in_(streams))
    return session.exec(query.order_by(col(AuditEvent.stream), col(AuditEvent.seq))).all()


# Chapters


def _award(session: Session, award: Award) -> dict[str, Any]:
    bid = session.get(Bid, award.bid_id) if award.bid_id else None
    return {
        "ref": award.ref,
        "bid": bid.ref if bid else None,
        "state": str(award.state),
        "authority": award.authority,
        "scheme": award.scheme,
        "lot": award.lot,
        "locality": award.locality,
        "provider": award.provider,
        "source": award.source,
        "reason": award.reason,
        "weekly_pence": award.weekly_pence,
        "weekly_minutes": award.weekly_minutes,
        "card": award.card,
        "starts_on": award.starts_on.isoformat(),
        "proposed_at": award.proposed_at.isoformat(),
        "ended": award.end_reason,
    }


def _referral(referral: Referral, of: ByKind) -> dict[str, Any]:
    steps = of.said("referral.opened", "referral.publish", "round.amended", "referral.broker_again")
    return {
        "ref": referral.ref,
        "urgency": referral.urgency,
        "version": referral.version,
        "opened_by": referral.created_by,
        "steps": steps,
    }


def _round(session: Session, round_: Round) -> dict[str, Any]:
    report = session.exec(select(EligibilityReport).where(EligibilityReport.round_id == round_.id)).first()
    answers: dict[str, list[str]] = report.answers if report else {}
    invited = session.exec(
        select(Invitation).where(Invitation.round_id == round_.id).order_by(col(Invitation.position))
    ).all()
    return {
        "ref": round_.ref,
        "stage": round_.stage_key,
        "mode": round_.mode,
        "state": str(round_.state),
        "outcome": round_.outcome,
        "opens_at": round_.opens_at.isoformat(),
        "closes_at": round_.closes_at.isoformat() if round_.closes_at else None,
        "assessed": report.assessed if report else None,
        "invited": [{"provider": one.provider, "position": one.position, "state": str(one.state)} for one in invited],
        "not_invited": {
            provider: [words.WORDINGS[code].auditor for code in codes]
            for provider, codes in sorted(answers.items())
            if codes and _CONFIDENTIAL not in codes
        },
        "excluded_confidentially": sum(_CONFIDENTIAL in codes for codes in answers.values()),
    }


def closing_facts(closing: Closing, of: ByKind) -> dict[str, Any]:
    """When it closed and was opened, for whom it was sealed, and what parts equal bids."""
    closed = of("closing.close")
    body: dict[str, Any] = closed[-1].body if closed else {}
    return {
        "closing": closing.ref,
        "closes_at": closing.closes_at.isoformat(),
        "state": str(closing.state),
        "moved": of.said("closing.extended"),
        "closed_at": closing.closed_at.isoformat() if closing.closed_at else None,
        "opened_at": closing.opened_at.isoformat() if closing.opened_at else None,
        "recipients": closing.recipients,
        "recipients_id": closing.recipients_id,
        "custodians": [one.ref for one in closing.holders],
        "custodians_needed": closing.custodians_needed,
        "number_sha256": closing.number_sha256,
        "number": body.get("number"),
        "manifest": body.get("manifest"),
        "manifest_sha256": closing.manifest_sha256,
        "lot_seed": closing.lot_seed,
    }


def bid_facts(session: Session, bid: Bid) -> dict[str, Any]:
    """A bid with its receipt, what it said once it was opened, and what each round made of it."""
    opened = session.exec(select(OpenedBid).where(OpenedBid.bid_id == bid.id)).first()
    scored = session.exec(select(ScoredBid).where(ScoredBid.bid_id == bid.id).order_by(col(ScoredBid.id))).all()
    return {
        "ref": bid.ref,
        "provider": bid.provider,
        "state": str(bid.state),
        "received_at": bid.received_at.isoformat(),
        "typed_by": bid.typed_by,
        "receipt": bid.receipt,
        "content": {**opened.content, "nonce": opened.nonce} if opened else None,
        "scored": [
            {
                "valid": one.is_valid,
                "reasons": one.reasons,
                "flags": one.flags,
                "weekly_pence": one.weekly_pence,
                "points": {"price": one.price_points, "quality": one.quality_points, "total": one.total_points},
                "rank": one.rank,
                "workings": one.workings,
            }
            for one in scored
        ],
    }


def _people(session: Session, award: Award, referral: Referral, rounds: Sequence[Round], of: ByKind) -> dict[str, Any]:
    """Who published, typed, approved and overrode, and who of them had declared a tie to a provider that was asked."""
    ids = [round_.id for round_ in rounds]
    asked = {award.provider, *session.exec(select(Invitation.provider).where(col(Invitation.round_id).in_(ids)))}
    decided = {one["by"] for one in award.approvals}
    ties = session.exec(
        select(Interest)
        .where(col(Interest.account).in_(decided | {referral.created_by}), col(Interest.provider).in_(asked))
        .order_by(col(Interest.id))
    ).all()
    return {
        "published_by": sorted({event.actor for event in of("referral.publish")}),
        "typed_by": sorted({event.actor for event in of("bid.sealed") if event.role == Role.BROKER}),
        "approved_by": list(award.approved_by),
        "overturned_by": [one["by"] for one in award.approvals if "overturn" in one],
        "decided": of.said(*_DECIDING),
        "interests": [
            {"account": tie.account, "provider": tie.provider, "declared_at": tie.declared_at.isoformat()}
            for tie in ties
        ],
    }


def _otherwise(session: Session, referral: Referral, of: ByKind) -> list[dict[str, Any]]:
    """Every proposal to place the package outside the competition: who made it, in which role, and who ended it."""
    rows = session.exec(select(Placement).where(Placement.referral_id == referral.id).order_by(col(Placement.id)))
    steps = of.said(*(f"placement.{step}" for step in ("proposed", *Placement.STEPS.names)))
    return [
        {
            "ref": one.ref,
            "state": str(one.state),
            "how": one.how,
            "provider": one.provider,
            "weekly_pence": one.weekly_pence,
            "proposed_by": one.proposed_by,
            "decided_by": one.decided_by,
            "lapsed_because": one.lapsed_because,
            "steps": [step for step in steps if step["of"]["ref"] == one.ref],
        }
        for one in rows
    ]


def _looks(session: Session, referral: Referral, of: ByKind) -> dict[str, Any]:
    """Prices: by nobody before the closing was opened. The person: by whom it was disclosed to, each time."""
    return {
        "opened": of.said("closing.open"),
        "refused_before": of.said(
            "bid.look_refused", "closing.opening_refused", "custody.refused_early", "custody.opening_refused"
        ),
        "released": of.said("custody.handed_out", "custody.handed_in"),
        "refused_late": of.said("bid.refused_late"),
        "person": of.said("person.disclosed", "package.disclosed"),
    }


def _contract(session: Session, contract: Contract) -> dict[str, Any]:
    statements = session.exec(
        select(Statement)
        .where(Statement.contract_id == contract.id)
        .order_by(col(Statement.first_day), col(Statement.id))
    ).all()
    variations = session.exec(
        select(Variation).where(Variation.contract_id == contract.id).order_by(col(Variation.id))
    ).all()
    return {
        "ref": contract.ref,
        "state": str(contract.state),
        "agreed_at": contract.agreed_at.isoformat(),
        "card": contract.card,
        "variations": [{"ref": one.ref, "kind": str(one.kind), "state": str(one.state)} for one in variations],
        "statements": [
            {
                "ref": one.ref,
                "state": str(one.state),
                "first_day": one.first_day.isoformat(),
                "last_day": one.last_day.isoformat(),
                "pence": one.pence,
                "reckoned_pence": stated_anew(session, one, rules_by_hash(session, one.rule_hash)),
                "rule_hash": one.rule_hash,
                "lines": one.lines,
            }
            for one in statements
        ],
    }
