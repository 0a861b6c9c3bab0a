"""What a bid for an area says, what it comes to on the stated volume, and in words why it can't be submitted.

Pure: the same rules answer the form before sealing and the evaluation after opening. Source: Kingston's paper.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from dps.kernel.errors import BadInput, meant
from dps.kernel.money import in_pounds, round_half_up
from dps.schemes.area_contracts import AreaContract, BiddingModel, Element
from dps.schemes.faults import listed
from dps.schemes.model import ScoredQuestion
from dps.schemes.wording import UNITS, count

_FIELDS = frozenset({"rates", "yearly_pence", "targets", "answers"})
_MOST_PENCE = 100_000_000_000
_MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class AreaBid:
    """One bid for an area as its bidder wrote it; sealed until the closing opens.

    `rates` are pence a unit by element, or `yearly_pence` is the price of a year and `targets` the percent of people in
    whom each outcome will be reached: which of them, the contract's model says. All three are in order of their keys.
    """

    rates: tuple[tuple[str, int], ...] = ()
    yearly_pence: int | None = None
    targets: tuple[tuple[str, int], ...] = ()
    answers: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "rates": dict(self.rates),
            "yearly_pence": self.yearly_pence,
            "targets": dict(self.targets),
            "answers": dict(self.answers),
        }

    @classmethod
    def from_dict(cls, raw: Any) -> Self:
        """Read what `to_dict` wrote or a form sent; every fault names its field."""
        if not isinstance(raw, dict):
            raise BadInput("a bid for an area is an object with named fields", field="bid")
        for field in sorted(raw.keys() - _FIELDS):
            raise BadInput("there is no such field in a bid for an area", field=str(field))
        price, answers = raw.get("yearly_pence"), raw.get("answers") or {}
        if price is not None:
            _whole(price, "yearly_pence")
        if not isinstance(answers, dict) or not all(isinstance(value, str) for value in answers.values()):
            raise BadInput("answers are texts by question", field="answers")
        return cls(
            rates=_numbers(raw.get("rates"), "rates"),
            yearly_pence=price,
            targets=_numbers(raw.get("targets"), "targets"),
            answers=tuple(sorted((str(key), value) for key, value in answers.items())),
        )


def problems(
    bid: AreaBid, asked: AreaContract, locality: str, questions: tuple[ScoredQuestion, ...] = ()
) -> tuple[str, ...]:
    """Every reason why this bid can't be submitted for this area; none means it can."""
    return tuple(words for _, words in placed_problems(bid, asked, locality, questions))


def placed_problems(
    bid: AreaBid, asked: AreaContract, locality: str, questions: tuple[ScoredQuestion, ...] = ()
) -> tuple[tuple[str, str], ...]:
    """The same, each behind what it is about: `rates.KEY`, `yearly_pence`, `targets.KEY`, `answers.KEY`, or `bid`."""
    of_model = _outcome_problems if asked.model is BiddingModel.OUTCOMES else _rate_problems
    return (*of_model(bid, asked, locality), *_answer_problems(bid, questions))


def _rate_problems(bid: AreaBid, asked: AreaContract, locality: str) -> Iterator[tuple[str, str]]:
    if bid.yearly_pence is not None or bid.targets:
        yield "bid", "This contract is bid for by rates: say no price of a year and no outcomes."
    given, known = dict(bid.rates), {element.key: element for element in asked.elements}
    if missing := [element.name for element in asked.elements if element.key not in given]:
        yield "bid", f"Give a rate for {listed(missing)}: the contract is for every element."
    for key in sorted(given.keys() - known.keys()):
        yield "bid", f"{key!r} is no element of this contract{meant(key, known)}."
    for key, element in known.items():
        if key in given and (words := _rate_problem(element, given[key])):
            yield f"rates.{key}", words


def _rate_problem(element: Element, pence: int) -> str | None:
    if pence == 0 and not element.may_be_free:
        return f"The rate for {element.name} can't be nothing: only what the rules call free may be."
    if pence > element.ceiling_pence:
        ceiling = f"{in_pounds(element.ceiling_pence)} a {UNITS[element.unit]}"
        return f"{in_pounds(pence)} for {element.name} is above the ceiling of {ceiling}."
    return None


