"""A closing of which we lost a bid: ask everybody again, or go on with what was kept."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from bidding import second_chance
from bidding.looking.lost import lost_here
from bidding.second_chance import GoingOn
from dps.kernel.errors import BadInput
from web.pages import names
from web.pages.forms import Form
from web.pages.guards import BROKERS
from web.pages.visit import Page, Visit


class LostBids(Controller):
    """The broker's decision, for as long as no bid is open."""

    path = "/desk/closings/{closing_ref:str}/lost"
    guards = (BROKERS,)

    @get("/", sync_to_thread=True)
    def form(self, closing_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What was lost, what waits for it, and what either answer means."""
        return _form(visit, closing_ref, "")

    @post("/asking-again", sync_to_thread=True)
    def ask_again(
        self, closing_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Everybody of the closing, once more."""
        with visit.command() as session:
            second_chance.ask_again(session, visit.ports, closing_ref=closing_ref, actor=visit.actor)
        return visit.to("/desk?place=seeking")

    @post("/going-on", sync_to_thread=True)
    def go_on(
        self, closing_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Open what was kept."""
        with visit.look() as (session, _now):
            lost_here(session, closing_ref, visit.actor)
        try:
            reason = form.choice(GoingOn, "reason", "choose why it goes on without the lost bid")
        except BadInput as bad:
            return _form(visit, closing_ref, str(bad.reason))
        with visit.command() as session:
            second_chance.go_on(session, visit.ports, closing_ref=closing_ref, reason=reason, actor=visit.actor)
        return visit.to("/desk?place=deciding")


def _form(visit: Visit, closing_ref: str, fault: str) -> Page:
    with visit.look() as (session, _now):
        found = lost_here(session, closing_ref, visit.actor)
        schemes = visit.schemes(session)
        return visit.page(
            "desk/lost.html",
            status=400 if fault else 200,
            found=found,
            reasons=[
                (str(GoingOn.CANNOT_WAIT), "Somebody can’t wait for another round"),
                (str(GoingOn.BIDDER_AGREES), "The provider whose bid it was has told us that it may go on"),
            ],
            fault=fault,
            lots=names.lots(schemes),
            places=names.places(schemes),
        )
