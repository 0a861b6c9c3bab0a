"""Re-accreditation: a scheme's register held against a newer file of it, and brought to what the file says.

The file is the whole register. Who stands in it and not here joins by the ordinary commands; here it is told who left
(removed from the scheme), which location closed, and whose rating changed. Running contracts stay as they are.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput
from dps.kernel.ports import Ports
from dps.register.membership import Membership, MembershipState, remove
from dps.register.officers import needs_officer
from dps.register.providers import Location, Provider, close_location, locked_providers, rate
from dps.schemes.model import Rating, Scheme

MOST_LEAVING_PERCENT = 50
"""A file in which more of the providers are missing is taken for another file."""
BECAUSE = "Not in the newer register."


@dataclass(frozen=True, slots=True)
class Held:
    """One open location of a provider that is on the scheme."""

    provider: str
    name: str
    regulator_id: str
    rating: Rating


@dataclass(frozen=True, slots=True)
class Rerated:
    """A location whose rating the newer register gives otherwise."""

    regulator_id: str
    was: Rating
    now: Rating


@dataclass(frozen=True, slots=True)
class Changes:
    """What the newer register changes of what is held: providers that left by reference, locations by their numbers."""

    left: tuple[str, ...]
    closed: tuple[str, ...]
    rerated: tuple[Rerated, ...]


def compare(held: Sequence[Held], stated: Mapping[str, Rating]) -> Changes:
    """What differs: `stated` are the newer register's locations, each with its rating. Pure.

    A provider left if none of its locations is stated; of one that stays, those that are not have closed.
    """
    stays = {one.provider for one in held if one.regulator_id in stated}
    left = sorted({one.provider for one in held} - stays)
    closed = sorted(one.regulator_id for one in held if one.provider in stays and one.regulator_id not in stated)
    rerated = sorted(
        (one for one in held if stated.get(one.regulator_id, one.rating) is not one.rating),
        key=lambda one: one.regulator_id,
    )
    return Changes(
        tuple(left),
        tuple(closed),
        tuple(Rerated(one.regulator_id, one.rating, stated[one.regulator_id]) for one in rerated),
    )


def reaccredit(
    session: Session, ports: Ports, *, scheme: Scheme, stated: Mapping[str, Rating], actor: Actor
) -> Changes:
    """Bring the scheme's register to the newer one: rate anew, close, remove; what was changed.

    BadInput where more than half of the providers would leave: the file is then not the whole register.
    """
    needs_officer(actor, scheme, "re-accredit the register")
    # All of them at once, in order of id: one after another, by their locations' numbers, could meet another's locks.
    locked_providers(session, _ids(session, {one.provider for one in held_on(session, scheme.key)}))
    held = held_on(session, scheme.key)
    changes = compare(held, stated)
    providers = {one.provider for one in held}
    if len(changes.left) * 100 > len(providers) * MOST_LEAVING_PERCENT:
        missing = f"{len(changes.left)} of {len(providers)} providers are not in it"
        raise BadInput(f"{missing}: is this the whole register?", field="file")
    today = ports.clock.read(session).astimezone(LONDON).date()
    for one in changes.rerated:
        rate(session, ports, regulator_id=one.regulator_id, rating=one.now, actor=actor)
    for number in changes.closed:
        close_location(session, ports, regulator_id=number, on=today, actor=actor)
    for provider_id in _ids(session, changes.left):
        remove(session, ports, provider_id=provider_id, scheme=scheme, because=BECAUSE, actor=actor)
    return changes


def held_on(session: Session, scheme: str) -> list[Held]:
    """The open locations of all providers that hold a place in the scheme, in order of their numbers."""
    return [
        Held(provider.ref, provider.name, location.regulator_id, location.rating)
        for provider, location in _open_locations(session, scheme)
    ]


def register_of(session: Session, scheme: Scheme, *, actor: Actor) -> Sequence[tuple[Provider, Location]]:
    """The same with all that a register says of provider and location, for the scheme's officers."""
    needs_officer(actor, scheme, "read the register")
    return _open_locations(session, scheme.key)


def _open_locations(session: Session, scheme: str) -> Sequence[tuple[Provider, Location]]:
    on_scheme = select(Membership.provider_id).where(
        Membership.scheme == scheme, Membership.state != MembershipState.REMOVED
    )
    query = (
        select(Provider, Location)
        .join(Location, col(Location.provider_id) == col(Provider.id))
        .where(col(Provider.id).in_(on_scheme), col(Location.closed_on).is_(None))
        .order_by(col(Location.regulator_id))
    )
    return session.exec(query).all()


def _ids(session: Session, refs: Collection[str]) -> Sequence[int]:
    query = select(Provider.id).where(col(Provider.ref).in_(refs)).order_by(col(Provider.id))
    return [id_ for id_ in session.exec(query) if id_ is not None]
