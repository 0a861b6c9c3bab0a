"""Placed otherwise: a broker proposes it with price and reason, an approver decides, and one page shows it to both."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session

from bidding.looking.drafted import providers_by_name
from bidding.looking.otherwise import SeenPlacement, placements
from bidding.looking.outside import direct_terms
from bidding.otherwise import deciding
from bidding.otherwise.records import PlacementState
from bidding.referrals import referral_of
from dps.kernel.actors import Role
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.money import parse_pence
from dps.schemes.stored import rules_by_hash
from web.pages import names
from web.pages.forms import Checking, Form, Values, faults_of
from web.pages.guards import APPROVERS, BROKERS, DESK
from web.pages.visit import Page, Visit
from web.security.accounts import names_of

_NOBODY = "other"
"""Who serves is not in the register, or is no provider."""


class Proposing(Controller):
    """A package that nobody took, found a place outside this service."""

    path = "/desk/referrals/{referral_ref:str}/otherwise"
    guards = (BROKERS,)

    @get("/", sync_to_thread=True)
    def form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """How, with whom, at what price, and why?"""
        return _form(visit, referral_ref, {}, {})

    @post("/", sync_to_thread=True)
    def propose(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Ask an approver for it; nothing is placed before somebody else says yes."""
        try:
            with visit.look() as (session, _now):
                weekly_pence = _price_asked(form, _allowed(session, visit, referral_ref))
            provider = form.text("provider")
            with visit.command() as session:
                made = deciding.propose(
                    session,
                    visit.ports,
                    referral_ref=referral_ref,
                    how=form.text("how"),
                    weekly_pence=weekly_pence,
                    reason=form.text("reason"),
                    provider=None if provider == _NOBODY else provider,
                    actor=visit.actor,
                ).ref
        except BadInput as bad:
            return _form(visit, referral_ref, form.fields, faults_of(bad))
        return visit.to(f"/desk/placements/{made}")


class Placements(Controller):
    """One proposal, as both see it; each step is one of their parts' own."""

    path = "/desk/placements/{placement_ref:str}"

    @get("/", guards=[DESK], sync_to_thread=True)
    def one(self, placement_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What is proposed, by whom, against which published range; and what became of it."""
        return _page(visit, placement_ref)

    @post("/approval", guards=[APPROVERS], sync_to_thread=True)
    def approve(
        self, placement_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Say yes: the package is placed in this way."""
        with visit.command() as session:
            deciding.approve(session, visit.ports, placement_ref=placement_ref, actor=visit.actor)
        return visit.to(f"/desk/placements/{placement_ref}")

    @post("/refusal", guards=[APPROVERS], sync_to_thread=True)
    def refuse(
        self, placement_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Say no, and why: the package stays unfilled."""
        reason = form.text("reason")
        try:
            with visit.command() as session:
                deciding.refuse(session, visit.ports, placement_ref=placement_ref, reason=reason, actor=visit.actor)
        except BadInput as bad:
            return _page(visit, placement_ref, reason=reason, fault=str(bad.reason))
        return visit.to(f"/desk/placements/{placement_ref}")

    @post("/withdrawal", guards=[BROKERS], sync_to_thread=True)
    def withdraw(
        self, placement_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Take it back before it is decided."""
        with visit.command() as session:
            deciding.withdraw(session, visit.ports, placement_ref=placement_ref, actor=visit.actor)
        return visit.to(f"/desk/placements/{placement_ref}")


def _price_asked(form: Form, allowed: Sequence[str]) -> int:
    """The price a week; BadAnswers with everything that the form does not say as it must, in its order."""
    checking, unsaid = Checking(), deciding.unsaid(form.text("how"), form.text("reason"), allowed)
    with checking.of("how"):
        if "how" in unsaid:
            raise BadInput("choose how it is placed", field="how")
    with checking.of("provider"):
        form.needed("provider", "say who serves, or that the register does not hold them")
    with checking.of("price"):
        weekly_pence = parse_pence(form.needed("price", "say what it costs a week"), field="price")
    with checking.of("reason"):
        if "reason" in unsaid:
            raise BadInput(unsaid["reason"], field="reason")
    checking.end()
    return weekly_pence


def _allowed(session: Session, visit: Visit, referral_ref: str) -> Sequence[str]:
    """The ways that the rules of its publication know; NotFound for what was never published."""
    referral = referral_of(session, referral_ref, visit.actor)
    if referral.rule_hash is None:
        raise NotFound(kind="published referral", ref=referral_ref)
    return rules_by_hash(session, referral.rule_hash).unfilled.placed_otherwise


def _form(visit: Visit, referral_ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _):
        allowed = _allowed(session, visit, referral_ref)
        waiting = placements(
            session, visit.actor, visit.ports.keyring, referral=referral_ref, state=PlacementState.PROPOSED
        )
        return visit.page(
            "desk/otherwise.html",
            status=400 if faults else 200,
            referral=referral_ref,
            waiting=waiting[0] if waiting else None,
            allowed=allowed,
            providers=providers_by_name(session),
            values=Values(values),
            faults=faults,
        )


def _page(visit: Visit, placement_ref: str, *, reason: str = "", fault: str = "") -> Page:
    with visit.look() as (session, now):
        found = _one(session, visit, placement_ref)
        schemes = visit.schemes(session)
        return visit.page(
            "desk/placement.html",
            status=400 if fault else 200,
            one=found,
            terms=direct_terms(session, referral_ref=found.referral, actor=visit.actor, now=now).terms,
            people=names_of(session, {found.proposed_by, found.decided_by or ""}),
            may_decide=visit.actor.role is Role.APPROVER and visit.actor.ref != found.proposed_by,
            may_withdraw=visit.actor.role is Role.BROKER,
            reason=reason,
            fault=fault,
            lots=names.lots(schemes),
            places=names.places(schemes),
        )


def _one(session: Session, visit: Visit, ref: str) -> SeenPlacement:
    found = placements(session, visit.actor, visit.ports.keyring, ref=ref)
    if not found:
        raise NotFound(kind="placement", ref=ref)
    return found[0]
