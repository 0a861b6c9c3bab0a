"""Block contracts: hours a week that a provider is paid for, used or not, for one lot in one locality.

The ledger holds them as committed from the day they are agreed, so that no other work is sold on them. A package that
is served from the block takes of them (`Hold.out_of`) and raises nothing. What is used and unused is derived from the
holds; every writer has the provider's lock.

Source: Worcestershire's paper, the pilots with block contracts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, Session, SQLModel, col, func, select

from dps.kernel import audit, outbox
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NotFound, RuleNotMet
from dps.kernel.money import amount
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.register import holds
from dps.register.capacity import whole_minutes
from dps.register.interests import refuse_tied
from dps.register.providers import Provider, locked_provider
from dps.register.texts import known
from dps.schemes.model import Scheme

PAGE = 100


class BlockState(StrEnum):
    AGREED = "agreed"
    ENDED = "ended"


_S = BlockState


class Block(SQLModel, table=True):
    """From `from_day` to `last_day`, both included; without an end while it is agreed."""

    __tablename__ = "block_contract"
    __table_args__ = (
        CheckConstraint("(last_day IS NOT NULL) = (state = 'ended')", name="last_day_when_ended"),
        CheckConstraint("last_day >= from_day", name="days_in_order"),
        CheckConstraint("weekly_minutes > 0 AND weekly_pence > 0", name="amounts"),
        Index(
            "uq_block_agreed",
            "provider_id",
            "authority",
            "scheme",
            "lot",
            "locality",
            unique=True,
            sqlite_where=text("state = 'agreed'"),
            postgresql_where=text("state = 'agreed'"),
        ),
        Index("ix_block_place", "scheme", "lot", "locality"),
    )
    STEPS: ClassVar[StateTable] = StateTable("block", _S.AGREED, (_S.AGREED, "end", _S.ENDED, (Role.COMMISSIONER,)))

    id: int | None = id_column()
    ref: str = ref_column()
    state: BlockState = state_column(BlockState, index=False)
    provider_id: int = link_column("provider.id", index=False)
    provider: str = Field(max_length=24)
    authority: str = Field(max_length=40)
    scheme: str = Field(max_length=40)
    lot: str = Field(max_length=40)
    locality: str = Field(max_length=40)
    weekly_minutes: int = whole_column()
    weekly_pence: int = whole_column()
    from_day: date = day_column()
    last_day: date | None = day_column(nullable=True)
    agreed_at: datetime = utc_column()
    agreed_by: str = Field(max_length=64)

    @property
    def stream(self) -> str:
        return self.ref

    def runs_on(self, day: date) -> bool:
        return self.from_day <= day and (self.last_day is None or day <= self.last_day)


def agree_block(
    session: Session,
    ports: Ports,
    *,
    scheme: Scheme,
    provider_id: int,
    lot: str,
    locality: str,
    weekly_minutes: int,
    weekly_pence: int,
    from_day: date,
    actor: Actor,
) -> Block:
    """Buy a block of hours for the actor's authority. RuleNotMet where the scheme has none there, or one runs."""
    authority = _commissioner(actor, scheme)
    known([lot], (one.key for one in scheme.lots), "lot", "lot")
    known([locality], (one.key for one in scheme.localities), "locality", "locality")
    whole_minutes(weekly_minutes, least=1)
    if amount(weekly_pence, field="weekly_pence") < 1:
        raise BadInput("a block has a price", field="weekly_pence")
    if scheme.blocks is None or lot not in scheme.blocks.lots:
        raise RuleNotMet(reason=f"{scheme.name} buys no blocks of hours for {scheme.lot(lot).name}.")
    provider = locked_provider(session, provider_id)
    refuse_tied(session, actor, provider.ref, "agree a block of hours")
    now = ports.clock.read(session)
    if from_day < now.astimezone(LONDON).date():
        raise BadInput("a block begins today or later", field="from_day")
    for other in blocks_of(session, scheme.key, authority=authority, lot=lot, locality=locality):
        if other.provider_id == provider_id:
            raise RuleNotMet(reason=f"{provider.ref} has block {other.ref} there already. End it first.")
    block = Block(
        ref=new_reference(Kind.BLOCK, ports.entropy),
        state=_S.AGREED,
        provider_id=provider_id,
        provider=provider.ref,
        authority=authority,
        scheme=scheme.key,
        lot=lot,
        locality=locality,
        weekly_minutes=weekly_minutes,
        weekly_pence=weekly_pence,
        from_day=from_day,
        agreed_at=now,
        agreed_by=actor.ref,
    )
    session.add(block)
    session.flush()
    facts = {
        "scheme": scheme.key,
        "provider": provider.ref,
        "lot": lot,
        "locality": locality,
        "weekly_minutes": weekly_minutes,
        "weekly_pence": weekly_pence,
        "from_day": from_day.isoformat(),
    }
    audit.append(session, block.stream, "block.agreed", actor, now, facts)
    holds.raise_for_existing(
        session,
        provider_id=provider_id,
        authority=authority,
        locality=locality,
        minutes=weekly_minutes,
        ref=block.ref,
        actor=CLOCK,
        now=now,
    )
    outbox.post(
        session, ports.entropy, recipient=f"provider:{provider.ref}", kind="block_agreed", about=block.ref, now=now
    )
    return block


