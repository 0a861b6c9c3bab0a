"""Ties of staff to providers, declared for good: who has one decides nothing about that provider (law 9).

Here it bars from the register's own decisions; `bidding` asks the same rows before a round is decided.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import id_column, utc_column
from dps.kernel.errors import NeedsSecondPerson
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, parse_reference
from dps.register.providers import Provider

DECIDERS = (Role.BROKER, Role.APPROVER, Role.COMMISSIONER, Role.REGISTER_OFFICER)
"""Who decides something about a provider, somewhere."""


class Interest(SQLModel, table=True):
    """A member of staff declares a tie to a provider: it bars them from deciding what that provider takes part in."""

    __tablename__ = "interest"

    id: int | None = id_column()
    account: str = Field(max_length=64, index=True)
    provider: str = Field(max_length=24)
    declared_at: datetime = utc_column()


def declare_interest(session: Session, ports: Ports, *, provider: str, actor: Actor) -> None:
    """A member of staff declares a tie to a provider, for good; declared twice it is written once."""
    actor.needs("declare an interest", *DECIDERS)
    named = parse_reference(provider, Kind.PROVIDER)
    if is_tied(session, actor, named):
        return
    now = ports.clock.read(session)
    session.add(Interest(account=actor.ref, provider=named, declared_at=now))
    session.flush()
    audit.append(session, actor.ref, "interest.declared", actor, now, {"provider": named})


def refuse_tied(session: Session, actor: Actor, provider: str, step: str) -> None:
    """NeedsSecondPerson for whoever declared a tie to this provider."""
    if is_tied(session, actor, provider):
        raise NeedsSecondPerson(actor=actor.ref, step=step)


def is_tied(session: Session, actor: Actor, provider: str) -> bool:
    """Whether this member of staff declared a tie to the provider."""
    known = select(Interest.id).where(Interest.account == actor.ref, Interest.provider == provider)
    return session.exec(known).first() is not None


def interests_of(session: Session, actor: Actor) -> Sequence[tuple[str, datetime]]:
    """(provider's name, when declared) of everything that this member of staff has declared, the first first."""
    query = (
        select(Provider.name, Interest.declared_at)
        .join(Provider, col(Provider.ref) == col(Interest.provider))
        .where(Interest.account == actor.ref)
        .order_by(col(Interest.id))
    )
    return session.exec(query).all()
