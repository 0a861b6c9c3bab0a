"""The month's report for people: words for each number, a workbook without formulas, and two pictures."""

import io
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup
from openpyxl import Workbook
from sqlmodel import Session

from bidding.monthly.facts import month_facts
from bidding.monthly.figures import Month, month_of
from bidding.monthly.tables import Unit, tables
from dps.kernel.actors import Actor
from dps.kernel.errors import BadInput
from dps.kernel.money import in_pounds
from dps.kernel.ports import Ports
from dps.schemes.model import Scheme
from web.pages.wording import hours, plain, span
from web.pictures import Bar, bars
from web.workbooks import text_cell


def report(session: Session, ports: Ports, *, scheme: Scheme, first: date, last: date, actor: Actor) -> Month:
    """The report of these days, up to now."""
    now = ports.clock.read(session)
    return month_of(month_facts(session, scheme=scheme, first=first, last=last, actor=actor, now=now))


def days_of(month: str) -> tuple[date, date]:
    """First and last day of a month written `2019-03`; BadInput for anything else."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        raise BadInput("write the month as 2019-03", field="month") from None
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def said(value: Any, unit: Unit) -> str:
    """A cell as people read it."""
    if value is None:
        return "none"
    match unit:
        case Unit.PENCE:
            return in_pounds(value) if value >= 0 else f"−{in_pounds(-value)}"
        case Unit.MINUTES:
            return span(timedelta(minutes=value)) if value < 48 * 60 else f"{value // 60:,} hours"
        case Unit.CARE:
            return hours(value)
        case Unit.THOUSANDTHS:
            return f"{value // 10}.{value % 10}%"
        case Unit.COUNT | Unit.DAYS:
            return f"{value:,}"
        case Unit.REFERENCE:
            return str(value)
        case Unit.WORDS:
            return plain(value)


def workbook(month: Month, *, about: str) -> bytes:
    """Every table on a sheet of its own, as numbers and texts: a text that begins like a formula stays a text."""
    book = Workbook(write_only=True)
    for table in tables(month):
        sheet = book.create_sheet(table.title[:31])
        sheet.append([text_cell(sheet, f"{table.title}. {table.note} {about}")])
        sheet.append(
            [
                text_cell(sheet, heading if unit not in _IN_WORDS else f"{heading} ({_IN_WORDS[unit]})")
                for heading, unit in table.columns
            ]
        )
        for row in table.rows:
            sheet.append([_cell(sheet, value, unit) for value, (_, unit) in zip(row, table.columns, strict=True)])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


_IN_WORDS = {
    Unit.PENCE: "pence",
    Unit.MINUTES: "minutes",
    Unit.CARE: "minutes",
    Unit.THOUSANDTHS: "thousandths",
    Unit.DAYS: "days",
}


def _cell(sheet: Any, value: Any, unit: Unit) -> Any:
    return value if value is None or isinstance(value, int) else text_cell(sheet, said(value, unit))


def pictures(month: Month) -> Sequence[Markup]:
    """How far referrals came by urgency, and what each stage of the ladder gave."""
    return (
        bars(
            "Placed of published, by urgency",
            [
                Bar(plain(way.urgency), way.placed, way.published, f"{way.placed} of {way.published}")
                for way in month.ways
            ],
        ),
        bars(
            "Rounds that were accepted, by stage",
            [
                Bar(plain(one.stage), one.accepted, one.rounds, f"{one.accepted} of {one.rounds}")
                for one in month.stages
            ],
        ),
    )
