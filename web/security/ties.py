"""Who of a council's staff declared a tie to which provider, by name: for those who see that it is honoured."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from dps.kernel.actors import Actor, Role
from dps.register.interests import Interest
from dps.register.providers import Provider
from web.security.accounts import Account, Part


@dataclass(frozen=True, slots=True)
class Tie:
    """One declaration, which stays."""

    name: str
    part: Part
    provider: str
    declared_at: datetime


def ties_declared(session: Session, *, actor: Actor, provider: str | None = None) -> list[Tie]:
    """The declarations of the staff of the actor's own authority, the first first; about one provider if named."""
    actor.needs("see what staff declared", Role.REGISTER_OFFICER)
    query = (
        select(Account.name, Account.part, Provider.name, Interest.declared_at)
        .join(Interest, col(Interest.account) == col(Account.ref))
        .join(Provider, col(Provider.ref) == col(Interest.provider))
        .where(Account.authority == actor.authority)
        .order_by(col(Interest.id))
    )
    if provider is not None:
        query = query.where(Provider.ref == provider)
    return [Tie(name, Part(part), named, at) for name, part, named, at in session.exec(query)]
