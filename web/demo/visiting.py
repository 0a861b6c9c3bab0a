"""What a visitor finds when the demonstration is served: a working morning, packages to bid for, drafts to publish,
and an account for each part.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from bidding.publishing import make_ready, publish
from bidding.rounds import Invitation, InvitationState, Round, RoundState
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON, parse_window
from dps.kernel.database import Database
from dps.kernel.ports import Ports
from dps.register.capacity import declare
from dps.register.providers import Provider
from dps.schemes.model import Scheme, Urgency
from dps.schemes.published import standing_scheme
from web.demo.arriving import written_down
from web.demo.market import Market, SyntheticNeed
from web.security.accounts import OF_PROVIDER, Part, add_account
from web.security.passwords import new_password

DRAFTS = 6
PUBLISHED = 18
FREE_MINUTES = 100 * 60
_MORNING = parse_window("09:30+1wd")


@dataclass(frozen=True, slots=True)
class Visitors:
    """The accounts that were made, by part, and the one password of all of them."""

    emails: dict[Part, str]
    password: str


def next_morning(scheme: Scheme, now: datetime) -> datetime:
    """When the visitor comes: half past nine on the next working day, so that the day's closings are still to come."""
    return _MORNING.end(now, scheme.calendar())


def prepare(
    database: Database, ports: Ports, scheme_key: str, market: Market, provider: str, administrator: Actor
) -> Visitors:
    """New referrals, drafts among them; free hours for the visitor's provider; an account for each part."""
    with database.reading() as session:
        scheme = standing_scheme(session, scheme_key)
        now = ports.clock.read(session)
    authority = scheme.authorities[0].key
    broker = Actor(ref=f"demo-broker-{authority}", role=Role.BROKER, authority=authority)
    needs = _needs(market, authority, now)
    with database.transaction() as session:
        _free_hours(session, ports, scheme, provider)
    for number, need in enumerate(needs):
        with database.transaction() as session:
            referral = written_down(session, ports, scheme, need, broker)
            if number >= DRAFTS:
                make_ready(session, ports, referral_ref=referral.ref, scheme=scheme, actor=broker)
                publish(session, ports, referral_ref=referral.ref, scheme=scheme, actor=broker)
    return _accounts(database, ports, authority, provider, administrator)


def most_asked(session: Session, refs: list[str]) -> str:
    """The provider that was asked most often in the week: a visitor in its place finds much to do."""
    query = (
        select(Invitation.provider, func.count())
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .where(col(Invitation.state) != InvitationState.WAITING, col(Round.state) != RoundState.PLANNED)
        .group_by(col(Invitation.provider))
    )
    often = dict(session.exec(query).all())
    return max(refs, key=lambda ref: (often.get(ref, 0), ref))


def _needs(market: Market, authority: str, now: datetime) -> list[SyntheticNeed]:
    """Needs like those of the week, of new people, as if they arrived now."""
    ours = [need for need in market.needs if need.authority == authority and need.urgency is not Urgency.CRISIS]
    last = max(need.number for need in market.needs)
    today = now.astimezone(LONDON).date()
    return [
        replace(
            need,
            number=last + number,
            arrives_at=now,
            earliest_start=today + (need.earliest_start - need.arrives_at.astimezone(LONDON).date()),
            latest_start=today + (need.latest_start - need.arrives_at.astimezone(LONDON).date()),
        )
        for number, need in enumerate(ours[: DRAFTS + PUBLISHED], start=1)
    ]


def _free_hours(session: Session, ports: Ports, scheme: Scheme, provider: str) -> None:
    row = session.exec(select(Provider).where(Provider.ref == provider)).one()
    assert row.id is not None
    now = ports.clock.read(session)
    for authority in scheme.authorities:
        declare(
            session,
            ports,
            provider_id=row.id,
            authority=authority.key,
            minutes=FREE_MINUTES,
            expires_at=now + timedelta(days=60),
            actor=Actor(ref=f"demo-user-{provider}", role=Role.PROVIDER, provider=provider),
        )


def _accounts(database: Database, ports: Ports, authority: str, provider: str, administrator: Actor) -> Visitors:
    password = new_password()
    emails = {}
    for part in Part:
        of_council = part not in OF_PROVIDER and part is not Part.ADMINISTRATOR
        with database.transaction() as session:
            account = add_account(
                session,
                ports.entropy,
                email=f"{part.replace('_', '-')}@demonstration.example",
                name=f"Synthetic {part.replace('_', ' ')}",
                part=part,
                password=password,
                authority=authority if of_council else None,
                provider=provider if part in OF_PROVIDER else None,
                by=administrator,
                now=ports.clock.read(session),
            )
        emails[part] = account.email
    return Visitors(emails=emails, password=password)
