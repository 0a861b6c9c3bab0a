"""What a contract's statement is reckoned from, read out of the database."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from sqlmodel import Session

from dps.contracts.answers import Found, findings
from dps.contracts.contracts import Contract
from dps.contracts.deliveries.recording import flexes_on
from dps.contracts.deliveries.records import Delivery, deliveries_of
from dps.contracts.payment.reckoning import Budget, Pause, Period, ReviewFacts
from dps.contracts.payment.visits import PricedVisit, VisitOutcome
from dps.contracts.tiers import tier_on, tiers_of
from dps.contracts.variations.records import Variation, VariationKind, VariationState, Weeks, variations_of
from dps.contracts.variations.uplifting import Prices
from dps.kernel.calendar import Weekday, bank_holidays
from dps.kernel.errors import CannotState
from dps.kernel.money import Band
from dps.packages.packages import Package
from dps.schemes.model import Scheme

ONE_DAY = timedelta(days=1)


class ContractFacts:
    """Everything about one contract that its statements need; read once."""

    def __init__(self, session: Session, contract: Contract, scheme: Scheme, *, today: date) -> None:
        assert contract.started_on is not None
        self._session = session
        self._contract = contract
        self._nation = scheme.nation
        self._today = today
        self._started_on = contract.started_on
        self._weeks = Weeks(session, contract)
        self._prices = Prices(session, contract)
        self._pauses = variations_of(session, contract, VariationKind.PAUSE)
        self._flexes = variations_of(session, contract, VariationKind.FLEX)
        self._findings = findings(session, contract, scheme)
        package = session.get(Package, contract.package_id)
        assert package is not None  # a foreign key
        self._package = package

    def period(self, first: date, last: date) -> Period:
        """The facts of these days, both included."""
        records = deliveries_of(self._session, self._contract, first=self._started_on, last=last)
        within = [record for record in records if record.day >= first]
        review = self._review_of(first, last)
        tiers = tiers_of(self._session, self._contract)
        return Period(
            first=first,
            last=last,
            delivered=[
                record.priced(self._bands(record.day, record.is_night)) for record in within if record.line is not None
            ],
            planned=list(self._planned(first, last, within)),
            card_on=self._prices.card_on,
            weekly_pence=self._prices.week_on(last, self._weeks.pence_on(last), self._weeks.on(last)),
            flexed=list(self._flexed(within)),
            pauses=[
                Pause(pause.from_day, pause.last_day + ONE_DAY)
                for pause in self._pauses
                if pause.state is VariationState.CLOSED and pause.last_day and first <= pause.last_day <= last
            ],
            budget=self._budget(),
            reviewed=ReviewFacts(review.met, review.agreed, review.exception, review.last_day) if review else None,
            held_plan=list(self._planned(self._started_on, review.last_day, records)) if review else (),
            tiers=[(day, tier_on(tiers, day)) for day in self.served_days(first, last)],
        )

    def served_days(self, first: date, last: date) -> list[date]:
        """The days of the period on which the contract was served: begun, not over, not paused."""
        return [day for day in _days(first, last) if self._is_served_on(day)]

    def _budget(self) -> Budget | None:
        """The budget's weeks end with the review that looked at them, or else after the weeks that were set."""
        package = self._package
        if package.budget_pence is None or package.budget_weeks is None:
            return None
        whole = self._started_on + timedelta(weeks=package.budget_weeks) - ONE_DAY
        last = self._findings[0].last_day if self._findings else whole
        return Budget(package.budget_pence, self._started_on, last)

    def _review_of(self, first: date, last: date) -> Found | None:
        """The review whose last day lies in the period; the latest, if there are several. It must stand."""
        found = [one for one in self._findings if first <= one.last_day <= last]
        if not found:
            return None
        if found[-1].stands_from is None:
            raise CannotState(reason=f"the provider contests review {found[-1].ref}: an approver settles it first")
        if not found[-1].stands_on(self._today):
            raise CannotState(
                reason=f"review {found[-1].ref} stands once the provider agrees, or from {found[-1].stands_from} on"
            )
        return found[-1]

    def _planned(self, first: date, last: date, records: Sequence[Delivery]) -> Iterator[PricedVisit]:
        """Each planned visit of the days in which the contract was served, with what the records say of it."""
        became = {(record.day, record.line): record for record in records}
        for day in self.served_days(first, last):
            week = self._weeks.on(day)
            if week is None:
                continue
            for line, visit in enumerate(week.visits):
                if Weekday(day.weekday()) not in visit.days:
                    continue
                record = became.get((day, line))
                yield PricedVisit(
                    day,
                    self._bands(day, visit.is_at_night()),
                    visit.minutes,
                    record.delivered_minutes if record else 0,
                    visit.carers,
                    record.outcome if record else VisitOutcome.DONE,
                )

    def _flexed(self, records: Sequence[Delivery]) -> Iterator[PricedVisit]:
        """Visits beyond the plan on days with a flex, up to the minutes that the day's flexes allow."""
        left: dict[date, int] = {}
        for record in records:
            if record.line is not None or record.outcome is not VisitOutcome.DONE:
                continue
            allowed = sum(flex.extra_minutes_a_day or 0 for flex in flexes_on(self._flexes, record.day))
            minutes = min(record.delivered_minutes * record.carers, left.get(record.day, allowed))
            left[record.day] = left.get(record.day, allowed) - minutes
            if minutes:
                # Carer-minutes are counted against the flex, so the line is of one carer.
                yield PricedVisit(record.day, self._bands(record.day, record.is_night), minutes, minutes)

    def _is_served_on(self, day: date) -> bool:
        contract = self._contract
        if day < self._started_on or (contract.last_day is not None and day > contract.last_day):
            return False
        if contract.suspended_on is not None and day >= contract.suspended_on:
            return False
        return not any(_covers(pause, day) for pause in self._pauses if pause.last_day is not None)

    def _bands(self, day: date, is_night: bool) -> frozenset[Band]:
        applies = {
            Band.BANK_HOLIDAY: day in bank_holidays(self._nation, day.year),
            Band.NIGHT: is_night,
            Band.WEEKEND: Weekday(day.weekday()).is_weekend,
        }
        return frozenset(band for band, does in applies.items() if does)


def _covers(pause: Variation, day: date) -> bool:
    return pause.last_day is not None and pause.from_day <= day <= pause.last_day


def _days(first: date, last: date) -> Iterator[date]:
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)