def _outcome_problems(bid: AreaBid, asked: AreaContract, locality: str) -> Iterator[tuple[str, str]]:
    budget = asked.area(locality).budget_pence
    if bid.rates:
        yield "bid", "This contract is bid for by outcomes within a budget: say no rates."
    if bid.yearly_pence is None:
        yield "yearly_pence", "Give the price of a year."
    elif bid.yearly_pence == 0:
        yield "yearly_pence", "The price of a year can't be nothing."
    elif bid.yearly_pence > budget:
        over = bid.yearly_pence - budget
        words = f"The price of a year is {in_pounds(over)} above the area's budget of {in_pounds(budget)}."
        yield "yearly_pence", words
    given, known = dict(bid.targets), {goal.key: goal for goal in asked.targets}
    if missing := [goal.name for goal in asked.targets if goal.key not in given]:
        yield "bid", f"Say how far this will be reached: {listed(missing)}."
    for key in sorted(given.keys() - known.keys()):
        yield "bid", f"{key!r} is no outcome of this contract{meant(key, known)}."
    for key, goal in known.items():
        if key in given and not goal.least_percent <= given[key] <= 100:
            yield f"targets.{key}", f"{given[key]}% for “{goal.name}” is not from {goal.least_percent}% to 100%."


def _answer_problems(bid: AreaBid, questions: tuple[ScoredQuestion, ...]) -> Iterator[tuple[str, str]]:
    given = dict(bid.answers)
    for question in questions:
        if given.get(question.key) not in question.answers:
            words = f"Answer the question “{question.text}” with one of: {', '.join(sorted(question.answers))}."
            yield f"answers.{question.key}", words
    for key in sorted(given.keys() - {question.key for question in questions}):
        yield "bid", f"There is no question {key}."


# What it comes to


@dataclass(frozen=True, slots=True)
class VolumeLine:
    """One element of the evaluated year: how many units, at what rate, and what both come to."""

    key: str
    name: str
    units: int
    unit: str
    rate_pence: int
    pence: int

    @property
    def words(self) -> str:
        return (
            f"{self.name}: {count_of(self.units, self.unit)} at {in_pounds(self.rate_pence)}: {in_pounds(self.pence)}"
        )


def volume_lines(bid: AreaBid, asked: AreaContract) -> tuple[VolumeLine, ...]:
    """The bid's rates on the stated volume, element by element as the rules list them; none without rates."""
    rates = dict(bid.rates)
    return tuple(
        VolumeLine(
            key=element.key,
            name=element.name,
            units=element.units_a_year,
            unit=UNITS[element.unit],
            rate_pence=rates[element.key],
            pence=element.units_a_year * rates[element.key],
        )
        for element in asked.elements
        if element.key in rates
    )


def evaluated_pence(bid: AreaBid, asked: AreaContract) -> int:
    """What a year is taken to cost: the rates on the stated volume, or the price within the budget."""
    if asked.model is BiddingModel.OUTCOMES:
        return bid.yearly_pence or 0
    return sum(line.pence for line in volume_lines(bid, asked))


def promised(bid: AreaBid, asked: AreaContract) -> int:
    """How much of what can be promised beyond the least the bid promises, out of 100, each outcome by its points."""
    given = dict(bid.targets)
    counted = sum(goal.points for goal in asked.targets)
    scores = sum(goal.points * _share(given.get(goal.key, 0), goal.least_percent) for goal in asked.targets)
    return round_half_up(scores, counted * 100) if counted else 0


def _share(percent: int, least: int) -> int:
    """From the least (nothing) to 100% (everything), in hundredths of a percent."""
    room = 100 - least
    return round_half_up(max(percent - least, 0) * 10_000, room) if room else 10_000


def working(bid: AreaBid, asked: AreaContract, locality: str) -> tuple[str, ...]:
    """The evaluated year in words, line by line."""
    total = in_pounds(evaluated_pence(bid, asked))
    if asked.model is not BiddingModel.OUTCOMES:
        return (*(line.words for line in volume_lines(bid, asked)), f"A year on the stated volume: {total}")
    given, budget = dict(bid.targets), asked.area(locality).budget_pence
    goals = (
        f"{goal.name}: {given[goal.key]}% of people, at least {goal.least_percent}% asked"
        for goal in asked.targets
        if goal.key in given
    )
    than_today = (bid.yearly_pence or 0) - asked.area(locality).spend_pence
    compared = f"{in_pounds(abs(than_today))} {'more' if than_today > 0 else 'less'} than the area costs today"
    return (f"A year: {total}, of a budget of {in_pounds(budget)}, {compared}", *goals)


def count_of(number: int, unit: str) -> str:
    """`60,000 carer-hours`, `1 review`."""
    return count(number, unit).replace(str(number), f"{number:,}", 1)


def _numbers(value: Any, field: str) -> tuple[tuple[str, int], ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping) or len(value) > _MOST_NAMED:
        raise BadInput("are whole numbers by key", field=field)
    return tuple(sorted((str(key), _whole(number, field)) for key, number in value.items()))


def _whole(value: Any, field: str) -> int:
    if type(value) is not int or not 0 <= value <= _MOST_PENCE:
        raise BadInput("is a whole number, nothing or above", field=field)
    return value
