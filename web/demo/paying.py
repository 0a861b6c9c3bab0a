"""What follows care, played: statements of contracts, areas and blocks are made, agreed by the provider, and paid."""

from collections.abc import Sequence
from datetime import date, timedelta

from dps.contracts.area_contracts import AreaContractRow
from dps.contracts.contracts import Contract
from dps.contracts.statements.blocks import make_block_statement
from dps.contracts.statements.making import make_area_statement, make_statement
from dps.contracts.statements.moving import agree_statement, pay_statement
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.ports import Ports
from dps.register.blocks import Block, blocks_of
from dps.register.holds import hold_of
from dps.schemes.contracting import PaymentModel
from dps.schemes.model import Scheme

_AREA_COST_PERCENT = 107
_BY_AREA = (PaymentModel.BANDS, PaymentModel.CAPITATED)


Paid = Contract | Block | AreaContractRow
"""What a statement is for; each has its provider, and the authority that pays."""


def provider_of(contract: Paid) -> Actor:
    """Whoever acts for the provider."""
    return Actor(f"demo-user-{contract.provider}", Role.PROVIDER, provider=contract.provider)


def broker_of(contract: Paid) -> Actor:
    """The broker of the council that pays."""
    return Actor(f"demo-broker-{contract.authority}", Role.BROKER, authority=contract.authority)


def agree_and_pay(database: Database, ports: Ports, ref: str, paid: Paid) -> None:
    """The provider agrees to a statement, and an approver of the council pays it."""
    with database.transaction() as session:
        agree_statement(session, ports, statement_ref=ref, actor=provider_of(paid))
    with database.transaction() as session:
        actor = Actor(f"demo-approver-{paid.authority}", Role.APPROVER, authority=paid.authority)
        pay_statement(session, ports, statement_ref=ref, actor=actor)


class Paying:
    """One council's statements, by its scheme."""

    def __init__(self, database: Database, ports: Ports, clock: SteppedClock, scheme: Scheme) -> None:
        self.database, self.ports, self.clock, self.scheme = database, ports, clock, scheme

    @property
    def _today(self) -> date:
        return self.clock.instant.astimezone(LONDON).date()

    def pay(self, contract: Contract, first: date, last: date) -> None:
        """State these days of a contract that is paid by itself, and pay them."""
        payment = self.scheme.payment(contract.lot)
        if payment is None or payment.model in _BY_AREA or self._is_in_block(contract):
            return
        with self.database.transaction() as session:
            made = make_statement(
                session,
                self.ports,
                contract_ref=contract.ref,
                scheme=self.scheme,
                first_day=first,
                last_day=last,
                actor=broker_of(contract),
            )
            ref = made.ref
        agree_and_pay(self.database, self.ports, ref, contract)

    def _is_in_block(self, contract: Contract) -> bool:
        with self.database.reading() as session:
            held = hold_of(session, contract.award_ref)
        return held is not None and held.out_of is not None

    def pay_blocks(self, *, days: int) -> None:
        """Blocks of hours are paid for the days played, used or not."""
        with self.database.reading() as session:
            blocks = blocks_of(session, self.scheme.key)
        for block in blocks:
            with self.database.transaction() as session:
                made = make_block_statement(
                    session,
                    self.ports,
                    block_ref=block.ref,
                    scheme=self.scheme,
                    first_day=self._today - timedelta(days=days),
                    last_day=self._today - timedelta(days=1),
                    actor=broker_of(block),
                )
                ref = made.ref
            agree_and_pay(self.database, self.ports, ref, block)

    def pay_areas(self, contracts: Sequence[Contract], *, days: int) -> None:
        """What is paid by area: bands for the days played; of a year's budget, the year, once it is over."""
        areas: dict[tuple[str, str], Contract] = {}
        for contract in contracts:
            payment = self.scheme.payment(contract.lot)
            if payment is not None and payment.model in _BY_AREA:
                areas.setdefault((contract.lot, contract.locality), contract)
        by_band = [one for one in areas.values() if not self._budget(one)]
        by_year = [one for one in areas.values() if self._budget(one)]
        for contract in by_band:
            self._state_area(contract, days, performance_percent=90)
        if by_year:
            self.clock.move_to(self.clock.instant + timedelta(days=366))
        for contract in by_year:
            self._state_area(contract, 365, actual_pence=self._budget(contract) * _AREA_COST_PERCENT // 100)

    def _budget(self, contract: Contract) -> int:
        """The year's budget of the contract's area; 0 where its lot has none."""
        payment = self.scheme.payment(contract.lot)
        return payment.area_budgets.get(contract.locality, 0) if payment else 0

    def _state_area(self, contract: Contract, days: int, **figures: int) -> None:
        with self.database.transaction() as session:
            made = make_area_statement(
                session,
                self.ports,
                scheme=self.scheme,
                lot=contract.lot,
                locality=contract.locality,
                provider=contract.provider,
                first_day=self._today - timedelta(days=days),
                last_day=self._today - timedelta(days=1),
                actor=broker_of(contract),
                **figures,
            )
            ref = made.ref
        agree_and_pay(self.database, self.ports, ref, contract)
