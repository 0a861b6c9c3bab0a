"""A requester's page (a social worker, a ward): where each of their packages is, since when, and what comes next."""

from datetime import datetime

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from bidding.awards.records import AwardState
from bidding.looking.arranged import Request, requests
from bidding.referrals import ReferralState
from dps.contracts.contracts import ContractState
from dps.kernel.errors import NotFound
from web.pages import names
from web.pages.guards import REQUESTERS
from web.pages.visit import Page, Visit
from web.pages.wording import day, instant


class Requests(Controller):
    """One's own requests and nobody else's; no bid, no price, and no name of the person."""

    path = "/requests"
    guards = (REQUESTERS,)

    @get("/", sync_to_thread=True)
    def own(self, visit: NamedDependency[Visit]) -> Page:
        """All of them, the latest first."""
        return _page(visit, None)

    @get("/{referral_ref:str}", sync_to_thread=True)
    def one(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """One of them, at an address that can be kept."""
        return _page(visit, referral_ref)


def _page(visit: Visit, ref: str | None) -> Page:
    with visit.look() as (session, now):
        found = requests(session, visit.actor, ref=ref)
        if ref is not None and not found:
            raise NotFound(kind="referral", ref=ref)
        schemes = visit.schemes(session)
        return visit.page(
            "requester/requests.html",
            requests=[(one, *where_it_is(one, now)) for one in found],
            is_one=ref is not None,
            lots=names.lots(schemes),
            places=names.places(schemes),
        )


def where_it_is(one: Request, now: datetime) -> tuple[str, str]:
    """Where a package is, and what comes next, each in a sentence. Pure."""
    match one.state:
        case ReferralState.DRAFT if one.is_with_requester:
            return "You are writing it. Nobody else works on it yet.", "Send it to the brokers when it says enough."
        case ReferralState.DRAFT | ReferralState.READY:
            return "It is with the brokers and not published yet.", "A broker completes it and publishes it."
        case ReferralState.HELD:
            return "The search is on hold.", "A broker takes it up again. Call the brokers if something has changed."
        case ReferralState.UNFILLED:
            return (
                "Every provider was asked and nobody could take it.",
                "It stays open to offers, and everybody is asked again. The brokers look for another way.",
            )
        case ReferralState.WITHDRAWN:
            return "The request was withdrawn.", "Nothing more happens."
        case ReferralState.PLACED_OTHERWISE:
            return "Care was found in another way.", "The brokers tell you how."
        case ReferralState.PLACED:
            return _served(one)
    return _sought(one, now)


def _served(one: Request) -> tuple[str, str]:
    if one.contract_state is ContractState.ACTIVE and one.started_on is not None:
        return f"{one.provider} has given care since {day(one.started_on)}.", "Nothing more is to do."
    if one.contract_state is ContractState.SUSPENDED:
        return f"Care by {one.provider} is suspended.", "It goes on without a new search."
    if one.contract_state is ContractState.PENDING:
        return f"{one.provider} will give care.", f"The first visit is planned for {day(one.starts_on)}."
    return "The care that was arranged has ended.", "Ask the brokers if care is still needed."


def _sought(one: Request, now: datetime) -> tuple[str, str]:
    if one.award_state is AwardState.PROPOSED:
        return "A provider was found.", "Somebody of the council approves it, then it is offered."
    if one.award_state is AwardState.OFFERED:
        return "It is offered to a provider.", "The provider says yes or no."
    if one.award_state is AwardState.ACCEPTED:
        return "A provider has said yes.", "It reads what it has to know and confirms. An award is not yet a visit."
    asked = "Providers are asked." if not one.stage_no else "Nobody near could take it: more providers are asked."
    if one.closes_at is not None and not one.is_closed and now < one.closes_at:
        return asked, f"They answer by {instant(one.closes_at)}."
    return "Providers have answered.", "It is being decided."
