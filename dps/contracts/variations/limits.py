"""What a scheme allows of each variation: pure rules, each answering with every reason against, or with none.

Source: schemes.md's papers; each figure is the scheme's own.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dps.contracts.reasons import HandBackReason
from dps.packages.schedule import Schedule
from dps.packages.visit_rules import check_visits
from dps.schemes.contracting import Flex, HandBack, Increase, Reduction, Review, Uplift
from dps.schemes.model import Lot
from dps.schemes.wording import as_percent, count

HOUR_MINUTES = 60
ROLLING_DAYS = 7


@dataclass(frozen=True, slots=True)
class FlexDays:
    """Extra support for one person under one contract, from `from_day` to `last_day`, both included.

    `minutes_a_day` are carer-minutes.
    """

    from_day: date
    last_day: date
    pence_a_day: int
    minutes_a_day: int


@dataclass(frozen=True, slots=True)
class FlexAsked:
    """What a provider decides: so many more carer-minutes a day, for whom, begun by whom.

    `circumstances` are those of the person that the scheme names as exclusions, `carers` the most that come at once.
    """

    days: FlexDays
    group: str
    circumstances: frozenset[str]
    begun_by: str
    council_funds: bool
    carers: int = 1


def against_flex(rule: Flex, asked: FlexAsked, earlier: Sequence[FlexDays], *, today: date) -> Iterator[str]:
    """Why this flex is not the provider's to decide; `earlier` are the contract's other flexes in force."""
    if not 0 < busiest_day_minutes(asked.days, earlier) <= rule.most_hours_a_day * HOUR_MINUTES * asked.carers:
        yield f"At most {_hours(rule, asked.carers)} a day can be flexed, with what is flexed on the same days already."
    if _run_of(asked.days, earlier) > rule.most_days:
        yield f"At most {count(rule.most_days, 'day')} can be flexed one after another."
    if asked.days.from_day < today - timedelta(days=rule.backdated_days):
        yield f"The council is told within {count(rule.backdated_days, 'day')} of its beginning: begin it from then on."
    if asked.group not in rule.groups:
        yield f"Only these groups are flexed for: {_words(rule.groups)}."
    if asked.begun_by not in rule.begun_by:
        yield f"A flex is begun by one of these: {_words(rule.begun_by)}."
    if not asked.council_funds:
        yield "Only packages that the council manages and funds are flexed."
    for exclusion in rule.exclusions:
        if exclusion.circumstance in asked.circumstances and exclusion.excludes_on(asked.days.from_day):
            yield f"Nothing is flexed in the case of {exclusion.circumstance.replace('_', ' ')}."


def needs_signature(rule: Flex, asked: FlexDays, others: Sequence[FlexDays]) -> bool:
    """Whether this flex takes the person above the limit in any seven days; `others` are all that person's flexes."""
    return worst_week_pence([asked, *others]) > rule.weekly_limit_pence


def busiest_day_minutes(asked: FlexDays, earlier: Sequence[FlexDays]) -> int:
    """The most carer-minutes that are flexed on one of the asked days; 0 where nothing is asked."""
    days = {flex.from_day for flex in earlier if asked.from_day <= flex.from_day <= asked.last_day} | {asked.from_day}
    beside = max(sum(flex.minutes_a_day for flex in earlier if flex.from_day <= day <= flex.last_day) for day in days)
    return asked.minutes_a_day and asked.minutes_a_day + beside


def worst_week_pence(flexes: Sequence[FlexDays]) -> int:
    """The most that these flexes cost in any seven days in a row."""
    starts = {flex.from_day for flex in flexes} | {flex.last_day - timedelta(ROLLING_DAYS - 1) for flex in flexes}
    return max((sum(_cost_in(flex, start) for flex in flexes) for start in starts), default=0)


