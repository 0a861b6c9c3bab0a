"""The course of a year under one rule set: people arrive, stages are asked, closings close, awards go out, care ends.

Every rule is the house's own: the ladder as the scheme has it, need and eligibility, the end of each window, the
published order, scores, allocation, approvals, the clocks of an award, the restart. Left out is what changes no
figure of a year: sealing, messages, the trail, late bids' receipts. Only sums of money and minutes leave here.
"""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import date, datetime, timedelta

from bidding.asking import asked_of, by_route, need_at
from bidding.inviting import in_order
from bidding.stages import BLOCK_STAGE, ends_at
from bidding.standing import with_unused_hours
from dps.kernel.calendar import LONDON
from dps.kernel.references import Kind
from dps.packages.facts import LinkKind, fundings_of
from dps.packages.identity import age_band
from dps.packages.packages import Package
from dps.schemes.model import Mode, Scheme
from matching import allocation as solver
from matching.eligibility import DirectRoute, Need, assess, assess_all
from web.demo.agenda import Agenda
from web.demo.market import DAYS_TO_START, Market, SyntheticNeed, days_later, weeks_later
from web.simulation.awarding import Awarding
from web.simulation.browsing import Browsing
from web.simulation.bundling import bundles_of
from web.simulation.caring import Caring
from web.simulation.cases import AskedRound, Bundle, Case, Phase, Tally
from web.simulation.chance import Chance
from web.simulation.closing import allocate, score
from web.simulation.ground import SETTLING
from web.simulation.supply import Block, Supply
from web.simulation.willing import Willing

_CLOSES_TOGETHER = (Mode.SEALED_BID, Mode.ACCEPTANCE_WINDOW)
_NOON = timedelta(hours=12)


