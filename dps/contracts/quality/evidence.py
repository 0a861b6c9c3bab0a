"""What is known of each provider's work in a period, as plain counts: what scores and indicators are made from."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, func, or_, select

from dps.contracts.answers import OutcomeAnswer, found
from dps.contracts.contracts import Contract, ContractState
from dps.contracts.deliveries.matching import Oddity
from dps.contracts.deliveries.records import Delivery
from dps.contracts.outcomes import OutcomeReview
from dps.contracts.payment.visits import VisitOutcome
from dps.contracts.quality.concerns import Concern, ConcernKind, ConcernState
from dps.contracts.reasons import FailureReason, HandBackReason
from dps.schemes.model import Scheme


@dataclass(slots=True)
class Evidence:
    """One provider's counts. `contracts` were served on one of the days, or failed to start for want of the provider.

    `late` visits began outside their window; `hand_backs` and `failed_starts` are those held against the provider.
    """

    contracts: int = 0
    outcomes_agreed: int = 0
    outcomes_met: int = 0
    visits_done: int = 0
    visits_missed: int = 0
    visits_late: int = 0
    complaints_upheld: int = 0
    hand_backs: int = 0
    failed_starts: int = 0

    def counts(self) -> dict[str, int]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


def evidence(
    session: Session,
    scheme: Scheme,
    *,
    first: date,
    last: date,
    as_of: date | None = None,
    authority: str | None = None,
) -> dict[str, Evidence]:
    """By provider, for these days, both included; of one authority's contracts, or of all of the scheme.

    Reviews count that stand `as_of` a day, the last one unless told otherwise.
    """
    here = [Contract.scheme == scheme.key]
    if authority is not None:
        here.append(Contract.authority == authority)
    counted: dict[str, Evidence] = {}
    for count in (_contracts, _visits, _complaints):
        for provider, name, number in count(session, here, first, last):
            one = counted.setdefault(provider, Evidence())
            setattr(one, name, getattr(one, name) + int(number or 0))
    _outcomes(session, scheme, here, first, last, as_of or last, counted)
    return dict(sorted(counted.items()))


Counts = Iterable[tuple[str, str, int]]


def _contracts(session: Session, here: list[Any], first: date, last: date) -> Counts:
    was_served = (
        col(Contract.started_on) <= last,
        or_(col(Contract.last_day).is_(None), col(Contract.last_day) >= first),
    )
    handed_back = (
        Contract.state == ContractState.HANDED_BACK,
        col(Contract.over_because).in_([one.value for one in HandBackReason if one.is_the_providers]),
        col(Contract.last_day).between(first, last),
    )
    failed = (
        Contract.state == ContractState.FAILED_TO_START,
        col(Contract.over_because).in_([one.value for one in FailureReason if one.is_the_providers]),
        col(Contract.starts_on).between(first, last),
    )
    for names, rules in (
        (("contracts",), was_served),
        (("hand_backs",), handed_back),
        (("failed_starts", "contracts"), failed),
    ):
        query = select(Contract.provider, func.count()).where(*here, *rules).group_by(col(Contract.provider))
        for provider, number in session.exec(query.order_by(col(Contract.provider))):
            yield from ((provider, name, number) for name in names)


def _visits(session: Session, here: list[Any], first: date, last: date) -> Counts:
    def summed(rule: Any) -> Any:
        return func.sum(sa.case((rule, 1), else_=0))

    is_done = (col(Delivery.outcome) == VisitOutcome.DONE) & col(Delivery.line).is_not(None)
    # Oddities are one text of a list of words; the quotes keep one word from being part of another.
    is_late = sa.type_coerce(col(Delivery.oddities), sa.Text).like(f'%"{Oddity.OUTSIDE_WINDOW}"%')
    query = (
        sa.select(
            col(Contract.provider),
            summed(is_done),
            summed(col(Delivery.outcome) == VisitOutcome.MISSED),
            summed(is_done & is_late),
        )
        .join(Delivery, col(Delivery.contract_id) == col(Contract.id))
        .where(*here, col(Delivery.day).between(first, last))
        .group_by(col(Contract.provider))
        .order_by(col(Contract.provider))
    )
    for provider, done, missed, late in session.execute(query):
        named = (("visits_done", done), ("visits_missed", missed), ("visits_late", late))
        yield from ((provider, name, number) for name, number in named)


def _complaints(session: Session, here: list[Any], first: date, last: date) -> Counts:
    query = (
        select(Contract.provider, func.count())
        .join(Concern, col(Concern.contract_id) == col(Contract.id))
        .where(
            *here,
            Concern.kind == ConcernKind.COMPLAINT,
            Concern.state == ConcernState.UPHELD,
            col(Concern.received_on).between(first, last),
        )
        .group_by(col(Contract.provider))
        .order_by(col(Contract.provider))
    )
    for provider, number in session.exec(query):
        yield provider, "complaints_upheld", number


def _outcomes(
    session: Session,
    scheme: Scheme,
    here: list[Any],
    first: date,
    last: date,
    as_of: date,
    counted: dict[str, Evidence],
) -> None:
    """Reviews that stand as of a day; what is contested says nothing yet."""
    query = (
        select(Contract.provider, OutcomeReview, OutcomeAnswer)
        .join(OutcomeReview, col(OutcomeReview.contract_id) == col(Contract.id))
        .join(OutcomeAnswer, col(OutcomeAnswer.review_id) == col(OutcomeReview.id), isouter=True)
        .where(*here, col(OutcomeReview.last_day).between(first, last))
        .order_by(col(OutcomeReview.id))
    )
    for provider, review, answer in session.exec(query):
        one = found(review, answer, scheme)
        if one.stands_on(as_of):
            known = counted.setdefault(provider, Evidence())
            known.outcomes_agreed += one.agreed
            known.outcomes_met += one.met
