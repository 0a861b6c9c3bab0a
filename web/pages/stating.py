"""A statement made from a form: what is due for some past days, whatever it is that is paid."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Response
from sqlmodel import Session

from dps.contracts.statements.records import Statement
from dps.kernel.errors import BadInput, CannotState, StatedAlready
from web.pages.forms import Checking, Form, faults_of
from web.pages.visit import Page, Visit

_NOWHERE: Mapping[str, str] = {}


def days_of(form: Form) -> dict[str, Any]:
    """The days that are stated, as every command that makes a statement takes them."""
    checking = Checking()
    with checking.of("first_day"):
        first_day = form.day("first_day", "give the first day")
    with checking.of("last_day"):
        last_day = form.day("last_day", "give the last day")
    checking.end()
    return {"first_day": first_day, "last_day": last_day}


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
        return again({beside.get(field, field): said for field, said in faults_of(bad, "first_day").items()})
    except (CannotState, StatedAlready) as refused:
        return again({"first_day": str(refused)})
    return visit.to(f"/desk/statements/{made}")
