"""How pages say things: dates, times, money, hours, states. The only place where a value becomes words on a page."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bidding.bids.content import ExceptionalReason
from bidding.otherwise.records import Lapse
from dps.contracts.variations.records import Variation
from dps.kernel.calendar import LONDON
from dps.kernel.money import in_pounds
from dps.packages.erasure import ErasureReason
from dps.packages.schedule import Schedule, Visit, VisitKind
from dps.schemes.wording import as_percent
from web.pages.event_words import EVENTS
from web.pages.state_words import STATES

_MODES = {
    "direct_award": "Direct award",
    "ranked_offer": "Offered one after another",
    "first_acceptance": "First to accept",
    "acceptance_window": "Accept at the published rate",
    "sealed_bid": "Sealed bid",
}

_TRAVEL = {"nearby": "Nearby", "a_drive": "A drive away", "far": "Far"}

_EXCEPTIONAL = {
    ExceptionalReason.TRAVEL: "The way is long, or nothing else is near",
    ExceptionalReason.SKILLS: "It takes carers with special training",
    ExceptionalReason.TWO_CARERS: "It takes two carers at once",
    ExceptionalReason.SHORT_VISITS: "The visits are short, or far apart",
    ExceptionalReason.UNSOCIAL_HOURS: "The hours are early, late or at night",
    ExceptionalReason.EQUIPMENT: "It takes equipment or special materials",
    ExceptionalReason.SHARED_ROUND: "It fits into a round that we serve already",
}

_ERASURE_REASONS = {
    ErasureReason.RETENTION_ENDED: "The time for which they may be kept is over",
    ErasureReason.PERSONS_REQUEST: "They asked for it",
    ErasureReason.REGISTERED_IN_ERROR: "They were registered in error",
}

_LAPSES = {
    Lapse.REPLACED: "A newer proposal took its place",
    Lapse.RESTARTED: "The whole ladder was asked again",
    Lapse.OFFER_TAKEN: "An offer from the open list was taken",
    Lapse.AMENDED: "What is needed was changed",
    Lapse.WITHDRAWN: "The referral was withdrawn",
}

_TELLTALES = {
    "own_record": "stands in the person’s own record",
    "name": "looks like somebody’s name",
    "phone": "looks like a telephone number",
    "nhs_number": "is an NHS number",
    "email": "looks like an e-mail address",
    "link": "is a link",
    "postcode": "is a postcode",
    "address": "looks like an address",
    "date_of_birth": "may be a date of birth",
}

_KINDS = {
    VisitKind.VISIT: "visit",
    VisitKind.WAKING_NIGHT: "waking night",
    VisitKind.SLEEPING_NIGHT: "sleeping night",
    VisitKind.LIVE_IN: "live-in care",
}


_SPELT = {
    "all": "Everything",
    "can_not_take_it": "Can’t take it",
    "chc": "NHS continuing healthcare",
    "gp": "GP",
    "live_in": "Live-in",
    "low_below_mean": "Far below the mean",
    "low_below_next": "Far below the next bid",
    "hand_backs": "Hand-backs",
    "nhs_2013": "NHS procurement regulations 2013",
    "off_list_spot": "Off-list spot purchase",
    "persons_choice": "Person’s choice",
    "persons_wish": "Person’s wish",
    "psr": "Provider Selection Regime",
    "section_117": "Section 117 aftercare",
}
"""Keys that are not written as they are spelt."""


def plain(value: Any) -> str:
    """A key such as `personal_care` as people write it: `Personal care`. Words, and references in them, stay."""
    text = str(value).strip()
    if text in _SPELT:
        return _SPELT[text]
    if " " not in text:
        text = text.replace("_", " ").replace("-", " ").strip()
    return text[:1].upper() + text[1:]


def lower(value: Any) -> str:
    """The same inside a sentence; what begins with an abbreviation keeps it."""
    text = plain(value)
    return text if text[:2].isalpha() and text[:2].isupper() else text[:1].lower() + text[1:]


def state(value: Any, kind: str) -> str:
    """The tag's words; those of the state itself for a thing that has no tag."""
    found = STATES.get(kind, {}).get(str(value))
    return found[0] if found else plain(value)