def against_reduction(
    rule: Reduction, *, holds: Collection[str], first_minutes: int, wanted_minutes: int, now_minutes: int
) -> Iterator[str]:
    """Why a provider may not reduce a package to these weekly carer-minutes; `holds` are its documents good today."""
    if rule.document not in holds:
        yield f"Only a provider with the document {rule.document.replace('_', ' ')} may reduce a package."
    if wanted_minutes >= now_minutes:
        yield "This reduces nothing."
    if (first_minutes - wanted_minutes) * 100 > first_minutes * rule.most_percent:
        yield f"A package is reduced by {rule.most_percent}% of the first agreement at most."


def against_increase(rule: Increase, *, first_minutes: int, wanted_minutes: int, now_minutes: int) -> Iterator[str]:
    """Why a package may not grow to these weekly carer-minutes without a competition."""
    if wanted_minutes <= now_minutes:
        yield "This increases nothing."
    if (wanted_minutes - first_minutes) * 100 > first_minutes * rule.most_percent:
        yield (
            f"A package grows by {rule.most_percent}% of the first agreement at most without a competition: "
            "publish what is needed beyond it."
        )


def against_short_visits(lot: Lot, before: Schedule | None, wanted: Schedule) -> Iterator[str]:
    """Why a week may not become this one: a visit is below the lot's least, and was not agreed as short before."""
    agreed = {(visit.task, visit.minutes) for visit in before.visits} if before else set()
    for short in check_visits(wanted, lot):
        if (short.task, short.minutes) not in agreed:
            yield (
                f"{short.minutes} minutes of {short.task.replace('_', ' ')} are too short: "
                f"the least is {short.least_minutes} minutes."
            )


def against_uplift(rule: Uplift, *, basis_points: int, already: int = 0) -> Iterator[str]:
    """Why a lot's prices may not rise by so many hundredths of a percent at one date, where they rise `already`."""
    if already and already + basis_points > rule.most_basis_points:
        yield (
            f"Prices rise by {as_percent(already)} on this day already, "
            f"and by {as_percent(rule.most_basis_points)} at most at one date."
        )
    elif not 0 < basis_points <= rule.most_basis_points:
        yield f"Prices rise by {as_percent(rule.most_basis_points)} at most at one date."


def against_proposal(rule: Review, *, started_on: date, today: date) -> Iterator[str]:
    """Why a provider may not propose a change yet."""
    opens = started_on + timedelta(weeks=rule.earliest_weeks)
    if today < opens:
        yield f"A change may be proposed {rule.earliest_weeks} weeks after the first visit, from {opens:%-d %B %Y} on."


def review_due_on(rule: Review, *, started_on: date) -> date:
    """The day by which the council reviews the package."""
    return started_on + timedelta(weeks=rule.due_weeks)


def earliest_last_day(rule: HandBack, *, reason: HandBackReason, told_on: date) -> date:
    """The first day that a provider who hands back may name as its last."""
    return told_on if reason in rule.without_notice else told_on + timedelta(days=rule.notice_days)


def _run_of(asked: FlexDays, earlier: Sequence[FlexDays]) -> int:
    """How many days in a row are flexed with this one: flexes that touch or overlap are one run."""
    first, last = asked.from_day, asked.last_day
    ordered = sorted(earlier, key=lambda flex: flex.from_day)
    # Backwards first, then forwards, so that each link of a chain is met after the one before it.
    for flex in (*reversed(ordered), *ordered):
        if flex.from_day <= last + timedelta(days=1) and flex.last_day >= first - timedelta(days=1):
            first, last = min(first, flex.from_day), max(last, flex.last_day)
    return (last - first).days + 1


def _cost_in(flex: FlexDays, start: date) -> int:
    """What a flex costs in the seven days from `start` on."""
    first, last = max(flex.from_day, start), min(flex.last_day, start + timedelta(days=ROLLING_DAYS - 1))
    return max((last - first).days + 1, 0) * flex.pence_a_day


def _hours(rule: Flex, carers: int) -> str:
    return f"{rule.most_hours_a_day} hours" + (f" of each of {carers} carers" if carers > 1 else "")


def _words(keys: Sequence[str]) -> str:
    return ", ".join(key.replace("_", " ") for key in keys)
