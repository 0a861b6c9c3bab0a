"""Care after a confirmed award: it begins and lasts; now and then it does not begin, or is handed back within days."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from dps.kernel.calendar import LONDON
from web.simulation.cases import Case, Given, Offer

if TYPE_CHECKING:
    from web.simulation.course import Course

NEXT_DAY = timedelta(days=1)
_FAILS_TO_START, _HANDS_BACK = 0.03, 0.98


class Caring:
    """The contracts of one course."""

    def __init__(self, course: "Course") -> None:
        self.course = course

    def begin(self, offer: Offer) -> None:
        """The first visit, on the day agreed or tomorrow."""
        begins = max(offer.starts_on, self.course.today + NEXT_DAY)
        morning = datetime(begins.year, begins.month, begins.day, 10, tzinfo=LONDON)
        self.course.agenda.at(morning, lambda: self._first_visit(offer, begins))

    def _first_visit(self, offer: Offer, begins: date) -> None:
        course, case = self.course, offer.case
        time = len(case.placements)
        fate = course.chance.share("first visit", case.number, offer.provider, time)
        if fate < _FAILS_TO_START:
            course.tally.failed_starts += 1
            self._leave(offer)
            self._broker_again(case)
            return
        case.served.append(Given(begins, offer.weekly_pence))
        if fate > _HANDS_BACK:
            days = 1 + course.chance.one_of(3, "hands back", case.number, time)
            course.agenda.at(course.now + timedelta(days=days), lambda: self._handed_back(offer))
            return
        ends = course.now + course.willing.care_lasts(case.need)
        course.agenda.at(ends, lambda: self._care_ends(offer))

    def _handed_back(self, offer: Offer) -> None:
        """Seven days' notice; care of somebody else is to begin the day after."""
        case = offer.case
        self.course.tally.handed_back += 1
        last_day = self.course.today + timedelta(days=7)
        case.served[-1].last_day = last_day
        self._leave(offer)
        case.package.earliest_start = last_day + NEXT_DAY
        case.package.latest_start = last_day + timedelta(days=8)
        self._broker_again(case)

    def _care_ends(self, offer: Offer) -> None:
        offer.case.served[-1].last_day = self.course.today
        self._leave(offer)

    def _leave(self, offer: Offer) -> None:
        self.course.supply.end(offer.provider, offer.case.package, block=offer.block)

    def _broker_again(self, case: Case) -> None:
        course = self.course
        case.leaves_at = course.now + course.willing.patience(case.need)
        course.agenda.at(case.leaves_at, lambda: course.give_up(case))
        case.wait(course.now)
        course.begin_ladder(case)
