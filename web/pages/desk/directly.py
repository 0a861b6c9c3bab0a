"""Round the competition: direct awards with their reasons, offers taken from the open list."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from bidding.bids.content import ExceptionalReason
from bidding.looking.drafted import providers_by_name
from bidding.looking.outside import direct_terms
from bidding.offers import award_directly, take_open_offer
from bidding.referrals import referral_of
from dps.kernel.errors import BadInput, InvalidBid, NotEligible
from web.pages.forms import Form, Values
from web.pages.guards import BROKERS
from web.pages.portal.bidding import content_of, placed
from web.pages.visit import Page, Visit


class DirectAwards(Controller):
    """One named provider, for a reason that the published rules allow; somebody approves it like any other award."""

    path = "/desk/referrals/{referral_ref:str}/direct"
    guards = (BROKERS,)

    @get("/", sync_to_thread=True)
    def form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """To whom, why, and at what price?"""
        return _form(visit, referral_ref, {}, {})

    @post("/", sync_to_thread=True)
    def award(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Propose it; an open round is cut short, its sealed bids lapse unopened."""
        with visit.look() as (session, now):
            referral_of(session, referral_ref, visit.actor)
            direct = direct_terms(session, referral_ref=referral_ref, actor=visit.actor, now=now)
            known = dict(providers_by_name(session))
        content, in_content = content_of(form, direct.terms)
        faults: dict[str, str] = {}
        if form.text("reason") not in direct.reasons:
            faults["reason"] = "choose a reason"
        if form.text("provider") not in known:
            faults["provider"] = "choose a provider"
        faults |= in_content
        if content is None or faults:
            return _form(visit, referral_ref, form.fields, faults)
        try:
            with visit.command() as session:
                made = award_directly(
                    session,
                    visit.ports,
                    referral_ref=referral_ref,
                    provider=form.text("provider"),
                    reason=form.text("reason"),
                    content=content,
                    actor=visit.actor,
                ).ref
        except InvalidBid as invalid:
            return _form(visit, referral_ref, form.fields, placed(invalid.problems))
        except NotEligible as barred:
            return _form(visit, referral_ref, form.fields, {"provider": " ".join(barred.reasons)})
        except BadInput as bad:
            return _form(visit, referral_ref, form.fields, {str(bad.field): str(bad.reason)})
        return visit.to(f"/desk/awards/{made}")


class OpenOffers(Controller):
    """Offers on packages that nobody took."""

    path = "/desk/offers"
    guards = (BROKERS,)

    @post("/{offer_ref:str}/taking", sync_to_thread=True)
    def take(self, offer_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Take it: the package is awarded to this provider, once somebody approves."""
        with visit.command() as session:
            made = take_open_offer(session, visit.ports, offer_ref=offer_ref, actor=visit.actor).ref
        return visit.to(f"/desk/awards/{made}")


def _form(visit: Visit, referral_ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        direct = direct_terms(session, referral_ref=referral_ref, actor=visit.actor, now=now)
        start = direct.terms.earliest_start or direct.terms.latest_start
        return visit.page(
            "desk/direct.html",
            status=400 if faults else 200,
            referral=referral_ref,
            direct=direct,
            exceptional_reasons=list(ExceptionalReason),
            providers=providers_by_name(session),
            values=Values({"starts_on": start.isoformat() if start else "", **values}),
            faults=faults,
        )
