"""The rules of joining, as pure functions: when a scheme is open, what it asks, and by when it must answer.

Source: design.md §3, admission; regulation 34 of the Public Contracts Regulations 2015 (10 working days).
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from dps.kernel.errors import BadInput
from dps.schemes.model import Admission, AdmissionQuestion, Scheme

_MIDNIGHT = time(0)
_MONTHS_AHEAD = 8
_LONGEST_TEXT = 4000
_QUARTERS = frozenset({1, 4, 7, 10})


class Opening(NamedTuple):
    """`[opens_at, closes_at)`, during which applications are taken; `closes_at` None has no end in sight."""

    opens_at: datetime
    closes_at: datetime | None


class Flag(NamedTuple):
    """An answer that is put before the officer."""

    question: str
    answer: Any


def openings(scheme: Scheme, since: datetime) -> Iterator[Opening]:
    """The scheme's openings that end after `since`, in order, up to eight months ahead, none past its term.

    Quarters begin in January, April, July and October. An opening lasts `days_open` days from local midnight of `day`.
    """
    calendar = scheme.calendar()
    over = None if scheme.term.ends is None else calendar.at(scheme.term.ends, _MIDNIGHT)
    if over is not None and over <= since:
        return
    if scheme.admission.opening == "always":
        yield Opening(min(since, calendar.at(scheme.term.starts, _MIDNIGHT)), over)
        return
    for first in _first_days(scheme.admission, calendar.local(since).date()):
        opens_at = calendar.at(first, _MIDNIGHT)
        closes_at = calendar.at(first + timedelta(days=scheme.admission.days_open), _MIDNIGHT)
        if over is not None:
            closes_at = min(closes_at, over)
        if since < closes_at and opens_at < closes_at:
            yield Opening(opens_at, closes_at)


def is_open(scheme: Scheme, at: datetime) -> bool:
    """Whether the scheme takes applications at `at`."""
    return any(opening.opens_at <= at for opening in openings(scheme, at))


def next_opening(scheme: Scheme, at: datetime) -> datetime | None:
    """When the scheme takes applications again; `at` itself if it does now, None if it will no more."""
    return next((max(opening.opens_at, at) for opening in openings(scheme, at)), None)


def closes_at(scheme: Scheme, at: datetime) -> datetime | None:
    """The end of the opening that is running at `at`, or of the next; None if there is none, or no end in sight."""
    return next((opening.closes_at for opening in openings(scheme, at)), None)


def decide_by(scheme: Scheme, submitted_at: datetime) -> datetime:
    """The close of the last working day on which the council may still answer in time."""
    calendar = scheme.calendar()
    day = calendar.add_working_days(calendar.local(submitted_at).date(), scheme.admission.decision_working_days)
    return calendar.at(day, scheme.hours.closes)


def checked_answers(scheme: Scheme, answers: Mapping[str, Any], *, complete: bool) -> dict[str, Any]:
    """The answers, each of its question's kind; refuses a stranger, a wrong kind and, if `complete`, a gap."""
    questions = {question.key: question for question in scheme.admission.questions}
    if strangers := sorted(set(answers).difference(questions)):
        raise BadInput("this scheme asks no such question", field=f"answers.{strangers[0][:60]}")
    if complete and (unanswered := [key for key in questions if key not in answers]):
        raise BadInput("this question must be answered", field=f"answers.{unanswered[0]}")
    return {key: _checked(question, answers[key]) for key, question in questions.items() if key in answers}


def flags(scheme: Scheme, answers: Mapping[str, Any]) -> tuple[Flag, ...]:
    """The answers that must be put before the officer, in the order of the questions."""
    return tuple(
        Flag(question.key, answers[question.key])
        for question in scheme.admission.questions
        if question.key in answers and _is_flagged(question, answers[question.key])
    )


def _first_days(admission: Admission, today: date) -> Iterator[date]:
    # Two months back: 31 days from the 28th of January run until the last of February.
    month = today.year * 12 + today.month - 1 - 2
    for number in range(month, month + 2 + _MONTHS_AHEAD):
        year, index = divmod(number, 12)
        if admission.opening == "monthly" or index + 1 in _QUARTERS:
            yield date(year, index + 1, admission.day)


def _checked(question: AdmissionQuestion, answer: Any) -> Any:
    field = f"answers.{question.key}"
    match question.kind:
        case "yes_no":
            if type(answer) is not bool:
                raise BadInput("answer yes or no", field=field)
        case "percent":
            if type(answer) is not int or not 0 <= answer <= 100:
                raise BadInput("answer with a whole number from 0 to 100", field=field)
        case "number":
            if type(answer) is not int or answer < 0:
                raise BadInput("answer with a whole number", field=field)
        case _:
            if type(answer) is not str or not answer.strip() or len(answer) > _LONGEST_TEXT:
                raise BadInput(f"answer in words, at most {_LONGEST_TEXT} characters", field=field)
    return answer


def _is_flagged(question: AdmissionQuestion, answer: Any) -> bool:
    above, when = question.flag_above, question.flag_when
    return (above is not None and type(answer) is int and answer > above) or (when is not None and answer is when)
