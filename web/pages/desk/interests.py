"""Ties of one's own to providers: they bar from deciding what these take part in, and stay."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from bidding.looking.drafted import providers_by_name
from dps.kernel.actors import Role
from dps.register.interests import declare_interest, interests_of
from web.pages.forms import Form
from web.pages.guards import DECIDERS
from web.pages.visit import Page, Visit
from web.security.ties import ties_declared


class Interests(Controller):
    """For everybody of the council who decides something about providers."""

    path = "/desk/interests"
    guards = (DECIDERS,)

    @get("/", sync_to_thread=True)
    def own(self, visit: NamedDependency[Visit]) -> Page:
        """What one has declared; to officers of the register also what colleagues have."""
        return _page(visit, {})

    @post("/", sync_to_thread=True)
    def declare(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Declare another."""
        with visit.look() as (session, _now):
            known = dict(providers_by_name(session))
        if form.text("provider") not in known:
            return _page(visit, {"provider": "choose a provider"})
        with visit.command() as session:
            declare_interest(session, visit.ports, provider=form.text("provider"), actor=visit.actor)
        return visit.to("/desk/interests")


def _page(visit: Visit, faults: Mapping[str, str]) -> Page:
    is_officer = visit.actor.role is Role.REGISTER_OFFICER
    with visit.look() as (session, _now):
        return visit.page(
            "desk/interests.html",
            status=400 if faults else 200,
            declared=interests_of(session, visit.actor),
            ties=ties_declared(session, actor=visit.actor) if is_officer else None,
            providers=providers_by_name(session),
            faults=faults,
        )
