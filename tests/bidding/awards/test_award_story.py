"""An award through any history: hours never oversold, one award in force, a contract exactly when it is confirmed."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import select

from bidding import aftercare
from bidding.awards import moving
from bidding.awards.records import Award, AwardState, Source
from bidding.bids.records import Bid, BidState
from bidding.referrals import Referral, ReferralState
from bidding.rounds import Round, RoundState
from dps.contracts.contracts import IN_FORCE, Contract
from dps.contracts.reasons import FailureReason, HandBackReason
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NeedsSecondPerson, NoSuchStep, NotEligible, NotFound, TooLate
from dps.register import capacity
from dps.register.capacity import Ledger
from dps.register.holds import Hold
from dps.register.providers import Provider
from tests.bidding.awards.stories import AUTOMATIC, ONE_PERSON, TWO_PEOPLE
from tests.bidding.histories import Worlds, few_of_many, off_the_tables
from tests.support.world import World

HOURS = {AUTOMATIC: 5, ONE_PERSON: 40, TWO_PEOPLE: 120}
"""Weekly hours that each provider has free: enough for one of the two packages, not for both."""

WEEK = 210
"""Carer-minutes of the package that nobody need approve."""

PENCE = (1600, 1650, 1700)
WORDS = "Synthetic: said on the telephone."
NUMBERS = st.integers(0, 5)
WAITS = (timedelta(hours=2), timedelta(days=1), timedelta(days=3))
SEEN: tuple[type[Any], ...] = (Award, Contract, Hold, Ledger, Provider, Referral, Round)
Seen = dict[type[Any], Sequence[Any]]


def closed(world: World, visits: str) -> tuple[list[Actor], list[str]]:
    """Two packages after their closing: each of three providers bid for both, and has hours for one of them."""
    providers = [world.provider(f"Synthetic {name}", hours=HOURS[visits]) for name in ("Oak", "Elm", "Ash")]
    referrals = [world.referral(visits=visits) for _ in range(2)]
    for referral in referrals:
        for provider, pence in zip(providers, PENCE, strict=True):
            world.bid(provider, referral, pence=pence)
    world.close(referrals[0])
    return providers, referrals


class AwardStory(RuleBasedStateMachine):
    """Two packages and three providers, from the closing through every way in which an award comes to something."""

    worlds: Worlds
    world: World | None = None

    @initialize(visits=st.sampled_from([AUTOMATIC, AUTOMATIC, ONE_PERSON, TWO_PEOPLE]))
    def close(self, visits: str) -> None:
        self.world, (self.providers, self.referrals) = self.worlds.begin(closed, visits)
        self.declared = HOURS[visits] * 60
        office = [Actor(ref=f"approver-{n}", role=Role.APPROVER, authority=self.w.authority) for n in range(2)]
        self.people = [self.w.broker, *office]

    @property
    def w(self) -> World:
        assert self.world is not None
        return self.world

    # The council's people

    @precondition(lambda self: self._in(AwardState.PROPOSED))
    @rule(number=NUMBERS, person=NUMBERS)
    def approve(self, number: int, person: int) -> None:
        award, actor = self._one(number, AwardState.PROPOSED), self._person(person)

        if actor.ref in award.approved_by:
            with pytest.raises(NeedsSecondPerson):
                self.w.run(moving.approve, award_ref=award.ref, actor=actor)
        else:
            self.w.run(moving.approve, award_ref=award.ref, actor=actor)

    @precondition(lambda self: self._live())
    @rule(number=NUMBERS, person=NUMBERS, provider=st.none() | st.integers(0, 2))
    def overturn(self, number: int, person: int, provider: int | None) -> None:
        """One person asks, another asks for the same: the next in line is offered it, or the bid they both named."""
        award, actor = self._one(number), self._person(person)
        instead = None if provider is None else self._standing_bid(award, self.providers[provider])
        ask = {"award_ref": award.ref, "reason": WORDS, "instead": instead, "actor": actor}
        asked = [one["by"] for one in award.approvals if "overturn" in one and one["instead"] == instead]

        if self._ends_by(award, "overturn", ask):
            return
        if actor.ref in asked:
            with pytest.raises(NeedsSecondPerson):
                self.w.run(moving.overturn, **ask)
        elif instead == UNKNOWN:
            with pytest.raises(NotFound):
                self.w.run(moving.overturn, **ask)
        elif not asked:
            assert self.w.run(moving.overturn, **ask) is False
            assert self._again(award).state is award.state
        elif instead is None:
            self._falls(award, "overturned", moving.overturn, ask)
        else:
            self._overridden(award, provider or 0, ask)

    def _overridden(self, award: Award, provider: int, ask: dict[str, Any]) -> None:
        """What two people chose is offered at once, unless its bidder has no room: then nothing has happened."""
        if self._free(self.providers[provider]) < award.weekly_minutes:
            with pytest.raises(NotEligible):
                self.w.run(moving.overturn, **ask)
            assert self._again(award).state is award.state
            return
        self.w.run(moving.overturn, **ask)
        latest = self._latest(award)
        assert (self._again(award).state, latest.state) == (AwardState.OVERTURNED, AwardState.OFFERED)
        assert (latest.source, latest.provider) == (Source.OVERRIDE, self.providers[provider].provider)

    @precondition(lambda self: self._live())
    @rule(number=NUMBERS)
    def refuse(self, number: int) -> None:
        award = self._one(number)
        ask = {"award_ref": award.ref, "reason": WORDS, "actor": self.w.broker}

        if not self._ends_by(award, "refuse", ask, moving.refused_by_person):
            self._falls(award, "refused_by_person", moving.refused_by_person, ask)

    # The providers

    @precondition(lambda self: self._live())
    @rule(number=NUMBERS)
    def accept_or_confirm(self, number: int) -> None:
        award = self._one(number)
        step = "confirm" if award.state is AwardState.ACCEPTED else "accept"
        command = moving.confirm if step == "confirm" else moving.accept
        ask = {"award_ref": award.ref, "actor": self._bidder(award)}

        if not self._ends_by(award, step, ask, command):
            self.w.run(command, **ask)
            assert self._again(award).state == f"{step}ed"

    @precondition(lambda self: self._live())
    @rule(number=NUMBERS)
    def decline_or_return(self, number: int) -> None:
        award = self._one(number)
        step = "return" if award.state is AwardState.ACCEPTED else "decline"
        command = moving.give_back if step == "return" else moving.decline
        ask = {"award_ref": award.ref, "reason": WORDS, "actor": self._bidder(award)}

        if not self._ends_by(award, step, ask, command):
            self._falls(award, "returned" if step == "return" else "declined", command, ask)

    @rule(number=NUMBERS, is_full=st.booleans())
    def say(self, number: int, is_full: bool) -> None:
        provider = self.providers[number % 3]
        command = capacity.say_full if is_full else capacity.say_not_full
        self.w.run(command, provider_id=self.w.row_of(provider).id or 0, actor=provider)

    @precondition(lambda self: self._asked())
    @rule(number=NUMBERS)
    def bid_again(self, number: int) -> None:
        """A package that went on up the ladder, or came back, is bid for again."""
        referral = self._asked()[number % len(self._asked())]
        for provider, pence in zip(self.providers, PENCE, strict=True):
            if provider.provider in self.w.invited(referral.ref):
                self.w.bid(provider, referral.ref, pence=pence)
        self.w.close(referral.ref)

    # What becomes of the contract

    @precondition(lambda self: self._contracts())
    @rule(number=NUMBERS, starts=st.booleans())
    def start_or_fail(self, number: int, starts: bool) -> None:
        contract = self._contracts()[number % len(self._contracts())]
        actor = self._named(contract.provider)
        more: dict[str, Any] = {"contract_ref": contract.ref, "actor": actor}
        if contract.state == "pending" and starts:
            self.w.run(aftercare.start_contract, first_visit_on=self.w.now.date(), **more)
        elif contract.state == "pending":
            self.w.run(aftercare.fail_to_start, reason=FailureReason.PROVIDER_COULD_NOT, **more)
        else:
            reason, last_day = HandBackReason.STAFFING, self.w.now.date() + timedelta(days=14)
            self.w.run(aftercare.hand_back, reason=reason, last_day=last_day, **more)

    # The clock

    @rule(how_long=st.sampled_from(WAITS) | st.none(), sweeps=st.booleans())
    def wait(self, how_long: timedelta | None, sweeps: bool) -> None:
        """So long, or until the instant at which the next answer or confirmation is due."""
        dues = [award.due for award in self._live() if award.due and award.due > self.w.now]
        self.w.clock.move_to(self.w.now + how_long if how_long else min(dues, default=self.w.now))
        if sweeps:
            self.w.timetable.sweep()
            assert [award.ref for award in self._live() if award.due and award.due <= self.w.now] == []

    # What holds whatever has happened

    @invariant()
    def what_was_promised_holds(self) -> None:
        with self.w.database.reading() as session:
            seen = {table: session.exec(select(table).order_by(table.id)).all() for table in SEEN}
        self._hours_are_those_of_the_awards_and_never_too_many(seen)
        self._one_award_is_in_force_and_a_contract_exactly_when_confirmed(seen)
        self._no_package_is_forgotten(seen)

    def _hours_are_those_of_the_awards_and_never_too_many(self, seen: Seen) -> None:
        held = (AwardState.OFFERED, AwardState.ACCEPTED)
        refs = {provider.id: provider.ref for provider in seen[Provider]}
        for row in seen[Ledger]:
            mine = [one for one in seen[Award] if one.provider == refs[row.provider_id] and one.ended_at is None]
            if row.locality:
                mine = [one for one in mine if one.locality == row.locality]
            reserved = sum(one.weekly_minutes for one in mine if one.state in held)
            committed = sum(one.weekly_minutes for one in mine if one.state is AwardState.CONFIRMED)

            assert (row.reserved_minutes, row.committed_minutes) == (reserved, committed)
            assert row.reserved_minutes + row.committed_minutes <= min(row.ceiling_minutes, self.declared)
        holds = {hold.ref: str(hold.state) for hold in seen[Hold] if hold.state != "released"}
        assert holds == {
            one.ref: "reserved" if one.state in held else "committed"
            for one in seen[Award]
            if one.ended_at is None and (one.state in held or one.state is AwardState.CONFIRMED)
        }

    def _one_award_is_in_force_and_a_contract_exactly_when_confirmed(self, seen: Seen) -> None:
        live = [award.referral_id for award in seen[Award] if award.is_live]
        confirmed = {award.ref: award.is_live for award in seen[Award] if award.state is AwardState.CONFIRMED}

        assert len(live) == len(set(live))
        assert {contract.award_ref: contract.state in IN_FORCE for contract in seen[Contract]} == confirmed

    def _no_package_is_forgotten(self, seen: Seen) -> None:
        for referral in seen[Referral]:
            live = [one.state for one in seen[Award] if one.referral_id == referral.id and one.is_live]
            open_ = [one for one in seen[Round] if one.referral_id == referral.id and one.state in UNDECIDED]
            if referral.state is ReferralState.SEEKING:
                assert len(open_) == 1
                assert bool(live) != (open_[0].state is RoundState.PUBLISHED)
            else:
                confirmed = [AwardState.CONFIRMED] if referral.state is ReferralState.PLACED else []
                assert (live, open_) == (confirmed, [])

    def teardown(self) -> None:
        if self.world is not None:
            assert off_the_tables(self.w) == []
            assert self.w.faults() == []

    # What the model asks

    def _ends_by(
        self, award: Award, step: str, ask: dict[str, Any], command: Callable[..., Any] = moving.overturn
    ) -> bool:
        """Whether this step can't be taken: its table has none from here, or the time for it is over."""
        error: type[Exception] | None = None
        if ask["actor"].role is Role.PROVIDER and award.state is AwardState.PROPOSED:
            error = NotFound
        elif not award.STEPS.allows(award.state, step):
            error = NoSuchStep
        elif award.due is not None and self.w.now >= award.due:
            error = TooLate
        if error is not None:
            with pytest.raises(error):
                self.w.run(command, **ask)
        return error is not None

    def _falls(self, award: Award, state: str, command: Callable[..., Any], ask: dict[str, Any]) -> None:
        """The award ends, and the reserve is asked in the same breath; nobody is left, only then the ladder goes on."""
        expected = self._next_in_line(award)

        self.w.run(command, **ask)

        assert self._again(award).state == state
        latest = self._latest(award)
        if expected is None:
            assert not latest.is_live or latest.round_id != award.round_id
        else:
            assert (latest.provider, latest.round_id) == (expected, award.round_id)
            assert latest.is_live

    def _next_in_line(self, award: Award) -> str | None:
        """The cheapest standing bid of those not tried yet; where nobody need approve, of those who have room."""
        needs_nobody = award.weekly_minutes == WEEK
        for provider in self.providers:
            if self._standing_bid(award, provider) == UNKNOWN:
                continue
            if not needs_nobody or self._free(provider) >= award.weekly_minutes:
                return provider.provider
        return None

    def _standing_bid(self, award: Award, provider: Actor) -> str:
        """The reference of the provider's bid that may still be awarded in this award's round, or one of nobody's."""
        tried = {one.provider for one in self.w.rows(Award, Award.round_id == award.round_id)}
        (round_,) = self.w.rows(Round, Round.id == award.round_id)
        found = [
            bid.ref
            for bid in self.w.rows(Bid, Bid.provider == provider.provider, Bid.state == BidState.OPENED)
            if bid.receipt["rounds"] == [round_.ref] and self.w.now < bid.valid_until and bid.provider not in tried
        ]
        return found[0] if found else UNKNOWN

    def _free(self, provider: Actor) -> int:
        with self.w.database.reading() as session:
            row = self.w.row_of(provider)
            return capacity.free_minutes(session, provider_id=row.id or 0, authority=self.w.authority, at=self.w.now)

    def _live(self) -> list[Award]:
        return self._in(AwardState.PROPOSED, AwardState.OFFERED, AwardState.ACCEPTED)

    def _in(self, *states: AwardState) -> list[Award]:
        return [award for award in self.w.rows(Award) if award.state in states]

    def _one(self, number: int, *states: AwardState) -> Award:
        found = self._in(*states) if states else self._live()
        return found[number % len(found)]

    def _again(self, award: Award) -> Award:
        (found,) = self.w.rows(Award, Award.ref == award.ref)
        return found

    def _latest(self, award: Award) -> Award:
        return self.w.rows(Award, Award.referral_id == award.referral_id)[-1]

    def _asked(self) -> list[Referral]:
        return [
            referral
            for referral in self.w.rows(Referral, Referral.state == ReferralState.SEEKING)
            if self.w.now < (self.w.round(referral.ref).closes_at or self.w.now)
        ]

    def _contracts(self) -> list[Contract]:
        return [contract for contract in self.w.rows(Contract) if contract.state in IN_FORCE]

    def _bidder(self, award: Award) -> Actor:
        return self._named(award.provider)

    def _named(self, provider: str) -> Actor:
        return next(actor for actor in self.providers if actor.provider == provider)

    def _person(self, number: int) -> Actor:
        return self.people[number % len(self.people)]


UNDECIDED = (RoundState.PLANNED, RoundState.PUBLISHED, RoundState.CLOSED)
UNKNOWN = "BID-0000-0000-0000"


def test_no_history_oversells_hours_awards_twice_or_forgets_a_package(worlds: Worlds, database_kind: str) -> None:
    story = type("Story", (AwardStory,), {"worlds": worlds})
    run_state_machine_as_test(story, settings=few_of_many(database_kind))
