"""What each account chose about its letters, and the filters that it saved; read where a message is sorted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.looking.narrowing import Narrowing, Own
from bidding.rounds import Round
from dps.kernel.columns import id_column, json_column, link_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.entropy import Entropy
from dps.kernel.errors import BadInput
from dps.kernel.outbox import Delivery, OutboxMessage, post
from dps.register.membership import Membership, MembershipState
from dps.register.providers import Provider
from dps.register.texts import one_line
from web.security.accounts import Account
from web.sending.choices import Choice

DIGEST = "digest"
MOST_FILTERS = 20


class LetterChoice(SQLModel, table=True):
    """One account's choice; an account without a row is told everything at once."""

    __tablename__ = "letter_choice"

    id: int | None = id_column()
    account_id: int = link_column("account.id", unique=True)
    choice: Any = json_column()
    chosen_at: datetime = utc_column()


class SavedFilter(SQLModel, table=True):
    """A filter of opportunities under a name of its owner's own."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: int | None = id_column()
    account_id: int = link_column("account.id", index=False)
    name: str = Field(max_length=60)
    narrowing: Any = json_column()
    saved_at: datetime = utc_column()

    @property
    def wanted(self) -> Narrowing:
        return Narrowing.from_dict(self.narrowing)


def choose(session: Session, *, account_id: int, choice: Choice, now: datetime) -> None:
    """Put this choice in place of the one before."""
    locked_one(session, Account, account_id)
    row = session.exec(select(LetterChoice).where(LetterChoice.account_id == account_id)).first()
    if row is None:
        row = LetterChoice(account_id=account_id, choice={}, chosen_at=now)
    row.choice, row.chosen_at = choice.to_dict(), now
    session.add(row)
    session.flush()


def choice_of(session: Session, account_id: int | None) -> Choice:
    """What this account chose."""
    raw = session.exec(select(LetterChoice.choice).where(LetterChoice.account_id == account_id)).first()
    return Choice.from_dict(raw) if raw else Choice()


def save_filter(session: Session, *, account_id: int, name: str, wanted: Narrowing, now: datetime) -> None:
    """Keep a filter under this name, in place of one that has it already."""
    called = one_line(name, "name", 60)
    if wanted.is_empty:
        raise BadInput("choose at least one filter before you save it", field="name")
    locked_one(session, Account, account_id)
    filters = filters_of(session, account_id)
    row = next((one for one in filters if one.name == called), None)
    if row is None and len(filters) >= MOST_FILTERS:
        raise BadInput(f"{MOST_FILTERS} filters can be saved: remove one first", field="name")
    row = row or SavedFilter(account_id=account_id, name=called, narrowing={}, saved_at=now)
    row.narrowing, row.saved_at = wanted.to_dict(), now
    session.add(row)
    session.flush()


def remove_filter(session: Session, *, account_id: int, name: str) -> None:
    """Forget a filter; one that is not there is no error."""
    for row in session.exec(select(SavedFilter).where(SavedFilter.account_id == account_id, SavedFilter.name == name)):
        session.delete(row)
    session.flush()


def filters_of(session: Session, account_id: int | None) -> Sequence[SavedFilter]:
    """This account's filters, in order of their names."""
    query = select(SavedFilter).where(SavedFilter.account_id == account_id).order_by(col(SavedFilter.name))
    return session.exec(query).all()


def fits_a_filter(session: Session, account: Account, message: OutboxMessage, now: datetime) -> bool:
    """Whether an invitation is for a package that one of its reader's filters wants; with no filter, it is."""
    filters = filters_of(session, account.id)
    round_ = session.exec(select(Round).where(Round.ref == message.about)).first()
    if not filters or round_ is None:
        return True
    own = _own(session, account.provider)
    return any(
        one.wanted.fits(
            lot=round_.lot,
            locality=round_.locality,
            part=round_.published_part,
            closes_at=round_.closes_at,
            now=now,
            own=own,
        )
        for one in filters
    )


def _own(session: Session, provider: str | None) -> Own:
    areas = select(Membership.locality).where(
        Membership.provider_ref == provider, col(Membership.state) == MembershipState.ACTIVE
    )
    skills = session.exec(select(Provider.skills).where(Provider.ref == provider)).first() or []
    return Own(areas=frozenset(session.exec(areas).all()), skills=frozenset(skills))


def add_to_digest(
    session: Session, entropy: Entropy, *, account: Account, message: OutboxMessage, at: datetime, now: datetime
) -> None:
    """Count a message into the account's next digest, which is a message of its own that leaves `at`.

    One that is due is left alone: another worker may be carrying it.
    """
    recipient = f"account:{account.ref}"
    row = session.exec(
        select(OutboxMessage)
        .where(
            OutboxMessage.recipient == recipient,
            OutboxMessage.kind == DIGEST,
            col(OutboxMessage.delivery) == Delivery.QUEUED,
            col(OutboxMessage.not_before) > now,
        )
        .order_by(col(OutboxMessage.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        facts = {"counts": {message.kind: 1}}
        post(session, entropy, recipient=recipient, kind=DIGEST, about=account.ref, now=now, facts=facts, not_before=at)
        session.flush()
        return
    counts = dict(row.facts["counts"])
    counts[message.kind] = counts.get(message.kind, 0) + 1
    row.facts = {"counts": counts}
    session.add(row)
