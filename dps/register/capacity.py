"""Free hours for new work, and the ledger that keeps them from being sold twice (law 5).

A provider declares how many carer-minutes a week it has free for new work, for an authority as a whole ('') and, if
it likes, for single localities. The ledger has a row per provider, authority and locality:

    ceiling = committed + the greater of (what is left of the declaration) and (reserved)
    free    = what is left of the declaration - reserved, and never below nothing

so free = ceiling - reserved - committed while the declaration stands. It counts as nothing once it has expired, and
while the provider says "I'm full"; both are derived on each read. The database itself refuses a row above its ceiling.
Every writer holds the provider's lock (`providers.locked_provider`).
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import (
    day_column,
    id_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.database import find_all
from dps.kernel.errors import BadInput
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.register.providers import Provider, locked_provider, locked_providers, may_act_for
from dps.register.texts import keys

MOST_MINUTES = 10_000_000
"""A week of a thousand carers round the clock: more is a slip of the keyboard."""

LONGEST_DECLARATION = timedelta(days=366)
WHOLE_AUTHORITY = ""


class LedgerFlag(StrEnum):
    """Why somebody should look at a row."""

    NONE = "none"
    LOWERED = "lowered"
    EXPIRED = "expired"
    RAISED = "raised"


class Ledger(SQLModel, table=True):
    """Carer-minutes a week of one provider for one authority, or in one of its localities.

    `declared_minutes` is what is left of the declaration in force: commitments use it up. None: nothing was declared
    for this row, and it limits nothing.
    """

    __tablename__ = "capacity_ledger"
    __table_args__ = (
        UniqueConstraint("provider_id", "authority", "locality"),
        CheckConstraint("reserved_minutes + committed_minutes <= ceiling_minutes", name="never_oversold"),
        CheckConstraint("reserved_minutes >= 0", name="reserved_not_negative"),
        CheckConstraint("committed_minutes >= 0", name="committed_not_negative"),
        CheckConstraint("declared_minutes >= 0", name="declared_not_negative"),
        CheckConstraint(
            "ceiling_minutes <= committed_minutes + CASE WHEN declared_minutes > reserved_minutes"
            " THEN declared_minutes ELSE reserved_minutes END",
            name="ceiling_is_declared",
        ),
        CheckConstraint("(declared_minutes IS NULL) = (expires_at IS NULL)", name="declared_until"),
    )

    id: int | None = id_column()
    provider_id: int = link_column("provider.id", index=False)
    authority: str = Field(max_length=40)
    locality: str = Field(default=WHOLE_AUTHORITY, max_length=40)
    ceiling_minutes: int = whole_column(default=0)
    reserved_minutes: int = whole_column(default=0)
    committed_minutes: int = whole_column(default=0)
    declared_minutes: int | None = whole_column(nullable=True)
    declared_at: datetime | None = utc_column(nullable=True)
    expires_at: datetime | None = utc_column(nullable=True, index=True)
    free_from: date | None = day_column(nullable=True)
    flag: LedgerFlag = state_column(LedgerFlag)
    flagged_at: datetime | None = utc_column(nullable=True)

    def left_minutes(self, now: datetime, *, is_full: bool) -> int:
        """What is left of the declaration at `now`, reservations not yet taken off."""
        if is_full or self.declared_minutes is None or self.expires_at is None or self.expires_at <= now:
            return 0
        return self.declared_minutes

    def free_minutes(self, now: datetime, *, is_full: bool) -> int:
        """What can still be reserved at `now`."""
        return max(self.left_minutes(now, is_full=is_full) - self.reserved_minutes, 0)

    def settle(self, now: datetime, *, is_full: bool) -> None:
        """Set the ceiling as the rule says. Call it after every change of another number, under the lock."""
        self.ceiling_minutes = self.committed_minutes + max(
            self.left_minutes(now, is_full=is_full), self.reserved_minutes
        )

    def flag_as(self, flag: LedgerFlag, now: datetime) -> None:
        self.flag, self.flagged_at = flag, None if flag is LedgerFlag.NONE else now


class Declaration(SQLModel, table=True):
    """What a provider said, kept for ever; `minutes` None took a locality's own figure back."""

    __tablename__ = "capacity_declaration"

    id: int | None = id_column()
    ref: str = ref_column()
    provider_id: int = link_column("provider.id")
    authority: str = Field(max_length=40)
    locality: str = Field(max_length=40)
    minutes: int | None = whole_column(nullable=True)
    free_from: date | None = day_column(nullable=True)
    declared_at: datetime = utc_column()
    expires_at: datetime | None = utc_column(nullable=True)
    declared_by: str


