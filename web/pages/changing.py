"""What both sides' pages of changes share: one change of one contract is begun, or its form says what is wrong."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlmodel import Session

from bidding import aftercare
from dps.contracts.contracts import Contract
from dps.contracts.desk import Story
from dps.contracts.reasons import ChangeReason, FailureReason, HandBackReason
from dps.contracts.standing import find_contract
from dps.contracts.variations.rescheduling import WeekWanted
from dps.kernel.calendar import Weekday
from dps.kernel.errors import BadInput, Conflict, NothingChanged, StartCannotMove, VariationRefused
from dps.packages.remarks import LONGEST, words_about
from dps.packages.schedule import Schedule, parse_schedule
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from web.pages.forms import Checking, Form, faults_of
from web.pages.visit import Visit

Begin = Callable[[Session, Contract, Scheme], object]
"""One change, begun of a contract under its rules."""


def begun(visit: Visit, ref: str, fields: Sequence[str], begin: Begin) -> dict[str, str]:
    """Begin a change; what keeps it from being begun, by field: none if it was.

    `fields` are those of its form. What is said of another field, or of none, stands beside the first.
    """
    with visit.look() as (session, _now):
        under_rules(session, visit, ref)
    try:
        with visit.command() as session:
            begin(session, *under_rules(session, visit, ref))
    except BadInput as bad:
        known = (*fields, f"{fields[0]}-")  # a field of one visit of the week begins like the week's own
        return {field if str(field).startswith(known) else fields[0]: said for field, said in faults_of(bad).items()}
    except VariationRefused as refused:
        return {fields[0]: " ".join(refused.reasons)}
    except (NothingChanged, StartCannotMove) as refused:
        return {fields[0]: str(refused)}
    except Conflict:
        return {fields[0]: "this day has another already"}
    return {}


def under_rules(session: Session, visit: Visit, ref: str) -> tuple[Contract, Scheme]:
    """The contract, to its two sides, and the rules that stand for it; NotFound for anybody else."""
    contract = find_contract(session, ref, actor=visit.actor)
    return contract, standing_scheme(session, contract.scheme)


def words_of_changes(session: Session, visit: Visit, story: Story) -> defaultdict[str, list[str]]:
    """By change, what was written beside it: why it was wanted, why it was refused."""
    refs = [one.ref for one in story.variations]
    return defaultdict(list, words_about(session, visit.ports.keyring, story.contract.package_id, refs))


def week_wanted(form: Form, before: str = "") -> WeekWanted:
    """Another week, as a form says it; its fields' names begin with `before`."""
    checking = Checking()
    with checking.of(f"{before}week"):
        week = week_of(form, f"{before}week")
    with checking.of(f"{before}begins"):
        from_day = form.day(f"{before}begins", "say from which day")
    with checking.of(f"{before}reason"):
        reason = form.choice(ChangeReason, f"{before}reason", "choose why")
    with checking.of(f"{before}note"):
        note = own_words(form, f"{before}note")
    checking.end()
    return WeekWanted(schedule=week, from_day=from_day, reason=reason, note=note)


def week_of(form: Form, name: str) -> Schedule:
    """The week that a form says: as it is written out, if that was changed, else as its visits were changed.

    Each visit has its days, its minutes and its carers in fields of its own; one without a day is left out.
    """
    base = form.text(f"{name}-base")
    written = _read_week(form.text(name) or base or form.needed(name, "write the week"), name)
    if not base or written != (before := _read_week(base, name)):
        return written
    checking, found = Checking(), []
    for number, visit in enumerate(before.visits):
        field = f"{name}-{number}"
        days = frozenset(day for day in Weekday if form.text(f"{field}-{day.short}"))
        if not days:
            continue
        with checking.of(f"{field}-minutes"):
            minutes = form.whole(f"{field}-minutes", "write the minutes as a whole number, such as 30", most=1440)
            if not minutes:
                raise BadInput("say how many minutes it lasts", field=f"{field}-minutes")
            carers = form.whole(f"{field}-carers", "choose how many carers come", most=4) or 1
            try:
                found.append(replace(visit, days=days, minutes=minutes, carers=carers))
            except BadInput as bad:
                raise BadInput(str(bad.reason), field=f"{field}-minutes") from None
    checking.end()
    if not found:
        raise BadInput("leave at least one visit: a contract without visits ends, or is handed back", field=name)
    return Schedule.of(found)


def visits_to_change(schedule: Schedule | None, name: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
    """A week's visits for a form in which each is changed: as they are, or as they were sent."""
    was_sent = f"{name}-base" in values
    found = []
    for number, visit in enumerate(schedule.visits if schedule else ()):
        field = f"{name}-{number}"
        found.append(
            {
                "field": field,
                "visit": visit,
                "days": [
                    (day.short, bool(values.get(f"{field}-{day.short}")) if was_sent else day in visit.days)
                    for day in Weekday
                ],
                "minutes": values.get(f"{field}-minutes", "") if was_sent else str(visit.minutes),
                "carers": values.get(f"{field}-carers", "") if was_sent else str(visit.carers),
            }
        )
    return found


def _read_week(text: str, name: str) -> Schedule:
    try:
        return parse_schedule("; ".join(line.strip(" ;") for line in text.splitlines() if line.strip(" ;")))
    except BadInput as bad:
        raise BadInput(str(bad.reason), field=name) from None


def own_words(form: Form, name: str) -> str | None:
    """What was written beside a reason, if anything was."""
    text = form.text(name)
    if text and not 3 <= len(text) <= LONGEST:
        raise BadInput(f"write 3 to {LONGEST:,} characters, or leave it empty", field=name)
    return text or None


def another_start(visit: Visit, form: Form) -> Begin:
    """Another day for the first visit."""

    def begin(session: Session, contract: Contract, _scheme: Scheme) -> None:
        day = form.day("starts_on", "say on which day the first visit will be")
        aftercare.move_start(session, visit.ports, contract_ref=contract.ref, starts_on=day, actor=visit.actor)

    return begin


def failed_start(visit: Visit, form: Form) -> Begin:
    """Care never began."""

    def begin(session: Session, contract: Contract, _scheme: Scheme) -> None:
        reason = form.choice(FailureReason, "failure", "choose why")
        aftercare.fail_to_start(session, visit.ports, contract_ref=contract.ref, reason=reason, actor=visit.actor)

    return begin


def handed_back(visit: Visit, form: Form) -> Begin:
    """The provider gives the contract back."""

    def begin(session: Session, contract: Contract, _scheme: Scheme) -> None:
        checking = Checking()
        with checking.of("hand_back_reason"):
            reason = form.choice(HandBackReason, "hand_back_reason", "choose why")
        with checking.of("last_day"):
            day = form.day("last_day", "say which day is the last")
        checking.end()
        aftercare.hand_back(
            session, visit.ports, contract_ref=contract.ref, reason=reason, last_day=day, actor=visit.actor
        )

    return begin
