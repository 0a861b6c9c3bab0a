"""Who is signed in. A session is made at sign-in and at nothing else: what a browser brings along is never adopted.

It ends after 30 minutes without use, after 12 hours in any case, at sign-out, and when its account is closed. The
browser holds 256 random bits, the database their SHA-256. A half of a session (the password was right, the code is due)
opens nothing but the page that asks for the code, and lasts ten minutes.
"""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, update
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel.actors import Actor
from dps.kernel.columns import id_column, link_column, utc_column
from dps.kernel.database import Database
from dps.kernel.entropy import SystemEntropy
from web.security.accounts import Account

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
HALF = timedelta(minutes=10)
_NOTED_EVERY = timedelta(minutes=1)


class SignedIn(SQLModel, table=True):
    """One browser of one account; in force until `ended_at`, an idle end, or the absolute one."""

    __tablename__ = "signed_in"

    id: int | None = id_column()
    token_sha256: str = Field(unique=True, max_length=64)
    account_id: int = link_column("account.id")
    is_half: bool
    began_at: datetime = utc_column(index=True)
    seen_at: datetime = utc_column()
    ended_at: datetime | None = utc_column(nullable=True)

    def is_in_force(self, now: datetime) -> bool:
        if self.ended_at is not None:
            return False
        if self.is_half:
            return now < self.began_at + HALF
        return now < self.began_at + LONGEST and now < self.seen_at + IDLE


@dataclass(frozen=True, slots=True)
class Seat:
    """A browser in which somebody is signed in, or half-way in. `csrf` goes into each of its forms."""

    session_id: int
    account: Account
    is_half: bool
    csrf: str
    seen_at: datetime
    looked_at: datetime

    @property
    def actor(self) -> Actor:
        return self.account.actor


def begin(session: Session, account: Account, *, is_half: bool, now: datetime) -> str:
    """A new session; returns what the browser keeps. Sessions that ended long ago are forgotten by the way."""
    session.execute(delete(SignedIn).where(col(SignedIn.began_at) < now - 2 * LONGEST))
    token = new_token()
    assert account.id is not None
    session.add(
        SignedIn(token_sha256=_sha256(token), account_id=account.id, is_half=is_half, began_at=now, seen_at=now)
    )
    session.flush()
    return token


def seat_of(session: Session, token: str, now: datetime) -> Seat | None:
    """Whose session this is; None where it is unknown, over, or its account is closed."""
    return seats_of(session, [token], now)[0]


def seats_of(session: Session, tokens: Sequence[str], now: datetime) -> list[Seat | None]:
    """`seat_of` each of these, in one look."""
    hashes = {token: _sha256(token) for token in tokens if 0 < len(token) <= 100}
    found = {
        row.token_sha256: (row, account) for row, account in session.exec(_SEATS, params={"of": [*hashes.values()]})
    }
    return [_seat(token, *found.get(hashes.get(token, ""), (None, None)), now=now) for token in tokens]


_SEATS: Any = (
    select(SignedIn, Account)
    .join(Account, col(Account.id) == col(SignedIn.account_id))
    .where(col(SignedIn.token_sha256).in_(bindparam("of", expanding=True)))
)


def _seat(token: str, row: SignedIn | None, account: Account | None, *, now: datetime) -> Seat | None:
    if row is None or account is None or account.closed_at is not None or not row.is_in_force(now):
        return None
    return Seat(
        session_id=row.id or 0,
        account=account,
        is_half=row.is_half,
        csrf=csrf_of(token),
        seen_at=row.seen_at,
        looked_at=now,
    )


def account_by_hash(session: Session, token_sha256: str, at: datetime) -> Account | None:
    """Who was signed in at this instant under the token of this SHA-256; None where nobody was."""
    for row, account in session.exec(_SEATS, params={"of": [token_sha256]}):
        was_over = row.ended_at is not None and row.ended_at <= at
        if not row.is_half and not was_over and at < min(row.began_at + LONGEST, row.seen_at + IDLE):
            return account if account.closed_at is None or account.closed_at > at else None
    return None


def is_to_be_noted(seat: Seat) -> bool:
    """Whether this use puts the idle end off: once a minute at most, because reading a page should write nothing."""
    return seat.looked_at - seat.seen_at >= _NOTED_EVERY


def note_use(database: Database, seat: Seat) -> None:
    """Put the idle end off."""
    with database.transaction() as session:
        session.execute(
            update(SignedIn)
            .where(col(SignedIn.id) == seat.session_id, col(SignedIn.ended_at).is_(None))
            .values(seen_at=seat.looked_at)
        )


def browsers_of(session: Session, account: Account, now: datetime) -> list[SignedIn]:
    """Every browser in which this account is signed in now, the one that was used last first."""
    query = (
        select(SignedIn)
        .where(SignedIn.account_id == account.id, col(SignedIn.ended_at).is_(None), col(SignedIn.is_half).is_(False))
        .order_by(col(SignedIn.seen_at).desc(), col(SignedIn.id).desc())
    )
    return [row for row in session.exec(query).all() if row.is_in_force(now)]


def end_own(session: Session, account: Account, session_id: int, now: datetime) -> None:
    """Sign this account out of one browser; another account's stays as it is."""
    _end(session, (col(SignedIn.id) == session_id) & (col(SignedIn.account_id) == account.id), now)


def end(session: Session, session_id: int, now: datetime) -> None:
    """Sign one browser out."""
    _end(session, col(SignedIn.id) == session_id, now)


def end_all(session: Session, account: Account, now: datetime) -> None:
    """Sign an account out of every browser, this one too."""
    _end(session, col(SignedIn.account_id) == account.id, now)


def _end(session: Session, which: object, now: datetime) -> None:
    session.execute(
        update(SignedIn).where(which, col(SignedIn.ended_at).is_(None)).values(ended_at=now)  # type: ignore[arg-type]
    )


def new_token() -> str:
    """256 random bits, as a cookie carries them."""
    return base64.urlsafe_b64encode(SystemEntropy().token(32)).decode().rstrip("=")


def csrf_of(token: str) -> str:
    """What a form sends along with the cookie: it follows from the cookie, and the cookie can't be had from it."""
    return hashlib.sha256(f"form {token}".encode()).hexdigest()


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
