"""Offers and what becomes of them: accept or decline, read who the person is, confirm or return."""

from collections.abc import Callable, Sequence
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlmodel import Session

from bidding import aftercare
from bidding.awards import moving
from bidding.first_visit import first_left
from bidding.looking.answered import awarded_part
from bidding.looking.pages import PAGE
from bidding.looking.placing import SeenAward, awards
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotFound, NotReady
from dps.register.holds import block_behind
from web.pages.forms import Form
from web.pages.guards import PORTAL
from web.pages.portal.opportunities import frame
from web.pages.visit import Page, Visit

_STEPS: dict[str, tuple[str, str, Callable[..., object]]] = {
    "decline": ("Decline this offer", "The package is offered to the next provider at once.", moving.decline),
    "return": (
        "Return this package",
        "You accepted it; after reading the file or your own assessment you can give it back.",
        moving.give_back,
    ),
}


class Offers(Controller):
    """The awards that this provider was offered."""

    path = "/portal/offers"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit], after: FromQuery[str] = "") -> Page:
        """A hundred at a time, the last one first; what waits for an answer stands on the first page as well."""
        with visit.look() as (session, _):
            found = awards(session, visit.actor, visit.ports.keyring, after=after or None, last_first=True)
            return visit.page(
                "portal/offers.html",
                awards=found,
                next_after=found[-1].award if len(found) == PAGE else "",
                **frame(session, visit),
            )

    @get("/{award_ref:str}", sync_to_thread=True)
    def one(self, award_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """One offer: the package, the price, until when to answer."""
        return _page(visit, award_ref)

    @get("/{award_ref:str}/person", sync_to_thread=True)
    def person(self, award_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Who the person is and how one gets in: for the winner alone, after acceptance. Every look is recorded."""
        with visit.command() as session:
            identity = aftercare.identity_for_winner(session, visit.ports, award_ref=award_ref, actor=visit.actor)
            place = aftercare.place_of_care_for_winner(session, visit.ports, award_ref=award_ref, actor=visit.actor)
            award = _one(session, visit, award_ref)
        return visit.page("portal/person.html", award=award, identity=identity, place=place)

    @post("/{award_ref:str}/acceptance", sync_to_thread=True)
    def accept(self, award_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Take the offer, in time; a bundle is taken as a whole."""
        with visit.command() as session:
            moving.accept(session, visit.ports, award_ref=award_ref, actor=visit.actor)
        return visit.to(f"/portal/offers/{award_ref}")

    @post("/{award_ref:str}/confirmation", sync_to_thread=True)
    def confirm(
        self, award_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Confirm: the contract is made. What the council has not written down yet is said; the offer stands."""
        try:
            with visit.command() as session:
                contract = moving.confirm(session, visit.ports, award_ref=award_ref, actor=visit.actor)
        except NotReady as lacking:
            return _page(visit, award_ref, lacking=[str(one) for one in lacking.missing])
        return visit.to(f"/portal/contracts/{contract}")

    @get("/{award_ref:str}/decline", sync_to_thread=True)
    def decline_form(self, award_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Why not?"""
        return _reason_form(visit, award_ref, "decline")

    @post("/{award_ref:str}/decline", sync_to_thread=True)
    def decline(
        self, award_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Say no to the offer."""
        return _reasoned(visit, award_ref, "decline", form)

    @get("/{award_ref:str}/return", sync_to_thread=True)
    def return_form(self, award_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Why is it given back?"""
        return _reason_form(visit, award_ref, "return")

    @post("/{award_ref:str}/return", sync_to_thread=True)
    def give_back(
        self, award_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Return an accepted award."""
        return _reasoned(visit, award_ref, "return", form)


def _page(visit: Visit, award_ref: str, *, lacking: Sequence[str] = ()) -> Page:
    with visit.look() as (session, now):
        award = _one(session, visit, award_ref)
        return visit.page(
            "portal/offer.html",
            block=block_behind(session, award_ref),
            status=409 if lacking else 200,
            award=award,
            first_visit=first_left(award.starts_on, now.astimezone(LONDON).date()),
            part=awarded_part(session, visit.ports, award_ref, visit.actor),
            lacking=lacking,
            **frame(session, visit),
        )


def _one(session: Session, visit: Visit, award_ref: str) -> SeenAward:
    found = awards(session, visit.actor, visit.ports.keyring, ref=award_ref)
    if not found:
        raise NotFound(kind="award", ref=award_ref)
    return found[0]


def _reason_form(visit: Visit, award_ref: str, step: str, *, reason: str = "", fault: str = "") -> Page:
    title, words, _ = _STEPS[step]
    with visit.look() as (session, _now):
        return visit.page(
            "portal/reason.html",
            status=400 if fault else 200,
            award=_one(session, visit, award_ref),
            step=step,
            title=title,
            words=words,
            reason=reason,
            fault=fault,
            **frame(session, visit),
        )


def _reasoned(visit: Visit, award_ref: str, step: str, form: Form) -> Response[Any]:
    reason = form.text("reason")
    command = _STEPS[step][2]
    try:
        with visit.command() as session:
            command(session, visit.ports, award_ref=award_ref, reason=reason, actor=visit.actor)
    except BadInput as bad:
        return _reason_form(visit, award_ref, step, reason=reason, fault=str(bad.reason))
    return visit.to(f"/portal/offers/{award_ref}")
