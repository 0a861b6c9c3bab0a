"""The open list: once a day some of those who work near look at what nobody took, and one may offer."""

from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING

from bidding.asking import asked_of
from bidding.awards.records import Source
from bidding.bids.content import is_outside, problems, weekly_pence
from dps.schemes.model import Mode
from web.simulation.cases import OPEN_LIST, AskedRound, Case, Phase

if TYPE_CHECKING:
    from web.simulation.course import Course


class Browsing:
    """The offers on the open list of one course."""

    def __init__(self, course: "Course") -> None:
        self.course = course

    def browse(self) -> None:
        """Look at every unfilled package, each as likely as not."""
        course = self.course
        day = course.today.toordinal()
        for case in course.cases:
            if case.phase is Phase.UNFILLED and course.chance.share("browses", case.number, day) < 0.5:
                self._offered_openly(case, day)

    def _offered_openly(self, case: Case, day: int) -> None:
        course, package = self.course, case.package
        near = course.supply.near[package.locality]
        asked = asked_of(package, course.scheme, course.now)
        for turn in range(min(3, len(near))):
            provider = near[course.chance.one_of(len(near), "looks", case.number, day, turn)]
            one = course.supply.providers[provider]
            content = course.willing.content(one, package, case.number, Mode.SEALED_BID, asked)
            stage_no = len(case.stages) - 1
            round_ = AskedRound(
                f"{package.ref}/{case.cycle}/open/{day}",
                case,
                stage_no,
                OPEN_LIST,
                Mode.DIRECT_AWARD,
                course.now,
                None,
                (),
            )
            if content is None or problems(content, asked) or not course.awarding.is_eligible(round_, provider):
                continue
            at = course.now + timedelta(minutes=course.chance.between(30, 180, "takes", case.number, day))
            weekly = weekly_pence(content, asked.schedule)
            needs_person = is_outside(content.card, asked.schedule, asked.envelope)
            course.agenda.at(at, partial(self._take, round_, provider, weekly, content.starts_on, needs_person))
            return

    def _take(self, round_: AskedRound, provider: str, weekly: int, starts_on: date, needs_person: bool) -> None:
        """The broker takes an open offer, which is one approval."""
        case = round_.case
        if case.phase is not Phase.UNFILLED or case.award is not None:
            return
        case.phase, case.round = Phase.SEEKING, round_
        if not self.course.awarding.propose(
            round_,
            provider,
            weekly=weekly,
            starts_on=starts_on,
            source=Source.OPEN_LIST,
            needs_person=needs_person,
            approved=1,
        ):
            case.phase = Phase.UNFILLED
