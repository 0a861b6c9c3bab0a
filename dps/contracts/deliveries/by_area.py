"""What the records of visits say of the elements of an area contract: how many hours and nights were delivered.

An element is counted where it stands for one lot that this provider serves there by contracts for single people: its
hours, or its nights. Minutes count as a statement of the lot counts them. Everything else nobody records by the visit,
and it is told. That records come first is assumed: Kingston's paper asks for rates by element and says no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction

from sqlmodel import Session, col, or_, select

from dps.contracts.area_contracts import AreaContractRow
from dps.contracts.contracts import Contract
from dps.contracts.deliveries.records import Delivery
from dps.contracts.payment.area_rates import OnRecord
from dps.contracts.payment.visits import HOUR_MINUTES, minutes_paid
from dps.schemes.area_contracts import AreaContract, Element, Unit
from dps.schemes.contracting import Payment, PaymentModel
from dps.schemes.model import Scheme

_BY_THE_VISIT = (Unit.HOUR, Unit.NIGHT)


def recorded_units(
    session: Session, row: AreaContractRow, scheme: Scheme, *, first: date, last: date
) -> Mapping[str, OnRecord]:
    """Each element that is read from records, with what they say of these days, both included; nothing else is in it.

    `scheme` holds the rules that the contract was bid under.
    """
    asked = scheme.area_contract(row.key)
    contracts = contracts_served(session, row, first=first, last=last)
    if not contracts:
        return {}
    query = (
        select(Delivery)
        .where(
            col(Delivery.contract_id).in_([one.id for one in contracts]),
            col(Delivery.day) >= first,
            col(Delivery.day) <= last,
            col(Delivery.line).is_not(None),
        )
        .order_by(col(Delivery.id))
    )
    lots = {one.id: one.lot for one in contracts}
    by_lot: dict[str, list[Delivery]] = {lot: [] for lot in lots.values()}
    for record in session.exec(query):
        by_lot[lots[record.contract_id]].append(record)
    return {
        element.key: _counted(element, asked, by_lot[element.lot], scheme.payment(element.lot))
        for element in read_elements(asked)
        if element.lot is not None and element.lot in by_lot
    }


def read_elements(asked: AreaContract) -> tuple[Element, ...]:
    """The elements that records tell apart: the only one of its lot that is paid by the hour, or by the night."""
    places = [(element.lot, element.unit) for element in asked.elements]
    return tuple(
        element
        for element in asked.elements
        if element.lot is not None and element.unit in _BY_THE_VISIT and places.count((element.lot, element.unit)) == 1
    )


def contracts_served(session: Session, row: AreaContractRow, *, first: date, last: date) -> Sequence[Contract]:
    """This provider's contracts for single people in the area and its lots, in care on one of these days."""
    query = select(Contract).where(
        Contract.provider == row.provider,
        Contract.authority == row.authority,
        Contract.scheme == row.scheme,
        Contract.locality == row.locality,
        col(Contract.lot).in_(row.lots),
        col(Contract.started_on) <= last,
        or_(col(Contract.last_day).is_(None), col(Contract.last_day) >= first),
    )
    return session.exec(query.order_by(col(Contract.id))).all()


def _counted(element: Element, asked: AreaContract, records: Iterable[Delivery], payment: Payment | None) -> OnRecord:
    rule = payment or Payment(lots=(element.lot or element.key,), model=PaymentModel.DELIVERED)
    has_nights = any(one.lot == element.lot and one.unit is Unit.NIGHT for one in asked.elements)
    units, visits = Fraction(0), 0
    for record in records:
        if element.unit is Unit.NIGHT and not record.is_night:
            continue
        if element.unit is Unit.HOUR and has_nights and record.is_night:
            continue
        paid = minutes_paid(record.priced(), rule)
        if not paid:
            continue
        visits += 1
        if element.unit is Unit.NIGHT:
            units += record.carers * Fraction(min(paid, record.planned_minutes), record.planned_minutes)
        else:
            units += record.carers * Fraction(paid, HOUR_MINUTES)
    return OnRecord(units, visits)
