"""Finding a provider without sealed bids: first acceptance, direct award and the open list.

Each goes through the same award, the same capacity and the same second look at eligibility as a competition.
"""

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlmodel import Field, Session, SQLModel, col, select

from bidding.asking import asked_of, assess_at_award
from bidding.awards.interests import refuse_interested
from bidding.awards.line import InLine, at_published_rate
from bidding.awards.offering import offer_if_approved, propose
from bidding.awards.records import Award, Source, live_award
from bidding.bids.content import BidContent, is_outside, problems, weekly_pence
from bidding.concluding import cancel_round
from bidding.otherwise.records import Lapse, lapse_placement
from bidding.referrals import Referral, ReferralState, locked_referral
from bidding.rounds import InvitationState, Round, RoundState, current_round, invitation_of
from bidding.stages import open_direct_round
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.columns import id_column, json_column, link_column, ref_column, state_column, utc_column
from dps.kernel.database import find, locked_one
from dps.kernel.errors import (
    BadInput,
    Conflict,
    InvalidBid,
    NotEligible,
    NotFound,
    TakenByAnother,
    TooLate,
    WrongMode,
)
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.packages.packages import Package
from dps.schemes.model import Mode, Scheme
from dps.schemes.stored import rules_by_hash
from matching.eligibility import DirectRoute
from matching.eligibility import words as spoken


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

    Those who come second are told so: TakenByAnother. Raises WrongMode for any other kind of round.
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
    if now >= round_.closes_at:
        raise TooLate(closes_at=round_.closes_at, now=now)
    if round_.state is RoundState.CANCELLED:
        raise InvalidBid(problems=("This round was cancelled.",))
    if round_.state is not RoundState.PUBLISHED and invitation.state is not InvitationState.ACCEPTED:
        raise TakenByAnother(ref=round_.ref)
    scheme = rules_by_hash(session, round_.rule_hash)
    # Whoever was first and asks again is told by the invitation's own steps.
    invitation.STEPS.step(invitation.state, "accept", invitation.ref)
    _refuse_ineligible(session, round_, scheme, actor.provider, now)
    advance(session, invitation, "accept", actor, now, answered_at=now)
    advance(session, round_, "close", CLOCK, now, facts={"cause": "accepted"})
    rate = at_published_rate(session, round_, scheme, actor.provider, now)
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
    if not offer_if_approved(session, ports, award, now):
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

    An open round is cut short: its sealed bids lapse unopened, and if the award comes to nothing its stage is asked
    again. Conflict where an award is alive, or where bids were handed in until a closing that has come.
    """
    actor.needs("award directly", Role.BROKER, Role.APPROVER)
    referral = locked_referral(session, referral_ref, actor)
    found = current_round(session, referral.id)
    if found is None or referral.state is not ReferralState.SEEKING or live_award(session, referral.id) is not None:
        raise Conflict(referral=referral.ref)
    before = locked_one(session, Round, found.id)
    now = ports.clock.read(session)
    if before.state is RoundState.CLOSED or (before.closes_at is not None and now >= before.closes_at):
        raise Conflict(referral=referral.ref)
    scheme = rules_by_hash(session, before.rule_hash)
    if reason not in scheme.direct_award.reasons:
        raise BadInput(f"the scheme allows: {', '.join(scheme.direct_award.reasons) or 'none'}", field="reason")
    refuse_interested(session, before, actor, "award directly", provider)
    cancel_round(session, ports, before, now, reason="The package was awarded directly.")
    line = _line(session, referral, scheme, provider, content, now)
    if reason == DirectRoute.BLOCK_HOURS:
        line = replace(line, weekly_pence=0)  # the block is paid already
    round_ = open_direct_round(session, ports, referral, before, now)
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
    if not offer_if_approved(session, ports, award, now):
        raise NotEligible(reasons=(award.end_reason or "",))
    return award


def _refuse_ineligible(session: Session, round_: Round, scheme: Scheme, provider: str, now: datetime) -> None:
    """NotEligible, in the provider's own words, if it could not be offered this round's package now."""
    assessment = assess_at_award(session, round_, scheme, provider, now, counted=False)
    if not assessment.eligible:
        raise NotEligible(reasons=spoken.for_provider(assessment))


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


def make_open_offer(
    session: Session, ports: Ports, *, referral_ref: str, content: BidContent, actor: Actor
) -> OpenOffer:
    """Offer on an unfilled package at any time; whoever is eligible at its last stage may."""
    actor.needs("make an offer", Role.PROVIDER)
    found = find(session, Referral, ref=referral_ref)
    # Shared: who offers waits for nobody who offers too, but for whoever takes the package off the list meanwhile.
    referral = locked_one(session, Referral, found.id, shared=True) if found else None
    round_ = current_round(session, referral.id) if referral else None
    if referral is None or referral.state is not ReferralState.UNFILLED or round_ is None or actor.provider is None:
        raise NotFound(kind="open package", ref=referral_ref)
    scheme = rules_by_hash(session, round_.rule_hash)
    if not scheme.unfilled.open_list:
        raise WrongMode(mode="no offers on an open list")
    now = ports.clock.read(session)
    _line(session, referral, scheme, actor.provider, content, now)
    _refuse_ineligible(session, round_, scheme, actor.provider, now)
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


def withdraw_open_offer(session: Session, ports: Ports, *, offer_ref: str, actor: Actor) -> None:
    """Take an own offer back as long as nobody has taken it."""
    actor.needs("withdraw an offer", Role.PROVIDER)
    offer = session.exec(
        select(OpenOffer).where(OpenOffer.ref == offer_ref, OpenOffer.provider == actor.provider)
    ).first()
    if offer is None:
        raise NotFound(kind="offer", ref=offer_ref)
    advance(session, offer, "withdraw", actor, ports.clock.read(session))


def lapse_open_offers(session: Session, referral: Referral, now: datetime) -> None:
    """The package is no longer on the open list, or no longer what was offered on: what is left of offers ends."""
    query = select(OpenOffer).where(OpenOffer.referral_id == referral.id, col(OpenOffer.state) == OpenOfferState.MADE)
    for offer in session.exec(query.order_by(col(OpenOffer.id))).all():
        advance(session, offer, "lapse", CLOCK, now)


def take_open_offer(session: Session, ports: Ports, *, offer_ref: str, actor: Actor) -> Award:
    """Take an offer from the open list: the referral seeks again, and this provider is awarded it."""
    actor.needs("take an offer", Role.BROKER)
    offer = session.exec(select(OpenOffer).where(OpenOffer.ref == offer_ref)).first()
    owner = session.get(Referral, offer.referral_id) if offer else None
    if offer is None or owner is None:
        raise NotFound(kind="offer", ref=offer_ref)
    actor.sees("offer", offer_ref, authority=owner.authority)
    referral = locked_referral(session, owner.ref, actor)
    before = locked_one(session, Round, offer.round_id)
    now = ports.clock.read(session)
    advance(session, offer, "take", actor, now)
    advance(session, referral, "take_offer", actor, now, unfilled_at=None)
    lapse_open_offers(session, referral, now)
    lapse_placement(session, ports, referral, now, Lapse.OFFER_TAKEN)
    scheme = rules_by_hash(session, before.rule_hash)
    refuse_interested(session, before, actor, "take this offer", offer.provider)
    line = _line(session, referral, scheme, offer.provider, BidContent.from_dict(offer.content), now)
    award = propose(
        session,
        ports,
        round_=open_direct_round(session, ports, referral, before, now),
        referral=referral,
        scheme=scheme,
        line=line,
        source=Source.OPEN_LIST,
        now=now,
        reason="offered on the open list",
        proposed_by=actor,
    )
    if not offer_if_approved(session, ports, award, now):
        raise NotEligible(reasons=(award.end_reason or "",))
    return award
