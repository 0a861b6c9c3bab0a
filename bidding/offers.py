"""Finding a provider without sealed bids: first acceptance, direct award and the open list.

Each goes through the same award, the same capacity and the same second look at eligibility as a competition.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlmodel import Field, Session, SQLModel, col, select

from bidding.asking import asked_of, assess_at_award
from bidding.awards.line import InLine, at_published_rate
from bidding.awards.moving import refuse_interested
from bidding.awards.offering import offer_if_approved, propose
from bidding.awards.records import Award, Source, live_award
from bidding.bids.content import BidContent, is_outside, problems, weekly_pence
from bidding.referrals import Referral, ReferralState, locked_referral
from bidding.rounds import Round, RoundState, current_round, invitation_of
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.columns import id_column, json_column, link_column, ref_column, state_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, Conflict, InvalidBid, NotEligible, NotFound, TooLate, WrongMode
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.packages.packages import Package
from dps.schemes.model import Mode, Scheme
from dps.schemes.stored import rules_by_hash


class OpenOfferState(StrEnum):
    MADE = "made"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"


class OpenOffer(SQLModel, table=True):
    """An offer on an unfilled package: no deadline and no competition, so nothing of it is sealed."""

    __tablename__ = "open_offer"
    STEPS: ClassVar[StateTable] = StateTable(
        "open offer",
        OpenOfferState.MADE,
        (OpenOfferState.MADE, "take", OpenOfferState.TAKEN, (Role.BROKER,)),
        (OpenOfferState.MADE, "withdraw", OpenOfferState.WITHDRAWN, (Role.PROVIDER,)),
        (OpenOfferState.MADE, "lapse", OpenOfferState.LAPSED, (Role.CLOCK,)),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    referral_id: int = link_column("referral.id")
    round_id: int = link_column("round.id", index=False)
    provider: str = Field(max_length=24)
    state: OpenOfferState = state_column(OpenOfferState, index=False)
    content: Any = json_column()
    made_at: datetime = utc_column()

    @property
    def stream(self) -> str:
        return self.ref


def _package(session: Session, referral: Referral) -> Package:
    package = session.get(Package, referral.package_id)
    assert package is not None
    return package


def accept_first(session: Session, ports: Ports, *, round_ref: str, actor: Actor) -> str:
    """Take a package that goes to the first who says yes (crisis). Returns the award's reference.

    Those who come second meet a closed round: TooLate. Raises WrongMode for any other kind of round.
    """
    actor.needs("accept a package", Role.PROVIDER)
    found = session.exec(select(Round).where(Round.ref == round_ref)).first()
    if found is None or actor.provider is None:
        raise NotFound(kind="round", ref=round_ref)
    invitation_of(session, found.id, actor.provider)
    if found.mode != Mode.FIRST_ACCEPTANCE:
        raise WrongMode(mode=found.mode)
    referral = locked_one(session, Referral, found.referral_id)
    round_ = locked_one(session, Round, found.id)
    invitation = invitation_of(session, round_.id, actor.provider, lock=True)
    now = ports.clock.read(session)
    assert round_.closes_at is not None
    if round_.state is not RoundState.PUBLISHED or now >= round_.closes_at:
        raise TooLate(closes_at=round_.closes_at, now=now)
    scheme = rules_by_hash(session, round_.rule_hash)
    reasons = assess_at_award(session, round_, scheme, actor.provider, now, counted=False)
    if reasons:
        raise NotEligible(reasons=reasons)
    advance(session, invitation, "accept", actor, now, answered_at=now)
    advance(session, round_, "close", CLOCK, now, facts={"cause": "accepted"})
    rate = at_published_rate(session, round_, scheme, actor.provider)
    line = InLine(
        provider=rate.provider,
        weekly_pence=rate.weekly_pence,
        weekly_minutes=rate.weekly_minutes,
        card=rate.card,
        starts_on=rate.starts_on,
        already_accepted=True,
    )
    award = propose(
        session,
        ports,
        round_=round_,
        referral=referral,
        scheme=scheme,
        line=line,
        source=Source.FIRST_ACCEPTANCE,
        now=now,
    )
    if not offer_if_approved(session, ports, award, referral, round_, scheme, now):
        raise NotEligible(reasons=(award.end_reason or "",))
    return award.ref


def award_directly(
    session: Session,
    ports: Ports,
    *,
    referral_ref: str,
    provider: str,
    reason: str,
    content: BidContent,
    actor: Actor,
) -> Award:
    """Award without a competition, for a reason that the scheme names; a person's decision, always on the trail.

    The open round, if there is one, must have found nobody yet: its award would stand in the way (Conflict).
    """
    actor.needs("award directly", Role.BROKER, Role.APPROVER)
    referral = locked_referral(session, referral_ref, actor)
    now = ports.clock.read(session)
    round_ = current_round(session, referral.id)
    if round_ is None or referral.rule_hash is None or referral.state is not ReferralState.SEEKING:
        raise Conflict(referral=referral.ref)
    if live_award(session, referral.id) is not None:
        raise Conflict(referral=referral.ref)
    round_ = locked_one(session, Round, round_.id)
    scheme = rules_by_hash(session, round_.rule_hash)
    if reason not in scheme.direct_award.reasons:
        raise BadInput(f"the scheme allows: {', '.join(scheme.direct_award.reasons) or 'none'}", field="reason")
    refuse_interested(session, round_, actor, "award directly")
    if round_.state is RoundState.PUBLISHED:
        advance(session, round_, "close", CLOCK, now, facts={"cause": "awarded directly"})
    line = _line(session, referral, scheme, provider, content, now)
    award = propose(
        session,
        ports,
        round_=round_,
        referral=referral,
        scheme=scheme,
        line=line,
        source=Source.DIRECT_AWARD,
        now=now,
        reason=reason,
        proposed_by=actor,
    )
    if not offer_if_approved(session, ports, award, referral, round_, scheme, now):
        raise NotEligible(reasons=(award.end_reason or "",))
    return award


def _line(
    session: Session, referral: Referral, scheme: Scheme, provider: str, content: BidContent, now: datetime
) -> InLine:
    asked = asked_of(_package(session, referral), scheme, now)
    found = problems(content, asked)
    if found:
        raise InvalidBid(problems=found)
    return InLine(
        provider=provider,
        weekly_pence=weekly_pence(content, asked.schedule),
        weekly_minutes=content.weekly_minutes or asked.schedule.weekly_minutes,
        card=content.card,
        starts_on=content.starts_on,
        needs_person=is_outside(content.card, asked.schedule, asked.envelope),
    )


# The open list


def on_open_list(session: Session, scheme: str) -> list[Referral]:
    """The unfilled referrals of a scheme, the longest waiting first."""
    query = (
        select(Referral)
        .where(Referral.scheme == scheme, col(Referral.state) == ReferralState.UNFILLED)
        .order_by(col(Referral.unfilled_at), col(Referral.id))
    )
    return list(session.exec(query).all())


def make_open_offer(
    session: Session, ports: Ports, *, referral_ref: str, content: BidContent, actor: Actor
) -> OpenOffer:
    """Offer on an unfilled package at any time; whoever is eligible at its last stage may."""
    actor.needs("make an offer", Role.PROVIDER)
    referral = session.exec(
        select(Referral).where(Referral.ref == referral_ref, col(Referral.state) == ReferralState.UNFILLED)
    ).first()
    round_ = current_round(session, referral.id) if referral else None
    if referral is None or round_ is None or actor.provider is None:
        raise NotFound(kind="open package", ref=referral_ref)
    scheme = rules_by_hash(session, round_.rule_hash)
    if not scheme.unfilled.open_list:
        raise WrongMode(mode="no offers on an open list")
    now = ports.clock.read(session)
    _line(session, referral, scheme, actor.provider, content, now)
    reasons = assess_at_award(session, round_, scheme, actor.provider, now, counted=False)
    if reasons:
        raise NotEligible(reasons=reasons)
    offer = OpenOffer(
        ref=new_reference(Kind.BID, ports.entropy),
        referral_id=referral.id or 0,
        round_id=round_.id or 0,
        provider=actor.provider,
        state=OpenOfferState.MADE,
        content=content.to_dict(),
        made_at=now,
    )
    session.add(offer)
    session.flush()
    audit.append(session, offer.stream, "open_offer.made", actor, now, {"referral": referral.ref})
    recipient = f"authority:{referral.authority}"
    post(session, ports.entropy, recipient=recipient, kind="open_offer", about=referral.ref, now=now)
    return offer


def take_open_offer(session: Session, ports: Ports, *, offer_ref: str, actor: Actor) -> Award:
    """Take an offer from the open list: the referral seeks again, and this provider is awarded it."""
    offer = session.exec(select(OpenOffer).where(OpenOffer.ref == offer_ref)).first()
    if offer is None:
        raise NotFound(kind="offer", ref=offer_ref)
    owner = session.get(Referral, offer.referral_id)
    assert owner is not None
    referral = locked_referral(session, owner.ref, actor)
    before = locked_one(session, Round, offer.round_id)
    now = ports.clock.read(session)
    advance(session, offer, "take", actor, now)
    advance(session, referral, "take_offer", actor, now, unfilled_at=None, seeking_since=now)
    scheme = rules_by_hash(session, before.rule_hash)
    round_ = Round(
        ref=new_reference(Kind.ROUND, ports.entropy),
        referral_id=referral.id or 0,
        predecessor_id=before.id,
        cycle=referral.cycle,
        stage_no=before.stage_no,
        attempt=before.attempt + 1,
        stage_key=before.stage_key,
        mode=Mode.DIRECT_AWARD,
        scheme=before.scheme,
        rule_hash=before.rule_hash,
        lot=before.lot,
        locality=before.locality,
        version=referral.version,
        state=RoundState.PLANNED,
        opens_at=now,
        published_part=before.published_part,
    )
    session.add(round_)
    session.flush()
    advance(session, round_, "publish", CLOCK, now, facts={"open_offer": offer.ref})
    refuse_interested(session, round_, actor, "take this offer")
    line = _line(session, referral, scheme, offer.provider, BidContent.from_dict(offer.content), now)
    award = propose(
        session,
        ports,
        round_=round_,
        referral=referral,
        scheme=scheme,
        line=line,
        source=Source.OPEN_LIST,
        now=now,
        reason="offered on the open list",
        proposed_by=actor,
    )
    if not offer_if_approved(session, ports, award, referral, round_, scheme, now):
        raise NotEligible(reasons=(award.end_reason or "",))
    return award