def end_block(session: Session, ports: Ports, *, block_ref: str, scheme: Scheme, actor: Actor) -> Block:
    """End a block today. RuleNotMet while packages are served from it: they end, or are brokered anew, first."""
    _commissioner(actor, scheme)
    found = block_of_authority(session, block_ref, actor=actor)
    if found.scheme != scheme.key:
        raise NotFound(kind="block", ref=block_ref)
    provider = locked_provider(session, found.provider_id)
    block = locked_one(session, Block, found.id)
    if used := block.weekly_minutes - holds.unused_minutes(session, block.ref):
        raise RuleNotMet(reason=f"{used} minutes a week of {block.ref} are used. End what is served from it first.")
    now = ports.clock.read(session)
    last_day = max(now.astimezone(LONDON).date(), block.from_day)
    advance(session, block, "end", actor, now, last_day=last_day)
    holds.release(session, award_ref=block.ref, actor=CLOCK, now=now)
    outbox.post(
        session, ports.entropy, recipient=f"provider:{provider.ref}", kind="block_ended", about=block.ref, now=now
    )
    return block


# Queries


def block_named(session: Session, ref: str) -> Block:
    """The block of this reference; NotFound if there is none."""
    block = session.exec(select(Block).where(Block.ref == ref)).first()
    if block is None:
        raise NotFound(kind="block", ref=ref)
    return block


@dataclass(frozen=True, slots=True)
class BlockHours:
    """A block, whose it is by name, and what of its week is taken: by people served, or by an offer that waits."""

    block: Block
    provider_name: str
    used_minutes: int

    @property
    def unused_minutes(self) -> int:
        """What is paid for and serves nobody; nothing once the block is over."""
        return self.block.weekly_minutes - self.used_minutes if self.block.state is _S.AGREED else 0


def block_hours(session: Session, *, actor: Actor, page: int = 1) -> list[BlockHours]:
    """A provider's own blocks, or those that the actor's authority pays for: agreed ones first, a hundred a page."""
    actor.needs("look at blocks of hours", Role.PROVIDER, Role.BROKER, Role.APPROVER, Role.COMMISSIONER)
    is_own = Block.provider == actor.provider if actor.role is Role.PROVIDER else Block.authority == actor.authority
    used = (
        select(func.coalesce(func.sum(col(holds.Hold.weekly_minutes)), 0))
        .where(col(holds.Hold.out_of) == col(Block.ref), col(holds.Hold.state) != holds.HoldState.RELEASED)
        .correlate(Block)
        .scalar_subquery()
    )
    query = (
        select(Block, Provider.name, used)
        .join(Provider, col(Provider.id) == col(Block.provider_id))
        .where(is_own)
        .order_by(col(Block.state), col(Block.from_day), col(Block.id))
        .limit(PAGE)
        .offset((max(page, 1) - 1) * PAGE)
    )
    return [BlockHours(block, name, int(minutes)) for block, name, minutes in session.exec(query)]


def block_of_authority(session: Session, ref: str, *, actor: Actor) -> Block:
    """A block that the actor's authority pays for; NotFound for any other."""
    block = block_named(session, ref)
    if actor.authority is None or block.authority != actor.authority:
        raise NotFound(kind="block", ref=ref)
    return block


def blocks_of(
    session: Session,
    scheme: str,
    *,
    authority: str | None = None,
    lot: str | None = None,
    locality: str | None = None,
) -> Sequence[Block]:
    """The scheme's blocks that are agreed, those agreed first before the others."""
    query = select(Block).where(Block.scheme == scheme, Block.state == _S.AGREED)
    for column, value in ((Block.authority, authority), (Block.lot, lot), (Block.locality, locality)):
        if value is not None:
            query = query.where(column == value)
    return session.exec(query.order_by(col(Block.from_day), col(Block.id))).all()


def _commissioner(actor: Actor, scheme: Scheme) -> str:
    actor.needs("agree on blocks of hours", Role.COMMISSIONER)
    if actor.authority is None or actor.authority not in {one.key for one in scheme.authorities}:
        raise NotFound(kind="scheme", ref=scheme.key)
    return actor.authority