def declare(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    authority: str,
    minutes: int,
    expires_at: datetime,
    actor: Actor,
    locality: str = WHOLE_AUTHORITY,
    free_from: date | None = None,
) -> Ledger:
    """Declare free carer-minutes a week for new work, until `expires_at`, in place of what was declared before.

    The figure includes what open offers have reserved. Below that the reservations stand, nothing is free, and the row
    is flagged. The provider may declare; a broker or an officer may on its word.
    """
    whole_minutes(minutes)
    provider = locked_provider(session, provider_id)
    may_act_for(actor, provider, "declare free hours", Role.BROKER)
    now = ports.clock.read(session)
    if not now < expires_at <= now + LONGEST_DECLARATION:
        raise BadInput("a declaration ends in the future, within a year", field="expires_at")
    return _declare(session, ports, provider, authority, locality, minutes, expires_at, free_from, actor, now)


def take_back(
    session: Session, ports: Ports, *, provider_id: int, authority: str, locality: str, actor: Actor
) -> Ledger:
    """Have no figure of its own for a locality any more: the authority's as a whole limits it alone."""
    if locality == WHOLE_AUTHORITY:
        raise BadInput("declare 0 minutes instead", field="locality")
    provider = locked_provider(session, provider_id)
    may_act_for(actor, provider, "take a declaration back", Role.BROKER)
    now = ports.clock.read(session)
    return _declare(session, ports, provider, authority, locality, None, None, None, actor, now)


def say_full(session: Session, ports: Ports, *, provider_id: int, actor: Actor) -> None:
    """Have nothing free for any authority, in one call, until `say_not_full` ("I'm full"). What is held stays held."""
    provider = locked_provider(session, provider_id)
    may_act_for(actor, provider, "say that a provider is full", Role.BROKER)
    if provider.full_since is None:
        now = ports.clock.read(session)
        provider.full_since = now
        _settle_all(session, provider, now)
        audit.append(session, provider.stream, "capacity.full", actor, now)


def say_not_full(session: Session, ports: Ports, *, provider_id: int, actor: Actor) -> None:
    """Undo `say_full`: what is left of the declarations counts again, unless it has expired meanwhile."""
    provider = locked_provider(session, provider_id)
    may_act_for(actor, provider, "say that a provider is not full", Role.BROKER)
    if provider.full_since is not None:
        now = ports.clock.read(session)
        provider.full_since = None
        _settle_all(session, provider, now)
        audit.append(session, provider.stream, "capacity.not_full", actor, now)


def settle_expired(session: Session, *, actor: Actor, now: datetime) -> int:
    """Record which declarations have run out: their ceilings fall, their rows are flagged. How many were new.

    Nothing hangs on it (law 1): an expired declaration gives no free minute whether this was called or not.
    """
    actor.needs("settle declarations", Role.CLOCK)
    expired = (
        col(Ledger.expires_at) <= now,
        col(Ledger.ceiling_minutes) > col(Ledger.reserved_minutes) + col(Ledger.committed_minutes),
    )
    ids = session.exec(select(Ledger.provider_id).where(*expired).distinct()).all()
    if not ids:
        return 0
    providers = {provider.id: provider for provider in locked_providers(session, ids)}
    query = select(Ledger).where(*expired, col(Ledger.provider_id).in_(list(providers))).order_by(col(Ledger.id))
    rows = session.exec(query.execution_options(populate_existing=True)).all()
    for row in rows:
        provider = providers[row.provider_id]
        row.settle(now, is_full=provider.full_since is not None)
        row.flag_as(LedgerFlag.EXPIRED, now)
        audit.append(session, provider.stream, "capacity.expired", actor, now, _named(row))
    session.flush()
    return len(rows)


def clear_flag(session: Session, ports: Ports, *, row: Ledger, actor: Actor, seen: LedgerFlag | None = None) -> None:
    """A broker or officer has looked at a flagged row; done twice it is written once.

    `seen` is the flag that was looked at: another one, which came meanwhile, stays.
    """
    actor.needs("clear a flag", Role.BROKER, Role.REGISTER_OFFICER)
    actor.sees("capacity", str(row.id), authority=row.authority)
    provider = locked_provider(session, row.provider_id)
    session.refresh(row)
    if row.flag is LedgerFlag.NONE or (seen is not None and row.flag is not seen):
        return
    now = ports.clock.read(session)
    facts = {**_named(row), "flag": row.flag.value}
    row.flag_as(LedgerFlag.NONE, now)
    session.flush()
    audit.append(session, provider.stream, "capacity.flag_cleared", actor, now, facts)


# Queries


