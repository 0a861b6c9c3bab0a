"""Drafts of bids, readable in the browser that saved them and nowhere else (law 2); gone when their round closes.

What was typed, complete or not, is padded and encrypted under the key in that browser's cookie, as its own copies of
sealed bids are (`own_copies`). One person has one draft of a round: another browser's replaces it. The page of many
bids keeps a draft for each round that is ticked, and in each what it says for all: so none outlives its round.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint, delete, exists, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.rounds import Round, RoundState
from bidding.sealing.seal import pad, unpad
from dps.kernel.columns import bytes_column, canonical_json, id_column, utc_column
from dps.kernel.database import Database, is_one_of_pairs, those
from dps.kernel.ending import say
from dps.kernel.errors import Corrupted
from dps.kernel.keys import SecretBox

_NAMES = frozenset({"starts_on", "preference", "exceptional_reason", "ticked", "either", "in_bundle"})
_PREFIXES = ("price-", "answer-", "bundle-", "limit-")
_LONGEST = 200


class BidDraft(SQLModel, table=True):
    """The ciphertext of what one account has typed for one round."""

    __tablename__ = "bid_draft"
    __table_args__ = (UniqueConstraint("account", "round_ref"),)

    id: int | None = id_column()
    account: str = Field(max_length=40)
    round_ref: str = Field(max_length=24, index=True)
    sealed: bytes = bytes_column()
    saved_at: datetime = utc_column()


@dataclass(frozen=True, slots=True, repr=False)
class Draft:
    """A draft as its person sees it; `fields` is None in another browser than the one that saved it."""

    round: str
    saved_at: datetime
    closes_at: datetime | None
    fields: Mapping[str, str] | None

    def __repr__(self) -> str:
        return "Draft(withheld)"


def save(
    session: Session, key: bytes, *, account: str, round_ref: str, typed: Mapping[str, str], now: datetime
) -> None:
    """Keep what was typed in a bid's form; the caller has made sure that this account may bid in the round."""
    kept = {name: text[:_LONGEST] for name, text in typed.items() if text and _is_of_a_bid(name)}
    sealed = SecretBox(key).seal(pad(canonical_json(kept).encode()), about=_about(account, round_ref))
    if not _replaced(session, account, round_ref, sealed, now):
        try:
            with session.begin_nested():
                session.add(BidDraft(account=account, round_ref=round_ref, sealed=sealed, saved_at=now))
        except IntegrityError:
            # The same person saved at the same moment: the later one stands.
            _replaced(session, account, round_ref, sealed, now)


def draft_of(session: Session, key: bytes | None, *, account: str, round_ref: str) -> Draft | None:
    """This account's draft for the round, if there is one."""
    row = session.exec(select(BidDraft).where(BidDraft.account == account, BidDraft.round_ref == round_ref)).first()
    return None if row is None else Draft(round_ref, row.saved_at, None, _opened(row, key))


def drafts_for(session: Session, key: bytes | None, *, account: str, rounds: Collection[str]) -> dict[str, Draft]:
    """This account's drafts for these rounds, by round, the one saved last at the end."""
    query = (
        select(BidDraft)
        .where(BidDraft.account == account, col(BidDraft.round_ref).in_(rounds))
        .order_by(col(BidDraft.saved_at), col(BidDraft.id))
    )
    return {row.round_ref: Draft(row.round_ref, row.saved_at, None, _opened(row, key)) for row in session.exec(query)}


def drafts_of(session: Session, *, account: str, now: datetime) -> Sequence[Draft]:
    """This account's drafts for rounds that are open, what closes soonest first; without what they say."""
    query = (
        select(BidDraft.round_ref, BidDraft.saved_at, Round.closes_at)
        .join(Round, col(Round.ref) == col(BidDraft.round_ref))
        .where(BidDraft.account == account, _is_open(now))
        .order_by(col(Round.closes_at), col(BidDraft.id))
    )
    return [Draft(round_ref, saved_at, closes_at, None) for round_ref, saved_at, closes_at in session.exec(query)]


def throw_away(session: Session, *, account: str, rounds: Sequence[str]) -> None:
    """Forget this account's drafts for these rounds, with the transaction."""
    for round_ref in rounds:
        say(session, _forget, {"account": account, "round_ref": round_ref})


def forget_closed(database: Database, now: datetime) -> None:
    """Delete every draft whose round is not open any more. Nothing is written where there is none."""
    with database.reading() as session:
        if session.exec(select(BidDraft.id).where(~_round_is_open(now)).limit(1)).first() is None:
            return
    with database.transaction() as session:
        session.execute(delete(BidDraft).where(~_round_is_open(now)))


def _replaced(session: Session, account: str, round_ref: str, sealed: bytes, now: datetime) -> bool:
    mine = (col(BidDraft.account) == account) & (col(BidDraft.round_ref) == round_ref)
    done: Any = session.execute(update(BidDraft).where(mine).values(sealed=sealed, saved_at=now))
    return bool(done.rowcount)


def _forget(session: Session, drafts: list[dict[str, Any]]) -> None:
    session.connection().execute(_THESE, those({(draft["account"], draft["round_ref"]) for draft in drafts}))


# Built once: every bid from a form asks it, and forty of one moment ask it together.
_THESE = delete(BidDraft).where(is_one_of_pairs(col(BidDraft.account), col(BidDraft.round_ref)))


def _is_open(now: datetime) -> Any:
    return (col(Round.state) == RoundState.PUBLISHED) & (col(Round.closes_at) > now)


def _round_is_open(now: datetime) -> Any:
    return exists().where((col(Round.ref) == col(BidDraft.round_ref)) & _is_open(now))


def _opened(row: BidDraft, key: bytes | None) -> Mapping[str, str] | None:
    try:
        plain = SecretBox(key).open(row.sealed, about=_about(row.account, row.round_ref)) if key else None
    except Corrupted:
        return None
    return {str(name): str(text) for name, text in json.loads(unpad(plain)).items()} if plain else None


def _is_of_a_bid(name: str) -> bool:
    return name in _NAMES or name.startswith(_PREFIXES)


def _about(account: str, round_ref: str) -> str:
    return f"draft of {account} for {round_ref}"
