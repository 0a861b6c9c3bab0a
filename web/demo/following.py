"""What follows a contract, played: variations, visits recorded, outcomes reviewed, statements agreed and paid.

The week of the competition is over; care goes on for three weeks more. The first contracts that began are followed
(`FOLLOWED`), each through a fortnight of visits. Which variations there are is the scheme's: the ones it allows take
turns. Everybody acts through the same commands as in life, and chance is drawn from the seed alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import numpy as np
from sqlmodel import Session, col, select

from dps.contracts.answers import answer_review
from dps.contracts.contracts import Contract, ContractState
from dps.contracts.outcomes import review_outcomes
from dps.contracts.reasons import Averted, ChangeReason, FlexChange, FlexOutcome, FlexReason, SuspensionReason
from dps.contracts.tiers import place_in_tier
from dps.contracts.variations.flexing import FlexWanted, flex, report_flex
from dps.contracts.variations.pausing import pause, resume
from dps.contracts.variations.records import Variation, VariationKind, VariationState, Weeks
from dps.contracts.variations.rescheduling import WeekWanted, agree, increase, propose, reduce_as_assessor
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.errors import Conflict, Refused
from dps.kernel.ports import Ports
from dps.packages.packages import Package
from dps.packages.schedule import Visit
from dps.register.documents import receive
from dps.register.providers import Provider
from dps.schemes.model import Scheme
from web.demo.monitoring import FLEX_MINUTES, Monitoring, week_on
from web.demo.passing_on import pass_work_on
from web.demo.paying import Paying, broker_of, provider_of

FOLLOWED = 24
FORTNIGHT = 14
PAUSED_DAYS = 5
PLAYED_DAYS = 22
_VARIED = 2
"""Every so many-th contract varies."""
_FLEX_DAYS = 3
_OUTCOMES = 3


class Following:
    """The three weeks after one council's week, from where its clock stands."""

    def __init__(self, database: Database, ports: Ports, clock: SteppedClock, scheme: Scheme, *, seed: int) -> None:
        self.database, self.ports, self.clock, self.scheme = database, ports, clock, scheme
        self._rng = np.random.default_rng([seed, 3])
        self._officer = Actor("demo-register-officer", Role.REGISTER_OFFICER)

    def play(self) -> None:
        """Play until the last statement is paid."""
        with self.database.reading() as session:
            query = (
                select(Contract)
                .where(Contract.scheme == self.scheme.key, Contract.state == ContractState.ACTIVE)
                .order_by(col(Contract.id))
                .limit(FOLLOWED)
            )
            contracts = list(session.exec(query))
        for contract in contracts:
            self._place_in_tier(contract)
        pass_work_on(self.database, self.ports, self.clock, contracts)
        turns = self._turns()
        for number, contract in enumerate(contracts[::_VARIED] if turns else ()):
            self._try(partial(turns[number % len(turns)], contract=contract))
        self._wait(PAUSED_DAYS)
        for contract in contracts:
            self._resume(contract)
        self._wait(PLAYED_DAYS - PAUSED_DAYS)
        monitoring = Monitoring(self.database, self.ports, self.scheme, self._rng)
        for contract in contracts:
            self._close_flexes(contract)
            monitoring.record(contract, *self._span(contract))
            self._review(contract)
        if self.scheme.variations.review is not None:
            for contract in contracts[:3]:
                self._propose(contract)
        paying = Paying(self.database, self.ports, self.clock, self.scheme)
        for contract in contracts:
            paying.pay(contract, *self._span(contract))
        paying.pay_areas(contracts, days=PLAYED_DAYS)
        paying.pay_blocks(days=PLAYED_DAYS)

    # Moves

    def _wait(self, days: int) -> None:
        self.clock.move_to(self.clock.instant + timedelta(days=days))

    @property
    def _today(self) -> date:
        return self.clock.instant.astimezone(LONDON).date()

    def _try(self, command: Callable[[Session], object]) -> bool:
        """One command in its own transaction; a rule may say no, as in life."""
        try:
            with self.database.transaction() as session:
                command(session)
        except (Refused, Conflict):
            return False
        return True

    # Variations

    def _turns(self) -> list[Callable[..., None]]:
        """The variations that the scheme allows, in the order in which they take turns."""
        rules = self.scheme.variations
        allowed: tuple[tuple[object, Callable[..., None]], ...] = (
            (rules.flex, self._flex),
            (rules.retainer, self._pause),
            (rules.reduction, self._reduce),
            (rules.increase, self._increase),
        )
        return [vary for rule, vary in allowed if rule is not None]

    def _flex(self, session: Session, contract: Contract) -> None:
        rule = self.scheme.variations.flex
        assert rule is not None
        wanted = FlexWanted(
            from_day=self._today,
            days=_FLEX_DAYS,
            extra_minutes_a_day=FLEX_MINUTES,
            group=rule.groups[0],
            begun_by=rule.begun_by[0],
            reason=FlexReason.FALL,
            changed=FlexChange.MORE_VISITS,
        )
        actor = provider_of(contract)
        flex(session, self.ports, contract_ref=contract.ref, scheme=self.scheme, wanted=wanted, actor=actor)

    def _pause(self, session: Session, contract: Contract) -> None:
        pause(
            session,
            self.ports,
            contract_ref=contract.ref,
            scheme=self.scheme,
            reason=SuspensionReason.HOSPITAL,
            from_day=self._today,
            actor=broker_of(contract),
        )

    def _reduce(self, session: Session, contract: Contract) -> None:
        rule = self.scheme.variations.reduction
        assert rule is not None
        provider = session.exec(select(Provider).where(Provider.ref == contract.provider)).one()
        receive(
            session,
            self.ports,
            provider_id=provider.id or 0,
            kind=rule.document,
            sha256="0" * 64,
            expires_on=self._today + timedelta(days=365),
            actor=self._officer,
        )
        wanted = self._week(session, contract, 100 - rule.most_percent, ChangeReason.MORE_INDEPENDENT)
        actor = provider_of(contract)
        reduce_as_assessor(
            session, self.ports, contract_ref=contract.ref, scheme=self.scheme, wanted=wanted, actor=actor
        )

    def _increase(self, session: Session, contract: Contract) -> None:
        rule = self.scheme.variations.increase
        assert rule is not None
        wanted = self._week(session, contract, 100 + rule.most_percent, ChangeReason.NEEDS_GREW)
        actor = broker_of(contract)
        increase(session, self.ports, contract_ref=contract.ref, scheme=self.scheme, wanted=wanted, actor=actor)

    def _propose(self, contract: Contract) -> None:
        """The provider proposes each visit on a day fewer after its review; the council agrees."""

        def propose_and_agree(session: Session) -> None:
            week = week_on(Weeks(session, contract), self._today)
            visits = tuple(
                replace(one, days=one.days - {max(one.days)}) if len(one.days) > 1 else one for one in week.visits
            )
            wanted = WeekWanted(
                schedule=replace(week, visits=visits), from_day=self._today, reason=ChangeReason.MORE_INDEPENDENT
            )
            made = propose(
                session,
                self.ports,
                contract_ref=contract.ref,
                scheme=self.scheme,
                wanted=wanted,
                actor=provider_of(contract),
            )
            agree(session, self.ports, variation_ref=made.ref, actor=broker_of(contract))

        self._try(propose_and_agree)

    def _week(self, session: Session, contract: Contract, percent: int, reason: ChangeReason) -> WeekWanted:
        """The week with every visit this much of its length, in whole minutes towards the old one, or its least."""
        week, rules = week_on(Weeks(session, contract), self._today), self.scheme.lot(contract.lot).visits

        def minutes(visit: Visit) -> int:
            wanted, least = visit.minutes * percent, rules.shorter_tasks.get(visit.task, rules.least_minutes)
            return wanted // 100 if percent > 100 else max(-(-wanted // 100), min(least, visit.minutes))

        visits = tuple(replace(visit, minutes=min(minutes(visit), visit.window_minutes)) for visit in week.visits)
        return WeekWanted(schedule=replace(week, visits=visits), from_day=self._today, reason=reason)

    def _resume(self, contract: Contract) -> None:
        with self.database.reading() as session:
            state = session.get_one(Contract, contract.id).state
        if state is ContractState.SUSPENDED:
            self._try(
                lambda s: resume(
                    s, self.ports, contract_ref=contract.ref, scheme=self.scheme, actor=broker_of(contract)
                )
            )

    def _close_flexes(self, contract: Contract) -> None:
        for one in self._agreed(contract, VariationKind.FLEX):
            averted = Averted.HOSPITAL_ADMISSION if self._rng.random() < 0.4 else Averted.NOTHING
            self._try(
                lambda s, one=one, averted=averted: report_flex(  # type: ignore[misc]
                    s,
                    self.ports,
                    variation_ref=one.ref,
                    outcome=FlexOutcome.BACK_TO_NORMAL,
                    averted=averted,
                    actor=provider_of(contract),
                )
            )

    def _agreed(self, contract: Contract, kind: VariationKind) -> Sequence[Variation]:
        query = select(Variation).where(
            Variation.contract_id == contract.id, Variation.kind == kind, Variation.state == VariationState.AGREED
        )
        with self.database.reading() as session:
            return session.exec(query.order_by(col(Variation.id))).all()

    # Visits and outcomes

    def _span(self, contract: Contract) -> tuple[date, date]:
        """The fortnight that is recorded and stated."""
        assert contract.started_on is not None
        return contract.started_on, contract.started_on + timedelta(days=FORTNIGHT - 1)

    def _review(self, contract: Contract) -> None:
        """The broker says what was reached in the fortnight, or in fewer budgeted weeks; the provider agrees."""
        met = _OUTCOMES if self._rng.random() < 0.7 else int(self._rng.integers(0, _OUTCOMES))
        first, last = self._span(contract)
        with self.database.transaction() as session:
            weeks = session.get_one(Package, contract.package_id).budget_weeks
            end = last if weeks is None else min(last, first + timedelta(weeks=weeks, days=-1))
            found = review_outcomes(
                session,
                self.ports,
                contract_ref=contract.ref,
                met=met,
                agreed=_OUTCOMES,
                last_day=end,
                actor=broker_of(contract),
            )
            answer_review(
                session,
                self.ports,
                review_ref=found.ref,
                scheme=self.scheme,
                agrees=True,
                actor=provider_of(contract),
            )

    def _place_in_tier(self, contract: Contract) -> None:
        """A lot with weekly prices has the contract in the one nearest to what was agreed."""
        payment = self.scheme.payment(contract.lot)
        if payment is None or not payment.weekly_prices or contract.started_on is None:
            return
        nearest = min(payment.weekly_prices, key=lambda one: (abs(one.weekly_pence - contract.weekly_pence), one.key))
        with self.database.transaction() as session:
            place_in_tier(
                session,
                self.ports,
                contract_ref=contract.ref,
                scheme=self.scheme,
                key=nearest.key,
                from_day=contract.started_on,
                actor=broker_of(contract),
            )
