"""The open list: packages that nobody took, on which an eligible provider may offer at any time."""

from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlmodel import Session

from bidding import offers
from bidding.looking.placing import OpenPackage, open_packages
from dps.kernel.actors import Actor
from web.api.guards import BROKER, PARTIES, PROVIDER
from web.api.once import Answer, Write
from web.api.shapes import BidForm, Moved
from web.assembly import Installation


class OpenList(Controller):
    """To a provider the list of the schemes it belongs to, to an office that of its authority."""

    path = "/open-list"
    tags = ("Open list",)

    @get("/", guards=[PARTIES], sync_to_thread=True)
    def seen(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        after: FromQuery[str | None] = None,
    ) -> list[OpenPackage]:
        """Unfilled packages, a hundred at a time."""
        with installation.database.reading() as session:
            return open_packages(session, request.user, after=after)

    @post("/{ref:str}/offers", guards=[PROVIDER], sync_to_thread=True)
    def offer(self, ref: FromPath[str], data: JSONBody[BidForm], write: NamedDependency[Write]) -> Moved:
        """Offer on an unfilled package; there is no deadline and no competition, so nothing is sealed."""
        content = data.content()

        def command(session: Session) -> Answer:
            made = offers.make_open_offer(session, write.ports, referral_ref=ref, content=content, actor=write.actor)
            return {"ref": made.ref, "state": str(made.state)}

        return Moved(**write.once(command, content.to_dict()))

    @post("/offers/{ref:str}/taking", guards=[BROKER], sync_to_thread=True, status_code=200)
    def take(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Take an offer; returns the award."""

        def command(session: Session) -> Answer:
            award = offers.take_open_offer(session, write.ports, offer_ref=ref, actor=write.actor)
            return {"ref": award.ref, "state": str(award.state)}

        return Moved(**write.once(command))
