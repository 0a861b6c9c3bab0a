"""The open list: packages that nobody took, offering on one, and the provider's own offers."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlmodel import Session

from bidding.bids.content import ExceptionalReason
from bidding.looking.offered import own_open_offers, terms_of_open
from bidding.looking.pages import PAGE
from bidding.looking.placing import OpenPackage, open_packages
from bidding.offers import make_open_offer, withdraw_open_offer
from dps.kernel.errors import InvalidBid, NotEligible, NotFound
from dps.register.rate_cards import rate_card_of
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.bidding import content_of, filled_card, placed
from web.pages.portal.opportunities import frame
from web.pages.portal.own import own_provider
from web.pages.visit import Page, Visit


class OpenList(Controller):
    """No deadline and no competition: what is offered here is not sealed, and the page says so."""

    path = "/portal/open-list"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit], after: FromQuery[str] = "") -> Page:
        """Unfilled packages of the provider's schemes, a hundred at a time, and its own offers."""
        with visit.look() as (session, _):
            found = open_packages(session, visit.actor, after=after or None)
            return visit.page(
                "portal/open_list.html",
                packages=found,
                offers=own_open_offers(session, visit.actor),
                next_after=found[-1].referral if len(found) == PAGE else "",
                **frame(session, visit),
            )

    @get("/{referral_ref:str}", sync_to_thread=True)
    def one(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """One package with the form of an offer, filled in from the provider's own prices."""
        with visit.look() as (session, now):
            package = _package(session, visit, referral_ref)
            terms = terms_of_open(session, referral_ref=referral_ref, actor=visit.actor, now=now)
            card = rate_card_of(
                session,
                visit.ports,
                provider=own_provider(session, visit),
                scheme_key=package.scheme,
                lot=package.lot,
                actor=visit.actor,
            )
        start = terms.earliest_start or terms.latest_start
        return _form(visit, referral_ref, filled_card(card) | {"starts_on": start.isoformat() if start else ""}, {})

    @post("/{referral_ref:str}/offers", sync_to_thread=True)
    def offer(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Offer to take it; the council decides, and nothing is binding before it does."""
        with visit.look() as (session, now):
            _package(session, visit, referral_ref)
            terms = terms_of_open(session, referral_ref=referral_ref, actor=visit.actor, now=now)
        content, faults = content_of(form, terms)
        if content is None:
            return _form(visit, referral_ref, form.fields, faults)
        try:
            with visit.command() as session:
                make_open_offer(session, visit.ports, referral_ref=referral_ref, content=content, actor=visit.actor)
        except InvalidBid as invalid:
            return _form(visit, referral_ref, form.fields, placed(invalid.problems))
        except NotEligible as barred:
            return _form(visit, referral_ref, form.fields, {"bid": " ".join(barred.reasons)})
        return visit.to("/portal/open-list")

    @post("/offers/{offer_ref:str}/withdrawal", sync_to_thread=True)
    def withdraw(
        self, offer_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Take an offer back before anybody has taken it."""
        with visit.command() as session:
            withdraw_open_offer(session, visit.ports, offer_ref=offer_ref, actor=visit.actor)
        return visit.to("/portal/open-list")


def _package(session: Session, visit: Visit, ref: str) -> OpenPackage:
    found = open_packages(session, visit.actor, ref=ref)
    if not found:
        raise NotFound(kind="open package", ref=ref)
    return found[0]


def _form(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        package = _package(session, visit, ref)
        terms = terms_of_open(session, referral_ref=ref, actor=visit.actor, now=now)
        # The days that were published may be over by now; those that can be offered are shown.
        days = {"earliest_start": terms.earliest_start, "latest_start": terms.latest_start}
        return visit.page(
            "portal/open_package.html",
            status=400 if faults else 200,
            one=package,
            part={**package.published_part, **{name: day.isoformat() if day else None for name, day in days.items()}},
            terms=terms,
            offers=[offer for offer in own_open_offers(session, visit.actor) if offer.referral == ref],
            exceptional_reasons=list(ExceptionalReason),
            values=Values(values),
            faults=faults,
            **frame(session, visit),
        )
