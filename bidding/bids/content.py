"""What a bid says, and the rules that tell before the deadline, in words, why it can't be submitted.

Pure: the same rules answer the form before sealing and the evaluation after opening.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from fractions import Fraction
from typing import Any, Self

from dps.kernel.errors import BadInput, NoPrice
from dps.kernel.money import RateCard, in_pounds, round_half_up
from dps.packages.costing import exact_effective_rate, exact_weekly_cost, weekly_cost_pence
from dps.packages.schedule import DAY_MINUTES, Schedule, Visit
from dps.schemes.model import Envelope, Lot, ScoredQuestion

_FIELDS = frozenset(
    {
        "card", "starts_on", "times", "weekly_minutes", "answers", "preference", "not_with", "exceptional_reason",
    }
)  # fmt: skip


MOST_WEEKLY_PENCE = 200_000_00
"""No package costs more a week (assumed), whatever the reason: a slip of the keyboard would stop a whole closing.

Fifty of them, the largest bundle, stay within what one bid may cost in an allocation.
"""


class ExceptionalReason(StrEnum):
    """Why a price lies outside the envelope: a closed list (assumed), because words may speak of the person.

    What is sealed can't be taken back: receipt, manifest and commitment stand on its bytes, so that words about a
    person would outlive their erasure.
    """

    TRAVEL = "travel"
    SKILLS = "skills"
    TWO_CARERS = "two_carers"
    SHORT_VISITS = "short_visits"
    UNSOCIAL_HOURS = "unsocial_hours"
    EQUIPMENT = "equipment"
    SHARED_ROUND = "shared_round"


@dataclass(frozen=True, slots=True)
class BidContent:
    """One bid as its bidder wrote it; sealed until the closing opens.

    `card` prices the package's own schedule (where the lot sets a budget, it is the rate of the ongoing support).
    `times` offers other visit windows, visit by visit; None takes those asked for. `preference` orders the bidder's
    own bids of one closing (1 first); `not_with` names rounds of which it wants this one or those, never both.
    """

    card: RateCard
    starts_on: date
    times: Schedule | None = None
    weekly_minutes: int | None = None
    answers: tuple[tuple[str, str], ...] = ()
    preference: int | None = None
    not_with: tuple[str, ...] = ()
    exceptional_reason: ExceptionalReason | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "card": self.card.to_dict(),
            "starts_on": self.starts_on.isoformat(),
            "times": self.times.to_dict() if self.times else None,
            "weekly_minutes": self.weekly_minutes,
            "answers": dict(self.answers),
            "preference": self.preference,
            "not_with": list(self.not_with),
            "exceptional_reason": str(self.exceptional_reason) if self.exceptional_reason else None,
        }

    @classmethod
    def from_dict(cls, raw: Any) -> Self:
        """Read what `to_dict` wrote or a client sent; every fault names its field."""
        if not isinstance(raw, dict):
            raise BadInput("a bid is an object with named fields", field="bid")
        for field in sorted(raw.keys() - _FIELDS):
            raise BadInput("there is no such field in a bid", field=str(field))
        for field in ("card", "starts_on"):
            if raw.get(field) is None:
                raise BadInput("is missing", field=field)
        times, answers = raw.get("times"), raw.get("answers")
        answers = {} if answers is None else answers
        if not isinstance(answers, dict) or not all(isinstance(value, str) for value in answers.values()):
            raise BadInput("answers are texts by question", field="answers")
        return cls(
            card=RateCard.from_dict(raw["card"]),
            starts_on=_day(raw["starts_on"]),
            times=Schedule.from_dict(times) if times is not None else None,
            weekly_minutes=_whole(raw.get("weekly_minutes"), "weekly_minutes"),
            answers=tuple(sorted((str(key), value) for key, value in answers.items())),
            preference=_whole(raw.get("preference"), "preference"),
            not_with=_texts(raw.get("not_with"), "not_with"),
            exceptional_reason=_reason(raw.get("exceptional_reason")),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What one package asks of a bid: the published schedule, the dates, and the lot's rules."""

    schedule: Schedule
    earliest_start: date | None
    latest_start: date | None
    other_minutes_allowed: bool
    lot: Lot
    envelope: Envelope
    questions: tuple[ScoredQuestion, ...]


def problems(content: BidContent, asked: Asked) -> tuple[str, ...]:
    """Every reason why this bid can't be submitted for this package; none means it can."""
    return tuple(
        words
        for words in (
            _start_problem(content, asked),
            _times_problem(content, asked),
            _minutes_problem(content, asked),
            _price_problem(content, asked),
            *_answer_problems(content, asked),
        )
        if words
    )


def _start_problem(content: BidContent, asked: Asked) -> str | None:
    if asked.earliest_start and content.starts_on < asked.earliest_start:
        return f"The start can't be before {asked.earliest_start:%-d %B %Y}."
    if asked.latest_start and content.starts_on > asked.latest_start:
        return f"The person needs the first visit by {asked.latest_start:%-d %B %Y}."
    return None


