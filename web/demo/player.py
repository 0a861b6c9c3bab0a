"""Plays a council through its working week: referrals arrive, providers answer, the clock closes what is due.

A discrete-event simulation on the stepped clock. Everybody acts through the same commands as in life; who answers,
when and how is drawn from the seed alone, so that the same seed plays the same week on any database.
"""

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import numpy as np
import sqlalchemy as sa
from sqlmodel import Session, col, select

from bidding import aftercare, offers
from bidding.awards import moving
from bidding.awards.records import Award, AwardState
from bidding.bids import submitting
from bidding.bids.content import BidContent
from bidding.bids.submitting import offer_card, submit_in
from bidding.publishing import make_ready, publish
from bidding.referrals import Referral, ReferralState
from bidding.rounds import Invitation, InvitationState, Round, RoundState
from bidding.timetable import Timetable
from dps.contracts.contracts import Contract, ContractState
from dps.contracts.reasons import FailureReason, HandBackReason
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.errors import Conflict, InvalidBid, NotFound, Refused, TooLate
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.ports import Ports
from dps.packages.packages import Package
from dps.schemes.model import Mode, Scheme
from web.demo.arriving import written_down
from web.demo.market import Market, SyntheticNeed, SyntheticProvider

_SETTLING = timedelta(days=9)
_DECLINES = ("No carers free at these times.", "Outside our runs this week.", "Two carers can't be found.")


@dataclass
class Tally:
    """What happened that the database does not keep."""

    late_bids_refused: int = 0
    refused_bids: int = 0


@dataclass(order=True)
class _Event:
    at: datetime
    number: int
    act: Callable[[], None] = field(compare=False)


# Asked after whatever anybody does: only numbers, by statements that are built once.
_NEW_ROUNDS = sa.select(col(Round.id)).where(col(Round.id) > sa.bindparam("last")).order_by(col(Round.id))
_NEW_CONTRACTS = sa.select(col(Contract.id)).where(col(Contract.id) > sa.bindparam("last")).order_by(col(Contract.id))
_LIVE_AWARDS = (
    sa.select(col(Award.id), col(Award.state))
    .where(
        col(Award.state).in_([AwardState.PROPOSED, AwardState.OFFERED, AwardState.ACCEPTED]),
        col(Award.ended_at).is_(None),
    )
    .order_by(col(Award.id))
)

Row = TypeVar("Row", Round, Award, Contract)


def _rows(session: Session, row: type[Row], ids: Iterable[int | None]) -> list[Row]:
    return [session.get_one(row, id_) for id_ in ids]


