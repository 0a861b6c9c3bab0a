"""Confirming a bid that was given by telephone: the page that the link in the message leads to."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from bidding.bids import submitting
from bidding.looking.invited import own_bids
from dps.kernel.errors import NotFound
from web.pages.forms import Form
from web.pages.guards import PORTAL
from web.pages.visit import Page, Visit


class TelephoneConfirmations(Controller):
    """Yes, we said so; or no. What was typed is sealed: nobody can show it, to its provider neither."""

    path = "/portal/bids/{bid_ref:str}/telephone"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def form(self, bid_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Did you give this bid?"""
        with visit.look() as (session, _now):
            found = next((one for one in own_bids(session, visit.actor, ref=bid_ref) if one.is_typed), None)
            if found is None:
                raise NotFound(kind="bid", ref=bid_ref)
        return visit.page("portal/telephone.html", bid=found)

    @post("/", sync_to_thread=True)
    def confirm(self, bid_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Yes: it stands. No: it is withdrawn."""
        command = submitting.confirm_typed if form.text("answer") == "yes" else submitting.withdraw
        with visit.command() as session:
            command(session, visit.ports, bid_ref=bid_ref, actor=visit.actor)
        return visit.to(f"/portal/bids/{bid_ref}")
