"""Which visits of a week are shorter than their lot lets anybody buy.

Source: schemes.md (Worcestershire: 30 minutes is the least visit; checking medicine may take 15); `VisitRules`.
"""

from dataclasses import dataclass

from dps.packages.schedule import Schedule, VisitKind
from dps.schemes.model import Lot


@dataclass(frozen=True, slots=True)
class ShortVisit:
    """One line of the schedule, counted from 1 in its own order, and the least that its task may take."""

    line: int
    task: str
    minutes: int
    least_minutes: int

    def words(self) -> str:
        return (
            f"line {self.line}: {self.minutes} minutes of {self.task.replace('_', ' ')}, "
            f"where the least is {self.least_minutes} minutes"
        )


def check_visits(schedule: Schedule, lot: Lot) -> tuple[ShortVisit, ...]:
    """Every visit shorter than the lot's least, tasks that may be shorter measured by their own; none if all fit.

    Nights and live-in care are no visits of minutes and are not measured.
    """
    rules = lot.visits
    return tuple(
        ShortVisit(line, visit.task, visit.minutes, least)
        for line, visit in enumerate(schedule.visits, 1)
        if visit.kind is VisitKind.VISIT
        and visit.minutes < (least := rules.shorter_tasks.get(visit.task, rules.least_minutes))
    )
