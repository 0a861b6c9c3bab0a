"""Bids that were here in time and that we did not keep: whose loss it is, written down before anything is opened.

A bid is kept while its bidder waits for the answer, or not at all (law 1): what a queue or a database that was away has
cost somebody can't be stored late. It can be made good as long as no bid of its closing is open (`second_chance`).
Nothing that a lost bid said is kept, nor a digest of it: who bids again may say something else.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.bids.records import Bid
from bidding.bids.storing import rounds_key
from bidding.closings import Closing
from bidding.referrals import Referral
from bidding.rounds import Invitation, InvitationState, Round, RoundState, invitation_of, rounds_of_closing
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.columns import id_column, json_column, link_column, utc_column
from dps.kernel.database import find, find_all, locked
from dps.kernel.errors import NotFound
from dps.kernel.idempotency import IdempotentAnswer, key_hash
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.schemes.stored import rules_by_hash

PROMPT = timedelta(seconds=1)
"""Who is here so long before the closing is in time, whatever our queues do. Source: acceptance.md line 1."""

LOST = "bid_lost_by_us"
"""The message by which a council, and the provider, hear of it."""


class UnkeptBid(SQLModel, table=True):
    """A bid that was received whole and not stored. It is lost from `lost_at` on: its closing had come by then.

    `settled_at` is when a broker decided what comes of it.
    """

    __tablename__ = "unkept_bid"

    id: int | None = id_column()
    key_hash: str = Field(unique=True, max_length=64)
    closing_id: int = link_column("closing.id")
    provider: str = Field(max_length=24)
    rounds: Any = json_column()
    received_at: datetime = utc_column()
    noted_at: datetime = utc_column()
    lost_at: datetime | None = utc_column(nullable=True)
    settled_at: datetime | None = utc_column(nullable=True)


def is_ours(received_at: datetime, closes_at: datetime) -> bool:
    """Whether the loss of a bid that was received then is ours: it was here a second before the closing, or longer."""
    return closes_at - received_at >= PROMPT


# Writing it down


def note_unkept(
    session: Session, ports: Ports, *, rounds: Sequence[str], idempotency_key: str, received_at: datetime, actor: Actor
) -> bool:
    """Write down, once, that a bid of this provider was received and not stored; whether there was anything to note.

    There is not where it was stored after all, where its provider has answered for the same rounds since, where it was
    too late or a round was cancelled. The provider is told: while the closing gathers it can send it
    again. NotFound for whoever was not invited.
    """
    actor.needs("bid", Role.PROVIDER)
    provider = actor.provider or ""
    refs = tuple(sorted(set(rounds)))
    found = find_all(session, Round, ref=refs) if refs else ()
    if len(found) != len(refs) or not refs:
        raise NotFound(kind="round", ref=next(iter(refs), ""))
    asked = locked(session, Round, *(round_.id for round_ in found), shared=True)
    invitations = [invitation_of(session, round_.id, provider, lock=True) for round_ in asked]
    closings = find_all(session, Closing, fresh=True, id={round_.closing_id for round_ in asked if round_.closing_id})
    now = ports.clock.read(session)
    if len(closings) != 1 or not is_ours(received_at, closings[0].closes_at):
        return False
    if any(round_.state is RoundState.CANCELLED for round_ in asked):
        return False
    row = UnkeptBid(
        key_hash=key_hash(actor.ref, idempotency_key),
        closing_id=closings[0].id or 0,
        provider=provider,
        rounds=list(refs),
        received_at=received_at,
        noted_at=now,
    )
    if find(session, IdempotentAnswer, key_hash=row.key_hash) or _was_answered(session, row, invitations):
        return False
    if not _added(session, row):
        return False
    closing, stream = closings[0], invitations[0].stream
    if now < closing.closes_at and all(round_.state is RoundState.PUBLISHED for round_ in asked):
        facts = {"rounds": row.rounds, "received_at": received_at.isoformat()}
        audit.append(session, stream, "bid.not_kept", CLOCK, now, facts)
        told = {"closes_at": closing.closes_at.isoformat()}
        _tell(session, ports, f"provider:{provider}", "bid_not_kept", refs[0], now, told)
    else:
        _lose(session, ports, row, closing, stream, now)
    return True


def lose_at_once(
    session: Session,
    ports: Ports,
    *,
    key_hash: str,
    rounds: Sequence[Round],
    invitations: Sequence[Invitation],
    closing: Closing,
    received_at: datetime,
    now: datetime,
) -> None:
    """Write down that a bid which was here in time came to its turn too late. The caller holds the locks of a bid."""
    row = UnkeptBid(
        key_hash=key_hash,
        closing_id=closing.id or 0,
        provider=invitations[0].provider,
        rounds=sorted(round_.ref for round_ in rounds),
        received_at=received_at,
        noted_at=now,
    )
    if not _was_answered(session, row, invitations) and _added(session, row):
        _lose(session, ports, row, closing, invitations[0].stream, now)


def lose_what_was_not_kept(session: Session, ports: Ports, closing: Closing, now: datetime) -> None:
    """At the closing: what was noted while it gathered, and never made good by its bidder, is lost."""
    query = select(UnkeptBid).where(UnkeptBid.closing_id == closing.id, col(UnkeptBid.lost_at).is_(None))
    for row in session.exec(query.order_by(col(UnkeptBid.id))).all():
        invitations = _invitations(session, row)
        if is_ours(row.received_at, closing.closes_at) and not _was_answered(session, row, invitations):
            _lose(session, ports, row, closing, invitations[0].stream, now)


def _added(session: Session, row: UnkeptBid) -> bool:
    """Whether it was noted now; a twin of the request may have noted it before."""
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True


def _was_answered(session: Session, row: UnkeptBid, invitations: Sequence[Invitation]) -> bool:
    """Whether its provider has bid for the same rounds since, or declined one of them."""
    since = select(Bid.id).where(
        Bid.provider == row.provider,
        Bid.rounds_key == rounds_key(row.rounds),
        col(Bid.received_at) >= row.received_at,
    )
    has_declined = any(
        one.state is InvitationState.DECLINED and one.answered_at is not None and one.answered_at >= row.received_at
        for one in invitations
    )
    return has_declined or session.exec(since.limit(1)).first() is not None


def _invitations(session: Session, row: UnkeptBid) -> Sequence[Invitation]:
    ids = [round_.id for round_ in find_all(session, Round, ref=row.rounds)]
    return find_all(session, Invitation, round_id=ids, provider=row.provider, order=("round_id",))


def _lose(session: Session, ports: Ports, row: UnkeptBid, closing: Closing, stream: str, now: datetime) -> None:
    """Say it to the trail, to its provider, and to the councils of its packages, which are not told whose it was."""
    row.lost_at = now
    session.add(row)
    facts = {
        "rounds": row.rounds,
        "received_at": row.received_at.isoformat(),
        "closes_at": closing.closes_at.isoformat(),
    }
    audit.append(session, stream, "bid.lost_by_us", CLOCK, now, facts)
    _tell(session, ports, f"provider:{row.provider}", LOST, row.rounds[0], now, {})
    query = (
        select(Referral.authority, Referral.ref)
        .join(Round, col(Round.referral_id) == col(Referral.id))
        .where(col(Round.ref).in_(row.rounds))
        .order_by(col(Referral.ref))
    )
    for authority, referral in session.exec(query).all():
        _tell(session, ports, f"authority:{authority}", LOST, closing.ref, now, {"referral": referral})


def _tell(
    session: Session, ports: Ports, recipient: str, kind: str, about: str, now: datetime, facts: dict[str, str]
) -> None:
    post(session, ports.entropy, recipient=recipient, kind=kind, about=about, now=now, facts=facts)


# What comes of it


def waits() -> ColumnElement[bool]:
    """That a bid is lost, and nobody has decided what comes of it."""
    return col(UnkeptBid.lost_at).is_not(None) & col(UnkeptBid.settled_at).is_(None)


def lost_of(session: Session, closing_id: int | None) -> Sequence[UnkeptBid]:
    """The lost bids of a closing about which nobody has decided yet."""
    query = select(UnkeptBid).where(UnkeptBid.closing_id == closing_id, waits())
    return session.exec(query.order_by(col(UnkeptBid.id))).all()


def waits_until(session: Session, closing: Closing) -> datetime | None:
    """Until when the opening waits for a broker's word about a lost bid; None where none is lost or undecided."""
    if closing.closed_at is None or not lost_of(session, closing.id):
        return None
    if not rounds_of_closing(session, closing.id, RoundState.CLOSED):
        return None
    scheme = rules_by_hash(session, closing.rule_hash)
    return scheme.closings.wait_after_loss.end(closing.closed_at, scheme.calendar())


def waits_for_a_broker(session: Session, closing: Closing, now: datetime) -> bool:
    """Whether a closed closing stays shut for now, because a bid was lost; the first time that is an event."""
    until = waits_until(session, closing)
    if until is None or now >= until:
        return False
    if closing.wakes_at != until:
        closing.wakes_at = until
        session.add(closing)
        session.flush()
        facts = {"lost": len(lost_of(session, closing.id)), "until": until.isoformat()}
        audit.append(session, closing.stream, "closing.waits_for_broker", CLOCK, now, facts)
    return True
