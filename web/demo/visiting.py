"""What a visitor finds when the demonstration is served: a working morning, packages to bid for, drafts to publish,
and an account for each part.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from bidding.publishing import make_ready, publish
from bidding.rounds import Invitation, InvitationState, Round, RoundState
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.ports import Ports
from dps.kernel.windows import parse_window
from dps.register.capacity import declare
from dps.register.limits import set_take_limit, take_limit_of
from dps.register.providers import Provider
from dps.register.rate_cards import put_rate_card
from dps.schemes.model import Authority, Scheme, Urgency
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
    """The accounts that were made, by part, and the one password of all of them.

    `emails` are those of the first council, of the provider and of the operator; `others` those of councils that share
    its scheme, by the council's name.
    """

    emails: dict[Part, str]
    password: str
    others: Mapping[str, dict[Part, str]] = field(default_factory=dict)


def next_morning(scheme: Scheme, now: datetime) -> datetime:
    """When the visitor comes: half past nine on the next working day, so that the day's closings are still to come."""
    return _MORNING.end(now, scheme.calendar())


def prepare(
    database: Database, ports: Ports, scheme_key: str, market: Market, provider: str, administrator: Actor
) -> Visitors:
    """New referrals of each council, drafts among them; free hours for the visitor's provider; accounts."""
    with database.reading() as session:
        scheme = standing_scheme(session, scheme_key)
        now = ports.clock.read(session)
    with database.transaction() as session:
        _make_room(session, ports, scheme, provider)
    for need, is_draft in _needs(market, now):
        broker = Actor(ref=f"demo-broker-{need.authority}", role=Role.BROKER, authority=need.authority)
        with database.transaction() as session:
            referral = written_down(session, ports, scheme, need, broker)
            if not is_draft:
                make_ready(session, ports, referral_ref=referral.ref, scheme=scheme, actor=broker)
                publish(session, ports, referral_ref=referral.ref, scheme=scheme, actor=broker)
    return _accounts(database, ports, scheme, provider, administrator)


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


def _needs(market: Market, now: datetime) -> Iterator[tuple[SyntheticNeed, bool]]:
    """Needs like those of the week, of new people, as if they arrived now, and whether each stays a draft.

    Councils that share a scheme and have people share them evenly.
    """
    asked = [need for need in market.needs if need.urgency is not Urgency.CRISIS]
    councils = list(dict.fromkeys(need.authority for need in asked))
    number = max(need.number for need in market.needs)
    drafts, published = DRAFTS // len(councils), PUBLISHED // len(councils)
    today = now.astimezone(LONDON).date()
    for council in councils:
        ours = [need for need in asked if need.authority == council]
        for place, need in enumerate(ours[: drafts + published]):
            number += 1
            arrived_on = need.arrives_at.astimezone(LONDON).date()
            anew = replace(
                need,
                number=number,
                arrives_at=now,
                earliest_start=today + (need.earliest_start - arrived_on),
                latest_start=today + (need.latest_start - arrived_on),
            )
            yield anew, place < drafts


def _make_room(session: Session, ports: Ports, scheme: Scheme, provider: str) -> None:
    """Free hours for the visitor's provider, prices that fill its bids in, and no take limit.

    What it won in the week may have come to its limit.
    """
    row = session.exec(select(Provider).where(Provider.ref == provider)).one()
    assert row.id is not None
    now = ports.clock.read(session)
    user = Actor(ref=f"demo-user-{provider}", role=Role.PROVIDER, provider=provider)
    if take_limit_of(session, row.id, scheme.key) is not None:
        set_take_limit(session, ports, provider_id=row.id, scheme=scheme, parts=[], actor=user)
    for authority in scheme.authorities:
        declare(
            session,
            ports,
            provider_id=row.id,
            authority=authority.key,
            minutes=FREE_MINUTES,
            expires_at=now + timedelta(days=60),
            actor=user,
        )
    for lot in scheme.lots:
        allowed = lot.envelope_on(now.astimezone(LONDON).date())
        # The middle, to ten pence.
        pence = (allowed.floor_pence_per_hour + allowed.ceiling_pence_per_hour) // 20 * 10
        card = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: pence})
        put_rate_card(session, ports, provider_id=row.id, scheme=scheme, lot=lot.key, card=card, actor=user)


def _accounts(database: Database, ports: Ports, scheme: Scheme, provider: str, administrator: Actor) -> Visitors:
    password = new_password()

    def added(part: Part, council: Authority | None, *, is_first: bool = True) -> str:
        shared = "" if is_first or council is None else f"-{council.key}"
        with database.transaction() as session:
            account = add_account(
                session,
                ports.entropy,
                email=f"{part.replace('_', '-')}{shared}@demonstration.example",
                name=f"Synthetic {part.replace('_', ' ')}",
                part=part,
                password=password,
                authority=council.key if council else None,
                provider=provider if part in OF_PROVIDER else None,
                by=administrator,
                now=ports.clock.read(session),
            )
        return account.email

    first, *others = scheme.authorities
    of_council = [part for part in Part if part not in OF_PROVIDER and part is not Part.ADMINISTRATOR]
    return Visitors(
        emails={part: added(part, first if part in of_council else None) for part in Part},
        password=password,
        others={
            council.name: {part: added(part, council, is_first=False) for part in of_council} for council in others
        },
    )
