"""What goes round the competition: offers on the open list, and what a direct award may say."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from bidding.asking import asked_of
from bidding.bids.content import BidContent, weekly_pence
from bidding.bids.preparing import Terms
from bidding.offers import OpenOffer, OpenOfferState
from bidding.referrals import Referral, referral_of
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.packages.packages import Package
from dps.packages.schedule import Schedule
from dps.register.providers import Provider
from dps.schemes.stored import rules_by_hash


@dataclass(frozen=True, slots=True)
class SeenOffer:
    """One offer on an unfilled package that can be taken."""

    offer: str
    provider: str
    name: str
    weekly_pence: int
    starts_on: date
    made_at: datetime


def open_offers(session: Session, *, referral_ref: str, actor: Actor) -> list[SeenOffer]:
    """The offers on this referral that are still made, the cheapest first; NotFound to another authority."""
    actor.needs("read offers", Role.BROKER, Role.APPROVER)
    referral = referral_of(session, referral_ref, actor)
    package = session.get(Package, referral.package_id)
    assert package is not None
    query = (
        select(OpenOffer, Provider.name)
        .join(Provider, col(Provider.ref) == col(OpenOffer.provider))
        .where(OpenOffer.referral_id == referral.id, col(OpenOffer.state) == OpenOfferState.MADE)
        .order_by(col(OpenOffer.id))
    )
    rows = list(session.exec(query))
    schedule = Schedule.from_dict(package.schedule) if rows else None
    found = []
    for offer, name in rows:
        assert schedule is not None
        content = BidContent.from_dict(offer.content)
        pence = weekly_pence(content, schedule)
        found.append(SeenOffer(offer.ref, offer.provider, name, pence, content.starts_on, offer.made_at))
    return sorted(found, key=lambda one: (one.weekly_pence, one.offer))


@dataclass(frozen=True, slots=True)
class Direct:
    """For which reasons this referral may be awarded directly, and what such an award may say."""

    reasons: tuple[str, ...]
    terms: Terms


def direct_terms(session: Session, *, referral_ref: str, actor: Actor, now: datetime) -> Direct:
    """By the rules that the referral was published under; NotFound before that, and to another authority."""
    actor.needs("award directly", Role.BROKER, Role.APPROVER)
    referral: Referral = referral_of(session, referral_ref, actor)
    package = session.get(Package, referral.package_id)
    if referral.rule_hash is None or package is None:
        raise NotFound(kind="published referral", ref=referral_ref)
    scheme = rules_by_hash(session, referral.rule_hash)
    asked = asked_of(package, scheme, now)
    return Direct(
        reasons=tuple(scheme.direct_award.reasons),
        terms=Terms(
            floor_pence_per_hour=asked.envelope.floor_pence_per_hour,
            ceiling_pence_per_hour=asked.envelope.ceiling_pence_per_hour,
            earliest_start=asked.earliest_start,
            latest_start=asked.latest_start,
            questions=asked.questions,
            published_card=None,
            published_weekly_pence=None,
        ),
    )
