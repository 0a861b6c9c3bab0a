"""What an office sees of placements: who proposed, who decided, what it costs, and what was said of it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from bidding.looking.pages import PAGE, behind
from bidding.otherwise.records import PROPOSED, REFUSED, Placement, PlacementState
from bidding.referrals import Referral
from dps.kernel.actors import Actor, Role
from dps.kernel.keys import Keyring
from dps.kernel.money import round_half_up
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.packages.remarks import Remark, words_of
from dps.register.providers import Provider


@dataclass(frozen=True, slots=True)
class SeenPlacement:
    """One proposal to place a package otherwise. Words are None where none were said, or the person is erased.

    `provider` is None where the register does not hold who serves. `hourly_pence` is the price of one carer's hour.
    """

    placement: str
    referral: str
    scheme: str
    lot: str
    locality: str
    urgency: str
    weekly_minutes: int | None
    state: PlacementState
    how: str
    provider: str | None
    name: str | None
    weekly_pence: int
    hourly_pence: int | None
    reason: str | None
    proposed_by: str
    proposed_at: datetime
    refusal: str | None
    decided_by: str | None
    decided_at: datetime | None
    lapsed_because: str | None


def placements(
    session: Session,
    actor: Actor,
    keyring: Keyring,
    *,
    ref: str | None = None,
    referral: str | None = None,
    state: PlacementState | None = None,
    after: str | None = None,
) -> list[SeenPlacement]:
    """Those of this authority, in the order in which they were proposed; nothing to anybody else."""
    actor.needs("read placements", Role.BROKER, Role.APPROVER)
    asked, refused = aliased(Remark), aliased(Remark)
    query = (
        select(Placement, Referral, Package, Person, Provider.name, asked, refused)  # type: ignore[call-overload]
        .join(Referral, col(Referral.id) == col(Placement.referral_id))
        .join(Package, col(Package.id) == col(Referral.package_id))
        .join(Person, col(Person.id) == col(Package.person_id))
        .outerjoin(Provider, col(Provider.ref) == col(Placement.provider))
        .outerjoin(asked, (col(asked.about) == col(Placement.ref)) & (col(asked.step) == PROPOSED))
        .outerjoin(refused, (col(refused.about) == col(Placement.ref)) & (col(refused.step) == REFUSED))
        .where(Referral.authority == actor.authority, behind(Placement, after))
        .order_by(col(Placement.id))
        .limit(PAGE)
    )
    if ref is not None:
        query = query.where(Placement.ref == ref)
    if referral is not None:
        query = query.where(Referral.ref == referral)
    if state is not None:
        query = query.where(Placement.state == state)
    return [
        SeenPlacement(
            placement=placement.ref,
            referral=sought.ref,
            scheme=sought.scheme,
            lot=package.lot,
            locality=package.locality,
            urgency=sought.urgency,
            weekly_minutes=package.weekly_minutes,
            state=placement.state,
            how=placement.how,
            provider=placement.provider,
            name=name,
            weekly_pence=placement.weekly_pence,
            hourly_pence=_hourly(placement.weekly_pence, package.weekly_minutes),
            reason=words_of(keyring, person, why) if why else None,
            proposed_by=placement.proposed_by,
            proposed_at=placement.proposed_at,
            refusal=words_of(keyring, person, why_not) if why_not else None,
            decided_by=placement.decided_by,
            decided_at=placement.decided_at,
            lapsed_because=placement.lapsed_because,
        )
        for placement, sought, package, person, name, why, why_not in session.exec(query)
    ]


def _hourly(weekly_pence: int, weekly_minutes: int | None) -> int | None:
    return round_half_up(weekly_pence * 60, weekly_minutes) if weekly_minutes else None
