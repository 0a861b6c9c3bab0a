"""A round through any history: in time or not at all, sealed until it is opened, and no package forgotten."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
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
from sqlmodel import Session, select

from bidding import amending, deadline, publishing
from bidding.awards import moving
from bidding.awards.records import Award, AwardState
from bidding.bids import submitting
from bidding.bids.content import ExceptionalReason
from bidding.bids.records import Bid, BidState, OpenedBid, ScoredBid
from bidding.closings import Closing, ClosingState, ExtensionReason
from bidding.looking.debriefed import debrief
from bidding.referrals import Referral, ReferralState
from bidding.rounds import Invitation, InvitationState, Round, RoundState
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import CannotAmend, InvalidBid, NoSuchStep, PriceStillSealed, TooLate
from dps.packages.packages import Package
from dps.schemes.model import Urgency
from tests.bidding.histories import Worlds, few_of_many, off_the_tables
from tests.bidding.test_remarks import every_value
from tests.support.world import World

WORDS = ExceptionalReason.UNSOCIAL_HOURS
REASON = "Synthetic: the telephone was down."
DOWN = ExtensionReason.SYSTEM_UNAVAILABLE
PROVIDERS, PACKAGES = st.integers(0, 2), st.integers(0, 1)
MICROSECOND = timedelta(microseconds=1)
WAITS = ("a while", "just before", "the instant", "long")
WHEN = st.sampled_from(["now", "now", "just before", "the instant"])
OPENED = (ClosingState.OPENED, ClosingState.SCORED, ClosingState.ALLOCATED)
UNDECIDED = (RoundState.PLANNED, RoundState.PUBLISHED, RoundState.CLOSED)
SEEN: tuple[type[Any], ...] = (Closing, Round, Bid, OpenedBid, ScoredBid, Award, Referral)
Seen = dict[type[Any], Sequence[Any]]


def published(world: World, urgency: Urgency) -> tuple[list[Actor], list[str]]:
    """Three providers that are asked for two packages; those of standard urgency close together."""
    providers = [world.provider(f"Synthetic {name}") for name in ("Oak", "Elm", "Ash")]
    return providers, [world.referral(urgency=urgency) for _ in range(2)]


class RoundStory(RuleBasedStateMachine):
    """Two packages and three providers, against a model that knows which bids are alive, and for which version."""

    worlds: Worlds
    world: World | None = None

    @initialize(urgency=st.sampled_from([Urgency.STANDARD, Urgency.URGENT]))
    def publish(self, urgency: Urgency) -> None:
        self.world, (self.providers, self.referrals) = self.worlds.begin(published, urgency)
        self.live: dict[tuple[str, str], tuple[str, int]] = {}
        self.prices: set[int] = set()

    @property
    def w(self) -> World:
        assert self.world is not None
        return self.world

    # Bidders

    @rule(provider=PROVIDERS, package=PACKAGES, pence=st.integers(1400, 2000), when=WHEN)
    def bid(self, provider: int, package: int, pence: int, when: str) -> None:
        self.wait(package, when)
        actor, round_ = self.providers[provider], self.w.round(self.referrals[package])
        content = self.w.content(self.referrals[package], pence, exceptional_reason=WORDS)

        receipt = self._in_time(round_, lambda: self.w.send(actor, [round_.ref], content))

        if receipt is not None:
            self.live[str(actor.provider), round_.ref] = receipt["bid"], round_.version
            self.prices.add(pence)

    @precondition(lambda self: self.live)
    @rule(number=st.integers(0, 5), reconfirms=st.booleans(), package=PACKAGES, when=WHEN)
    def reconfirm_or_withdraw(self, number: int, reconfirms: bool, package: int, when: str) -> None:
        self.wait(package, when)
        provider, ref = key = sorted(self.live)[number % len(self.live)]
        (round_,) = self.w.rows(Round, Round.ref == ref)
        command = submitting.reconfirm if reconfirms else submitting.withdraw
        bid_ref, _ = self.live[key]

        self._in_time(round_, lambda: self.w.run(command, bid_ref=bid_ref, actor=self._named(provider)))

        if self._is_open(round_):
            del self.live[key]
            if reconfirms:
                self.live[key] = bid_ref, round_.version

    @rule(provider=PROVIDERS, package=PACKAGES, when=WHEN)
    def decline(self, provider: int, package: int, when: str) -> None:
        self.wait(package, when)
        actor, round_ = self.providers[provider], self.w.round(self.referrals[package])
        mine = (Invitation.round_id == round_.id, Invitation.provider == actor.provider)
        (invitation,) = self.w.rows(Invitation, *mine)
        ask: dict[str, Any] = {"round_ref": round_.ref, "reason": REASON, "actor": actor}

        if not self._is_open(round_):
            with pytest.raises(TooLate):
                self.w.run(submitting.decline, **ask)
        elif invitation.state is InvitationState.DECLINED:
            with pytest.raises(NoSuchStep):
                self.w.run(submitting.decline, **ask)
        else:
            self.w.run(submitting.decline, **ask)
            self.live.pop((str(actor.provider), round_.ref), None)

    @precondition(lambda self: self._offered())
    @rule(number=st.integers(0, 1), takes=st.booleans())
    def answer(self, number: int, takes: bool) -> None:
        award = self._offered()[number % len(self._offered())]
        actor = self._named(award.provider)
        assert award.answer_by is not None
        if self.w.now >= award.answer_by:
            with pytest.raises(TooLate):
                self.w.run(moving.accept, award_ref=award.ref, actor=actor)
        elif takes:
            self.w.accept_and_confirm(award, actor)
        else:
            self.w.run(moving.decline, award_ref=award.ref, reason=REASON, actor=actor)

    # The office

    @rule(package=PACKAGES, minutes=st.integers(1, 600))
    def extend(self, package: int, minutes: int) -> None:
        closing = self._closing(self.w.round(self.referrals[package]))
        until = closing.closes_at + timedelta(minutes=minutes)
        ask: dict[str, Any] = {
            "closing_ref": closing.ref, "until": until, "reason": DOWN, "actor": self.w.broker,
        }  # fmt: skip

        if closing.state is ClosingState.GATHERING and self.w.now < closing.closes_at:
            self.w.run(deadline.extend, **ask)
            assert self._closing_again(closing).closes_at == until
        else:
            with pytest.raises(TooLate):
                self.w.run(deadline.extend, **ask)

    @rule(package=PACKAGES)
    def amend(self, package: int) -> None:
        referral, round_ = self._referral(package), self.w.round(self.referrals[package])
        waits = referral.state in (ReferralState.HELD, ReferralState.UNFILLED)
        if waits or (referral.state is ReferralState.SEEKING and self._is_open(round_)):
            self.w.run(self._amended, referral=referral)
            assert self._referral(package).version == referral.version + 1
        else:
            with pytest.raises((CannotAmend, TooLate)):
                self.w.run(self._amended, referral=referral)

    @staticmethod
    def _amended(session: Session, ports: Any, *, referral: Referral) -> None:
        package = session.get(Package, referral.package_id)
        assert package is not None
        assert package.latest_start is not None
        later = replace(package.facts, latest_start=package.latest_start + timedelta(days=1))
        broker = Actor(ref="broker-1", role=Role.BROKER, authority=referral.authority)
        amending.amend(session, ports, referral_ref=referral.ref, facts=later, actor=broker)

    @rule(package=PACKAGES, command=st.sampled_from([publishing.hold, publishing.withdraw, publishing.resume]))
    def stop_or_resume(self, package: int, command: Callable[..., Any]) -> None:
        referral = self._referral(package)
        step = command.__name__
        ask: dict[str, Any] = {"referral_ref": referral.ref, "actor": self.w.broker}
        if command is not publishing.resume:
            ask["reason"] = REASON

        if Referral.STEPS.allows(referral.state, step):
            self.w.run(command, **ask)
            self._forget_cancelled()
        else:
            with pytest.raises(NoSuchStep):
                self.w.run(command, **ask)

    # The clock

    @rule(package=PACKAGES, how=st.sampled_from(WAITS))
    def wait(self, package: int, how: str) -> None:
        now, closes_at = self.w.now, self.w.round(self.referrals[package]).closes_at or self.w.now
        instant = {
            "now": now,
            "a while": now + timedelta(minutes=20),
            "just before": closes_at - MICROSECOND,
            "the instant": closes_at,
            "long": now + timedelta(days=1),
        }[how]
        self.w.clock.move_to(max(instant, now))

    @rule(steps=st.integers(1, 4), package=PACKAGES, when=st.sampled_from(["now", "the instant"]))
    def sweep(self, steps: int, package: int, when: str) -> None:
        """All that is due, or no more than some of the steps: a worker may die between any two."""
        self.wait(package, when)
        due = [
            closing
            for closing in self.w.rows(Closing, Closing.state == ClosingState.GATHERING)
            if closing.closes_at <= self.w.now
        ]
        if steps == 4:
            self.w.timetable.sweep()
        else:
            self._some_steps(steps)
        for closing in due:
            self._has_closed_what_was_alive(closing)

    def _some_steps(self, steps: int) -> None:
        opener = self.w.timetable.opener
        for closing in self.w.rows(Closing):
            self.w.run(deadline.close, closing_id=closing.id)
            if steps > 1:
                self.w.run(deadline.open_bids, closing_id=closing.id, opener=opener)
            if steps > 2:
                self.w.run(deadline.score, closing_id=closing.id)

    def _has_closed_what_was_alive(self, closing: Closing) -> None:
        rounds = {round_.ref: round_.version for round_ in self.w.rows(Round, Round.closing_id == closing.id)}
        mine = {key: bid for key, bid in self.live.items() if key[1] in rounds}
        (closed,) = [event for event in self.w.events("closing.close") if event.stream == closing.ref]

        assert sorted(line[0] for line in closed.body["manifest"]) == sorted(
            bid for (_, ref), (bid, version) in mine.items() if version == rounds[ref]
        )
        for key in mine:
            del self.live[key]

    @precondition(lambda self: self.prices and not self.w.rows(OpenedBid))
    @rule()
    def look_everywhere(self) -> None:
        stored = every_value(self.w)

        assert WORDS not in stored
        assert not [pence for pence in self.prices if re.search(rf"weekday\W+{pence}\b", stored)]

    # What holds whatever has happened

    @invariant()
    def what_was_promised_holds(self) -> None:
        with self.w.database.reading() as session:
            seen = {table: session.exec(select(table).order_by(table.id)).all() for table in SEEN}
            self._each_bid_is_in_time_sealed_and_its_bidders_only_one(seen)
            self._no_package_is_forgotten(seen)
            self._no_price_is_told_before_the_round_is_over(session, seen)

    def _each_bid_is_in_time_sealed_and_its_bidders_only_one(self, seen: Seen) -> None:
        closings = {closing.id: closing for closing in seen[Closing]}
        bids = {bid.id: bid for bid in seen[Bid]}
        sealed = [bid for bid in seen[Bid] if bid.state is BidState.SEALED]

        assert all(bid.received_at < closings[bid.closing_id].closes_at for bid in seen[Bid])
        for opened in seen[OpenedBid]:
            closing = closings[bids[opened.bid_id].closing_id]
            assert closing.state in OPENED
            assert opened.opened_at >= closing.closes_at
        assert {closings[bids[scored.bid_id].closing_id].state for scored in seen[ScoredBid]} <= {*OPENED[1:]}
        assert max(Counter((bid.provider, bid.rounds_key) for bid in sealed).values(), default=1) == 1
        assert {bid.ref for bid in sealed if closings[bid.closing_id].state is ClosingState.GATHERING} == {
            bid for bid, _ in self.live.values()
        }

    def _no_package_is_forgotten(self, seen: Seen) -> None:
        """While it is sought, a package is asked for in one round, is being decided, or is awarded; else none of it."""
        for referral in seen[Referral]:
            undecided = [one.state for one in seen[Round] if one.referral_id == referral.id and one.state in UNDECIDED]
            awards = [one for one in seen[Award] if one.referral_id == referral.id and one.is_live]
            if referral.state is ReferralState.SEEKING:
                assert len(undecided) == 1
                assert len(awards) <= 1
                assert not awards or undecided == [RoundState.CLOSED]
            elif referral.state is ReferralState.PLACED:
                assert (undecided, [award.state for award in awards]) == ([], [AwardState.CONFIRMED])
            else:
                assert (undecided, awards) == ([], [])

    def _no_price_is_told_before_the_round_is_over(self, session: Session, seen: Seen) -> None:
        rounds = {round_.ref: round_.state for round_ in seen[Round]}
        for bid in seen[Bid][-1:]:
            (ref,) = bid.receipt["rounds"]
            if rounds[ref] in UNDECIDED:
                with pytest.raises(PriceStillSealed):
                    debrief(session, bid_ref=bid.ref, round_ref=ref, actor=self._named(bid.provider))

    def teardown(self) -> None:
        if self.world is None:
            return
        self.w.timetable.sweep()
        self._every_package_that_is_sought_is_awarded_or_asked_for()
        assert off_the_tables(self.w) == []
        assert self.w.faults() == []

    def _every_package_that_is_sought_is_awarded_or_asked_for(self) -> None:
        for referral in self.w.rows(Referral, Referral.state == ReferralState.SEEKING):
            awards = [award for award in self.w.awards(referral.ref) if award.is_live]
            assert awards or self._is_open(self.w.round(referral.ref))

    # What the model asks

    def _in_time(self, round_: Round, command: Callable[[], Any]) -> Any:
        """Run a bidder's command, or see it refused."""
        if self._is_open(round_):
            return command()
        with pytest.raises(InvalidBid if round_.state is RoundState.CANCELLED else TooLate):
            command()
        return None

    def _is_open(self, round_: Round) -> bool:
        return round_.state is RoundState.PUBLISHED and self.w.now < self._closing(round_).closes_at

    def _closing(self, round_: Round) -> Closing:
        (closing,) = self.w.rows(Closing, Closing.id == round_.closing_id)
        return closing

    def _closing_again(self, closing: Closing) -> Closing:
        (found,) = self.w.rows(Closing, Closing.id == closing.id)
        return found

    def _referral(self, package: int) -> Referral:
        (referral,) = self.w.rows(Referral, Referral.ref == self.referrals[package])
        return referral

    def _named(self, provider: str) -> Actor:
        return next(actor for actor in self.providers if actor.provider == provider)

    def _offered(self) -> list[Award]:
        return self.w.rows(Award, Award.state == AwardState.OFFERED)

    def _forget_cancelled(self) -> None:
        """A cancelled round's bids lapse unopened."""
        cancelled = {round_.ref for round_ in self.w.rows(Round, Round.state == RoundState.CANCELLED)}
        self.live = {key: bid for key, bid in self.live.items() if key[1] not in cancelled}


def test_no_history_takes_a_bid_too_late_opens_one_too_early_or_forgets_a_package(
    worlds: Worlds, database_kind: str
) -> None:
    run_state_machine_as_test(type("Story", (RoundStory,), {"worlds": worlds}), settings=few_of_many(database_kind))