def _times_problem(content: BidContent, asked: Asked) -> str | None:
    """Offered windows must lie inside those asked for; minutes, carers, days and tasks stay as they are."""
    if content.times is None:
        return None
    if len(content.times.visits) != len(asked.schedule.visits):
        return f"Offer a time for each of the {len(asked.schedule.visits)} visits, or for none."
    left_out = _without_time(asked.schedule.visits, content.times.visits)
    if left_out is None:
        return None
    return f"No time offered fits the visit {left_out.text()}: keep its days, length and carers, within its hours."


def _without_time(wanted: Sequence[Visit], offered: Sequence[Visit]) -> Visit | None:
    """A visit for which none of the times is left, however the times are dealt out; None if each has its own.

    Visits are kept in order of their hours, which other hours may change: so they are not paired by their places.
    """
    taken_by: dict[int, int] = {}

    def finds(number: int, tried: set[int]) -> bool:
        for place, visit in enumerate(offered):
            if place in tried or not _fits(visit, wanted[number]):
                continue
            tried.add(place)
            if place not in taken_by or finds(taken_by[place], tried):
                taken_by[place] = number
                return True
        return False

    return next((visit for number, visit in enumerate(wanted) if not finds(number, set())), None)


def _fits(offered: Visit, wanted: Visit) -> bool:
    """The same visit, within the hours asked for; these may pass midnight."""
    same = (offered.days, offered.minutes, offered.carers, offered.task, offered.kind) == (
        wanted.days,
        wanted.minutes,
        wanted.carers,
        wanted.task,
        wanted.kind,
    )
    begins_after = (_minute(offered.window_start) - _minute(wanted.window_start)) % DAY_MINUTES
    return same and begins_after + offered.window_minutes <= wanted.window_minutes


def _minute(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def _minutes_problem(content: BidContent, asked: Asked) -> str | None:
    if content.weekly_minutes is None or content.weekly_minutes == asked.schedule.weekly_minutes:
        return None
    if not asked.other_minutes_allowed:
        return "This package asks for its own weekly hours; no other number can be offered."
    if not 0 < content.weekly_minutes <= 2 * asked.schedule.weekly_minutes:
        return "The weekly hours offered are out of all proportion to those asked for."
    return None


def _price_problem(content: BidContent, asked: Asked) -> str | None:
    """Whether a visit has no price, the week costs beyond all reason, or the price lies outside floor and ceiling
    without a reason for that."""
    try:
        outside = is_outside(content.card, asked.schedule, asked.envelope)
    except NoPrice as none:
        return f"The prices do not cover every visit: {none.reason}."
    if weekly_pence(content, asked.schedule) > MOST_WEEKLY_PENCE:
        return f"The price comes to more than {in_pounds(MOST_WEEKLY_PENCE)} a week: please check it."
    if content.exceptional_reason or not outside:
        return None
    floor, ceiling = asked.envelope.floor_pence_per_hour, asked.envelope.ceiling_pence_per_hour
    return (
        f"The price comes to an hourly rate outside {in_pounds(floor)} to {in_pounds(ceiling)}; "
        "give a reason to ask for an exceptional price."
    )


def is_outside(card: RateCard, schedule: Schedule, envelope: Envelope) -> bool:
    """Compared exactly, before any rounding; floor and ceiling are both inside."""
    rate = exact_effective_rate(card, schedule)
    return not Fraction(envelope.floor_pence_per_hour) <= rate <= Fraction(envelope.ceiling_pence_per_hour)


def _answer_problems(content: BidContent, asked: Asked) -> list[str]:
    given = dict(content.answers)
    words = [
        f"Answer the question “{question.text}” with one of: {', '.join(sorted(question.answers))}."
        for question in asked.questions
        if given.get(question.key) not in question.answers
    ]
    unknown = given.keys() - {question.key for question in asked.questions}
    return words + [f"There is no question {key}." for key in sorted(unknown)]


def weekly_pence(content: BidContent, schedule: Schedule) -> int:
    """The bid's weekly cost on the package's own schedule, in pence; other weekly minutes scale it, rounded once."""
    if content.weekly_minutes is None or content.weekly_minutes == schedule.weekly_minutes:
        return weekly_cost_pence(content.card, schedule)
    cost = exact_weekly_cost(content.card, schedule) * Fraction(content.weekly_minutes, schedule.weekly_minutes)
    return round_half_up(cost.numerator, cost.denominator)


def _day(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise BadInput("is not a date such as 2019-03-04", field="starts_on") from None


def _whole(value: Any, field: str) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 < value < 10_000_000:
        raise BadInput("is a whole number above 0", field=field)
    return value


def _texts(value: Any, field: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadInput("is a list of references", field=field)
    return tuple(sorted(set(value)))


def _reason(value: Any) -> ExceptionalReason | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in set(ExceptionalReason):
        raise BadInput(f"give one of these reasons: {', '.join(ExceptionalReason)}", field="exceptional_reason")
    return ExceptionalReason(value)
