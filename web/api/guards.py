"""Who may call a route. Every route names its guard, and a test walks them all (law 9).

A guard finds out who asks and keeps it with the request as its `user`; commands then see an `Actor`, and check again
what only they can know.
"""

from collections.abc import Sequence
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from dps.kernel.actors import Actor, Role
from dps.kernel.errors import Forbidden, NotSignedIn
from dps.kernel.together import Together
from web.assembly import Installation
from web.security.api_keys import actors_of

Connection = ASGIConnection[Any, Any, Any, Any]


class Only:
    """Lets those pass whose API key is of one of these roles."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    async def __call__(self, connection: Connection, _handler: BaseRouteHandler) -> None:
        actor = await identified(connection)
        if actor.role not in self.roles:
            raise Forbidden(actor=actor.ref, step="do this")
        connection.scope["user"] = actor


def anyone(_connection: Connection, _handler: BaseRouteHandler) -> None:
    """Lets everybody pass: the route shows nothing that is not public."""


async def identified(connection: Connection) -> Actor:
    """Who sent the request's API key; NotSignedIn where nobody did."""
    scheme, _, key = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotSignedIn()
    keys: Keys = connection.app.state.api_keys
    actor = await keys.awaited(key.strip())
    if actor is None:
        raise NotSignedIn()
    return actor


Keys = Together[str, Actor | None]
"""Whose keys these are: requests that come at one moment share a look, which is as late as any of them."""


def keys_in(installation: Installation) -> Keys:
    """The API keys of an installation."""

    def look(keys: Sequence[str]) -> list[Actor | None]:
        with installation.database.reading() as session:
            return actors_of(session, keys, installation.ports.clock.read(session))

    return Together(look)


PROVIDER = Only(Role.PROVIDER)
BROKER = Only(Role.BROKER)
APPROVER = Only(Role.APPROVER)
SUBSCRIBERS = Only(Role.PROVIDER, Role.BROKER)
EITHER_SIDE = Only(Role.PROVIDER, Role.BROKER)
"""The two who carry a contract."""
OFFICE = Only(Role.BROKER, Role.APPROVER)
PARTIES = Only(Role.PROVIDER, Role.BROKER, Role.APPROVER)
SCORED = Only(Role.PROVIDER, Role.BROKER, Role.APPROVER, Role.COMMISSIONER, Role.REGISTER_OFFICER)
ANSWERING = Only(Role.COMMISSIONER, Role.REGISTER_OFFICER, Role.AUDITOR, Role.ADMINISTRATOR)
AUDIT = Only(Role.AUDITOR, Role.ADMINISTRATOR)
ERASING = Only(Role.APPROVER, Role.ADMINISTRATOR)
SIGNED_IN = Only(*(role for role in Role if role is not Role.CLOCK))
