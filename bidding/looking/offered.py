"""What a provider sees of the open list beyond the packages: what an offer may say, and its own offers."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bidding.asking import asked_of, package_of
from bidding.bids.preparing import Terms
from bidding.looking.pages import PAGE
from bidding.offers import OpenOffer, OpenOfferState
from bidding.referrals import Referral, ReferralState
from bidding.rounds import current_round
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.schemes.stored import rules_by_hash


@dataclass(frozen=True, slots=True)
class OwnOffer:
    """An offer on the open list as its own provider sees it."""

    offer: str
    referral: str
    state: str
    is_open: bool
    made_at: datetime


def own_open_offers(session: Session, actor: Actor) -> list[OwnOffer]:
    """This provider's latest offers, the last one first."""
    query = (
        select(OpenOffer, Referral.ref)
        .join(Referral, col(Referral.id) == col(OpenOffer.referral_id))
        .where(OpenOffer.provider == actor.provider)
        .order_by(col(OpenOffer.id).desc())
        .limit(PAGE)
    )
    return [
        OwnOffer(
            offer=offer.ref,
            referral=referral,
            state=str(offer.state),
            is_open=offer.state is OpenOfferState.MADE,
            made_at=offer.made_at,
        )
        for offer, referral in session.exec(query)
    ]


def terms_of_open(session: Session, *, referral_ref: str, actor: Actor, now: datetime) -> Terms:
    """What an offer for an unfilled package may say; the envelope is that of today."""
    actor.needs("make an offer", Role.PROVIDER)
    referral = session.exec(
        select(Referral).where(Referral.ref == referral_ref, col(Referral.state) == ReferralState.UNFILLED)
    ).first()
    round_ = current_round(session, referral.id) if referral else None
    if round_ is None:
        raise NotFound(kind="open package", ref=referral_ref)
    asked = asked_of(package_of(session, round_), rules_by_hash(session, round_.rule_hash), now)
    return Terms(
        floor_pence_per_hour=asked.envelope.floor_pence_per_hour,
        ceiling_pence_per_hour=asked.envelope.ceiling_pence_per_hour,
        earliest_start=asked.earliest_start,
        latest_start=asked.latest_start,
        questions=asked.questions,
        published_card=None,
        published_weekly_pence=None,
    )
