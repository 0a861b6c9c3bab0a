"""How near a package lies to where a provider works already, in three bands between sectors' centres.

Measured once, when the provider is asked, and kept with its invitation: who then says that it is based elsewhere
learns nothing more (acceptance.md line 12). Only a sector that was published is measured to, so that a band tells
nothing that its reader could not work out; where less was published there is none.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlmodel import Session, col, select, update

from bidding.rounds import Invitation, Round
from dps.contracts.contracts import IN_FORCE, Contract
from dps.packages.packages import Package
from dps.places.directory import sector_centres
from dps.places.positions import Position
from dps.places.travel import Travel, travel
from dps.register.providers import Location, Provider

NEAREST_FIRST = (Travel.NEARBY, Travel.A_DRIVE, Travel.FAR)


def own_sectors(session: Session, providers: Collection[str]) -> dict[str, set[str]]:
    """By provider the sectors of its registered locations, and of the people whom it serves or will serve."""
    based = (
        select(Provider.ref, Location.sector)
        .join(Location, col(Location.provider_id) == col(Provider.id))
        .where(col(Provider.ref).in_(providers), col(Location.closed_on).is_(None))
    )
    serving = (
        select(Contract.provider, Package.sector)
        .join(Package, col(Package.id) == col(Contract.package_id))
        .where(col(Contract.provider).in_(providers), col(Contract.state).in_(IN_FORCE))
        .distinct()
    )
    found: dict[str, set[str]] = defaultdict(set)
    for provider, sector in (*session.exec(based).all(), *session.exec(serving).all()):
        if sector:
            found[provider].add(sector)
    return found


def measured(
    session: Session, round_: Round, published_part: Mapping[str, Any], providers: Collection[str]
) -> dict[str, Travel]:
    """The band of each of these providers for a round that is about to ask them; who was asked before keeps its own."""
    sector = published_part.get("sector")
    if not sector:
        return {}
    kept = _kept(session, round_, sector)
    own = own_sectors(session, [provider for provider in providers if provider not in kept])
    centres = sector_centres(session, {sector}.union(*own.values()))
    if sector not in centres:
        return kept
    return kept | _nearest_of(own, centres, centres[sector])


def measure_anew(session: Session, round_: Round, before: Mapping[str, Any]) -> None:
    """After a change of what was published: a package that moved is measured from where it is now."""
    if round_.published_part.get("sector") == before.get("sector"):
        return
    asked = select(Invitation.provider).where(Invitation.round_id == round_.id)
    providers = session.exec(asked.order_by(col(Invitation.id))).all()
    found = measured(session, round_, round_.published_part, providers)
    of_this = col(Invitation.round_id) == round_.id
    session.execute(update(Invitation).where(of_this).values(travel=None))
    for band in Travel:
        of_it = [provider for provider, one in found.items() if one is band]
        if of_it:
            session.execute(update(Invitation).where(of_this, col(Invitation.provider).in_(of_it)).values(travel=band))


def _kept(session: Session, round_: Round, sector: str) -> dict[str, Travel]:
    """Bands of the referral's earlier rounds, the first of each provider, where they were measured to this sector."""
    query = (
        select(Invitation.provider, Invitation.travel, Round.published_part)
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .where(Round.referral_id == round_.referral_id, Round.id != round_.id, col(Invitation.travel).is_not(None))
        .order_by(col(Invitation.id).desc())
    )
    return {
        provider: Travel(band)
        for provider, band, part in session.exec(query)
        if band is not None and part.get("sector") == sector
    }


def bands_from(session: Session, sector: str, parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Travel]:
    """By name of each published part that shows its sector: the band from a sector that somebody typed."""
    shown = {name: part["sector"] for name, part in parts.items() if part.get("sector")}
    centres = sector_centres(session, {sector, *shown.values()}) if shown else {}
    if sector not in centres:
        return {}
    found = {name: _nearest([centres[sector]], centres[there]) for name, there in shown.items() if there in centres}
    return {name: band for name, band in found.items() if band is not None}


def _nearest_of(
    own: Mapping[str, Collection[str]], centres: Mapping[str, Position], there: Position
) -> dict[str, Travel]:
    found = {
        provider: _nearest([centres[sector] for sector in sectors if sector in centres], there)
        for provider, sectors in own.items()
    }
    return {provider: band for provider, band in found.items() if band is not None}


def _nearest(mine: Iterable[Position], there: Position) -> Travel | None:
    """None for whoever is nowhere on this grid."""
    found = {travel(one, there) for one in mine if one.grid is there.grid}
    return next((band for band in NEAREST_FIRST if band in found), None)
