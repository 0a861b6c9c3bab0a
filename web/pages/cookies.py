"""The two cookies: the session's, and one that ties the sign-in form to the browser that was given it.

`__Host-`: this host alone, the whole site, over TLS alone. The demonstration, which speaks plain HTTP to one machine,
does without, because some browsers keep no secure cookie there.
"""

from litestar.datastructures import Cookie

from web.api.guards import Connection
from web.assembly import Installation


def session_token(connection: Connection) -> str | None:
    """What the browser brought along as its session."""
    return connection.cookies.get(_name(connection, "session"))


def visit_token(connection: Connection) -> str | None:
    """What a browser that is not signed in was given for its form."""
    return connection.cookies.get(_name(connection, "visit"))


def session_cookie(connection: Connection, token: str | None) -> Cookie:
    """The session's cookie with this token, or one that takes it away."""
    return _cookie(connection, "session", token)


def visit_cookie(connection: Connection, token: str) -> Cookie:
    return _cookie(connection, "visit", token)


def _cookie(connection: Connection, name: str, token: str | None) -> Cookie:
    return Cookie(
        key=_name(connection, name),
        value=token or "",
        max_age=None if token else 0,
        path="/",
        secure=not _is_demo(connection),
        httponly=True,
        samesite="lax",
    )


def _name(connection: Connection, name: str) -> str:
    return f"dps-{name}" if _is_demo(connection) else f"__Host-dps-{name}"


def _is_demo(connection: Connection) -> bool:
    installation: Installation = connection.app.state.installation
    return installation.settings.demo
