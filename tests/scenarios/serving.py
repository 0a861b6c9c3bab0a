"""What the stories have in common after an award: the first visit, the mornings, the statement that is paid."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from bidding import aftercare
from bidding.awards import moving
from bidding.awards.records import AwardState
from dps.contracts.contracts import Contract
from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.deliveries.recording import Recorded, record_deliveries
from dps.contracts.statements.making import make_statement
from dps.contracts.statements.moving import agree_statement, pay_statement
from dps.contracts.statements.records import Statement, StatementState
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from tests.support.world import World

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"])
"""For what is a rule alone: the stories run on both databases, and so do the commands' own tests."""


class Care:
    """Care of one person under one contract, from the first visit on."""

    def __init__(self, council: World, referral: str, provider: Actor) -> None:
        self.council = council
        self.provider = provider
        award = council.award(referral)
        if award.state is AwardState.OFFERED:  # who accepted in a window is told, and not asked again
            council.run(moving.accept, award_ref=award.ref, actor=provider)
        self.ref: str = council.run(moving.confirm, award_ref=award.ref, actor=provider)
        council.step(days=3)
        self.first = self.today
        council.run(aftercare.start_contract, contract_ref=self.ref, first_visit_on=self.first, actor=provider)

    @property
    def today(self) -> date:
        return self.council.now.astimezone(LONDON).date()

    @property
    def contract(self) -> Contract:
        (row,) = self.council.rows(Contract, Contract.ref == self.ref)
        return row

    def day(self, number: int) -> date:
        """The first day of care is number 0."""
        return self.first + timedelta(days=number)

    def vary(self, command: Any, *, actor: Actor | None = None, **request: Any) -> Any:
        """One command about this contract under the scheme; by the provider unless told otherwise."""
        return self.council.run(
            command, contract_ref=self.ref, scheme=self.council.scheme, actor=actor or self.provider, **request
        )

    def record(self, records: Sequence[VisitRecord]) -> Recorded:
        recorded: Recorded = self.vary(record_deliveries, records=records)
        return recorded

    def mornings(self, days: int, *, start: int = 0, minutes: int = 30) -> Recorded:
        """A visit from eight o'clock on each of so many days."""
        return self.record([visit(self.day(start + n), "08:00", minutes) for n in range(days)])

    def stated(self, days: int, *, start: int = 0) -> Statement:
        """The statement of so many days, made by the broker."""
        made: Statement = self.vary(
            make_statement,
            actor=self.council.broker,
            first_day=self.day(start),
            last_day=self.day(start + days - 1),
        )
        return made

    def paid(self, days: int, *, start: int = 0) -> Statement:
        """The same, agreed by the provider and paid by the council's second person."""
        return paid(self.council, self.stated(days, start=start), self.provider)


def paid(council: World, statement: Statement, provider: Actor) -> Statement:
    """A statement agreed by its provider and paid by the council's second person."""
    council.run(agree_statement, statement_ref=statement.ref, actor=provider)
    done = council.run(pay_statement, statement_ref=statement.ref, actor=council.second)
    assert done.state is StatementState.PAID
    return done


def visit(day: date, begins: str, minutes: int, *, ref: str | None = None) -> VisitRecord:
    """One visit that was done."""
    started = time.fromisoformat(begins)
    ended = (datetime.combine(day, started) + timedelta(minutes=minutes)).time()
    return VisitRecord(visit_ref=ref or f"{day} {begins}", day=day, started=started, ended=ended)


def items(statement: Statement) -> list[tuple[str, int]]:
    """What the statement's lines pay for, in pence."""
    return [(line["item"], line["pence"]) for line in statement.lines]