class Player:
    """One council's week. `progress` is told how many events were played and what the clock shows."""

    def __init__(
        self,
        *,
        database: Database,
        ports: Ports,
        clock: SteppedClock,
        timetable: Timetable,
        scheme: Scheme,
        market: Market,
        refs: Sequence[str],
        seed: int,
        progress: Callable[[datetime, int, int], None],
    ) -> None:
        self.database, self.ports, self.clock, self.timetable = database, ports, clock, timetable
        self.scheme, self.market, self.progress = scheme, market, progress
        self.providers = dict(zip(refs, market.providers, strict=True))
        self.brokers = {
            authority.key: Actor(ref=f"demo-broker-{authority.key}", role=Role.BROKER, authority=authority.key)
            for authority in scheme.authorities
        }
        self.approvers = {
            authority.key: Actor(ref=f"demo-approver-{authority.key}", role=Role.APPROVER, authority=authority.key)
            for authority in scheme.authorities
        }
        self.tally = Tally()
        self._rng = np.random.default_rng([seed, 2])
        self._events: list[_Event] = []
        self._count = 0
        self._last_round = 0
        self._last_contract = 0
        self._handled: set[tuple[int, AwardState]] = set()
        self._sweeps: set[datetime] = set()
        self._changed = False

    def play(self) -> None:
        """Play from the first referral until everything has settled."""
        assert self.scheme.demo is not None
        end = self.scheme.demo.starts_at + _SETTLING
        for need in self.market.needs:
            self._at(need.arrives_at, lambda need=need: self._arrive(need))  # type: ignore[misc]
        for day in range(_SETTLING.days):
            midnight = self.scheme.demo.starts_at + timedelta(days=day, hours=12)
            self._at(midnight, self._browse_open_list)
        played = 0
        while self._events and self._events[0].at <= end:
            event = heapq.heappop(self._events)
            self.clock.move_to(event.at)
            event.act()
            if self._changed:
                self._changed = False
                self._observe()
            played += 1
            self.progress(event.at, played, len(self._events))
        self.timetable.sign_checkpoint()

    # Time

    def _at(self, instant: datetime, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, _Event(max(instant, self.clock.instant), self._count, act))

    def _after(self, low_minutes: float, high_minutes: float) -> timedelta:
        return timedelta(minutes=float(self._rng.uniform(low_minutes, high_minutes)))

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _sweep_after(self, instant: datetime) -> None:
        """Have the worker sweep within a minute of this instant; one sweep serves all that is due by then."""
        if instant not in self._sweeps:
            self._sweeps.add(instant)
            self._at(instant + self._after(0, 0.9), self._sweep)

    def _sweep(self) -> None:
        self._changed = bool(self.timetable.sweep()) or self._changed
        self.timetable.carry_messages()

    def _try(self, command: Callable[[Session], object]) -> bool:
        """One command in its own transaction; a rule may say no, as in life."""
        try:
            with self.database.transaction() as session:
                command(session)
            self._changed = True
        except (Refused, Conflict, NotFound):
            return False
        return True

    # Brokers

    def _arrive(self, need: SyntheticNeed) -> None:
        """A referral is written down, checked and published."""
        broker = self.brokers[need.authority]
        self._changed = True
        with self.database.transaction() as session:
            referral = written_down(session, self.ports, self.scheme, need, broker)
            make_ready(session, self.ports, referral_ref=referral.ref, scheme=self.scheme, actor=broker)
            publish(session, self.ports, referral_ref=referral.ref, scheme=self.scheme, actor=broker)

    def _approve(self, award_ref: str, authority: str) -> None:
        if self._try(
            lambda session: moving.approve(session, self.ports, award_ref=award_ref, actor=self.brokers[authority])
        ):
            with self.database.reading() as session:
                state = session.exec(select(Award.state).where(Award.ref == award_ref)).one()
            if state is AwardState.PROPOSED:
                self._try(
                    lambda session: moving.approve(
                        session, self.ports, award_ref=award_ref, actor=self.approvers[authority]
                    )
                )

    # What everybody sees

    def _observe(self) -> None:
        """Look at what is new, and let those whom it concerns react."""
        with self.database.reading() as session:
            asked = session.connection()
            rounds = _rows(session, Round, asked.execute(_NEW_ROUNDS, {"last": self._last_round}).scalars())
            live = [(id_, state) for id_, state in asked.execute(_LIVE_AWARDS) if (id_, state) not in self._handled]
            awards = _rows(session, Award, (id_ for id_, _ in live))
            contracts = _rows(session, Contract, asked.execute(_NEW_CONTRACTS, {"last": self._last_contract}).scalars())
            invited = {
                round_.id: session.exec(
                    select(Invitation)
                    .where(Invitation.round_id == round_.id, Invitation.state == InvitationState.INVITED)
                    .order_by(col(Invitation.position))
                ).all()
                for round_ in rounds
                if round_.state is RoundState.PUBLISHED
            }
        for round_ in rounds:
            self._last_round = round_.id or 0
            if round_.state is RoundState.PUBLISHED and round_.closes_at is not None:
                self._react(round_, invited[round_.id])
        for award in awards:
            self._handled.add((award.id or 0, award.state))
            self._handle(award)
        for contract in contracts:
            self._last_contract = contract.id or 0
            self._expect(contract)

    def _react(self, round_: Round, invited: Sequence[Invitation]) -> None:
        """Each invited provider decides, at some moment of the window, or now and then just after it."""
        assert round_.closes_at is not None
        window = round_.closes_at - round_.opens_at
        for invitation in invited:
            mood = float(self._rng.random())
            share = float(self._rng.beta(2.5, 1.2))
            at = round_.opens_at + window * share
            if mood < self._appetite(round_, invitation.provider):
                if self._chance(0.015):
                    at = round_.closes_at + self._after(0, 4)
                self._at(at, lambda one=invitation: self._answer(round_, one.provider))  # type: ignore[misc]
            elif mood > 0.85:
                self._at(at, lambda one=invitation: self._decline_round(round_, one.provider))  # type: ignore[misc]
        self._sweep_after(round_.closes_at)

    def _appetite(self, round_: Round, provider: str) -> float:
        """Providers want work near home, and the preferred and the local more than the far."""
        who = self.providers[provider]
        near = 0.45 if who.home == round_.locality else 0.22
        return near * (0.8 if round_.mode == Mode.ACCEPTANCE_WINDOW else 1.0)

    # Providers

    def _user(self, provider: str) -> Actor:
        return Actor(ref=f"demo-user-{provider}", role=Role.PROVIDER, provider=provider)

    def _answer(self, round_: Round, provider: str) -> None:
        who = self.providers[provider]
        if round_.mode == Mode.FIRST_ACCEPTANCE:
            self._try(
                lambda session: offers.accept_first(
                    session, self.ports, round_ref=round_.ref, actor=self._user(provider)
                )
            )
            return
        try:
            submit_in(
                self.database,
                self.ports,
                rounds=[round_.ref],
                content=self._content(round_, who),
                actor=self._user(provider),
                idempotency_key=f"{round_.ref}-{provider}",
            )
        except TooLate:
            self.tally.late_bids_refused += 1
        except (InvalidBid, Refused, NotFound):
            self.tally.refused_bids += 1

    def _content(self, round_: Round, who: SyntheticProvider) -> BidContent:
        """The provider's usual rate, a little more away from home; a start at or soon after the earliest."""
        part = round_.published_part
        start = datetime.fromisoformat(part["earliest_start"]).date()
        starts_on = start + timedelta(days=int(self._rng.integers(0, 4)))
        answers = tuple(
            (question.key, sorted(question.answers)[int(self._rng.integers(0, len(question.answers)))])
            for question in self.scheme.evaluation.questions
        )
        if round_.mode == Mode.ACCEPTANCE_WINDOW:
            card = offer_card(self.scheme, round_.lot)
        else:
            away = 1.0 if who.home == round_.locality else 1.03
            rate = round(who.rate_pence_per_hour * away * float(self._rng.normal(1.0, 0.025)))
            envelope = self.scheme.lot(round_.lot).envelope_on(start, round_.locality)
            if self._chance(0.97):
                rate = min(max(rate, envelope.floor_pence_per_hour), envelope.ceiling_pence_per_hour)
            prices = {Band.WEEKDAY: rate}
            if self._chance(0.25):
                prices[Band.WEEKEND] = min(rate + 40, envelope.ceiling_pence_per_hour)
            card = RateCard.of(PriceBasis.PER_HOUR, prices)
        return BidContent(card=card, starts_on=starts_on, answers=tuple(sorted(answers)))

    def _decline_round(self, round_: Round, provider: str) -> None:
        reason = _DECLINES[int(self._rng.integers(0, len(_DECLINES)))]
        self._try(
            lambda session: submitting.decline(
                session, self.ports, round_ref=round_.ref, reason=reason, actor=self._user(provider)
            )
        )
        self._changed = False

    def _handle(self, award: Award) -> None:
        """Brokers approve what waits for them; providers answer offers and confirm acceptances, mostly in time."""
        now = self.clock.instant
        user = self._user(award.provider)
        ref, authority = award.ref, award.authority
        if award.state is AwardState.PROPOSED:
            self._at(now + self._after(10, 60), lambda: self._approve(ref, authority))
        elif award.state is AwardState.OFFERED:
            assert award.answer_by is not None
            answer = float(self._rng.random())
            at = now + (award.answer_by - now) * float(self._rng.uniform(0.05, 0.9))
            if answer < 0.9:
                self._at(at, lambda: self._move(lambda s: moving.accept(s, self.ports, award_ref=ref, actor=user)))
            elif answer < 0.96:
                words = "Our carers changed their hours."
                self._at(
                    at,
                    lambda: self._move(
                        lambda s: moving.decline(s, self.ports, award_ref=ref, reason=words, actor=user)
                    ),
                )
            else:
                self._sweep_after(award.answer_by)
        else:
            self._confirm_or_not(award, now)

    def _confirm_or_not(self, award: Award, now: datetime) -> None:
        assert award.confirm_by is not None
        user, broker = self._user(award.provider), self.brokers[award.authority]
        ref = award.ref
        answer = float(self._rng.random())
        at = now + (award.confirm_by - now) * float(self._rng.uniform(0.05, 0.8))
        if answer < 0.93:
            self._at(at, lambda: self._disclose_and_confirm(ref, user))
        elif answer < 0.97:
            words = "On assessment the calls need two carers we do not have."
            self._at(
                at,
                lambda: self._move(lambda s: moving.give_back(s, self.ports, award_ref=ref, reason=words, actor=user)),
            )
        elif answer < 0.985:
            words = "The person prefers to wait for another provider."
            self._at(
                at,
                lambda: self._move(
                    lambda s: moving.refused_by_person(s, self.ports, award_ref=ref, reason=words, actor=broker)
                ),
            )
        else:
            self._sweep_after(award.confirm_by)

    def _move(self, command: Callable[[Session], object]) -> None:
        self._try(command)

    def _disclose_and_confirm(self, award_ref: str, user: Actor) -> None:
        if self._try(lambda s: aftercare.identity_for_winner(s, self.ports, award_ref=award_ref, actor=user)):
            self._try(lambda s: moving.confirm(s, self.ports, award_ref=award_ref, actor=user))

    # After the award

    def _expect(self, contract: Contract) -> None:
        """The first visit comes on the agreed day; now and then it does not, or the contract comes back."""
        ref, user = contract.ref, self._user(contract.provider)
        morning = datetime(contract.starts_on.year, contract.starts_on.month, contract.starts_on.day, 10, tzinfo=LONDON)
        fate = float(self._rng.random())
        if fate < 0.03:
            self._at(
                morning,
                lambda: self._move(
                    lambda s: aftercare.fail_to_start(
                        s, self.ports, contract_ref=ref, reason=FailureReason.PROVIDER_COULD_NOT, actor=user
                    )
                ),
            )
            return
        self._at(
            morning,
            lambda: self._move(
                lambda s: aftercare.start_contract(
                    s, self.ports, contract_ref=ref, first_visit_on=contract.starts_on, actor=user
                )
            ),
        )
        if fate > 0.98:
            at = morning + timedelta(days=int(self._rng.integers(1, 4)))
            self._at(at, lambda: self._hand_back(ref, user, at))

    def _hand_back(self, contract_ref: str, user: Actor, at: datetime) -> None:
        with self.database.reading() as session:
            state = session.exec(select(Contract.state).where(Contract.ref == contract_ref)).one()
        if state is ContractState.ACTIVE:
            last_day = (at + timedelta(days=7)).date()
            self._move(
                lambda s: aftercare.hand_back(
                    s,
                    self.ports,
                    contract_ref=contract_ref,
                    reason=HandBackReason.STAFFING,
                    last_day=last_day,
                    actor=user,
                )
            )

    # The open list

    def _browse_open_list(self) -> None:
        """Once a day the clock restarts what is due, some providers offer on what waits, and brokers take offers."""
        self._sweep()
        with self.database.reading() as session:
            waiting = session.exec(
                select(Referral).where(col(Referral.state) == ReferralState.UNFILLED).order_by(col(Referral.id))
            ).all()
            places = {
                referral.id: session.exec(select(Package).where(Package.id == referral.package_id)).one()
                for referral in waiting
            }
            last = {
                referral.id: session.exec(
                    select(Round).where(Round.referral_id == referral.id).order_by(col(Round.id).desc()).limit(1)
                ).one()
                for referral in waiting
            }
        for referral in waiting:
            if not self._chance(0.5):
                continue
            near = [ref for ref, who in self.providers.items() if places[referral.id].locality in who.localities]
            for _ in range(min(3, len(near))):
                provider = near[int(self._rng.integers(0, len(near)))]
                if self._offer(referral, provider, last[referral.id]):
                    break

    def _offer(self, referral: Referral, provider: str, round_: Round) -> bool:
        content = self._content(round_, self.providers[provider])
        made: list[str] = []

        def offer(session: Session) -> None:
            found = offers.make_open_offer(
                session, self.ports, referral_ref=referral.ref, content=content, actor=self._user(provider)
            )
            made.append(found.ref)

        if not self._try(offer):
            return False
        broker = self.brokers[referral.authority]
        self._at(
            self.clock.instant + self._after(30, 180),
            lambda: self._move(lambda s: offers.take_open_offer(s, self.ports, offer_ref=made[0], actor=broker)),
        )
        return True
