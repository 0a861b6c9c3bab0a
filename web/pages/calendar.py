"""A provider's deadlines as an iCalendar feed: for a calendar, which can't sign in, at an address that is a secret.

The address is 256 random bits, shown once and stored as their SHA-256; another one, or taking it back, ends it at
once. The feed says what ends when, and a reference: no person, no price, no place finer than an area. Source: RFC 5545.
"""

import base64
import hashlib
from datetime import datetime, timedelta

from icalendar import Calendar
from icalendar import Event as Entry
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.awards.records import AwardState
from bidding.looking.invited import opportunities
from bidding.looking.placing import awards
from dps.kernel.columns import id_column, link_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.entropy import SystemEntropy
from dps.kernel.errors import NotFound
from web.api.guards import anyone
from web.assembly import Installation
from web.security.accounts import Account

_LASTS = timedelta(minutes=15)
_MOST = 1_000


class CalendarFeed(SQLModel, table=True):
    """One account's address; at most one is in force."""

    __tablename__ = "calendar_feed"

    id: int | None = id_column()
    account_id: int = link_column("account.id", unique=True)
    token_sha256: str = Field(unique=True, max_length=64)
    made_at: datetime = utc_column()


def make_address(session: Session, *, account_id: int, now: datetime) -> str:
    """A new address in place of the one before; returns what it ends in, which is nowhere else."""
    end_address(session, account_id=account_id)
    token = base64.urlsafe_b64encode(SystemEntropy().token(32)).decode().rstrip("=")
    session.add(CalendarFeed(account_id=account_id, token_sha256=_sha256(token), made_at=now))
    session.flush()
    return token


def end_address(session: Session, *, account_id: int) -> None:
    """Take the address back; there may be none."""
    locked_one(session, Account, account_id)
    row = feed_of(session, account_id)
    if row is not None:
        session.delete(row)
        session.flush()


def feed_of(session: Session, account_id: int | None) -> CalendarFeed | None:
    return session.exec(select(CalendarFeed).where(CalendarFeed.account_id == account_id)).first()


class Calendars(Controller):
    """What a calendar fetches by itself. Whoever has the address may read it, and it says nothing of anybody."""

    include_in_schema = False

    @get("/calendar/{token:str}", guards=[anyone], sync_to_thread=True)
    def feed(self, token: FromPath[str], installation: NamedDependency[Installation]) -> Response[bytes]:
        """The open deadlines; NotFound for an address that is unknown, was taken back, or whose account is closed."""
        with installation.database.reading() as session:
            account = session.exec(
                select(Account)
                .join(CalendarFeed, col(CalendarFeed.account_id) == col(Account.id))
                .where(
                    CalendarFeed.token_sha256 == _sha256(token.removesuffix(".ics")), col(Account.closed_at).is_(None)
                )
            ).first()
            if account is None:
                raise NotFound(kind="calendar", ref="")
            now = installation.ports.clock.read(session)
            content = deadlines(session, installation, account, now).to_ical()
        return Response(content, media_type="text/calendar")


def deadlines(session: Session, installation: Installation, account: Account, now: datetime) -> Calendar:
    """What this account's provider has to do by when, as a calendar."""
    calendar = Calendar()
    calendar.add("prodid", "-//dps//deadlines//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", "Home care bidding")
    site = installation.settings.address
    for one in opportunities(session, account.actor, now, most=_MOST):
        if one.closes_at is not None and one.invitation != "declined":
            link = f"{site}/portal/opportunities/{one.round}"
            calendar.add_component(_entry(one.round, "Bids close", one.closes_at, link, now))
    for award in awards(
        session,
        account.actor,
        installation.ports.keyring,
        states=(AwardState.OFFERED, AwardState.ACCEPTED),
    ):
        is_offered = award.state == "offered"
        by = award.answer_by if is_offered else award.confirm_by
        if by is not None:
            words = "Answer an offer" if is_offered else "Confirm a package"
            calendar.add_component(_entry(award.award, words, by, f"{site}/portal/offers/{award.award}", now))
    return calendar


def _entry(ref: str, words: str, at: datetime, link: str, now: datetime) -> Entry:
    """A quarter of an hour that ends at the deadline."""
    entry = Entry()
    entry.add("uid", f"{ref}@dps")
    entry.add("dtstamp", now)
    entry.add("dtstart", at - _LASTS)
    entry.add("dtend", at)
    entry.add("summary", f"{words}: {ref}")
    entry.add("url", link)
    return entry


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
