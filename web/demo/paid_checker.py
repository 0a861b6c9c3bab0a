"""Judges what was paid from the database alone, and shares no code with what it judges.

It reads plain SQL, reckons each visit anew from the recorded minutes, the contract's prices and the published rules,
and counts statements that say anything else: wrong sums, days paid twice, a payment by whoever made the statement, a
statement that is paid without its provider's word.
"""

import json
from collections import Counter
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import holidays
from sqlalchemy import Connection, text

_BANDS = ("bank_holiday", "night", "weekend", "weekday")
_WORKED = {"visits"}


def misstated(connection: Connection) -> int:
    """How many statements are not what the records say."""
    rules = {hash_: json.loads(body) for hash_, body in _rows(connection, "SELECT rule_hash, text FROM scheme_rules")}
    contracts = {id_: _json(card) for id_, card in _rows(connection, "SELECT id, card FROM contract")}
    uplifted = {id_ for (id_,) in _rows(connection, "SELECT contract_id FROM variation WHERE kind = 'uplift'")}
    moves: dict[str, list[tuple[str, str]]] = {}
    for stream, kind, actor in _rows(
        connection, "SELECT stream, kind, actor FROM audit_event WHERE kind LIKE 'statement.%' ORDER BY seq"
    ):
        moves.setdefault(stream, []).append((kind, actor))
    wrong = 0
    covered: Counter[tuple[int, date]] = Counter()
    for ref, contract, hash_, lot, first, last, pence, chargeable, lines, state, made_by in _rows(
        connection,
        "SELECT ref, contract_id, rule_hash, lot, first_day, last_day, pence, chargeable_pence, lines, state, made_by"
        " FROM statement WHERE state <> 'withdrawn' ORDER BY id",
    ):
        parts = _json(lines)
        days = _days(_day(first), _day(last))
        is_wrong = pence != sum(part["pence"] for part in parts) or chargeable != sum(
            part["pence"] for part in parts if part["is_chargeable"]
        )
        if state == "paid":
            said = dict(moves.get(ref, []))
            is_wrong |= "statement.agree" not in said or said.get("statement.pay") in (None, made_by)
        if contract is not None:
            covered.update((contract, day) for day in days)
            payment = next(one for one in rules[hash_]["payments"] if lot in one["lots"])
            if payment["model"] == "delivered" and contract not in uplifted:
                weeks = _weeks(connection, contract, contracts[contract], payment, rules[hash_]["nation"], days)
                stated = {part["about"]: part["pence"] for part in parts if part["item"] in _WORKED}
                is_wrong |= stated != {about: amount for about, amount in weeks.items() if amount}
        wrong += is_wrong
    return wrong + sum(1 for times in covered.values() if times > 1)


def _weeks(
    connection: Connection, contract: int, card: Any, payment: Any, nation: str, days: list[date]
) -> dict[str, int]:
    """What the planned visits of each week come to, in pence, by its Monday."""
    exact: dict[str, Fraction] = {}
    for day, outcome, planned, delivered, carers, is_night in _rows(
        connection,
        "SELECT day, outcome, planned_minutes, delivered_minutes, carers, is_night FROM delivery"
        " WHERE contract_id = :contract AND line IS NOT NULL ORDER BY id",
        contract=contract,
    ):
        if _day(day) not in days:
            continue
        paid = _paid(outcome, planned, delivered, payment)
        price = _price(card, _day(day), bool(is_night), nation, planned)
        part = Fraction(paid, 60) if card["basis"] == "per_hour" else Fraction(min(paid, planned), planned)
        monday = _day(day) - timedelta(days=_day(day).weekday())
        about = f"week of {monday}"
        exact[about] = exact.get(about, Fraction(0)) + price * carers * part
    return {about: int(amount + Fraction(1, 2)) for about, amount in exact.items()}


def _paid(outcome: str, planned: int, delivered: int, payment: Any) -> int:
    if outcome == "cancelled_late" and payment["late_cancellation_paid"]:
        return planned
    if outcome != "done":
        return 0
    if payment["counts"] == "visit" and delivered >= planned - payment["tolerance_minutes"]:
        return planned
    return min(delivered, planned + (payment["tolerance_minutes"] if payment["counts"] == "minutes" else 0))


def _price(card: Any, day: date, is_night: bool, nation: str, minutes: int) -> int:
    prices = card["prices"].get(str(minutes)) if card["basis"] == "per_visit_length" else card["prices"]
    part = {"scotland": "SCT", "northern_ireland": "NIR"}.get(nation, "ENG")
    holds = {
        "bank_holiday": day in holidays.country_holidays("GB", subdiv=part, years=day.year),
        "night": is_night,
        "weekend": day.weekday() >= 5,
        "weekday": True,
    }
    return next(int(prices[band]) for band in _BANDS if holds[band] and band in prices)


def _rows(connection: Connection, sql: str, **values: int) -> list[Any]:
    return list(connection.execute(text(sql), values))


def _json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _day(value: Any) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
