"""How near a package lies to where a provider works already, in three bands between sectors' centres.

Only a sector that was published is measured from, so a band tells nothing that the reader could not work out: it can't
locate a person (acceptance.md line 12), and where less than the sector was published there is none.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlmodel import Session, col, select

from dps.contracts.contracts import Contract, ContractState
from dps.kernel.actors import Actor
from dps.packages.packages import Package
from dps.places.directory import sector_centres
from dps.places.positions import Position
from dps.places.travel import Travel, travel
from dps.register.providers import Location, Provider

NEAREST_FIRST = (Travel.NEARBY, Travel.A_DRIVE, Travel.FAR)


def own_sectors(session: Session, actor: Actor) -> set[str]:
    """The sectors of the provider's registered locations, and of the people whom it serves or will serve."""
    places = select(Location.sector).join(Provider, col(Provider.id) == col(Location.provider_id))
    based = session.exec(places.where(Provider.ref == actor.provider, col(Location.closed_on).is_(None))).all()
    serving = (
        select(Package.sector)
        .join(Contract, col(Contract.package_id) == col(Package.id))
        .where(
            Contract.provider == actor.provider,
            col(Contract.state).in_([ContractState.PENDING, ContractState.ACTIVE, ContractState.SUSPENDED]),
        )
    )
    return {sector for sector in (*based, *session.exec(serving).all()) if sector}


def bands(session: Session, own: Collection[str], parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Travel]:
    """By name of each published part that shows its sector: the band to the nearest of these sectors."""
    shown = {name: part["sector"] for name, part in parts.items() if part.get("sector")}
    if not own or not shown:
        return {}
    centres = sector_centres(session, {*own, *shown.values()})
    mine = [centres[sector] for sector in own if sector in centres]
    return {name: _nearest(mine, centres[sector]) for name, sector in shown.items() if mine and sector in centres}


def _nearest(mine: Iterable[Position], there: Position) -> Travel:
    found = {travel(one, there) for one in mine if one.grid is there.grid}
    return next((band for band in NEAREST_FIRST if band in found), Travel.FAR)
