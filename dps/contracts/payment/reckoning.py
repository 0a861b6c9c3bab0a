"""A contract's period as lines: which calculator a lot's payment calls, and the flexes and retainers beside it.

Pure: `statements` collects the facts from the database and stores the answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import assert_never

from dps.contracts.payment.at_risk import guaranteed_line, released_line
from dps.contracts.payment.outcome_budget import ProvenException, budget_line
from dps.contracts.payment.retainer import retainer_line
from dps.contracts.payment.visits import CardOn, PricedVisit, commissioned, minutes_paid, visits_line
from dps.contracts.payment.weekly_prices import tier_line
from dps.contracts.payment.worked import Item, Line
from dps.kernel.errors import CannotState
from dps.schemes.contracting import Payment, PaymentModel, Variations


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What the council and the provider found at the outcome review, and until which day it looked."""

    met: int
    agreed: int
    exception: ProvenException
    last_day: date


@dataclass(frozen=True, slots=True)
class Budget:
    """The budget of the first weeks, from the first visit to `last_day`."""

    pence: int
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Pause:
    """Days without visits, from `from_day` (included) to `restarted_on` (excluded), when the service went on."""

    from_day: date
    restarted_on: date


@dataclass(frozen=True, slots=True)
class Period:
    """All that one contract is paid from, for the days `first` to `last`, both included.

    `delivered` are records of visits, `planned` the plan with what became of each; `flexed` are visits under a flex.
    `reviewed` is the outcome review that was made in this period, `held_plan` the plan from the first visit to its last
    day; `pauses` are those that ended in it. `tier_on` names a day's tier, None where there is none.
    """

    first: date
    last: date
    delivered: Sequence[PricedVisit]
    planned: Sequence[PricedVisit]
    card_on: CardOn
    weekly_pence: int
    flexed: Sequence[PricedVisit] = ()
    pauses: Sequence[Pause] = ()
    budget: Budget | None = None
    reviewed: ReviewFacts | None = None
    held_plan: Sequence[PricedVisit] = ()
    tiers: Sequence[tuple[date, str | None]] = ()


def contract_lines(payment: Payment, variations: Variations, period: Period) -> list[Line]:
    """The lines of a contract's statement. CannotState, in words, where these facts can't be reckoned yet."""
    lines = [*_service(payment, period), *_flexes(payment, variations, period)]
    if variations.retainer is not None:
        lines += [
            retainer_line(
                variations.retainer,
                weekly_pence=period.weekly_pence,
                paused_from=pause.from_day,
                restarted_on=pause.restarted_on,
                chargeable=payment.chargeable,
            )
            for pause in period.pauses
        ]
    return [line for line in lines if line.pence or line.item is not Item.VISITS]


def _service(payment: Payment, period: Period) -> Iterator[Line]:
    match payment.model:
        case PaymentModel.DELIVERED:
            yield from _weekly(payment, period.delivered, period, Item.VISITS)
        case PaymentModel.COMMISSIONED:
            yield from _weekly(payment, period.planned, period, Item.COMMISSIONED)
        case PaymentModel.OUTCOME_BUDGET:
            yield from _budget_then_rate(payment, period)
        case PaymentModel.SHARE_AT_RISK:
            yield from _share_at_risk(payment, period)
        case PaymentModel.TIERS:
            yield from _tiers(payment, period)
        case PaymentModel.BANDS | PaymentModel.CAPITATED:
            raise CannotState(reason="this lot is paid by area, not contract by contract")
        case _:
            assert_never(payment.model)


def _weekly(payment: Payment, visits: Sequence[PricedVisit], period: Period, item: Item) -> Iterator[Line]:
    """A line for each week from Monday to Sunday."""
    counted = commissioned if item is Item.COMMISSIONED else minutes_paid
    for monday in sorted({_monday(visit.day) for visit in visits}):
        yield visits_line(
            [visit for visit in visits if _monday(visit.day) == monday],
            period.card_on,
            payment,
            item=item,
            about=f"week of {monday}",
            counted=counted,
            is_chargeable=payment.chargeable,
        )


def _budget_then_rate(payment: Payment, period: Period) -> Iterator[Line]:
    budget = period.budget
    if budget is not None and period.first <= budget.last_day:
        if period.first != budget.first_day or period.last < budget.last_day:
            raise CannotState(
                reason=f"the budget's weeks, {budget.first_day} to {budget.last_day}, are stated in one piece"
            )
        if period.reviewed is None:
            raise CannotState(reason="the outcomes of the budget's weeks have not been reviewed")
        within = [visit for visit in period.delivered if visit.day <= budget.last_day]
        value = visits_line(within, period.card_on, payment, item=Item.VISITS, about="")
        yield budget_line(
            budget_pence=budget.pence,
            delivered_pence=value.pence,
            met=period.reviewed.met == period.reviewed.agreed,
            exception=period.reviewed.exception,
            about=f"{budget.first_day} to {budget.last_day}",
            chargeable=payment.chargeable,
        )
    after = [visit for visit in period.delivered if budget is None or visit.day > budget.last_day]
    yield from _weekly(payment, after, period, Item.VISITS)


def _share_at_risk(payment: Payment, period: Period) -> Iterator[Line]:
    assert payment.at_risk_percent is not None  # the loader's rule 33
    about = f"{period.first} to {period.last}"
    yield guaranteed_line(
        plan_pence=_plan_pence(payment, period.planned, period),
        at_risk_percent=payment.at_risk_percent,
        about=about,
        chargeable=payment.chargeable,
    )
    if period.reviewed is not None:
        plan = _plan_pence(payment, period.held_plan, period)
        guaranteed = guaranteed_line(
            plan_pence=plan, at_risk_percent=payment.at_risk_percent, about=about, chargeable=payment.chargeable
        )
        yield released_line(
            held_pence=plan - guaranteed.pence,
            met=period.reviewed.met,
            agreed=period.reviewed.agreed,
            about=f"reviewed to {period.reviewed.last_day}",
            chargeable=payment.chargeable,
        )


def _plan_pence(payment: Payment, plan: Sequence[PricedVisit], period: Period) -> int:
    return visits_line(plan, period.card_on, payment, item=Item.COMMISSIONED, about="plan", counted=commissioned).pence


def _tiers(payment: Payment, period: Period) -> Iterator[Line]:
    """A line for each tier and week; what no tier was agreed for is paid as delivered."""
    weeks: dict[tuple[date, str], int] = {}
    for day, key in period.tiers:
        if key is not None:
            weeks[_monday(day), key] = weeks.get((_monday(day), key), 0) + 1
    for (monday, key), days in sorted(weeks.items()):
        about = f"week of {monday}"
        yield tier_line(payment.weekly_prices, key, days=days, about=about, chargeable=payment.chargeable)
    in_tier = {day for day, key in period.tiers if key is not None}
    spot = [visit for visit in period.delivered if visit.day not in in_tier]
    yield from _weekly(payment, spot, period, Item.VISITS)


def _flexes(payment: Payment, variations: Variations, period: Period) -> Iterator[Line]:
    """Visits under a flex, at the contract's prices; charged to the person only where the flex's rule says so."""
    if variations.flex is None or not period.flexed:
        return
    for monday in sorted({_monday(visit.day) for visit in period.flexed}):
        yield visits_line(
            [visit for visit in period.flexed if _monday(visit.day) == monday],
            period.card_on,
            payment,
            item=Item.FLEX,
            about=f"week of {monday}",
            is_chargeable=payment.chargeable and variations.flex.charged_to_person,
        )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
