"""The week as its page builds it: a visit added, a visit taken out. Pure; nothing is stored by it."""

from dps.kernel.errors import BadInput
from dps.packages.schedule import Schedule, parse_schedule
from web.pages.forms import Checking, Form


def has_visit(form: Form) -> bool:
    """Whether somebody has begun to fill in another visit: it is added, or its faults told, before a week is saved."""
    return any([form.under("day-"), form.text("from"), form.text("until"), form.text("minutes")])


def with_visit(week: str, form: Form) -> str:
    """The week with the visit that a form adds."""
    days = ",".join(form.under("day-"))
    kind, live_in, checking = form.text("kind"), form.text("kind") == "live_in", Checking()
    with checking.of("days"):
        if not days:
            raise BadInput("choose the days", field="days")
    with checking.of("from"):
        earliest = "" if live_in else form.needed("from", "say from when")
    with checking.of("until"):
        latest = "" if live_in else form.needed("until", "say until when")
    with checking.of("minutes"):
        minutes = form.needed("minutes", "say how many minutes it lasts")
        if not minutes.isdecimal():
            raise BadInput("write the minutes as a whole number, such as 30", field="minutes")
    checking.end()
    window = "" if live_in else f"{earliest}-{latest}"
    carers = "x2" if form.text("carers") == "2" else ""
    parts = [days, kind if kind not in ("", "visit") else "", window, f"{minutes}m", carers, form.text("task")]
    line = " ".join(part for part in parts if part)
    whole = f"{week}; {line}" if week else line
    try:
        return parse_schedule(whole).text()
    except BadInput as bad:
        raise BadInput(str(bad.reason).partition(": ")[2] or str(bad.reason), field="from") from None


def without_visit(week: str, number: int) -> str:
    """The week without one of its lines, from 0; a number that is none changes nothing."""
    visits = parse_schedule(week).visits if week else ()
    left = [visit for place, visit in enumerate(visits) if place != number]
    return Schedule.of(left).text() if left else ""
