"""Hours held for an award: reserved at the offer, committed at the contract, released when it comes to nothing.

One hold per award, so that each of these is done once however often it is asked for (law 4). A hold counts in the
authority's row and in its locality's. Free hours rise again only when a *reservation* is released: hours of a contract
that ends come back when the provider declares them.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlmodel import Field, Session, SQLModel, col, func, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import id_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import find, locked_one
from dps.kernel.errors import HeldOtherwise, NoCapacity, NotFound
from dps.kernel.states import StateTable, advance
from dps.register.capacity import (
    WHOLE_AUTHORITY,
    Ledger,
    LedgerFlag,
    free_in,
    row_for_writing,
    rows_of,
    whole_minutes,
)
from dps.register.providers import Provider, locked_provider

MOVERS = (Role.BROKER, Role.APPROVER, Role.CLOCK, Role.PROVIDER)


class HoldState(StrEnum):
    RESERVED = "reserved"
    COMMITTED = "committed"
    RELEASED = "released"


_S = HoldState


class Hold(SQLModel, table=True):
    """Carer-minutes a week held in the ledger. `ref` is the award's reference, or the variation's that raised them.

    A hold of a block's hours is the block's, by its reference. `out_of` names the block whose hours another one takes:
    the ledger counts them in the block already, and only there.
    """

    __tablename__ = "capacity_hold"
    STEPS: ClassVar[StateTable] = StateTable(
        "hold",
        _S.RESERVED,
        (_S.RESERVED, "commit", _S.COMMITTED, MOVERS),
        (_S.RESERVED, "release", _S.RELEASED, MOVERS),
        (_S.COMMITTED, "release", _S.RELEASED, MOVERS),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    provider_id: int = link_column("provider.id")
    authority: str = Field(max_length=40)
    locality: str = Field(max_length=40)
    weekly_minutes: int = whole_column()
    out_of: str | None = Field(default=None, max_length=24, index=True)
    state: HoldState = state_column(HoldState)
    reserved_at: datetime = utc_column()
    committed_at: datetime | None = utc_column(nullable=True)
    released_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        """The award's own stream: its hours are a part of its story."""
        return self.ref


def reserve(
    session: Session,
    *,
    provider_id: int,
    authority: str,
    locality: str,
    minutes: int,
    award_ref: str,
    actor: Actor,
    now: datetime,
    out_of: str | None = None,
) -> Hold:
    """Hold free minutes for an award that is about to be offered. `NoCapacity` if the provider has not so many.

    `out_of` names the provider's block whose unused minutes are taken instead; the ledger counts them already.

    Asked again for the same award it returns the hold there is, unless the facts differ or it was released
    (`HeldOtherwise`). A transaction that reserves with several providers locks them first, in order of id.
    """
    actor.needs("reserve hours", *MOVERS)
    whole_minutes(minutes, least=1)
    provider = locked_provider(session, provider_id)
    actor.sees("award", award_ref, authority=authority, provider=provider.ref)
    known = hold_of(session, award_ref)
    if known is not None:
        return _as_before(known, provider_id, authority, locality, minutes)
    rows = rows_of(session, provider_id, authority)
    is_full = provider.full_since is not None
    free = free_in(rows, locality, now, is_full=is_full) if out_of is None else unused_minutes(session, out_of)
    if free < minutes:
        raise NoCapacity(provider=provider.ref, locality=locality, free_minutes=free, asked_minutes=minutes)
    hold = _held(session, provider_id, authority, locality, minutes, award_ref, now, out_of)
    for row in _rows(session, hold, rows):
        row.reserved_minutes += minutes
        row.settle(now, is_full=is_full)
    session.flush()
    _note(session, hold, provider, "hold.reserve", actor, now)
    return hold


def commit(session: Session, *, award_ref: str, actor: Actor, now: datetime) -> Hold:
    """Turn a reservation into a commitment; it uses up what was declared. Done once, however often it is asked for."""
    hold, provider = _locked(session, award_ref, actor)
    if hold.state is _S.COMMITTED:
        return hold
    advance(session, hold, "commit", actor, now, committed_at=now)
    for row in _rows(session, hold):
        row.reserved_minutes -= hold.weekly_minutes
        row.committed_minutes += hold.weekly_minutes
        if row.declared_minutes is not None:
            row.declared_minutes = max(row.declared_minutes - hold.weekly_minutes, 0)
        row.settle(now, is_full=provider.full_since is not None)
    session.flush()
    return hold


