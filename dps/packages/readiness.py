"""What a package still lacks before it may be published, and before an award of it may be confirmed.

Discharge and crisis publish on a pen picture and a provisional week, because the person waits in a bed or at home;
everything else is then due before confirmation. Standard and urgent packages publish complete but for what only the
winner needs. Nothing is opened for it: which texts and which parts of the identity are known stands in clear.
Source: design.md §4, *Ready*.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dps.packages.facts import FundingStream
from dps.packages.identity import AgeBand
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.packages.schedule import Schedule
from dps.packages.visit_rules import check_visits
from dps.schemes.model import Lot, Urgency


class Gap(StrEnum):
    """One thing that is missing, by name."""

    SCHEDULE = "schedule"
    FIRM_SCHEDULE = "firm_schedule"
    VISITS_LONG_ENOUGH = "visits_long_enough"
    LATEST_START = "latest_start"
    START_TO_COME = "start_to_come"
    EARLIEST_START = "earliest_start"
    PEN_PICTURE = "pen_picture"
    CONFIRMED_TEXT = "confirmed_text"
    NEEDS = "needs"
    FLAGS = "flags"
    AGE_BAND = "age_band"
    FUNDING = "funding"
    LEGAL_BASIS = "legal_basis"
    OUTCOMES = "outcomes"
    BUDGET = "budget"
    BUDGET_WEEKS = "budget_weeks"
    ADDRESS = "address"
    DATE_OF_BIRTH = "date_of_birth"
    PHONE_OR_CONTACT = "phone_or_contact"


WORDS = {
    Gap.SCHEDULE: "the visits of a week",
    Gap.FIRM_SCHEDULE: "a week that is no longer provisional",
    Gap.VISITS_LONG_ENOUGH: "visits as long as the lot asks",
    Gap.LATEST_START: "the latest day on which care must start",
    Gap.START_TO_COME: "a latest day for the start that is still to come",
    Gap.EARLIEST_START: "the earliest day on which care can start",
    Gap.PEN_PICTURE: "a few words about the person and the care",
    Gap.CONFIRMED_TEXT: "a broker's word that the text names nobody",
    Gap.NEEDS: "which skills are needed, if any",
    Gap.FLAGS: "what a carer must know, if anything",
    Gap.AGE_BAND: "the age band",
    Gap.FUNDING: "who pays",
    Gap.LEGAL_BASIS: "under which regulations a jointly funded package is bought",
    Gap.OUTCOMES: "the outcomes to reach",
    Gap.BUDGET: "the budget",
    Gap.BUDGET_WEEKS: "for how many weeks the budget lasts",
    Gap.ADDRESS: "the person's address",
    Gap.DATE_OF_BIRTH: "the date of birth",
    Gap.PHONE_OR_CONTACT: "a telephone number or somebody to call",
}

ON_A_PEN_PICTURE = frozenset({Urgency.DISCHARGE, Urgency.CRISIS})
"""Urgencies that publish before the assessment is complete."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The gaps that bar publication, and all that bar confirmation; of the first only a start that is over does not."""

    for_publication: tuple[Gap, ...]
    for_confirmation: tuple[Gap, ...]

    @property
    def may_publish(self) -> bool:
        return not self.for_publication

    @property
    def may_confirm(self) -> bool:
        return not self.for_confirmation


class _Due(StrEnum):
    """When a thing is due: for every publication, for a complete one or one on a pen picture, for confirmation."""

    ALWAYS = "always"
    COMPLETE = "complete"
    PEN_PICTURE = "pen_picture"
    CONFIRMATION = "confirmation"


_Lacks = Callable[[Package, Person, Lot], bool]

