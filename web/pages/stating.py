"""A statement made from a form: what is due for some past days, whatever it is that is paid."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Response
from sqlmodel import Session

from dps.contracts.statements.records import Statement
from dps.kernel.errors import BadInput, CannotState, StatedAlready
from web.pages.forms import Form
from web.pages.visit import Page, Visit

_NOWHERE: Mapping[str, str] = {}


def days_of(form: Form) -> dict[str, Any]:
    """The days that are stated, as every command that makes a statement takes them."""
    return {
        "first_day": form.day("first_day", "give the first day"),
        "last_day": form.day("last_day", "give the last day"),
    }


def stated(
    visit: Visit,
    make: Callable[[Session], Statement],
    again: Callable[[Mapping[str, str]], Page],
    *,
    beside: Mapping[str, str] = _NOWHERE,
) -> Response[Any]:
    """Make it and show it; or the form `again` with what is wrong by field, `beside` which another name's stands."""
    try:
        with visit.command() as session:
            made = make(session).ref
    except BadInput as bad:
        field = str(bad.field or "first_day")
        return again({beside.get(field, field): str(bad.reason)})
    except (CannotState, StatedAlready) as refused:
        return again({"first_day": str(refused)})
    return visit.to(f"/desk/statements/{made}")
