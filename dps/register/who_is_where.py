"""Who is on which list of a scheme: what is published of lists that are asked one before another.

Source: `dps/law`, the publication of staged lists with their members.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.register.membership import Membership, MembershipState
from dps.register.providers import Provider
from dps.schemes.model import Scheme

READERS = (Role.COMMISSIONER, Role.AUDITOR, Role.ADMINISTRATOR, Role.REGISTER_OFFICER)


@dataclass(frozen=True, slots=True)
class Placed:
    """One provider's place: on this list, for this lot, in this locality."""

    list_key: str
    lot: str
    locality: str
    provider: str
    name: str
    is_suspended: bool


def who_is_where(session: Session, scheme: Scheme, *, actor: Actor) -> Sequence[Placed]:
    """Every place held, in the order of the scheme's lists, lots and localities; there by the providers' names."""
    actor.needs("read who is on which list", *READERS)
    if actor.authority not in (None, *(body.key for body in scheme.authorities)):
        raise NotFound(kind="scheme", ref=scheme.key)
    query = (
        select(Membership, Provider.name)
        .join(Provider, col(Provider.id) == col(Membership.provider_id))
        .where(Membership.scheme == scheme.key, col(Membership.state) != MembershipState.REMOVED)
        .order_by(col(Provider.name), col(Membership.id))
    )
    found = [
        Placed(*one.place, provider=one.provider_ref, name=name, is_suspended=one.state is MembershipState.SUSPENDED)
        for one, name in session.exec(query)
    ]
    lists = [one.key for one in scheme.lists]
    lots, localities = [one.key for one in scheme.lots], [one.key for one in scheme.localities]
    return sorted(
        found,
        key=lambda one: (_at(one.list_key, lists), _at(one.lot, lots), _at(one.locality, localities)),
    )


def _at(key: str, keys: Sequence[str]) -> int:
    """Where it stands; what the standing rules name no more comes last."""
    return keys.index(key) if key in keys else len(keys)