def state_colour(value: Any, kind: str) -> str:
    found = STATES[kind].get(str(value))
    return f"govuk-tag--{found[1] if found else 'grey'}"


def age_band(value: Any) -> str:
    """`75 to 84`."""
    return plain(str(value).replace("_to_", " to ").replace("-", " to "))


def mode(value: Any) -> str:
    return _MODES.get(str(value), plain(value))


def travel(value: Any) -> str:
    """How far from where the provider works already."""
    return _TRAVEL[str(value)]


def event(value: str) -> str:
    """What happened, as a sentence without its full stop."""
    kind, _, step = value.partition(".")
    return EVENTS.get(value, f"{plain(kind)}: {lower(step)}")


def exceptional(value: Any) -> str:
    """Why a price lies outside the range, as its bidder chose."""
    return _EXCEPTIONAL[ExceptionalReason(value)]


def erasure_reason(value: Any) -> str:
    """Why a person is erased, as an approver chooses."""
    return _ERASURE_REASONS[ErasureReason(value)]


def lapse(value: Any) -> str:
    """What became of a package before anybody decided on a proposal to place it otherwise."""
    return _LAPSES[Lapse(value)]


def telltale(value: Any) -> str:
    """Why a broker should look again at a word."""
    return _TELLTALES[str(value)]


def instant(value: datetime | str) -> str:
    """`Monday 4 March 2019, 15:00 GMT`: date, time and zone, to the minute."""
    local = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(LONDON)
    return f"{local:%A} {local.day} {local:%B %Y}, {local:%H:%M} {local:%Z}"


def short_instant(value: datetime) -> str:
    """`Mon 4 Mar, 15:00`."""
    local = value.astimezone(LONDON)
    return f"{local:%a} {local.day} {local:%b}, {local:%H:%M}"


def short_deadline(value: datetime) -> str:
    """`Mon 4 Mar, 15:00 GMT`: what somebody must keep names its zone in a list, too."""
    return f"{short_instant(value)} {value.astimezone(LONDON):%Z}"


