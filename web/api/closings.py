"""Closings: when bids are opened, and what was committed and fixed for their draw."""

from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlmodel import Session

from bidding import deadline
from bidding.looking.office import SeenClosing, closings
from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound
from web.api.guards import BROKER, OFFICE
from web.api.once import Answer, Write
from web.api.shapes import Extension, Moved
from web.assembly import Installation


class Closings(Controller):
    """The closings in which the caller's authority has rounds."""

    path = "/closings"
    tags = ("Closings",)

    @get("/", guards=[OFFICE], sync_to_thread=True)
    def seen(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        after: FromQuery[str | None] = None,
    ) -> list[SeenClosing]:
        """Closings in the order they were made, a hundred at a time."""
        with installation.database.reading() as session:
            return closings(session, request.user, after=after)

    @get("/{ref:str}", guards=[OFFICE], sync_to_thread=True)
    def one(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> SeenClosing:
        """One closing."""
        with installation.database.reading() as session:
            return _one(session, ref, request.user)

    @post("/{ref:str}/extension", guards=[BROKER], sync_to_thread=True, status_code=200)
    def extend(self, ref: FromPath[str], data: JSONBody[Extension], write: NamedDependency[Write]) -> Moved:
        """Move the whole closing later, for everybody alike, with a reason."""

        def command(session: Session) -> Answer:
            _one(session, ref, write.actor)
            deadline.extend(
                session, write.ports, closing_ref=ref, until=data.until, reason=data.reason, actor=write.actor
            )
            return {"ref": ref, "state": str(_one(session, ref, write.actor).state)}

        return Moved(**write.once(command, [data.until.isoformat(), str(data.reason)]))


def _one(session: Session, ref: str, actor: Actor) -> SeenClosing:
    found = closings(session, actor, ref=ref)
    if not found:
        raise NotFound(kind="closing", ref=ref)
    return found[0]
