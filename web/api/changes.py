"""What happened since one last looked: a feed with a cursor, and webhooks that push the same."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta, Struct
from sqlmodel import Session, col, select

from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound
from dps.kernel.outbox import OutboxMessage
from web.api.guards import SUBSCRIBERS
from web.api.once import Answer, Write
from web.assembly import Installation
from web.sending import webhooks
from web.sending.letters import Change, Letter, send_again

PAGE = 100
LARGEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class SeenChange:
    """One thing that happened. `cursor` only grows, and nothing appears below one that was read."""

    cursor: int
    message: str
    kind: str
    about: str
    at: datetime
    facts: dict[str, Any]


class NewWebhook(Struct, forbid_unknown_fields=True):
    """Where to call, for which kinds (none: all), and the caller's own secret: `whsec_` and base64 of 24-64 bytes."""

    url: Annotated[str, Meta(min_length=9, max_length=500)]
    secret: Annotated[str, Meta(min_length=38, max_length=100)]
    kinds: Annotated[list[Annotated[str, Meta(min_length=1, max_length=60)]], Meta(max_length=50)] = []


@dataclass(frozen=True, slots=True)
class SeenWebhook:
    """An endpoint; its secret is shown to nobody."""

    webhook: str
    url: str
    kinds: list[str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One message on its way to an endpoint."""

    call: str
    message: str
    kind: str
    about: str
    state: str
    attempts: int
    delivered_at: datetime | None
    error: str | None


class Ended(Struct):
    """An endpoint that is called no more."""

    webhook: str
    ended: bool


class Replayed(Struct):
    """A call that is made again."""

    call: str
    queued: bool


class Changes(Controller):
    """The messages of the caller's provider, or of its authority, in the order in which they left."""

    path = "/changes"
    tags = ("Changes",)

    @get("/", guards=[SUBSCRIBERS], sync_to_thread=True)
    def since(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        after: FromQuery[Annotated[int, Meta(ge=0, le=LARGEST)]] = 0,
    ) -> list[SeenChange]:
        """What happened after this cursor, a hundred at a time; an empty list where nothing did."""
        query = (
            select(Change.id, OutboxMessage)
            .join(OutboxMessage, col(OutboxMessage.id) == col(Change.message_id))
            .where(Change.recipient == webhooks.recipient_of(request.user), col(Change.id) > after)
            .order_by(col(Change.id))
            .limit(PAGE)
        )
        with installation.database.reading() as session:
            return [
                SeenChange(cursor, row.ref, row.kind, row.about, row.posted_at, dict(row.facts))
                for cursor, row in session.exec(query).all()
                if cursor is not None
            ]


class Webhooks(Controller):
    """The endpoints of the caller's provider, or of its authority."""

    path = "/webhooks"
    tags = ("Changes",)

    @get("/", guards=[SUBSCRIBERS], sync_to_thread=True)
    def standing(
        self, request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> list[SeenWebhook]:
        """Every endpoint that is called."""
        with installation.database.reading() as session:
            rows = webhooks.standing(session, webhooks.recipient_of(request.user))
            return [SeenWebhook(row.ref, row.url, row.kinds, row.created_at) for row in rows]

    @post("/", guards=[SUBSCRIBERS], sync_to_thread=True)
    def add(self, data: JSONBody[NewWebhook], write: NamedDependency[Write]) -> SeenWebhook:
        """Have a system called from now on. The secret is the caller's: no answer ever holds one."""

        def command(session: Session) -> Answer:
            row, _ = webhooks.add(
                session,
                write.ports,
                url=data.url,
                kinds=data.kinds,
                secret=data.secret,
                actor=write.actor,
                with_loopback=write.installation.settings.webhooks_to_loopback,
            )
            return {"webhook": row.ref, "url": row.url, "kinds": row.kinds, "created_at": row.created_at.isoformat()}

        made = write.once(command, [data.url, data.secret, list(data.kinds)])
        return SeenWebhook(**{**made, "created_at": datetime.fromisoformat(made["created_at"])})

    @post("/{ref:str}/end", guards=[SUBSCRIBERS], sync_to_thread=True, status_code=200)
    def end(self, ref: FromPath[str], write: NamedDependency[Write]) -> Ended:
        """Call it no more."""

        def command(session: Session) -> Answer:
            webhooks.end(session, write.ports, ref=ref, actor=write.actor)
            return {"webhook": ref, "ended": True}

        return Ended(**write.once(command))

    @get("/{ref:str}/calls", guards=[SUBSCRIBERS], sync_to_thread=True)
    def calls(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> list[SeenCall]:
        """The latest hundred calls and what became of each, the newest first."""
        with installation.database.reading() as session:
            endpoint = webhooks.endpoint_of(session, ref, request.user)
            rows = session.exec(
                select(Letter, OutboxMessage)
                .join(OutboxMessage, col(OutboxMessage.id) == col(Letter.message_id))
                .where(Letter.endpoint_id == endpoint.id)
                .order_by(col(Letter.id).desc())
                .limit(PAGE)
            ).all()
            return [
                SeenCall(
                    call=letter.ref,
                    message=message.ref,
                    kind=message.kind,
                    about=message.about,
                    state=str(letter.delivery),
                    attempts=letter.attempts,
                    delivered_at=letter.delivered_at,
                    error=letter.last_error,
                )
                for letter, message in rows
            ]

    @post("/{ref:str}/calls/{call:str}/replay", guards=[SUBSCRIBERS], sync_to_thread=True, status_code=200)
    def replay(self, ref: FromPath[str], call: FromPath[str], write: NamedDependency[Write]) -> Replayed:
        """Make a call again that was made or given up, under the same `webhook-id`."""

        def command(session: Session) -> Answer:
            endpoint = webhooks.endpoint_of(session, ref, write.actor)
            found = session.exec(select(Letter.id).where(Letter.ref == call, Letter.endpoint_id == endpoint.id)).first()
            if found is None:
                raise NotFound(kind="call", ref=call)
            now = write.ports.clock.read(session)
            return {"call": call, "queued": send_again(session, ref=call, now=now)}

        return Replayed(**write.once(command))
