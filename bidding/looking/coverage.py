"""How well each part of a scheme's area is served: who may be asked there, what waits, how many bids packages got.

Bids are counted of decided rounds alone, so that nothing is told of what is sealed or still being decided (law 2).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bidding.bids.records import ScoredBid
from bidding.referrals import Referral, ReferralState
from bidding.rounds import Round, RoundState
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.packages.packages import Package
from dps.places.localities import LocalityMap
from dps.register.membership import MembershipState
from dps.register.own_standing import required_documents
from dps.register.standing import standing
from dps.schemes.model import Scheme

READERS = (Role.BROKER, Role.APPROVER, Role.COMMISSIONER)
LOOKED_BACK = timedelta(days=365)
_WAITING = (ReferralState.SEEKING, ReferralState.HELD, ReferralState.UNFILLED)


@dataclass(slots=True)
class Served:
    """One sector, or several together.

    `asked` are packages that a round with a closing was decided for in the last 12 months, `bids` their valid bids.
    """

    providers: set[str] = field(default_factory=set)
    waiting: int = 0
    waiting_minutes: int = 0
    asked: int = 0
    bids: int = 0

    def add(self, other: "Served") -> None:
        """Take another part of the area in."""
        self.providers |= other.providers
        self.waiting += other.waiting
        self.waiting_minutes += other.waiting_minutes
        self.asked += other.asked
        self.bids += other.bids

    @property
    def bids_tenths(self) -> int | None:
        """Bids per package in tenths, cut; None where no package was asked for."""
        return self.bids * 10 // self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class Coverage:
    """By sector what waits and what was bid, by locality who may be asked for new work."""

    sectors: dict[str, Served]
    providers: dict[str, set[str]]

    def of(self, sectors: Iterable[str], localities: LocalityMap) -> Served:
        """These sectors together; who may be asked in any of them counts once."""
        whole = Served()
        for sector in sectors:
            whole.add(self.sectors.get(sector, Served()))
            whole.providers |= self.providers.get(localities.of(sector) or "", set())
        return whole


def coverage(session: Session, scheme: Scheme, actor: Actor, now: datetime, *, lot: str | None = None) -> Coverage:
    """What this authority's packages find in the scheme, of one lot or of all.

    NotFound where the actor's authority has no part in the scheme.
    """
    actor.needs("see how an area is covered", *READERS)
    if all(one.key != actor.authority for one in scheme.authorities):
        raise NotFound(kind="scheme", ref=scheme.key)
    ours = [Referral.authority == actor.authority, Referral.scheme == scheme.key]
    if lot is not None:
        ours.append(Package.lot == lot)
    sectors: dict[str, Served] = {}
    waiting = (
        select(Package.sector, sa.func.count(), sa.func.coalesce(sa.func.sum(Package.weekly_minutes), 0))
        .join(Referral, col(Referral.package_id) == col(Package.id))
        .where(*ours, col(Referral.state).in_(_WAITING))
        .group_by(Package.sector)
        .order_by(Package.sector)
    )
    for sector, count, minutes in session.exec(waiting):
        sectors[sector] = Served(waiting=count, waiting_minutes=int(minutes or 0))
    asked = (
        select(
            Package.sector,
            sa.func.count(sa.distinct(col(Package.id))),
            sa.func.count(sa.case((col(ScoredBid.is_valid).is_(True), 1))),
        )
        .join(Referral, col(Referral.package_id) == col(Package.id))
        .join(Round, col(Round.referral_id) == col(Referral.id))
        .outerjoin(ScoredBid, col(ScoredBid.round_id) == col(Round.id))
        .where(
            *ours,
            col(Round.state) == RoundState.DECIDED,
            col(Round.closing_id).is_not(None),
            col(Round.opens_at) > now - LOOKED_BACK,
        )
        .group_by(Package.sector)
        .order_by(Package.sector)
    )
    for sector, count, bids in session.exec(asked):
        served = sectors.setdefault(sector, Served())
        served.asked, served.bids = count, bids
    return Coverage(sectors, _providers(session, scheme, now, lot))


def _providers(session: Session, scheme: Scheme, now: datetime, lot: str | None) -> dict[str, set[str]]:
    """Who may be asked for new work, by locality: a place held, nothing that suspends it, no document missing."""
    found: dict[str, set[str]] = {}
    for one in standing(session, scheme.key, now, lots=None if lot is None else [lot]):
        for held in one.memberships:
            _, service, locality = held.place
            if one.state_of(held.place, required_documents(scheme, [service])) is MembershipState.ACTIVE:
                found.setdefault(locality, set()).add(one.provider)
    return found


def in_order(places: Iterable[str]) -> list[str]:
    """Districts and sectors as people look for them: `CH41` before `L2`, and that before `L11`."""

    def parts(place: str) -> list[tuple[int, str]]:
        return [(len(part) * part.isdigit(), part) for part in re.findall(r"[A-Z]+|[0-9]+", place)]

    return sorted(places, key=parts)
