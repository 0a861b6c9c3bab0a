"""Areas that a demonstration lets, where its rules do: one tender in each way of bidding, up to a paid statement.

Bids are drawn from the same seed as the rest. A contract begins only after everything else was played and paid, so that
nothing that contracts of the week are paid for is paid again.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlmodel import Session

from bidding.closings import Closing
from bidding.tenders.content import AreaBid
from bidding.tenders.deciding import accept_area, offer_area
from bidding.tenders.entitled import entitled
from bidding.tenders.handing_in import hand_in_for_area
from bidding.tenders.publishing import publish_tender
from bidding.tenders.records import Tender
from dps.contracts.area_contracts import AreaContractRow, area_contracts_of, end_area_contract
from dps.contracts.contracts import ContractState
from dps.contracts.deliveries.by_area import contracts_served, recorded_units
from dps.contracts.statements.area_contracts import make_area_contract_statement
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.ports import Ports
from dps.law.clocks import Clock
from dps.law.notices import record_notice
from dps.schemes.area_contracts import AreaContract
from dps.schemes.model import Scheme
from web.demo.monitoring import Monitoring
from web.demo.paying import agree_and_pay

BIDDERS = 4
STATED_DAYS = 28
_BEGINS_IN_DAYS = 420
"""Beyond the year's budget of an area, which is stated when it is over."""
_LET_GO_IN_DAYS = 30
"""So long after the closing of what follows does a contract end that the visitor's provider may follow."""
_YEAR_DAYS = 365
_REACHED_PERCENT = 98


