"""What a person reads when the engine says no: what happened, and what to do next. The one place for it in pages."""

from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.enums import MediaType
from litestar.exceptions import HTTPException
from litestar.response import Redirect

from dps.kernel.database import is_away
from dps.kernel.errors import (
    BadForm,
    BadInput,
    Conflict,
    DpsError,
    Forbidden,
    InvalidBid,
    LostByUs,
    NeedsSecondPerson,
    NoSuchStep,
    NotEligible,
    NotFound,
    NotReady,
    NotSignedIn,
    PriceStillSealed,
    TooLate,
)
from dps.kernel.logs import log
from web.api.problems import status_of, went_away
from web.pages.rendering import render
from web.pages.visit import Visit
from web.pages.wording import instant, state
from web.receiving import received

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Frame-Options": "DENY",
}
"""Sent with every page. No page has a script or a style of its own, so none that was smuggled in runs."""

STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
"""Sent too where cookies ask for TLS, which is everywhere but in the demonstration."""


def refused(request: Request[Any, Any, Any], error: DpsError) -> Response[Any]:
    """A refusal of the engine; whoever is not signed in is asked to, and comes back to where they were."""
    if isinstance(error, NotSignedIn):
        where = request.url.path if request.method == "GET" else ""
        return Redirect(f"/sign-in?next={quote(where)}" if where not in ("", "/") else "/sign-in", status_code=303)
    status = 403 if isinstance(error, BadForm) else status_of(error)
    if status >= 500:
        return failed(request, error)
    title, lines = words_of(error)
    return _page(request, status, title, lines)


def turned_away(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """A request that never reached the engine."""
    if error.status_code >= 500 and not went_away(error):
        return failed(request, error)
    if error.status_code in (404, 405):
        return _page(request, error.status_code, *_MISSING)
    return _page(request, 400 if went_away(error) else error.status_code, *_UNREADABLE)


def unreadable(request: Request[Any, Any, Any], _error: Exception) -> Response[Any]:
    """What can't be read or kept, whoever wrote it: nested too deeply, a NUL in a text, a number beyond 64 bits."""
    return _page(request, 400, *_UNREADABLE)


def failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our own fault: the log gets its kind and where, the page says what became of what was sent, as far as we know."""
    handler = request.scope.get("route_handler")
    log().error("page.failed", error=type(error).__name__, method=request.method, url_rule=str(handler))
    away = is_away(error)
    was = received(request)
    is_noted = was is not None and request.app.state.notes.keep(request)
    html = render("failed.html", is_away=away, received_at=was.at if was else None, is_noted=is_noted)
    headers = {**HEADERS, "Retry-After": "5"} if away else HEADERS
    return Response(html, status_code=503 if away else 500, media_type=MediaType.HTML, headers=headers)


_UNREADABLE = ("That could not be read", ["Go back, check what you filled in, and send it again."])
_MISSING = (
    "Page not found",
    ["If you typed or copied the address, check that it is right.", "It may also have been closed or withdrawn."],
)


def words_of(error: DpsError) -> tuple[str, list[str]]:
    """A title and sentences for a refusal."""
    match error:
        case NotFound():
            return _MISSING
        case BadForm():
            return "Load the page again", [str(error)]
        case NeedsSecondPerson():
            return "Somebody else has to do this", [
                "You made or approved this yourself, typed a bid here, or declared an interest.",
                "Ask a colleague who has not.",
            ]
        case Forbidden():
            return "This is not part of your work", ["Your account has no access to this page."]
        case LostByUs():
            return "We did not keep your bid", [
                f"It was here in time, and it had closed, on {instant(error.closes_at)}, before we had stored it. "
                "That is our fault, not yours.",
                "It is written down as our loss, and the council is told. As long as no bid is open it can ask "
                "everybody again: then you get a message, and bid once more.",
                "Nothing that this bid said was kept.",
            ]
        case TooLate():
            return "This has closed", [f"It closed on {instant(error.closes_at)}.", "Nothing was changed."]
        case NoSuchStep():
            now = state(error.state, error.kind.lower().replace(" ", "_").replace("-", "_"))
            return "That can’t be done now", [
                f"{error.kind} {error.ref} stands at “{now}”. Look at it again to see what can be done.",
            ]
        case NotReady():
            return "Something is still missing", [f"{line[0].upper()}{line[1:]}." for line in error.missing]
        case InvalidBid():
            return "This bid can't be submitted", list(error.problems)
        case NotEligible():
            return "You can't take part in this one", list(error.reasons)
        case PriceStillSealed():
            return "Not decided yet", [str(error), "You get a message as soon as you can read this."]
        case Conflict():
            return "Somebody was quicker", [str(error)]
        case BadInput():
            return "Check what you filled in", [str(error.reason)[:1].upper() + str(error.reason)[1:] + "."]
        case _:
            return "That is not possible", [str(error)]


def _page(request: Request[Any, Any, Any], status: int, title: str, lines: list[str]) -> Response[Any]:
    visit = Visit(request=request, installation=request.app.state.installation)
    page = visit.page("refused.html", status=status, title=title, lines=lines, way_back=_way_back(request))
    page.headers.update(HEADERS)
    return page


def _way_back(request: Request[Any, Any, Any]) -> str:
    """The page of this site from which somebody came, where it is another one that can be opened again; or nothing."""
    came = urlsplit(request.headers.get("referer", ""))
    if came.netloc != request.headers.get("host") or (request.method == "GET" and came.path == request.url.path):
        return ""
    parts = came.path.strip("/").split("/")
    pages = (route.path.strip("/").split("/") for route in request.app.routes if "GET" in route.methods)
    is_page = any(_fits(page, parts) for page in pages)
    return f"{came.path}?{came.query}" if is_page and came.query else came.path if is_page else ""


def _fits(page: list[str], parts: list[str]) -> bool:
    return len(page) == len(parts) and all(
        one == part or one.startswith("{") for one, part in zip(page, parts, strict=True)
    )
