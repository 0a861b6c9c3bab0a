"""Who may see a page: people who are signed in, in one of these parts. Every page names its guard, as every route does.

The guard keeps the actor with the request as its `user`, and the seat (account, session, form token) as its `auth`.
"""

from collections.abc import Collection, Sequence

from litestar.concurrency import sync_to_thread
from litestar.handlers import BaseRouteHandler

from dps.kernel.actors import Role
from dps.kernel.clock import Clock
from dps.kernel.errors import Forbidden, NotSignedIn
from dps.kernel.together import Together
from dps.register import interests
from web.api.guards import Connection
from web.assembly import Installation
from web.pages.cookies import session_token
from web.security import managing, sessions
from web.security.accounts import Part

BACKGROUND = "hx-request"
"""Sent by htmx: what a page fetches by itself is no use of the session."""


class Seated:
    """Lets those pass who are signed in and whose part has one of these roles."""

    def __init__(self, *roles: Role, parts: Collection[Part] = frozenset(Part)) -> None:
        self.roles = roles
        self.parts = parts

    def is_for(self, part: Part) -> bool:
        """Whether an account of this part passes."""
        return part.role in self.roles and part in self.parts

    async def __call__(self, connection: Connection, _handler: BaseRouteHandler) -> None:
        seat = await seat_awaited(connection)
        if seat is None or seat.is_half:
            raise NotSignedIn()
        connection.scope["auth"], connection.scope["user"] = seat, seat.actor
        if not self.is_for(seat.account.part):
            raise Forbidden(actor=seat.actor.ref, step="see this")
        if BACKGROUND not in connection.headers and sessions.is_to_be_noted(seat):
            installation: Installation = connection.app.state.installation
            await sync_to_thread(sessions.note_use, installation.database, seat)


class HalfSeated:
    """Lets those pass who gave the right password and still owe the code."""

    roles: tuple[Role, ...] = ()

    async def __call__(self, connection: Connection, _handler: BaseRouteHandler) -> None:
        seat = await seat_awaited(connection)
        if seat is None or not seat.is_half:
            raise NotSignedIn()
        connection.scope["auth"], connection.scope["user"] = seat, seat.actor


def seat_of(connection: Connection) -> sessions.Seat | None:
    """Whose browser this is, by its cookie; for a handler that has a thread to itself."""
    token = session_token(connection)
    seats: Seats = connection.app.state.seats
    return None if token is None else seats.ask(token)


async def seat_awaited(connection: Connection) -> sessions.Seat | None:
    """`seat_of`, for whoever holds up the event loop."""
    token = session_token(connection)
    seats: Seats = connection.app.state.seats
    return None if token is None else await seats.awaited(token)


Seats = Together[str, sessions.Seat | None]
"""Whose sessions these are: requests that come at one moment share a look, which is as late as any of them."""


def seats_in(installation: Installation, wall: Clock) -> Seats:
    """The sessions of an installation, which run on real time."""

    def look(tokens: Sequence[str]) -> list[sessions.Seat | None]:
        with installation.database.reading() as session:
            return sessions.seats_of(session, tokens, wall.read(session))

    return Together(look)


EVERYBODY = Seated(*(role for role in Role if role is not Role.CLOCK))
HALF = HalfSeated()
PORTAL = Seated(Role.PROVIDER)
DESK = Seated(Role.BROKER, Role.APPROVER)
REQUESTERS = Seated(Role.REQUESTER)
APPROVERS = Seated(Role.APPROVER)
BROKERS = Seated(Role.BROKER)
MANAGERS = Seated(Role.ADMINISTRATOR, Role.PROVIDER, parts=managing.MANAGERS)
"""Who looks after accounts: of a provider's people its administrators alone."""
OFFICERS = Seated(Role.REGISTER_OFFICER)
HOURS = Seated(Role.BROKER, Role.REGISTER_OFFICER)
"""Who looks at providers' free hours where a figure is flagged."""
COMMISSIONERS = Seated(Role.COMMISSIONER)
QUALITY = Seated(Role.COMMISSIONER, Role.REGISTER_OFFICER)
"""Who decides about scores and failing providers."""
ANSWERABLE = Seated(Role.COMMISSIONER, Role.AUDITOR, Role.REGISTER_OFFICER)
RECORDING = Seated(Role.COMMISSIONER, Role.REGISTER_OFFICER)
"""Who sees what the law makes due, and who records that it was done."""
DECIDERS = Seated(*interests.DECIDERS)
"""Who of a council decides something about providers, and so declares its ties to them."""
AUDITORS = Seated(Role.AUDITOR, Role.ADMINISTRATOR)
OFFICE = Seated(Role.COMMISSIONER, Role.AUDITOR)
"""Who answers for a scheme, and who checks those."""
COMMISSIONERS = Seated(Role.COMMISSIONER)
"""Who answers for a scheme."""
LETTING = Seated(Role.COMMISSIONER, Role.APPROVER, Role.AUDITOR)
"""Who lets an area: one seeks, another offers, a third checks."""
STAFF = Seated(Role.BROKER, Role.APPROVER, Role.COMMISSIONER)
"""Who places packages, and who answers for how."""
HOLDERS = Seated(Role.BROKER, Role.APPROVER, Role.COMMISSIONER, Role.AUDITOR, Role.REGISTER_OFFICER, Role.ADMINISTRATOR)
"""Who of a council may hold a key to sealed bids: each sees what its own key is needed for."""
KEEPERS = Seated(Role.ADMINISTRATOR)
"""Who names key-holders, and carries the shares of those without an account."""