class Letting:
    """One council's areas. `sweep` lets the worker do what is due."""

    def __init__(self, database: Database, ports: Ports, clock: SteppedClock, scheme: Scheme, *, seed: int) -> None:
        self.database, self.ports, self.clock, self.scheme = database, ports, clock, scheme
        self._rng = np.random.default_rng([seed, 4])
        self._authority = scheme.authorities[0].key

    def let(self, sweep: Callable[[], object]) -> None:
        """Publish a tender for each area contract's first locality, bid, close, offer and accept."""
        if not self.scheme.area_contracts:
            return
        commissioner, approver = self._office(Role.COMMISSIONER), self._office(Role.APPROVER)
        with self.database.transaction() as session:
            record_notice(
                session,
                scheme=self.scheme,
                clock=Clock.TIERS,
                about="",
                number="https://council.example/lists",
                published_on=self._today,
                actor=commissioner,
                now=self.clock.instant,
            )
        from_day = self._today + timedelta(days=_BEGINS_IN_DAYS)
        tenders = [self._sought(one, one.localities[0], from_day, commissioner) for one in self.scheme.area_contracts]
        with self.database.reading() as session:
            closes_at = max(session.get_one(Closing, one.closing_id).closes_at for one in tenders)
        self.clock.move_to(closes_at)
        sweep()
        sweep()
        for tender in tenders:
            with self.database.transaction() as session:
                winner = offer_area(session, self.ports, tender_ref=tender.ref, actor=approver)
            with self.database.transaction() as session:
                accept_area(session, self.ports, tender_ref=tender.ref, actor=_of(winner))

    def pay(self) -> None:
        """State four weeks of each area contract, and have it agreed and paid."""
        with self.database.reading() as session:
            rows = area_contracts_of(session, actor=self._office(Role.BROKER))
        if rows:
            first = max(row.from_day for row in rows)
            self.clock.move_to(self.clock.instant + timedelta(days=(first - self._today).days + STATED_DAYS))
        for row in rows:
            last = row.from_day + timedelta(days=STATED_DAYS - 1)
            read = self._record(row, row.from_day, last)
            with self.database.transaction() as session:
                made = make_area_contract_statement(
                    session,
                    self.ports,
                    area_contract_ref=row.ref,
                    first_day=row.from_day,
                    last_day=last,
                    actor=self._office(Role.BROKER),
                    **self._delivered(row, read),
                )
                ref = made.ref
            agree_and_pay(self.database, self.ports, ref, row)

    @property
    def _today(self) -> date:
        return self.clock.instant.astimezone(LONDON).date()

    def _office(self, role: Role) -> Actor:
        return Actor(f"demo-{role}-{self._authority}", role, authority=self._authority)

    def leave_open(self, visitor: str) -> datetime | None:
        """Seek a provider for one area in each way of bidding, with bids of others than the visitor's provider.

        Where every area of a way is let, the first is let go some weeks from now. Returns when they close, None where
        the rules let no area; the clock is left so that the next working morning is one working day before that.
        """
        if not self.scheme.area_contracts:
            return None
        commissioner = self._office(Role.COMMISSIONER)
        begins = self._today + timedelta(
            days=_LET_GO_IN_DAYS + max(one.days_open for one in self.scheme.area_contracts)
        )
        with self.database.reading() as session:
            let = {(row.key, row.locality): row.ref for row in area_contracts_of(session, actor=commissioner)}
        tenders = []
        for asked in self.scheme.area_contracts:
            locality = next((one for one in asked.localities if (asked.key, one) not in let), asked.localities[0])
            if ref := let.get((asked.key, locality)):
                with self.database.transaction() as session:
                    last_day = begins - timedelta(days=1)
                    end_area_contract(session, self.ports, area_contract_ref=ref, last_day=last_day, actor=commissioner)
            tenders.append(self._sought(asked, locality, begins, commissioner, but=visitor))
        with self.database.reading() as session:
            closes_at = min(session.get_one(Closing, one.closing_id).closes_at for one in tenders)
        calendar, eve = self.scheme.calendar(), closes_at.astimezone(LONDON).date() - timedelta(days=1)
        while not calendar.is_working_day(eve):
            eve -= timedelta(days=1)
        self.clock.move_to(calendar.at(eve - timedelta(days=1), self.scheme.hours.closes))
        return closes_at

    def _sought(
        self, asked: AreaContract, locality: str, from_day: date, commissioner: Actor, *, but: str = ""
    ) -> Tender:
        """A tender with its bids, of none by the provider `but`."""
        with self.database.transaction() as session:
            tender = publish_tender(
                session,
                self.ports,
                scheme=self.scheme,
                key=asked.key,
                locality=locality,
                from_day=from_day,
                actor=commissioner,
            )
            bidders = self._bidders(session, asked, but)
        for number, provider in enumerate(bidders):
            content = self._bid(asked, tender.locality)
            with self.database.transaction() as session:
                hand_in_for_area(
                    session,
                    self.ports,
                    tender_ref=tender.ref,
                    content=content,
                    idempotency_key=f"{tender.ref} {number}",
                    actor=_of(provider),
                )
        return tender

    def _bidders(self, session: Session, asked: AreaContract, but: str) -> Sequence[str]:
        able = sorted(entitled(session, self.scheme, asked, self.clock.instant) - {but})
        chosen = self._rng.permutation(len(able))[:BIDDERS]
        return [able[int(number)] for number in chosen]

    def _bid(self, asked: AreaContract, locality: str) -> AreaBid:
        """Rates from three quarters to nine tenths of their ceilings; or a price near the budget, and promises."""
        answers = tuple(
            (question.key, max(sorted(question.answers), key=lambda key: question.answers[key]))
            for question in sorted(self.scheme.evaluation.questions, key=lambda one: one.key)
        )
        if asked.areas:
            return AreaBid(
                yearly_pence=asked.area(locality).budget_pence * int(self._rng.integers(92, 100)) // 100,
                targets=tuple(
                    sorted((goal.key, int(self._rng.integers(goal.least_percent, 101))) for goal in asked.targets)
                ),
                answers=answers,
            )
        rates = ((one.key, one.ceiling_pence * int(self._rng.integers(75, 91)) // 100) for one in asked.elements)
        return AreaBid(rates=tuple(sorted(rates)), answers=answers)

    def _record(self, row: AreaContractRow, first: date, last: date) -> Collection[str]:
        """Record the visits of those whom the provider serves there; returns the elements that are read from them."""
        with self.database.reading() as session:
            served = contracts_served(session, row, first=first, last=last)
        monitoring = Monitoring(self.database, self.ports, self.scheme, self._rng)
        for contract in served:
            if contract.state is ContractState.ACTIVE:
                monitoring.record(contract, first, last)
        with self.database.reading() as session:
            return recorded_units(session, row, self.scheme, first=first, last=last).keys()

    def _delivered(self, row: AreaContractRow, read: Collection[str]) -> dict[str, Any]:
        """What four weeks brought: near the stated volume; near the price, with most of what was promised."""
        asked = self.scheme.area_contract(row.key)
        if not asked.areas:
            share = int(self._rng.integers(90, 108))
            return {
                "units": {
                    one.key: one.units_a_year * STATED_DAYS * share // (_YEAR_DAYS * 100)
                    for one in asked.elements
                    if one.key not in read
                }
            }
        price = row.terms["yearly_pence"] * STATED_DAYS // _YEAR_DAYS
        promised = row.terms["targets"]
        return {
            "actual_pence": price * 107 // 100,
            "reached": {key: max(percent - n, 0) for n, (key, percent) in enumerate(sorted(promised.items()))},
        }


def _of(provider: str) -> Actor:
    return Actor(f"demo-user-{provider}", Role.PROVIDER, provider=provider)