class Course:
    """One rule set's year. The same market and seed give the same course, and the same people the same minds."""

    def __init__(self, scheme: Scheme, market: Market, *, seed: int, weeks: int) -> None:
        assert scheme.demo is not None
        self.scheme, self.market, self.weeks = scheme, market, weeks
        self.begins = scheme.demo.starts_at
        self.until = weeks_later(self.begins, weeks) + SETTLING
        self.chance = Chance(seed)
        self.calendar = scheme.calendar()
        self.agenda = Agenda(self.begins)
        self.supply = Supply(scheme, market, self.chance, self.begins)
        self.willing = Willing(scheme, self.chance)
        self.tally = Tally()
        self.cases: list[Case] = []
        self.awarding, self.caring, self.browsing = Awarding(self), Caring(self), Browsing(self)
        self._closings: dict[tuple[Mode, datetime, str], list[AskedRound]] = {}

    def play(self, progress: Callable[[datetime, int, int], None]) -> None:
        """Play from the first Monday until two days after the last week."""
        for week in range(self.weeks):
            self.agenda.at(weeks_later(self.begins, week), lambda week=week: self.supply.declare(week))  # type: ignore[misc]
            if self.supply.blocks:
                self.agenda.at(weeks_later(self.begins, week + 1), self._count_blocks)
        for need in self.market.needs:
            self.agenda.at(need.arrives_at, lambda need=need: self._arrive(need))  # type: ignore[misc]
        if self.scheme.unfilled.open_list:
            for day in range((local_day(self.until) - local_day(self.begins)).days):
                self.agenda.at(days_later(self.begins + _NOON, day), self.browsing.browse)
        self.agenda.play(self.until, lambda _: None, progress)

    @property
    def now(self) -> datetime:
        return self.agenda.now

    @property
    def today(self) -> date:
        """The day on the wall: between midnight and one in summer it is another than in UTC."""
        return local_day(self.now)

    # Seeking

    def _arrive(self, need: SyntheticNeed) -> None:
        stages = self.scheme.ladder(need.lot, need.urgency).stages
        leaves_at = self.now + self.willing.patience(need)
        case = Case(need, _package(need, self.scheme), stages, leaves_at)
        case.wait(self.now)
        self.cases.append(case)
        self.agenda.at(leaves_at, lambda: self.give_up(case))
        self.begin_ladder(case)

    def begin_ladder(self, case: Case) -> None:
        """A new cycle from the first stage. Dates that have passed meanwhile are moved, as a broker moves them."""
        today = self.today
        soonest = today + timedelta(days=DAYS_TO_START[case.need.urgency])
        package = case.package
        assert package.earliest_start is not None
        if case.cycle and package.earliest_start < soonest:
            package.earliest_start, package.latest_start = soonest, soonest + timedelta(days=7)
        case.phase = Phase.SEEKING
        case.cycle += 1
        case.asked = set()
        case.blocks_tried = set()
        self.ask_from(case, 0)

    def _offer_block(self, case: Case, stage_no: int) -> None:
        self.tally.rounds[BLOCK_STAGE] = self.tally.rounds.get(BLOCK_STAGE, 0) + 1
        ref = f"{case.package.ref}/{case.cycle}/{stage_no}/block"
        case.round = AskedRound(
            ref, case, stage_no, BLOCK_STAGE, Mode.DIRECT_AWARD, self.now, None, (), tried=case.blocks_tried
        )
        self.awarding.settle(case.round)

    def block_for(self, case: Case, tried: Collection[str]) -> Block | None:
        """The first block with room for the package, of a holder that can serve it and was not tried."""
        for block in self.supply.blocks:
            if block.holder in tried or not block.has_room_for(case.package):
                continue
            need = by_route(self.need_of(case, 0), self.scheme, DirectRoute.BLOCK_HOURS, block.holder)
            week = case.package.latest_start or self.today
            (candidate,) = self.supply.candidates([block.holder], case.package.authority, week, self.now)
            if assess(need, with_unused_hours(candidate, block.weekly_minutes - block.used_minutes)).eligible:
                return block
        return None

    def _count_blocks(self) -> None:
        self.tally.block_minutes_used.append(sum(block.used_minutes for block in self.supply.blocks))

    def ask_from(self, case: Case, first: int, *, after_block: bool = False) -> None:
        """Open stage after stage until one asks somebody; the ladder's end leaves the package unfilled.

        Whoever has unused hours of a block is asked before each stage, but for the one that follows such a round.
        """
        if self.scheme.is_in_term(self.today):
            for stage_no in range(first, len(case.stages)):
                if not after_block and self.block_for(case, case.blocks_tried) is not None:
                    self._offer_block(case, stage_no)
                    return
                if self._open(case, stage_no):
                    return
                after_block = False
        case.phase, case.round = Phase.UNFILLED, None
        if self.now >= case.leaves_at:
            self.give_up(case)
            return
        cycle = case.cycle
        self.agenda.at(self.scheme.unfilled.restart.end(self.now, self.calendar), lambda: self._restart(case, cycle))

    def _restart(self, case: Case, cycle: int) -> None:
        if case.phase is Phase.UNFILLED and case.cycle == cycle:
            self.begin_ladder(case)

    def give_up(self, case: Case) -> None:
        """The person looks elsewhere, unless an award is under way."""
        if case.phase in (Phase.PLACED, Phase.LEFT) or case.award is not None or self.now < case.leaves_at:
            return
        case.phase, case.left_at = Phase.LEFT, self.now
        case.wait_no_more(self.now)
        if case.round is not None:
            case.round.is_over = True

    def need_of(self, case: Case, stage_no: int) -> Need:
        """What this stage asks of a provider now."""
        return need_at(case.package.ref, case.package, self.scheme, case.stages, stage_no, self.now)

    def _open(self, case: Case, stage_no: int) -> bool:
        """Ask one stage; False where nobody is eligible."""
        stage = case.stages[stage_no]
        self.tally.rounds[stage.key] = self.tally.rounds.get(stage.key, 0) + 1
        need = self.need_of(case, stage_no)
        if not stage.keeps_earlier:
            need = replace(need, asked_before=frozenset(case.asked))
        everybody = self.supply.members(need, case.package, self.now)
        eligible = assess_all([need], everybody).eligible_for(need.ref)
        if not eligible:
            self.tally.nobody_eligible[stage.key] = self.tally.nobody_eligible.get(stage.key, 0) + 1
            return False
        ref = f"{case.package.ref}/{case.cycle}/{stage_no}"
        closes_at = ends_at(stage, self.scheme, self.now)
        round_ = AskedRound(
            ref, case, stage_no, stage.key, stage.mode, self.now, closes_at, self._ordered(case, eligible, ref)
        )
        case.round = round_
        if stage.mode in _CLOSES_TOGETHER:
            self._gather(round_, is_published=stage.closing == "published")
        elif stage.mode is Mode.FIRST_ACCEPTANCE:
            self.awarding.race(round_)
        else:
            self.awarding.settle(round_)
        return True

    def _ordered(self, case: Case, eligible: tuple[str, ...], ref: str) -> tuple[str, ...]:
        return tuple(
            in_order(
                case.package,
                self.scheme,
                eligible,
                won=self.supply.won(self.now),
                recognised={},
                seed=f"{self.chance.seed}/{ref}",
                today=self.today,
            )
        )

    def times_asked(self, case: Case, provider: str) -> int:
        """How often this provider has been asked for this package, this time counted; it is one time more now."""
        case.asked.add(provider)
        case.times_asked[provider] = case.times_asked.get(provider, 0) + 1
        return case.times_asked[provider]

    # Closing together

    def _gather(self, round_: AskedRound, *, is_published: bool) -> None:
        """Let each of those invited answer, and close the round with those that share its closing."""
        case, closes_at = round_.case, round_.closes_at
        assert closes_at is not None
        asked = asked_of(case.package, self.scheme, closes_at)
        for ref in round_.invited:
            time = self.times_asked(case, ref)
            one = self.supply.providers[ref]
            content = self.willing.answer(one, case.package, case.number, round_.mode, time, asked)
            if content is not None:
                round_.bids[ref] = content
        key = round_.mode, closes_at, "" if is_published else round_.ref
        if key not in self._closings:
            self._closings[key] = []
            self.agenda.at(closes_at, lambda: self._close(key))
        self._closings[key].append(round_)

    def _close(self, key: tuple[Mode, datetime, str]) -> None:
        rounds = [one for one in self._closings.pop(key) if not one.is_over]
        self.tally.closings += bool(rounds)
        bundles: tuple[Bundle, ...] = ()
        if key[0] is Mode.SEALED_BID:
            bundles = bundles_of(rounds, self.scheme, self.supply, self.willing, self.now)
        score(rounds, self.scheme, self.supply, self.now, bundles=bundles)
        if key[0] is Mode.SEALED_BID:
            self.tally.bids += [len(one.scores) for one in rounds]
            self.tally.bundles += len(bundles)
        contested = [one for one in rounds if one.scores]
        won: dict[str, solver.Award] = {}
        if contested:
            result = allocate(contested, self.scheme, self.supply, key[0], self.now, bundles=bundles)
            self.tally.uncounted += not result.counted
            won = {award.package: award for award in result.awards}
        together = {one.ref: one for one in bundles}
        for one in rounds:
            if one.ref not in won:
                self.exhaust(one)
            elif (bundle := together.get(won[one.ref].bid)) is None:
                self.awarding.win(one, won[one.ref].provider)
            elif bundle.rounds[0] is one:
                self.awarding.win_bundle(bundle)

    def exhaust(self, round_: AskedRound) -> None:
        """A round that found nobody is over; the next stage is asked, or the one that a block's hours came before."""
        round_.is_over = True
        is_block = round_.stage_key == BLOCK_STAGE
        self.ask_from(round_.case, round_.stage_no + (not is_block), after_block=is_block)


def local_day(instant: datetime) -> date:
    """The day that the council's clock on the wall shows."""
    return instant.astimezone(LONDON).date()


def _package(need: SyntheticNeed, scheme: Scheme) -> Package:
    """The package as a broker writes it down; no database ever holds it."""
    today = local_day(need.arrives_at)
    return Package(
        ref=f"{Kind.PACKAGE}-{need.number}",
        authority=need.authority,
        person_id=need.number,
        scheme=scheme.key,
        lot=need.lot,
        urgency=need.urgency,
        locality=need.place.locality,
        sector=need.place.sector,
        funding=fundings_of(scheme.lot(need.lot))[0],
        schedule=need.schedule.to_dict(),
        weekly_minutes=need.schedule.weekly_minutes,
        needs=[],
        flags=sorted(need.flags),
        age_band=age_band(need.born, today),
        budget_pence=need.budget_pence,
        earliest_start=need.earliest_start,
        latest_start=need.latest_start,
        linked_as=LinkKind.ALONE,
        created_at=need.arrives_at,
        changed_at=need.arrives_at,
    )
