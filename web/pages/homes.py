"""Where everybody begins, and the pages of those whose work is not at the desk or in the portal."""

from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.response import Redirect

from bidding.proof import verify
from dps.kernel.actors import Actor, Role
from dps.schemes.rulebook import rulebook
from web.api.guards import anyone
from web.pages.books import as_html
from web.pages.guards import AUDITORS, EVERYBODY, seat_of
from web.pages.portal.joining import opening_seen
from web.pages.visit import Page, Visit

_HOMES = {
    Role.PROVIDER: "/portal",
    Role.BROKER: "/desk",
    Role.APPROVER: "/desk",
    Role.COMMISSIONER: "/office/report",
    Role.AUDITOR: "/proof",
    Role.ADMINISTRATOR: "/accounts",
    Role.REQUESTER: "/requests",
    Role.REGISTER_OFFICER: "/register",
}


def home_of(actor: Actor) -> str:
    """The first page of whoever plays this role."""
    return _HOMES.get(actor.role, "/rules")


class Homes(Controller):
    """The front door, the rules, the proof."""

    include_in_schema = False

    @get("/", guards=[anyone], sync_to_thread=True)
    def door(self, visit: NamedDependency[Visit]) -> Redirect:
        """On to one's own first page, or to the sign-in form."""
        seat = seat_of(visit.request)
        return visit.to(home_of(seat.actor) if seat is not None and not seat.is_half else "/sign-in")

    @get("/join", guards=[anyone], sync_to_thread=True)
    def join(self, visit: NamedDependency[Visit]) -> Page:
        """Which schemes there are, when each takes applications, and how a newcomer applies: for everybody."""
        with visit.look() as (session, now):
            schemes = visit.every_scheme(session)
        return visit.page(
            "join.html",
            schemes=[opening_seen(scheme, now) for scheme in schemes],
            buyers=list(dict.fromkeys(one.name for scheme in schemes for one in scheme.authorities)),
        )

    @get("/rules", guards=[EVERYBODY], sync_to_thread=True)
    def rules(self, visit: NamedDependency[Visit]) -> Page:
        """The published rules of the schemes that concern whoever asks."""
        with visit.look() as (session, _):
            schemes = visit.schemes(session)
        books = [{"name": scheme.name, "key": scheme.key, "html": as_html(rulebook(scheme))} for scheme in schemes]
        return visit.page("rules.html", books=books)

    @get("/proof", guards=[AUDITORS], sync_to_thread=True)
    def proof(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The trail and every bid's proof, recomputed now."""
        with visit.look() as (session, _):
            trail, bids = verify(session, visit.ports.keyring.public_keys)
        return visit.page("proof.html", trail=trail, bids=bids, faults=[*trail.faults, *bids.faults])
