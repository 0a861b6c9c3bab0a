"""Take limits: how much new work a provider takes at most, in each of its schemes."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from dps.kernel.errors import BadInput
from dps.register import limits
from dps.register.limits import LimitPart
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.own import own_provider, own_scheme, wall_time
from web.pages.rows import row_id
from web.pages.visit import Page, Visit

_SPARE_PARTS = 2


class TakeLimits(Controller):
    """A limit for everything, and if wanted for an area or a time of day."""

    path = "/portal/service/limits"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit]) -> Page:
        """How much new work at most, scheme by scheme."""
        return _limits(visit, "", {}, {})

    @post("/", sync_to_thread=True)
    def set_limit(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Put a take limit in force; with every row empty there is none."""
        key = form.text("scheme")
        try:
            parts = _parts(form)
            with visit.command() as session:
                limits.set_take_limit(
                    session,
                    visit.ports,
                    provider_id=row_id(own_provider(session, visit)),
                    scheme=own_scheme(session, visit, key),
                    parts=parts,
                    actor=visit.actor,
                )
        except BadInput as bad:
            return _limits(visit, key, form.fields, {"part": str(bad.reason)})
        return visit.to("/portal/service/limits")


def _parts(form: Form) -> list[LimitPart]:
    """The rows of the form that say a figure; the first row is everywhere, at any time."""
    parts = []
    for number in range(limits.MOST_PARTS):
        name = f"part-{number}-"
        if f"{name}packages" not in form.fields:
            break
        figures = {
            "packages": form.whole(f"{name}packages", "write whole numbers of packages"),
            "hours": form.whole(f"{name}hours", "write whole hours a week", most=100_000),
            "starts_a_week": form.whole(f"{name}starts", "write whole numbers of starts"),
        }
        start, end = form.minute_of_day(f"{name}from"), form.minute_of_day(f"{name}until")
        locality = form.text(f"{name}locality")
        if all(figure is None for figure in figures.values()):
            if locality or start is not None or end is not None:
                raise BadInput("say how many packages, hours or starts, or leave the whole row empty", field=name)
            continue
        if start is not None and end is not None and end <= start:
            end += 24 * 60
        minutes = figures.pop("hours")
        parts.append(
            LimitPart(
                locality=locality,
                from_minute=start,
                until_minute=end,
                minutes=None if minutes is None else minutes * 60,
                **figures,
            )
        )
    return parts


def _limits(visit: Visit, at: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _):
        provider, shown = own_provider(session, visit), []
        for scheme in visit.schemes(session):
            limit = limits.take_limit_of(session, row_id(provider), scheme.key)
            rows = _in_rows(limit.as_parts() if limit else ())
            filled = dict(values) if scheme.key == at else _rows_filled(rows)
            shown.append({"scheme": scheme, "rows": range(len(rows)), "limit": limit, "values": Values(filled)})
    return visit.page("portal/limits.html", status=400 if faults else 200, schemes=shown, at=at, faults=faults)


def _in_rows(parts: tuple[LimitPart, ...]) -> list[LimitPart]:
    """The general part first, then the others, then empty rows to fill in."""
    general = next((part for part in parts if not part.locality and part.from_minute is None), LimitPart())
    return [general, *(part for part in parts if part is not general), *[LimitPart()] * _SPARE_PARTS]


def _rows_filled(rows: list[LimitPart]) -> dict[str, str]:
    filled: dict[str, str] = {}
    for number, part in enumerate(rows):
        figures = {
            "locality": part.locality,
            "from": wall_time(part.from_minute),
            "until": wall_time(part.until_minute),
            "packages": part.packages,
            "hours": None if part.minutes is None else part.minutes // 60,
            "starts": part.starts_a_week,
        }
        filled |= {f"part-{number}-{name}": "" if value is None else str(value) for name, value in figures.items()}
    return filled
