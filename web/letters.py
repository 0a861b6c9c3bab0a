"""The letter to the person, or to their family, once care is arranged: plain words, the same on the page and in print.

What it says is agreed and confirmed; it names no price, nobody else, and nothing of why somebody needs care.
"""

import re
from dataclasses import dataclass
from datetime import date

from dps.packages.schedule import Schedule, Visit, VisitKind
from web.pages.wording import hours, lower


@dataclass(frozen=True, slots=True)
class Part:
    """A heading and what stands under it: sentences, or lines of a list."""

    heading: str
    sentences: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Letter:
    """One letter, ready to be laid out."""

    council: str
    to: tuple[str, ...]
    written_on: str
    reference: str
    subject: str
    parts: tuple[Part, ...]

    def __repr__(self) -> str:
        return "Letter(withheld)"


def letter_of(
    *,
    council: str,
    name: str,
    address: str,
    postcode: str,
    today: date,
    reference: str,
    service: str,
    provider: str,
    provider_phone: str | None,
    starts_on: date,
    started_on: date | None,
    schedule: Schedule | None,
    call: str,
    is_free: bool = False,
) -> Letter:
    """What was arranged, with whom, from when, what happens next and whom to call."""
    has_begun = started_on is not None
    begins = (
        f"Your care began on {_day(started_on)}."
        if started_on
        else f"The first visit is planned for {_day(starts_on)}."
    )
    who = f"{provider} will give you this care." if not has_begun else f"{provider} gives you this care."
    parts = [
        Part(
            "What we have arranged",
            (f"{service}.", who, begins, *(("You do not pay for this care.",) if is_free else ())),
            tuple(_visit(visit) for visit in schedule.visits) if schedule else (),
        )
    ]
    if not has_begun:
        parts.append(
            Part(
                "What happens next",
                (
                    f"{provider} will get in touch with you before {_day(starts_on)} to say hello and to agree how you "
                    "would like things done.",
                    "Carers show a card with their name and photo. If you are not sure who is at the door, keep it "
                    "shut and call.",
                ),
            )
        )
    reach = f" on {_whole(provider_phone)}" if provider_phone else ""
    parts.append(
        Part(
            "If something is not right",
            (
                f"If a visit is late or does not come, call {provider}{reach}.",
                f"If you don't want this care, or it does not suit you, call {_whole(call)}. You can say no at any "
                "time.",
                "In an emergency call 999.",
            ),
        )
    )
    return Letter(
        council=council,
        to=tuple(line.strip() for line in (name, *address.splitlines(), postcode) if line.strip()),
        written_on=_day(today),
        reference=reference,
        subject="Your care at home",
        parts=tuple(parts),
    )


def _day(value: date) -> str:
    """`Tuesday 9 July 2019`: whoever reads this letter need not read it twice."""
    return f"{value:%A} {value.day} {value:%B %Y}"


def _whole(words: str) -> str:
    """The spaces between digits kept on one line: a telephone number is never parted."""
    return re.sub(r"(?<=\d) (?=\d)", "\N{NO-BREAK SPACE}", words)


def _days(short: str) -> str:
    """`Mon-Fri,Sun` as `Monday to Friday, Sunday`; a whole week as `Every day`."""
    if short == "Mon-Sun":
        return "Every day"
    return re.sub(r"[A-Z][a-z]{2}", lambda found: _NAMES[found[0]], short).replace("-", " to ").replace(",", ", ")


def _visit(visit: Visit) -> str:
    days = _days(visit.text().split(" ")[0])
    carers = "" if visit.carers == 1 else f", by {_NUMBERS.get(visit.carers, str(visit.carers))} carers"
    task = _PLAINLY.get(visit.task, lower(visit.task))
    if visit.kind is VisitKind.LIVE_IN:
        return f"{days}: a carer lives with you, {task}{carers}"
    window = f"between {visit.window_start:%H:%M} and {visit.window_end:%H:%M}"
    if visit.kind in _NIGHTS:
        nights = days.replace("Every day", "Every night")
        return f"{nights}: {_NIGHTS[visit.kind]}, {hours(visit.minutes)} {window}, {task}{carers}"
    return f"{days}: {hours(visit.minutes)} {window}, {task}{carers}"


_NIGHTS = {
    VisitKind.WAKING_NIGHT: "a carer is with you and stays awake",
    VisitKind.SLEEPING_NIGHT: "a carer sleeps in your home and gets up when you need it",
}
_PLAINLY = {
    "sitting": "company",
    "domestic": "help in the house",
    "moving_and_handling": "help to move safely",
    "welfare_check": "a look that all is well",
}
"""What brokers call a visit, for whoever is visited."""

_NUMBERS = {2: "two", 3: "three", 4: "four"}
_NAMES = {f"{date(2019, 3, 4 + number):%a}": f"{date(2019, 3, 4 + number):%A}" for number in range(7)}
