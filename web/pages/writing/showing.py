"""The page of one section: what was filled in, what can be chosen, what was wrong."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlmodel import Session

from bidding.looking.drafted import Drafted, providers_by_name, stated_skills
from dps.kernel.calendar import Weekday
from dps.kernel.errors import BadInput
from dps.law.bases import JOINT, bases_allowed
from dps.packages.facts import Flag, fundings_of
from dps.packages.identity import AgeBand
from dps.packages.schedule import parse_schedule
from dps.packages.visit_rules import check_visits
from dps.schemes.model import Lot, Scheme, Urgency
from dps.schemes.published import standing_scheme
from web.pages.forms import Values
from web.pages.rows import today_of
from web.pages.visit import Page, Visit
from web.pages.wording import plain, visits
from web.pages.writing.doors import Doors
from web.pages.writing.sections import BEGINNING, SECTIONS, Section

TASKS = (
    "personal_care", "medication", "meals", "continence", "moving_and_handling", "skin_care", "welfare_check",
    "domestic", "shopping", "sitting",
)  # fmt: skip
"""What visits are usually for; a week may name others, by file or by the API."""

KINDS = ("visit", "waking_night", "sleeping_night", "live_in")

_FIELDS = {
    "person": ("name", "date_of_birth", "nhs_number", "phone", "contact", "notes"),
    "home": ("postcode", "address", "access"),
    "service": ("scheme", "lot", "urgency"),
}
"""What each page of a new referral asks for; the other pages carry it along."""


def step_of(field: str) -> str | None:
    """The page of a new referral that asks for this field."""
    return next((key for key in BEGINNING if field in _FIELDS[key]), None)


def step_page(
    visit: Visit,
    doors: Doors,
    step: str,
    values: Mapping[str, str],
    faults: Mapping[str, str],
    *,
    known: str | None = None,
) -> Page:
    """One of the pages before there is a draft; what the others were told travels along. `known`: see that referral."""
    asked = [name for key in BEGINNING if key != step for name in _FIELDS[key]]
    with visit.look() as (session, now):
        schemes = visit.schemes(session)
        scheme = chosen_scheme(visit, session, values.get("scheme", ""))
        place = BEGINNING.index(step) if step in BEGINNING else 0
        return visit.page(
            "writing/entry.html",
            status=400 if faults else 200,
            doors=doors,
            section=BEGINNING[place],
            title=SECTIONS[BEGINNING[place]].title,
            action=f"{doors.new}/{BEGINNING[place]}",
            draft=None,
            back=BEGINNING[place - 1] if place else None,
            place=place + 1,
            of=len(SECTIONS),
            values=Values(values),
            carried={name: values.get(name, "") for name in asked if name != "scheme"} | {"scheme": scheme.key},
            known=known,
            faults=faults,
            schemes=[(one.key, one.name) for one in schemes],
            **_choices(session, scheme, None, today_of(now)),
        )


def section_page(
    visit: Visit, doors: Doors, draft: Drafted, shown: Section, values: Mapping[str, str], faults: Mapping[str, str]
) -> Page:
    """One page of a referral that is there."""
    with visit.look() as (session, now):
        scheme = standing_scheme(session, draft.facts.scheme)
        return visit.page(
            "writing/entry.html",
            status=400 if faults else 200,
            doors=doors,
            section=shown.key,
            title=shown.title,
            action=doors.section(draft.referral, shown.key),
            draft=draft,
            back=None,
            place=list(SECTIONS).index(shown.key) + 1,
            of=len(SECTIONS),
            values=Values(values),
            carried={"edition": values.get("edition", ""), "onward": values.get("onward", "")},
            known=None,
            faults=faults,
            schemes=[],
            **_choices(session, scheme, draft, today_of(now)),
        )


def chosen_scheme(visit: Visit, session: Session, key: str) -> Scheme:
    """The scheme that was chosen, or the authority's first."""
    found = visit.schemes(session)
    chosen = next((one for one in found if one.key == key), found[0] if found else None)
    if chosen is None:
        raise BadInput("no rules are published yet: a commissioner publishes them", field="scheme")
    return chosen


def _choices(session: Session, scheme: Scheme, draft: Drafted | None, today: date) -> dict[str, Any]:
    """What the pages offer to choose from."""
    needs = draft.facts.needs if draft else None
    lot = scheme.lot(draft.facts.lot) if draft else None
    return {
        "lots": [(lot.key, lot.name) for lot in scheme.lots],
        "urgencies": [(str(one), plain(one)) for one in Urgency],
        "skills": sorted({*stated_skills(session, scheme), *(needs or ())}),
        "flags": [str(one) for one in Flag],
        "bands": [str(one) for one in AgeBand],
        "fundings": [str(one) for one in fundings_of(lot)] if lot else [],
        "bases": [str(one) for one in bases_allowed(JOINT, scheme.legal_basis, today)],
        "sets_budget": lot.sets_budget if lot else False,
        "days": [day.short for day in Weekday],
        "tasks": list(dict.fromkeys([*TASKS, *(lot.visits.shorter_tasks if lot else ())])),
        "kinds": KINDS,
        "least_visit": _least(lot) if lot else "",
        "too_short": (lambda week: _too_short(week, lot)) if lot else (lambda week: []),
        "providers": providers_by_name(session),
        "parse_schedule": _lines,
    }


def _least(lot: Lot) -> str:
    """The least visit that the lot lets anybody buy, and what may be shorter."""
    shorter = [f"{plain(task).lower()} may take {least}" for task, least in sorted(lot.visits.shorter_tasks.items())]
    return "; ".join([f"The least visit is {lot.visits.least_minutes} minutes", *shorter]) + "."


def _too_short(week: str, lot: Lot) -> list[str]:
    """What can't be published of a week, in words; of a text that is no week nothing."""
    try:
        found = check_visits(parse_schedule(week), lot) if week else ()
    except BadInput:
        return []
    return [f"{one.minutes} minutes for {plain(one.task).lower()}: the least is {one.least_minutes}" for one in found]


def _lines(week: str) -> list[dict[str, Any]]:
    """The visits of a week as a page shows them; a text that is none shows none."""
    try:
        return visits(parse_schedule(week).to_dict()) if week else []
    except BadInput:
        return []