def release(session: Session, *, award_ref: str, actor: Actor, now: datetime) -> Hold:
    """Give a reservation back, or end a commitment. Done once, however often it is asked for.

    A reservation's minutes are free again, as far as the declaration in force reaches; a commitment's are not.
    """
    hold, provider = _locked(session, award_ref, actor)
    if hold.state is _S.RELEASED:
        return hold
    was_reserved = hold.state is _S.RESERVED
    advance(session, hold, "release", actor, now, released_at=now)
    for row in _rows(session, hold):
        if was_reserved:
            row.reserved_minutes -= hold.weekly_minutes
        else:
            row.committed_minutes -= hold.weekly_minutes
        row.settle(now, is_full=provider.full_since is not None)
    session.flush()
    return hold


def raise_for_existing(
    session: Session,
    *,
    provider_id: int,
    authority: str,
    locality: str,
    minutes: int,
    ref: str,
    actor: Actor,
    now: datetime,
) -> Hold:
    """Commit more minutes for a person this provider already serves (a flex, an increase), free hours or none.

    Ceiling and committed rise together and the rows are flagged. `ref` is the variation's or the award's reference;
    asked again for it, nothing happens twice.
    """
    actor.needs("raise committed hours", *MOVERS)
    whole_minutes(minutes, least=1)
    provider = locked_provider(session, provider_id)
    actor.sees("award", ref, authority=authority, provider=provider.ref)
    known = hold_of(session, ref)
    if known is not None:
        return _as_before(known, provider_id, authority, locality, minutes)
    hold = _held(session, provider_id, authority, locality, minutes, ref, now)
    for row in _rows(session, hold):
        row.committed_minutes += minutes
        row.settle(now, is_full=provider.full_since is not None)
        row.flag_as(LedgerFlag.RAISED, now)
    session.flush()
    _note(session, hold, provider, "hold.raise", actor, now)
    advance(session, hold, "commit", actor, now, committed_at=now)
    return hold


def unused_minutes(session: Session, block_ref: str) -> int:
    """How much of a block no award takes; nothing once the block is over. Under the provider's lock it can be taken."""
    block = hold_of(session, block_ref)
    if block is None or block.state is _S.RELEASED:
        return 0
    taken = select(func.coalesce(func.sum(col(Hold.weekly_minutes)), 0)).where(
        Hold.out_of == block_ref, col(Hold.state) != _S.RELEASED
    )
    return block.weekly_minutes - int(session.exec(taken).one())


def hold_of(session: Session, award_ref: str) -> Hold | None:
    """The hold for this award, if one was ever made, as it is now."""
    return find(session, Hold, ref=award_ref, fresh=True)


def block_behind(session: Session, award_ref: str) -> str | None:
    """The block out of whose hours this award is served; None where it has a price of its own."""
    return session.exec(select(Hold.out_of).where(Hold.ref == award_ref)).first()


def _locked(session: Session, award_ref: str, actor: Actor) -> tuple[Hold, Provider]:
    """The hold and its provider, both locked, the provider first."""
    found = hold_of(session, award_ref)
    if found is None:
        raise NotFound(kind="hold", ref=award_ref)
    provider = locked_provider(session, found.provider_id)
    actor.sees("hold", award_ref, authority=found.authority, provider=provider.ref)
    return locked_one(session, Hold, found.id), provider


def _as_before(hold: Hold, provider_id: int, authority: str, locality: str, minutes: int) -> Hold:
    asked = (provider_id, authority, locality, minutes)
    held = (hold.provider_id, hold.authority, hold.locality, hold.weekly_minutes)
    if asked != held or hold.state is _S.RELEASED:
        raise HeldOtherwise(ref=hold.ref)
    return hold


def _held(
    session: Session,
    provider_id: int,
    authority: str,
    locality: str,
    minutes: int,
    ref: str,
    now: datetime,
    out_of: str | None = None,
) -> Hold:
    hold = Hold(
        ref=ref,
        provider_id=provider_id,
        authority=authority,
        locality=locality,
        weekly_minutes=minutes,
        out_of=out_of,
        state=_S.RESERVED,
        reserved_at=now,
    )
    session.add(hold)
    return hold


def _rows(session: Session, hold: Hold, rows: dict[str, Ledger] | None = None) -> list[Ledger]:
    """The rows in which this hold counts, made where they are missing; none for hours of a block."""
    if hold.out_of is not None:
        return []
    known = rows_of(session, hold.provider_id, hold.authority) if rows is None else rows
    places = dict.fromkeys((WHOLE_AUTHORITY, hold.locality))
    return [row_for_writing(session, known, hold.provider_id, hold.authority, place) for place in places]


def _note(session: Session, hold: Hold, provider: Provider, kind: str, actor: Actor, now: datetime) -> None:
    facts = {
        "ref": hold.ref,
        "provider": provider.ref,
        "authority": hold.authority,
        "locality": hold.locality,
        "weekly_minutes": hold.weekly_minutes,
    } | ({"out_of": hold.out_of} if hold.out_of else {})
    audit.append(session, hold.stream, kind, actor, now, facts)