def machine(value: datetime) -> str:
    """For the `datetime` attribute."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(value: date | str | None) -> str:
    """`Mon 4 March 2019`."""
    if value is None:
        return "not said"
    found = date.fromisoformat(value) if isinstance(value, str) else value
    return f"{found:%a} {found.day} {found:%B %Y}"


def end_of_day(value: datetime) -> str:
    """`the end of Sun 28 April 2019`, for an end at the midnight after it."""
    return f"the end of {day((value - timedelta(microseconds=1)).astimezone(LONDON).date())}"


def days(first: date, last: date) -> str:
    """`Mon 4 March 2019`, or `Mon 4 March 2019 to Sun 10 March 2019`."""
    return day(first) if first == last else f"{day(first)} to {day(last)}"


def span(value: timedelta) -> str:
    """`2 days 3 hours`, `1 hour 5 minutes`, `less than a minute`: the two largest units, never rounded up."""
    minutes = int(value.total_seconds()) // 60
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    parts = [_count(number, unit) for number, unit in ((days, "day"), (hours, "hour"), (minutes, "minute")) if number]
    if days:
        parts = parts[:2] if hours else parts[:1]
    return " ".join(parts) or "less than a minute"


def left(value: datetime, now: datetime) -> str:
    """`3 hours 5 minutes left`, or that it is over."""
    return f"{span(value - now)} left" if now < value else "closed"


def since(value: datetime, now: datetime) -> str:
    """`2 days 3 hours`."""
    return span(max(now - value, timedelta(0)))


def hours(minutes: int) -> str:
    """Weekly carer-minutes as people say them: `10½` is avoided, `10 hours 30 minutes` is not."""
    whole, rest = divmod(minutes, 60)
    parts = [_count(whole, "hour")] if whole else []
    return " ".join([*parts, *([_count(rest, "minute")] if rest else [])]) or "0 hours"


def hours_only(minutes: int) -> str:
    """Weekly hours as a number for a column, to one decimal, cut: `10.5`."""
    tenth = minutes * 10 // 60
    return f"{tenth // 10:,}.{tenth % 10}" if tenth % 10 else f"{tenth // 10:,}"


def tenths(value: int | None) -> str:
    """`2.4`; where nothing was counted, a word."""
    return "–" if value is None else f"{value // 10}.{value % 10}"


def points(thousandths: int) -> str:
    """Points out of 100, to one decimal, cut and not rounded: nobody is shown more than they have."""
    return f"{thousandths // 1000}.{thousandths % 1000 // 100}"


def visits(form: Any) -> list[dict[str, str]]:
    """The standard week, a line for each kind of visit."""
    return [_visit(one) for one in Schedule.from_dict(form).visits]


def carers(form: Any) -> str:
    """How many come: at every visit, or at some."""
    found = {visit.carers for visit in Schedule.from_dict(form).visits}
    said = {1: "One carer", 2: "Two carers"}.get(max(found), f"{max(found)} carers")
    return said if len(found) == 1 else f"{said} at some visits"


def variation(one: Variation, weekly_pence: int | None = None) -> str:
    """What a change of a contract says: `From Mon 4 March 2019. 2 hours a week for £28.00.`

    `weekly_pence` is what its week comes to on its first day, where prices rose since the first agreement.
    """
    until = f" to {day(one.last_day)}" if one.last_day else ""
    said = [f"From {day(one.from_day)}{until}."]
    if one.weekly_minutes:
        said.append(f"{hours(one.weekly_minutes)} a week for {in_pounds(weekly_pence or one.weekly_pence or 0)}.")
    if one.extra_minutes_a_day:
        said.append(f"{hours(one.extra_minutes_a_day)} more a day for {in_pounds(one.pence_a_day or 0)} a day.")
    if one.changed:
        said.append(f"What was changed: {lower(one.changed)}. Begun by: {lower(one.begun_by)}.")
    if one.outcome:
        said.append(f"It ended with: {lower(one.outcome)}. What it averted: {lower(one.averted)}.")
    return " ".join(said)


def contract_state(contract: Any, today: date) -> str:
    """The state of a contract for its tag: one whose agreed start has passed without a first visit is overdue."""
    is_overdue = contract.state == "pending" and contract.starts_on < today
    return "overdue" if is_overdue else str(contract.state)


def dated(text: str) -> str:
    """Words with each 2019-03-04 in them written as a day."""
    return re.sub(r"\b\d{4}-\d{2}-\d{2}\b", lambda found: day(found[0]), text)


def weekly_visits(form: Any) -> int:
    return Schedule.from_dict(form).weekly_visits


def _visit(one: Visit) -> dict[str, str]:
    window = "" if one.kind is VisitKind.LIVE_IN else f"{one.window_start:%H:%M} to {one.window_end:%H:%M}"
    return {
        "days": one.text().split(" ")[0].replace("-", " to ").replace(",", ", "),
        "window": window or "all day",
        "length": hours(one.minutes),
        "carers": _count(one.carers, "carer"),
        "task": plain(one.task) if one.kind is VisitKind.VISIT else f"{plain(one.task)}, {_KINDS[one.kind]}",
    }


def visit_words(one: Visit) -> str:
    """What a visit is for and when: `Personal care, 07:30 to 09:30`."""
    said = _visit(one)
    return f"{said['task']}, {said['window']}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number:,} {unit}s"


def count(number: int, unit: str, plural: str | None = None) -> str:
    """`1 package`, `2 packages`."""
    return f"{number:,} {unit if number == 1 else plural or unit + 's'}"


FILTERS: dict[str, Callable[..., Any]] = {
    "age_band": age_band,
    "carers": carers,
    "contract_state": contract_state,
    "count": count,
    "dated": dated,
    "day": day,
    "days": days,
    "end_of_day": end_of_day,
    "erasure_reason": erasure_reason,
    "event": event,
    "hours": hours,
    "hours_only": hours_only,
    "instant": instant,
    "lapse": lapse,
    "left": left,
    "lower_words": lower,
    "machine": machine,
    "mode": mode,
    "percent": as_percent,
    "plain": plain,
    "points": points,
    "pounds": in_pounds,
    "short_instant": short_instant,
    "short_deadline": short_deadline,
    "since": since,
    "span": span,
    "state": state,
    "state_colour": state_colour,
    "telltale": telltale,
    "tenths": tenths,
    "travel": travel,
    "variation": variation,
    "exceptional": exceptional,
    "visit_words": visit_words,
    "visits": visits,
    "weekly_visits": weekly_visits,
}