def free_minutes(
    session: Session, *, provider_id: int, authority: str, locality: str = WHOLE_AUTHORITY, at: datetime
) -> int:
    """Carer-minutes a week that this provider has free at `at` for new work in the locality."""
    provider = session.get(Provider, provider_id, populate_existing=True)
    is_full = provider is None or provider.full_since is not None
    return free_in(rows_of(session, provider_id, authority), locality, at, is_full=is_full)


def flagged(session: Session, authority: str) -> Sequence[Ledger]:
    """The authority's rows that somebody should look at, the oldest flag first."""
    query = (
        select(Ledger)
        .where(Ledger.authority == authority, col(Ledger.flag) != LedgerFlag.NONE)
        .order_by(col(Ledger.flagged_at), col(Ledger.id))
    )
    return session.exec(query).all()


def rows_of(session: Session, provider_id: int, authority: str) -> dict[str, Ledger]:
    """The provider's rows for this authority by locality, as they are now."""
    rows = find_all(session, Ledger, provider_id=provider_id, authority=authority, fresh=True)
    return {row.locality: row for row in rows}


def limiting(rows: Mapping[str, Ledger], locality: str) -> list[Ledger]:
    """The rows that limit new work in a locality: those of the authority and of the locality that were declared.

    None at all means that nothing is free there: who declares by locality alone takes no work in the others.
    """
    found = [rows[key] for key in dict.fromkeys((WHOLE_AUTHORITY, locality)) if key in rows]
    return [row for row in found if row.declared_minutes is not None]


def free_in(rows: Mapping[str, Ledger], locality: str, at: datetime, *, is_full: bool) -> int:
    """What these rows of one provider and authority leave free in a locality at `at`."""
    return min((row.free_minutes(at, is_full=is_full) for row in limiting(rows, locality)), default=0)


def row_for_writing(
    session: Session, rows: dict[str, Ledger], provider_id: int, authority: str, locality: str
) -> Ledger:
    """The row of this locality, made if there is none, under the provider's lock."""
    if locality not in rows:
        rows[locality] = Ledger(provider_id=provider_id, authority=authority, locality=locality, flag=LedgerFlag.NONE)
        session.add(rows[locality])
    return rows[locality]


def whole_minutes(minutes: int, *, least: int = 0) -> int:
    """`minutes` if it is a whole number of carer-minutes a week that makes sense; BadInput otherwise."""
    if type(minutes) is not int or not least <= minutes <= MOST_MINUTES:
        raise BadInput(f"{minutes!r} is no number of carer-minutes a week", field="minutes")
    return minutes


def _declare(
    session: Session,
    ports: Ports,
    provider: Provider,
    authority: str,
    locality: str,
    minutes: int | None,
    expires_at: datetime | None,
    free_from: date | None,
    actor: Actor,
    now: datetime,
) -> Ledger:
    assert provider.id is not None
    keys([authority], "authority")
    keys([locality] if locality else [], "locality")
    actor.sees("authority", authority, authority=authority)
    declaration = Declaration(
        ref=new_reference(Kind.DECLARATION, ports.entropy),
        provider_id=provider.id,
        authority=authority,
        locality=locality,
        minutes=minutes,
        free_from=free_from,
        declared_at=now,
        expires_at=expires_at,
        declared_by=actor.ref,
    )
    rows = rows_of(session, provider.id, authority)
    row = row_for_writing(session, rows, provider.id, authority, locality)
    row.declared_minutes, row.declared_at, row.expires_at, row.free_from = minutes, now, expires_at, free_from
    row.settle(now, is_full=provider.full_since is not None)
    if minutes is not None and minutes < row.reserved_minutes:
        row.flag_as(LedgerFlag.LOWERED, now)
    elif row.flag is not LedgerFlag.RAISED:
        row.flag_as(LedgerFlag.NONE, now)
    session.add(declaration)
    session.flush()
    facts = {**_named(row), "ref": declaration.ref, "expires_at": expires_at.isoformat() if expires_at else None}
    audit.append(session, provider.stream, "capacity.declare", actor, now, facts)
    return row


def _settle_all(session: Session, provider: Provider, now: datetime) -> None:
    query = select(Ledger).where(Ledger.provider_id == provider.id).order_by(col(Ledger.id))
    for row in session.exec(query.execution_options(populate_existing=True)):
        row.settle(now, is_full=provider.full_since is not None)
        if provider.full_since is None and row.expires_at is not None and row.expires_at <= now:
            row.flag_as(LedgerFlag.EXPIRED, now)
    session.flush()


def _named(row: Ledger) -> dict[str, str | int | None]:
    return {"authority": row.authority, "locality": row.locality, "declared_minutes": row.declared_minutes}
