"""The four cookies: the session's, one that ties the sign-in form to the browser that was given it, the key under which
this browser's own copies of its bids are kept (law 2), and what it takes along while its person signs in elsewhere.

`__Host-`: this host alone, the whole site, over TLS alone. The demonstration, which speaks plain HTTP to one machine,
does without, because some browsers keep no secure cookie there.
"""

import base64

from litestar.datastructures import Cookie

from web.api.guards import Connection
from web.assembly import Installation

_KEY_BYTES = 32
_KEPT_S = 90 * 24 * 60 * 60


def session_token(connection: Connection) -> str | None:
    """What the browser brought along as its session."""
    return _brought(connection, "session")


def visit_token(connection: Connection) -> str | None:
    """What a browser that is not signed in was given for its form."""
    return _brought(connection, "visit")


def session_cookie(connection: Connection, token: str | None) -> Cookie:
    """The session's cookie with this token, or one that takes it away."""
    return _cookie(connection, "session", token)


def visit_cookie(connection: Connection, token: str) -> Cookie:
    return _cookie(connection, "visit", token)


def copies_key(connection: Connection) -> bytes | None:
    """The key of this browser's own copies; None where it has none, or what it has is no key."""
    try:
        key = base64.urlsafe_b64decode((_brought(connection, "copies") or "") + "=")
    except ValueError:
        return None
    return key if len(key) == _KEY_BYTES else None


def copies_cookie(connection: Connection, key: bytes) -> Cookie:
    """The key again, to be kept as long as a bid may stand."""
    text = base64.urlsafe_b64encode(key).decode().rstrip("=")
    return _cookie(connection, "copies", text, kept_s=_KEPT_S)


def elsewhere_token(connection: Connection) -> str | None:
    """What a browser took along while its person signed in elsewhere."""
    return _brought(connection, "elsewhere")


def elsewhere_cookie(connection: Connection, sealed: str | None) -> Cookie:
    return _cookie(connection, "elsewhere", sealed)


def _brought(connection: Connection, name: str) -> str | None:
    """One cookie's value; those of ours need no quotes. The framework's reader would remember what it has read."""
    wanted = _name(connection, name)
    for pair in connection.headers.get("cookie", "").split(";"):
        found, _, value = pair.strip().partition("=")
        if found == wanted:
            return value.strip('"')
    return None


def _cookie(connection: Connection, name: str, token: str | None, *, kept_s: int | None = None) -> Cookie:
    return Cookie(
        key=_name(connection, name),
        value=token or "",
        max_age=kept_s if token else 0,
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
