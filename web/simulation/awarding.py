"""What follows a stage's answers: approval, offer, acceptance, confirmation, and every way of falling through."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from bidding.asking import offer_card
from bidding.awards.line import approvals_needed
from bidding.awards.records import Source
from bidding.stages import BLOCK_STAGE
from dps.packages.costing import weekly_cost_pence
from dps.packages.schedule import Schedule
from dps.schemes.model import Mode
from matching.allocation.lots import lot
from matching.eligibility import assess
from web.simulation.cases import OPEN_LIST, AskedRound, Bundle, Offer, Phase, Placement
from web.simulation.closing import commitment

if TYPE_CHECKING:
    from web.simulation.course import Course
    from web.simulation.supply import Block


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
        if round_.stage_key == BLOCK_STAGE:
            self._offer_unused_hours(round_)
            return
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

    def _offer_unused_hours(self, round_: AskedRound) -> None:
        """Offer a package to the next holder of a block that has room for it; it costs nothing more."""
        start = round_.case.package.earliest_start
        assert start is not None
        while (block := self.course.block_for(round_.case, round_.tried)) is not None:
            source = Source.BLOCK_HOURS
            if self.propose(round_, block.holder, weekly=0, starts_on=start, source=source, block=block):
                return
        self.course.exhaust(round_)

    def win_bundle(self, bundle: Bundle) -> None:
        """The winner of several packages takes them as a whole, or each goes to its own next in line."""
        offers = tuple(
            self._written(
                round_,
                bundle.provider,
                weekly=bundle.scores[round_.ref].weekly_pence,
                starts_on=bundle.content.starts_on,
                source=Source.ALLOCATION,
                needs_person="exceptional_price" in bundle.scores[round_.ref].flags,
                is_bundled=True,
            )
            for round_ in bundle.rounds
        )
        if not self._approve(offers):
            self._settle_all(offers)

    def _settle_all(self, offers: Sequence[Offer]) -> None:
        for offer in offers:
            self.settle(offer.round)

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
        return self.propose(
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
        return self.propose(round_, provider, weekly=price, starts_on=package.earliest_start, source=source)

    def propose(
        self,
        round_: AskedRound,
        provider: str,
        *,
        weekly: int,
        starts_on: date,
        source: Source,
        needs_person: bool = False,
        approved: int = 0,
        block: "Block | None" = None,
    ) -> bool:
        """Write down who is to have it, and offer it; False where the offer could not go out."""
        if source is Source.FIRST_ACCEPTANCE and not self.is_eligible(round_, provider):
            return False
        offer = self._written(
            round_, provider, weekly=weekly, starts_on=starts_on, source=source, needs_person=needs_person, block=block
        )
        return self._approve((offer,), approved)

    def _written(
        self,
        round_: AskedRound,
        provider: str,
        *,
        weekly: int,
        starts_on: date,
        source: Source,
        needs_person: bool = False,
        block: "Block | None" = None,
        is_bundled: bool = False,
    ) -> Offer:
        self._count += 1
        round_.tried.add(provider)
        offer = Offer(
            f"A{self._count}",
            round_.case,
            round_,
            provider,
            weekly,
            starts_on,
            source,
            already_accepted=source is Source.FIRST_ACCEPTANCE or round_.mode is Mode.ACCEPTANCE_WINDOW,
            needs_person=needs_person,
            block=block,
            is_bundled=is_bundled,
        )
        round_.case.award = offer
        return offer

    def _approve(self, offers: Sequence[Offer], approved: int = 0) -> bool:
        """Offer them together once as many people as the rules ask for have said yes, which takes an hour."""
        people = max(
            approvals_needed(
                self.course.scheme.award,
                weekly_pence=one.weekly_pence,
                needs_person=one.needs_person,
                source=one.source,
            )
            for one in offers
        )
        if people <= approved:
            return self._offer(offers)
        first = offers[0]
        about = (first.case.number, first.provider, len(first.round.tried))
        minutes = self.course.chance.between(10, 60, "approves", *about)
        self.course.agenda.at(self.course.now + timedelta(minutes=minutes), lambda: self._approved(offers))
        return True

    def _approved(self, offers: Sequence[Offer]) -> None:
        if all(one.is_live for one in offers) and not self._offer(offers):
            self._settle_all(offers)

    def _offer(self, offers: Sequence[Offer]) -> bool:
        """Hold the hours and ask; False where the provider can't take one of them any more, and so none."""
        for place, offer in enumerate(offers):
            if not self._holds(offer):
                for held in offers[:place]:
                    self._release(held)
                for one in offers:
                    one.is_live, one.case.award = False, None
                return False
        first = offers[0]
        if first.already_accepted:
            self._accepted(offers)
            return True
        course, case = self.course, first.case
        window = (
            case.stages[first.round.stage_no].window
            if first.source is Source.RANKED_OFFER
            else course.scheme.award.acceptance[case.need.urgency]
        )
        answer_by = window.end(course.now, course.calendar)
        time = course.times_asked(case, first.provider) if first.source is Source.RANKED_OFFER else 0
        who, about = course.supply.providers[first.provider], _about(first)
        mood = course.chance.share("answer", *about)
        if time and not course.willing.takes_published(who, case.package, case.number):
            mood = 0.9
        at = course.now + (answer_by - course.now) * course.chance.between(0.05, 0.9, "answers at", *about)
        if mood < 0.9:
            course.agenda.at(at, lambda: self._accepted(offers))
        else:
            course.agenda.at(at if mood < 0.96 else answer_by, lambda: self._fall_through(offers))
        return True

    def _holds(self, offer: Offer) -> bool:
        course = self.course
        counted = offer.source in (Source.ALLOCATION, Source.FIRST_ACCEPTANCE, Source.BLOCK_HOURS)
        return (counted or self.is_eligible(offer.round, offer.provider)) and course.supply.reserve(
            offer.provider, offer.ref, offer.case.package, offer.starts_on, course.now, block=offer.block
        )

    def _release(self, offer: Offer) -> None:
        self.course.supply.release(offer.provider, offer.ref, offer.case.package, block=offer.block)

    def _accepted(self, offers: Sequence[Offer]) -> None:
        course, about = self.course, _about(offers[0])
        confirm_by = course.scheme.award.confirmation.end(course.now, course.calendar)
        mood = course.chance.share("confirms", *about)
        at = course.now + (confirm_by - course.now) * course.chance.between(0.05, 0.8, "confirms at", *about)
        if mood < 0.93:
            course.agenda.at(at, lambda: self._confirmed(offers))
        else:
            course.agenda.at(at if mood < 0.985 else confirm_by, lambda: self._fall_through(offers))

    def _fall_through(self, offers: Sequence[Offer]) -> None:
        """Declined, unanswered, given back, refused by the person: the next in line of each is asked at once."""
        for offer in offers:
            offer.is_live, offer.case.award = False, None
            self._release(offer)
        for offer in offers:
            if self.course.now >= offer.case.leaves_at:
                self.course.give_up(offer.case)
            else:
                self.settle(offer.round)

    def is_eligible(self, round_: AskedRound, provider: str) -> bool:
        """Everything asked again before an offer that no run has counted."""
        course, case = self.course, round_.case
        need = course.need_of(case, round_.stage_no)
        week = case.package.latest_start or course.today
        (candidate,) = course.supply.candidates([provider], case.package.authority, week, course.now)
        return assess(need, candidate).eligible

    def _confirmed(self, offers: Sequence[Offer]) -> None:
        """Each package has its own contract, and care its own first day."""
        course = self.course
        for offer in offers:
            case = offer.case
            course.supply.commit(offer.provider, case.package, course.now, block=offer.block)
            case.wait_no_more(course.now)
            offer.round.is_over, case.award, case.phase = True, None, Phase.PLACED
            case.placements.append(
                Placement(
                    course.now,
                    OPEN_LIST if offer.source is Source.OPEN_LIST else offer.round.stage_key,
                    offer.source,
                    offer.provider,
                    offer.weekly_pence,
                    offer.starts_on,
                    offer.is_bundled,
                )
            )
            course.caring.begin(offer)


def _about(offer: Offer) -> tuple[int, str, int, int]:
    """What an answer is drawn for; an offer out of a block is none of the stage that it comes before."""
    stage_no = offer.round.stage_no if offer.block is None else -1
    return offer.case.number, offer.provider, offer.case.cycle, stage_no