_REQUIREMENTS: tuple[tuple[Gap, _Due, _Lacks], ...] = (
    (Gap.SCHEDULE, _Due.ALWAYS, lambda package, person, lot: package.schedule is None),
    (Gap.VISITS_LONG_ENOUGH, _Due.ALWAYS, lambda package, person, lot: _has_short_visits(package, lot)),
    (Gap.FIRM_SCHEDULE, _Due.COMPLETE, lambda package, person, lot: package.schedule_is_provisional),
    (Gap.LATEST_START, _Due.ALWAYS, lambda package, person, lot: package.latest_start is None),
    (Gap.EARLIEST_START, _Due.COMPLETE, lambda package, person, lot: package.earliest_start is None),
    (Gap.PEN_PICTURE, _Due.PEN_PICTURE, lambda package, person, lot: "pen_picture" not in package.free_text_given),
    (Gap.CONFIRMED_TEXT, _Due.ALWAYS, lambda package, person, lot: _awaits_confirmation(package, lot)),
    (Gap.NEEDS, _Due.COMPLETE, lambda package, person, lot: package.needs is None),
    (Gap.FLAGS, _Due.COMPLETE, lambda package, person, lot: package.flags is None),
    (Gap.AGE_BAND, _Due.COMPLETE, lambda package, person, lot: package.age_band is AgeBand.UNKNOWN),
    (Gap.FUNDING, _Due.COMPLETE, lambda package, person, lot: package.funding is FundingStream.UNDECIDED),
    (Gap.LEGAL_BASIS, _Due.ALWAYS, lambda package, person, lot: _awaits_basis(package)),
    (Gap.OUTCOMES, _Due.COMPLETE, lambda package, person, lot: lot.sets_budget and not _has_outcomes(package)),
    (Gap.BUDGET, _Due.COMPLETE, lambda package, person, lot: lot.sets_budget and package.budget_pence is None),
    (Gap.BUDGET_WEEKS, _Due.COMPLETE, lambda package, person, lot: lot.sets_budget and package.budget_weeks is None),
    (Gap.ADDRESS, _Due.CONFIRMATION, lambda package, person, lot: "address" not in person.identity_given),
    (Gap.DATE_OF_BIRTH, _Due.CONFIRMATION, lambda package, person, lot: "date_of_birth" not in person.identity_given),
    (
        Gap.PHONE_OR_CONTACT,
        _Due.CONFIRMATION,
        lambda package, person, lot: not {"phone", "contact"} & set(person.identity_given),
    ),
)


def missing(package: Package, person: Person, lot: Lot, today: date) -> Readiness:
    """What this package lacks today, in a fixed order, by the rules of its own urgency; `lot` is the package's."""
    early = package.urgency in ON_A_PEN_PICTURE
    due_at_publication = {_Due.ALWAYS, _Due.PEN_PICTURE if early else _Due.COMPLETE}
    asked_ever = {_Due.ALWAYS, _Due.COMPLETE, _Due.CONFIRMATION} | ({_Due.PEN_PICTURE} if early else set())
    lacking = [(gap, due) for gap, due, lacks in _REQUIREMENTS if due in asked_ever and lacks(package, person, lot)]
    # At publication alone: an award may well be confirmed after the day by which care was to begin.
    over = (Gap.START_TO_COME,) if is_start_over(package, today) else ()
    return Readiness(
        for_publication=(*(gap for gap, due in lacking if due in due_at_publication), *over),
        for_confirmation=tuple(gap for gap, due in lacking),
    )


def is_start_over(package: Package, today: date) -> bool:
    """Whether the latest day for a start has passed: nobody can offer to begin by then any more."""
    return package.latest_start is not None and package.latest_start < today


def _has_outcomes(package: Package) -> bool:
    return "outcomes" in package.free_text_given


def _awaits_confirmation(package: Package, lot: Lot) -> bool:
    """Whether words that have to be published are held back: a pen picture on which it is published, or outcomes."""
    to_publish = (package.urgency in ON_A_PEN_PICTURE and bool(package.free_text_given)) or (
        lot.sets_budget and _has_outcomes(package)
    )
    return to_publish and package.free_text_confirmed_by is None


def _has_short_visits(package: Package, lot: Lot) -> bool:
    return package.schedule is not None and bool(check_visits(Schedule.from_dict(package.schedule), lot))


def _awaits_basis(package: Package) -> bool:
    return package.funding is FundingStream.JOINT and package.legal_basis is None
