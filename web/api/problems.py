"""Every refusal as an RFC 9457 problem: the one place where an error of the engine gets an HTTP status.

`code` is stable and what programs match on; `detail` is a sentence for people; the error's facts stand beside them.
"""

from datetime import date, datetime
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, InternalServerException
from litestar.status_codes import (
    HTTP_400_BAD_REQUEST,
    HTTP_422_UNPROCESSABLE_ENTITY,
    HTTP_500_INTERNAL_SERVER_ERROR,
    HTTP_503_SERVICE_UNAVAILABLE,
)
from msgspec import ValidationError

from dps.kernel.columns import canonical_json
from dps.kernel.database import is_away
from dps.kernel.errors import (
    BadInput,
    Conflict,
    DpsError,
    Forbidden,
    KeyReused,
    NeedsSecondPerson,
    NoSuchStep,
    NotFound,
    NotSignedIn,
    PriceStillSealed,
    Refused,
    TooLate,
)
from dps.kernel.logs import log
from web.api.allowed import allowed
from web.receiving import received

BAD_REQUEST = "bad_request"
_NOT_ON_THE_LIST = "Invalid enum value"

MEDIA_TYPE = "application/problem+json"

HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""Sent with every answer: no browser and no proxy keeps one or guesses its type, and no page here runs a script."""

# The first that fits counts: children stand before their families.
_STATUS: tuple[tuple[type[DpsError], int], ...] = (
    (NotSignedIn, 401),
    (Forbidden, 403),
    (NeedsSecondPerson, 403),
    (NotFound, 404),
    (KeyReused, 422),
    (Conflict, 409),
    (TooLate, 409),
    (NoSuchStep, 409),
    (PriceStillSealed, 409),
    (BadInput, 422),
    (Refused, 422),
)


_AWAY = (
    "The database can't be reached, or can't store anything, just now. Send the same request again, with the same "
    "Idempotency-Key: whether this one was kept or not, it is done once."
)
_FAULT = "Something went wrong here; nothing was changed. Try again."
_NOTED = (
    " It is written down when this bid was here. Without a receipt it is not stored; if it can't be before its "
    "closing, the loss is recorded as ours, and the council is told and can ask everybody again."
)


UNSTORABLE = "A text holds a character, or a number or a day is of a size, that can't be stored."


def status_of(error: DpsError) -> int:
    """The HTTP status of a refusal; what is nobody's refusal is our own fault."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTP_500_INTERNAL_SERVER_ERROR)


def refused(request: Request[Any, Any, Any], error: DpsError) -> Response[str]:
    """A refusal of the engine."""
    status = status_of(error)
    if status >= HTTP_500_INTERNAL_SERVER_ERROR:
        return failed(request, error)
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, NotSignedIn) else {}
    return _problem(status, error.code, str(error), headers=headers, **_facts(error))


def turned_away(request: Request[Any, Any, Any], error: HTTPException) -> Response[str]:
    """A request that never reached the engine: no such address, no such method, a body that can't be read."""
    if went_away(error):
        return _problem(HTTP_400_BAD_REQUEST, BAD_REQUEST, "The body broke off.")
    if error.status_code >= HTTP_500_INTERNAL_SERVER_ERROR:
        return failed(request, error)
    code = {400: BAD_REQUEST, 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
    detail = "There is nothing here." if error.status_code == 404 else str(error.detail)
    faults = error.extra if isinstance(error.extra, list) else []
    more = {"errors": [_fault(request, fault) for fault in faults]} if faults else {}
    return _problem(
        error.status_code, code.get(error.status_code, BAD_REQUEST), detail, headers=error.headers or {}, **more
    )


def went_away(error: HTTPException) -> bool:
    """Whether whoever asked broke off before the body was there: nobody's fault, and nobody reads the answer."""
    return isinstance(error, InternalServerException) and error.detail == "client disconnected prematurely"


def unreadable(_request: Request[Any, Any, Any], _error: RecursionError | UnicodeDecodeError) -> Response[str]:
    """A body nested deeper than anything that is asked for, or in another coding."""
    return _problem(HTTP_400_BAD_REQUEST, BAD_REQUEST, "The body is nested too deeply, or is not UTF-8.")


def unstorable(_request: Request[Any, Any, Any], _error: Exception) -> Response[str]:
    """What no column holds: a NUL in a text, a number beyond 64 bits, a day beyond the calendar."""
    return _problem(HTTP_422_UNPROCESSABLE_ENTITY, "unstorable", UNSTORABLE)


def failed(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """Our own fault. The log gets its kind and where it happened; neither log nor answer says what it was given."""
    handler = request.scope.get("route_handler")
    log().error("api.failed", error=type(error).__name__, method=request.method, url_rule=str(handler))
    is_noted = received(request) is not None and request.app.state.notes.keep(request)
    noted, more = (_NOTED, {"noted": True}) if is_noted else ("", {})
    if is_away(error):
        headers = {"Retry-After": "5"}
        return _problem(HTTP_503_SERVICE_UNAVAILABLE, "unavailable", _AWAY + noted, headers=headers, **more)
    return _problem(HTTP_500_INTERNAL_SERVER_ERROR, "error", _FAULT + noted, **more)


def _problem(status: int, code: str, detail: str, *, headers: Any = None, **more: Any) -> Response[str]:
    content = {
        "type": f"urn:dps:problem:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        **more,
    }
    return Response(
        canonical_json(content), status_code=status, media_type=MEDIA_TYPE, headers={**HEADERS, **(headers or {})}
    )


def _facts(error: DpsError) -> dict[str, Any]:
    shown = {name: _plain(value) for name, value in error.facts.items()}
    return {name: value for name, value in shown.items() if value is not None and name not in ("actor", "file")}


def _plain(value: Any) -> Any:
    """A fact as JSON; what is none of the plain kinds is left out."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case bool() | int() | str():
            return value
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return None


def _fault(request: Request[Any, Any, Any], fault: Any) -> dict[str, Any]:
    """Where a request is wrong and how."""
    parameters = request.scope["route_handler"].parsed_fn_signature.parameters
    field = str(fault.get("key", ""))
    name, path = ("data", field) if fault.get("source") == "body" else (field, "")
    annotation = parameters[name].annotation if name in parameters else None
    return _said(str(fault.get("message", "")), field, annotation, path)


def unread(fault: ValidationError, annotation: Any) -> dict[str, Any]:
    """Where something that was to be of this type is wrong and how."""
    message, _, where = str(fault).partition(" - at `$")
    field = where.rstrip("`").lstrip(".")
    return _said(message, field, annotation, field)


def _said(message: str, field: str, annotation: Any, path: str) -> dict[str, Any]:
    """What is wrong, without what was said there; of a closed list, what might have been said."""
    is_closed = annotation is not None and message.startswith(_NOT_ON_THE_LIST)
    values = [str(value) for value in allowed(annotation, path)] if is_closed else []
    if not values:
        return {"message": message, "field": field}
    return {"message": f"is none of the values allowed: {', '.join(values)}", "field": field, "allowed": values}
