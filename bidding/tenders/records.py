"""A tender: one area contract of the rules, sought for one locality. Its bids are kept like any other sealed bid.

Its closing has no rounds and decides this tender alone; the bids' events are in the tender's stream.
"""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.tenders.scoring import AreaScore
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import (
    canonical_json,
    day_column,
    id_column,
    json_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
)
from dps.kernel.database import find, locked_one
from dps.kernel.errors import NotFound
from dps.kernel.states import StateTable
from dps.schemes.stored import rules_by_hash


class TenderState(StrEnum):
    PUBLISHED = "published"
    EVALUATED = "evaluated"
    OFFERED = "offered"
    AWARDED = "awarded"
    CANCELLED = "cancelled"


_S = TenderState
OPEN = (_S.PUBLISHED, _S.EVALUATED, _S.OFFERED)
_OPEN = "state IN ('published', 'evaluated', 'offered')"


class Tender(SQLModel, table=True):
    """Bids are taken until its closing. `key` names the area contract in the rules of `rule_hash`.

    `scores` are the evaluation as it was worked out, by bid. `offered_bid` is the bid that is offered the contract or
    has it; `passed` lists those that had their turn and did not take it.
    """

    __tablename__ = "tender"
    __table_args__ = (
        CheckConstraint("last_day >= from_day", name="days_in_order"),
        CheckConstraint("(offered_bid IS NOT NULL) = (state IN ('offered', 'awarded'))", name="offered_to_one"),
        Index(
            "uq_tender_open",
            "scheme",
            "authority",
            "key",
            "locality",
            unique=True,
            sqlite_where=text(_OPEN),
            postgresql_where=text(_OPEN),
        ),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "tender",
        _S.PUBLISHED,
        (_S.PUBLISHED, "evaluate", _S.EVALUATED, (Role.CLOCK,)),
        (_S.PUBLISHED, "cancel", _S.CANCELLED, (Role.COMMISSIONER,)),
        (_S.EVALUATED, "offer", _S.OFFERED, (Role.APPROVER,)),
        (_S.EVALUATED, "cancel", _S.CANCELLED, (Role.COMMISSIONER,)),
        (_S.OFFERED, "accept", _S.AWARDED, (Role.PROVIDER,)),
        (_S.OFFERED, "decline", _S.EVALUATED, (Role.PROVIDER,)),
        (_S.OFFERED, "cancel", _S.CANCELLED, (Role.COMMISSIONER,)),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    state: TenderState = state_column(TenderState)
    scheme: str = Field(max_length=40)
    authority: str = Field(max_length=40, index=True)
    rule_hash: str = Field(max_length=64)
    key: str = Field(max_length=40)
    locality: str = Field(max_length=40)
    from_day: date = day_column()
    last_day: date = day_column()
    closing_id: int = link_column("closing.id", unique=True)
    published_at: datetime = utc_column()
    published_by: str = Field(max_length=64)
    scores: Any = json_column(nullable=True)
    offered_bid: str | None = Field(default=None, max_length=24)
    passed: Any = json_column()

    @property
    def stream(self) -> str:
        return self.ref

    @property
    def evaluation(self) -> list[AreaScore]:
        """What every bid came to, those in line first in their order; nothing before it is worked out."""
        found = [AreaScore.from_dict(row) for row in self.scores or ()]
        return sorted(found, key=lambda one: (one.place is None, one.place or 0, one.bid))

    def score_of(self, bid: str | None) -> AreaScore | None:
        return next((one for one in self.evaluation if one.bid == bid), None)


def scores_fingerprint(scores: Any, nonces: Sequence[str]) -> str:
    """What the trail keeps of an evaluation; salted with the bids' nonces, so that no price is found by trying."""
    return hashlib.sha256(canonical_json([scores, sorted(nonces)]).encode()).hexdigest()


# Queries


def tender_of(session: Session, ref: str, actor: Actor) -> Tender:
    """The tender of this reference, to its own authority, and to every provider: it is published to all."""
    row = find(session, Tender, ref=ref)
    if row is None or (actor.role is not Role.PROVIDER and actor.authority not in (None, row.authority)):
        raise NotFound(kind="tender", ref=ref)
    return row


def locked_tender(session: Session, ref: str, actor: Actor, *, shared: bool = False) -> Tender:
    """The same, locked until the transaction ends."""
    return locked_one(session, Tender, tender_of(session, ref, actor).id, shared=shared)


def sought_in_words(session: Session, tender: Tender) -> str:
    """What a tender seeks, and where: `All support of an area, by rate card: Surbiton`."""
    scheme = rules_by_hash(session, tender.rule_hash)
    return f"{scheme.area_contract(tender.key).name}: {scheme.locality(tender.locality).name}"


def tender_of_closing(session: Session, closing_id: int | None) -> Tender:
    found = find(session, Tender, closing_id=closing_id)
    assert found is not None
    return found


def tenders_seen(session: Session, *, actor: Actor, scheme: str | None = None) -> Sequence[Tender]:
    """The tenders of one's authority, or for a provider of all; the newest first."""
    query = select(Tender)
    if actor.role is not Role.PROVIDER:
        if actor.authority is None:
            actor.needs("read tenders of every authority", Role.AUDITOR, Role.ADMINISTRATOR)
        else:
            query = query.where(Tender.authority == actor.authority)
    if scheme is not None:
        query = query.where(Tender.scheme == scheme)
    return session.exec(query.order_by(col(Tender.published_at).desc(), col(Tender.id).desc())).all()
