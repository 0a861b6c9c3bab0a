"""More from one referral: a copy for the same person, a second part of the same week, a link to a household's other."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from bidding import drafting
from bidding.referrals import referral_of
from dps.kernel.errors import BadInput, CannotLink, NotFound
from dps.schemes.published import standing_scheme
from web.pages.forms import Form
from web.pages.guards import BROKERS
from web.pages.visit import Page, Visit
from web.pages.writing.entry import known_of
from web.pages.writing.sections import SECTIONS


class Twins(Controller):
    """Copy, part, link; what is made is a draft that is looked at next."""

    path = "/desk/referrals/{referral_ref:str}"
    guards = (BROKERS,)

    @post("/copy", sync_to_thread=True)
    def copy(self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Another draft for the same person."""
        with visit.command() as session:
            row = referral_of(session, referral_ref, visit.actor)
            scheme = standing_scheme(session, row.scheme)
            made = drafting.copy(session, visit.ports, referral_ref=referral_ref, scheme=scheme, actor=visit.actor)
        return visit.to(f"/desk/referrals/{made}/publication")

    @get("/split", sync_to_thread=True)
    def split_form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Which visits go into the second part?"""
        return _split_form(visit, referral_ref, set(), {})

    @post("/split", sync_to_thread=True)
    def split(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Part it, and look at the second part."""
        taken = {int(number) for number in form.under("visit-") if number.isdecimal()}
        try:
            with visit.command() as session:
                row = referral_of(session, referral_ref, visit.actor)
                scheme = standing_scheme(session, row.scheme)
                made = drafting.split(
                    session, visit.ports, referral_ref=referral_ref, taken=taken, scheme=scheme, actor=visit.actor
                )
        except (BadInput, CannotLink) as bad:
            return _split_form(visit, referral_ref, taken, {"taken": str(bad.facts["reason"])})
        return visit.to(f"/desk/referrals/{made}/publication")

    @get("/household", sync_to_thread=True)
    def household_form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Whose package belongs to the same household?"""
        return _household_form(visit, referral_ref, "", {})

    @post("/household", sync_to_thread=True)
    def household(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Link the two."""
        with visit.look() as (session, _now):
            referral_of(session, referral_ref, visit.actor)
        typed = form.text("other")
        try:
            with visit.command() as session:
                drafting.link_household(
                    session,
                    visit.ports,
                    referral_ref=referral_ref,
                    other_ref=form.needed("other", "give the other referral").upper(),
                    actor=visit.actor,
                )
        except (BadInput, CannotLink) as bad:
            return _household_form(visit, referral_ref, typed, {"other": str(bad.facts["reason"])})
        except NotFound:
            return _household_form(visit, referral_ref, typed, {"other": "there is no such referral here"})
        return visit.to(f"/desk/referrals/{referral_ref}")


def _split_form(visit: Visit, referral_ref: str, taken: set[int], faults: dict[str, str]) -> Page:
    _, draft = known_of(visit, referral_ref, SECTIONS["week"])
    return visit.page("desk/split.html", status=400 if faults else 200, draft=draft, taken=taken, faults=faults)


def _household_form(visit: Visit, referral_ref: str, other: str, faults: dict[str, str]) -> Page:
    _, draft = known_of(visit, referral_ref, SECTIONS["week"])
    return visit.page("desk/household.html", status=400 if faults else 200, draft=draft, other=other, faults=faults)
