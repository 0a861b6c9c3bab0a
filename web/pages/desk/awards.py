"""Deciding: opened bids side by side, what the rules chose and why, yes or otherwise; each step another person's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session, select

from bidding.awards import moving
from bidding.looking.deciding import Decision, decision
from bidding.looking.explained import explained
from bidding.looking.placing import SeenAward, awards
from bidding.looking.remarked import remarks
from dps.kernel.errors import BadInput, NotFound
from dps.register.providers import Provider
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import DESK
from web.pages.visit import Page, Visit
from web.security.accounts import names_of


class Awards(Controller):
    """The awards of the caller's authority."""

    path = "/desk/awards"
    guards = (DESK,)

    @get("/{award_ref:str}", sync_to_thread=True)
    def one(self, award_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Everything that the award is decided from."""
        return _page(visit, award_ref, {}, {})

    @post("/{award_ref:str}/approval", sync_to_thread=True)
    def approve(self, award_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Say yes; with enough approvals the package is offered at once."""
        with visit.command() as session:
            moving.approve(session, visit.ports, award_ref=award_ref, actor=visit.actor)
        return visit.to(f"/desk/awards/{award_ref}")

    @post("/{award_ref:str}/overturn", sync_to_thread=True)
    def overturn(
        self, award_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Ask for another decision, with a reason; it is made once a second person asks for the same."""
        try:
            with visit.command() as session:
                moving.overturn(
                    session,
                    visit.ports,
                    award_ref=award_ref,
                    reason=form.text("reason"),
                    actor=visit.actor,
                    instead=form.text("instead") or None,
                )
        except BadInput as bad:
            return _page(visit, award_ref, form.fields, {"reason": str(bad.reason)})
        return visit.to(f"/desk/awards/{award_ref}")

    @post("/{award_ref:str}/refusal-by-person", sync_to_thread=True)
    def refuse(
        self, award_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """The person said no, which is not held against the provider."""
        try:
            with visit.command() as session:
                moving.refused_by_person(
                    session, visit.ports, award_ref=award_ref, reason=form.text("refusal"), actor=visit.actor
                )
        except BadInput as bad:
            return _page(visit, award_ref, form.fields, {"refusal": str(bad.reason)})
        return visit.to(f"/desk/awards/{award_ref}")


def _page(visit: Visit, award_ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        award = _one(session, visit, award_ref)
        found = decision(session, award_ref=award_ref, actor=visit.actor, now=now)
        schemes = visit.schemes(session)
        return visit.page(
            "desk/award.html",
            status=400 if faults else 200,
            award=award,
            decision=found,
            explanations=explained(found.bids, bid=found.bid, tried=found.tried),
            advised=_advised(found),
            winner=session.exec(select(Provider.name).where(Provider.ref == award.provider)).one(),
            has_approved=visit.actor.ref in found.approved_by,
            has_asked=any(by == visit.actor.ref for by, _ in found.asked_to_overturn),
            asked=_asked(session, visit, award.referral, found),
            values=Values({"instead": _first_wish(found), **values}),
            faults=faults,
            lots=names.lots(schemes),
            places=names.places(schemes),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody's wish for another decision: who, in favour of which bidder (None: the next in line), and why."""

    by: str
    instead: str | None
    words: str


def _asked(session: Session, visit: Visit, referral: str, found: Decision) -> list[Asked]:
    people = names_of(session, {by for by, _ in found.asked_to_overturn})
    bidders = {one.bid: one.name for one in found.bids}
    said = {
        one.by: one.words or "words erased"
        for one in remarks(session, visit.ports.keyring, referral)
        if one.about == found.award and one.step in ("ask_overturn", "agree_overturn")
    }
    return [
        Asked(people[by], bidders.get(instead) if instead else None, said.get(by, ""))
        for by, instead in found.asked_to_overturn
    ]


def _first_wish(found: Decision) -> str:
    """The bid that was asked for first: whoever agrees has it chosen already."""
    return found.asked_to_overturn[0][1] or "" if found.asked_to_overturn else ""


def _advised(found: Decision) -> str | None:
    """The bidder to whom the joint answer would have given this package."""
    awards = found.advice["awards"] if found.advice else []
    by_bid = {one.bid: one.name for one in found.bids}
    return next((by_bid.get(bid) for package, _, bid in awards if package == found.round), None)


def _one(session: Session, visit: Visit, award_ref: str) -> SeenAward:
    found = awards(session, visit.actor, visit.ports.keyring, ref=award_ref)
    if not found:
        raise NotFound(kind="award", ref=award_ref)
    return found[0]
