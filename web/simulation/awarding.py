"""What follows a stage's answers: approval, offer, acceptance, confirmation, care, and every way of falling through."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from bidding.asking import asked_of, offer_card
from bidding.awards.line import approvals_needed
from bidding.awards.records import Source
from bidding.bids.content import is_outside, problems, weekly_pence
from dps.kernel.calendar import LONDON
from dps.packages.costing import weekly_cost_pence
from dps.packages.schedule import Schedule
from dps.schemes.model import Mode
from matching.allocation.lots import lot
from matching.eligibility import assess
from web.simulation.cases import OPEN_LIST, AskedRound, Case, Offer, Phase, Placement
from web.simulation.closing import commitment

if TYPE_CHECKING:
    from web.simulation.course import Course

_NEXT_DAY = timedelta(days=1)
_FAILS_TO_START, _HANDS_BACK = 0.03, 0.98


class Awarding:
    """The awards of one course."""

    def __init__(self, course: "Course") -> None:
        self.course = course
        self._count = 0

    # Who is next

    def win(self, round_: AskedRound, provider: str) -> None:
        """The winner of a run; where it can't take the package any more, the next in line."""
        if not self._propose_bid(round_, provider, Source.ALLOCATION):
            self.settle(round_)

    def settle(self, round_: AskedRound) -> None:
        """Offer the package to the next in line; where nobody is, the round is over and the next stage asked."""
        while (provider := self._next(round_)) is not None:
            if round_.mode is Mode.RANKED_OFFER:
                offered = self._propose_published(round_, provider, Source.RANKED_OFFER)
            else:
                offered = self._propose_bid(round_, provider, Source.RESERVE)
            if offered:
                return
        self.course.exhaust(round_)

    def _next(self, round_: AskedRound) -> str | None:
        if round_.mode is Mode.RANKED_OFFER:
            return next((ref for ref in round_.invited if ref not in round_.tried), None)
        if round_.closes_at is None or not round_.scores:
            return None
        if self.course.now >= self.course.scheme.award.bid_valid.end(round_.closes_at, self.course.calendar):
            return None
        standing = [(score, ref) for ref, score in round_.scores.items() if ref not in round_.tried]
        in_line = sorted(
            standing,
            key=lambda pair: (
                pair[0].rank or 0, pair[0].ties, lot(round_.lot_seed, "bid", commitment(round_, pair[1]))
            ),
        )  # fmt: skip
        return in_line[0][1] if in_line else None

    def race(self, round_: AskedRound) -> None:
        """The first who accepts has it; whoever of those invited would, says so at some moment of the window."""
        case, closes_at = round_.case, round_.closes_at
        assert closes_at is not None
        for ref in round_.invited:
            time = self.course.times_asked(case, ref)
            one = self.course.supply.providers[ref]
            likes = self.course.willing.likes(one, case.package, case.number, time)
            if likes and self.course.willing.takes_published(one, case.package, case.number):
                at = self.course.willing.moment(round_.opened_at, closes_at, case.number, one.number, time)
                self.course.agenda.at(at, lambda ref=ref: self._accept_first(round_, ref))  # type: ignore[misc]
        self.course.agenda.at(closes_at, lambda: self._nobody_came(round_))

    def _accept_first(self, round_: AskedRound, provider: str) -> None:
        if not round_.is_over and round_.case.award is None and not round_.tried:
            self._propose_published(round_, provider, Source.FIRST_ACCEPTANCE)

    def _nobody_came(self, round_: AskedRound) -> None:
        if not round_.is_over and not round_.tried:
            self.course.exhaust(round_)

    # Proposing and offering

    def _propose_bid(self, round_: AskedRound, provider: str, source: Source) -> bool:
        score = round_.scores[provider]
        return self._propose(
            round_,
            provider,
            weekly=score.weekly_pence,
            starts_on=round_.bids[provider].starts_on,
            source=source,
            needs_person="exceptional_price" in score.flags,
        )

    def _propose_published(self, round_: AskedRound, provider: str, source: Source) -> bool:
        package = round_.case.package
        assert package.earliest_start is not None
        price = weekly_cost_pence(offer_card(self.course.scheme, package.lot), Schedule.from_dict(package.schedule))
        return self._propose(round_, provider, weekly=price, starts_on=package.earliest_start, source=source)

    def _propose(
        self,
        round_: AskedRound,
        provider: str,
        *,
        weekly: int,
        starts_on: date,
        source: Source,
        needs_person: bool = False,
        approved: int = 0,
    ) -> bool:
        """Write down who is to have it; False where the offer could not go out. People take an hour to approve."""
        if source is not Source.FIRST_ACCEPTANCE or self._is_eligible(round_, provider):
            round_.tried.add(provider)
        else:
            return False
        case = round_.case
        self._count += 1
        accepted = source is Source.FIRST_ACCEPTANCE or round_.mode is Mode.ACCEPTANCE_WINDOW
        offer = Offer(f"A{self._count}", case, round_, provider, weekly, starts_on, source, accepted, needs_person)
        people = approvals_needed(
            self.course.scheme.award, weekly_pence=weekly, needs_person=needs_person, source=source
        )
        case.award = offer
        if people <= approved:
            return self._offer(offer)
        minutes = self.course.chance.between(10, 60, "approves", case.number, provider, len(round_.tried))
        self.course.agenda.at(self.course.now + timedelta(minutes=minutes), lambda: self._approved(offer))
        return True

    def _approved(self, offer: Offer) -> None:
        if offer.is_live and not self._offer(offer):
            self.settle(offer.round)

    def _offer(self, offer: Offer) -> bool:
        """Hold the hours and ask; False where the provider can't take it any more."""
        course, case = self.course, offer.case
        counted = offer.source in (Source.ALLOCATION, Source.FIRST_ACCEPTANCE)
        if not (counted or self._is_eligible(offer.round, offer.provider)) or not course.supply.reserve(
            offer.provider, offer.ref, case.package, offer.starts_on, course.now
        ):
            offer.is_live, case.award = False, None
            return False
        offer.is_held = True
        if offer.already_accepted:
            self._accepted(offer)
            return True
        window = (
            case.stages[offer.round.stage_no].window
            if offer.source is Source.RANKED_OFFER
            else course.scheme.award.acceptance[case.need.urgency]
        )
        answer_by = window.end(course.now, course.calendar)
        time = course.times_asked(case, offer.provider) if offer.source is Source.RANKED_OFFER else 0
        self._answer(offer, answer_by, time)
        return True

    def _answer(self, offer: Offer, answer_by: datetime, time: int) -> None:
        course, case = self.course, offer.case
        one = course.supply.providers[offer.provider]
        drawn = case.number, offer.provider, case.cycle, offer.round.stage_no
        mood = course.chance.share("answer", *drawn)
        if time and not course.willing.takes_published(one, case.package, case.number):
            mood = 0.9
        at = course.now + (answer_by - course.now) * course.chance.between(0.05, 0.9, "answers at", *drawn)
        if mood < 0.9:
            course.agenda.at(at, lambda: self._accepted(offer))
        else:
            course.agenda.at(at if mood < 0.96 else answer_by, lambda: self._fall_through(offer))

    def _accepted(self, offer: Offer) -> None:
        course, case = self.course, offer.case
        confirm_by = course.scheme.award.confirmation.end(course.now, course.calendar)
        drawn = case.number, offer.provider, case.cycle, offer.round.stage_no
        mood = course.chance.share("confirms", *drawn)
        at = course.now + (confirm_by - course.now) * course.chance.between(0.05, 0.8, "confirms at", *drawn)
        if mood < 0.93:
            course.agenda.at(at, lambda: self._confirmed(offer))
        else:
            course.agenda.at(at if mood < 0.985 else confirm_by, lambda: self._fall_through(offer))

    def _fall_through(self, offer: Offer) -> None:
        """Declined, unanswered, given back, refused by the person: the next in line is asked at once."""
        offer.is_live, offer.case.award = False, None
        if offer.is_held:
            self.course.supply.release(offer.provider, offer.ref, offer.case.package)
        if self.course.now >= offer.case.leaves_at:
            self.course.give_up(offer.case)
        else:
            self.settle(offer.round)

    def _is_eligible(self, round_: AskedRound, provider: str) -> bool:
        """Everything asked again before an offer that no run has counted."""
        course, case = self.course, round_.case
        need = course.need_of(case, round_.stage_no)
        week = case.package.latest_start or course.today
        (candidate,) = course.supply.candidates([provider], case.package.authority, week, course.now)
        return assess(need, candidate).eligible

    # Care

    def _confirmed(self, offer: Offer) -> None:
        course, case = self.course, offer.case
        course.supply.commit(offer.provider, case.package, course.now)
        case.wait_no_more(course.now)
        offer.round.is_over, case.award, case.phase = True, None, Phase.PLACED
        stage = OPEN_LIST if offer.source is Source.OPEN_LIST else offer.round.stage_key
        case.placements.append(
            Placement(course.now, stage, offer.source, offer.provider, offer.weekly_pence, offer.starts_on)
        )
        today = course.today
        begins = max(offer.starts_on, today + _NEXT_DAY)
        morning = datetime(begins.year, begins.month, begins.day, 10, tzinfo=LONDON)
        course.agenda.at(morning, lambda: self._first_visit(offer, begins))

    def _first_visit(self, offer: Offer, begins: date) -> None:
        """Care begins and lasts; now and then it does not begin, or the provider hands it back within days."""
        course, case = self.course, offer.case
        time = len(case.placements)
        fate = course.chance.share("first visit", case.number, offer.provider, time)
        if fate < _FAILS_TO_START:
            course.tally.failed_starts += 1
            course.supply.end(offer.provider, case.package)
            self._broker_again(case)
            return
        case.served.append((begins, None))
        if fate > _HANDS_BACK:
            days = 1 + course.chance.one_of(3, "hands back", case.number, time)
            course.agenda.at(course.now + timedelta(days=days), lambda: self._handed_back(offer))
            return
        ends = course.now + course.willing.care_lasts(case.need)
        course.agenda.at(ends, lambda: self._care_ends(offer))

    def _handed_back(self, offer: Offer) -> None:
        """Seven days' notice; care of somebody else is to begin the day after."""
        course, case = self.course, offer.case
        course.tally.handed_back += 1
        last_day = course.today + timedelta(days=7)
        case.served[-1] = case.served[-1][0], last_day
        course.supply.end(offer.provider, case.package)
        case.package.earliest_start = last_day + _NEXT_DAY
        case.package.latest_start = last_day + timedelta(days=8)
        self._broker_again(case)

    def _care_ends(self, offer: Offer) -> None:
        case = offer.case
        case.served[-1] = case.served[-1][0], self.course.today
        self.course.supply.end(offer.provider, case.package)

    def _broker_again(self, case: Case) -> None:
        course = self.course
        case.leaves_at = course.now + course.willing.patience(case.need)
        course.agenda.at(case.leaves_at, lambda: course.give_up(case))
        case.wait(course.now)
        course.begin_ladder(case)

    # The open list

    def browse(self) -> None:
        """Once a day some of those who work near look at what nobody took, and one may offer."""
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
            content = course.willing.content(one, package, case.number, Mode.SEALED_BID, asked.envelope)
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
            if content is None or problems(content, asked) or not self._is_eligible(round_, provider):
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
        if not self._propose(
            round_,
            provider,
            weekly=weekly,
            starts_on=starts_on,
            source=Source.OPEN_LIST,
            needs_person=needs_person,
            approved=1,
        ):
            case.phase = Phase.UNFILLED
