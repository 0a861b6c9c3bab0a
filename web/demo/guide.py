"""What a visitor of the demonstration does first: the way from a package to a contract, with the time that it takes."""

from datetime import datetime

from sqlmodel import Session

from bidding.looking.answered import live_bids
from bidding.looking.invited import opportunities, unanswered
from bidding.looking.placing import awards
from dps.kernel.actors import Actor, Role
from dps.kernel.keys import Keyring
from web.demo.visiting import Visitors
from web.pages.portal.opportunities import TO_ANSWER
from web.pages.wording import count, instant
from web.security.accounts import Part

_ENOUGH_S = 120
"""A closing that comes sooner than this is no start for somebody who has just read the way."""


def first_steps(
    *,
    site: str,
    visitors: Visitors,
    closings: list[datetime | None],
    now: datetime,
    areas_close: datetime | None = None,
) -> list[str]:
    """The way, a line each. `closings` are those of the packages that the provider's first page counts as not answered.

    `areas_close` is when the contracts for whole areas do, where there are any to bid for.
    """
    provider, broker = visitors.emails[Part.PROVIDER_USER], visitors.emails[Part.BROKER]
    approver = visitors.emails[Part.APPROVER]
    ahead = sorted(at for at in closings if at is not None and _seconds(at, now) >= _ENOUGH_S)
    begin = [
        f"Place a bid and win it, in about ten minutes, at {site}:",
        f"  1. Sign in as {provider}. Its first page shows {_open(len(closings), ahead, now)}",
        "     Choose one, press Bid, check your answers, submit: the bid is sealed, and nobody can read it. (Where a",
        "     council asks for no price, accept it instead: nothing has to close.)",
        "  2. Wait for its closing: the bids are opened, ranked and allocated by themselves.",
        f"  3. In another browser, as {broker}, the work queue shows what waits to be decided;",
        f"     as {approver}, approve the award (a broker may, where the rules ask nobody else).",
        "  4. As the provider again: the offer stands on the first page. Accept it, read who the person is, confirm.",
    ]
    areas = (
        [
            f"  5. Whole areas are sought until {instant(areas_close)}, {_minutes(areas_close, now)} from now: bid as",
            f"     the provider (Areas). Then {visitors.emails[Part.COMMISSIONER]} reads the evaluation,",
            f"     {approver} offers the contract, and the provider accepts it.",
        ]
        if areas_close is not None
        else []
    )
    return [
        *begin,
        *areas,
        '  Nothing open any more? As the broker, publish a draft ("to check and publish"): it is offered at once.',
    ]


def closings_for(session: Session, provider: str, keyring: Keyring, now: datetime) -> list[datetime | None]:
    """When the packages close that this provider's first page counts now; None of one that has no closing."""
    actor = Actor(ref="demonstration", role=Role.PROVIDER, provider=provider)
    offered = {award.round for award in awards(session, actor, keyring, states=TO_ANSWER)}
    found = opportunities(session, actor, now)
    return [one.closes_at for one in unanswered(found, {*live_bids(session, actor), *offered})]


def _open(packages: int, ahead: list[datetime], now: datetime) -> str:
    if not ahead:
        return "what it is asked for."
    return (
        f"{count(packages, 'open package')} now, {len(ahead)} with time\n     enough: take one that closes "
        f"{instant(ahead[0])} or later,\n     in {_minutes(ahead[0], now)} of your time."
    )


def _minutes(at: datetime, now: datetime) -> str:
    """Real time: a minute of the demonstration is a second."""
    minutes = round(_seconds(at, now) / 60)
    return f"about {count(minutes, 'minute')}" if minutes else "less than a minute"


def _seconds(at: datetime, now: datetime) -> float:
    return (at - now).total_seconds() / 60
