"""Strict column types: what a row can't hold, no bug can store – on either database."""

import json
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Dialect, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlmodel import Session, col, select

from dps.kernel.columns import Json, UtcDateTime, canonical_json
from dps.kernel.database import Database
from tests.dps.kernel.samples import NOON, Door, SampleThing, a_thing

LONDON = ZoneInfo("Europe/London")
SQLITE: Dialect = sqlite.dialect()
POSTGRESQL: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
NAIVE = datetime(2019, 6, 12, 11, 0)  # noqa: DTZ001 - this is what is refused
CLOCK_CHANGES = [datetime(2019, 3, 31, tzinfo=UTC), datetime(2019, 10, 27, tzinfo=UTC)]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé1 ", max_size=3), inner, max_size=4),
    max_leaves=12,
)


class Pence(IntEnum):
    TEN = 10


def stored(database: Database) -> list[SampleThing]:
    with database.reading() as session:
        return list(session.exec(select(SampleThing).order_by(col(SampleThing.id))).all())


# What is refused


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("at", NAIVE),
        ("at", date(2019, 6, 12)),
        ("at", "2019-06-12T11:00:00Z"),
        ("at", 1_560_337_200),
        ("until", NAIVE),
        ("pence", 12.5),
        ("pence", 12.0),
        ("pence", math.nan),
        ("pence", True),
        ("pence", "1250"),
        ("pence", Decimal(1250)),
        ("pence", Pence.TEN),
        ("on", NOON),
        ("on", "2019-06-12"),
        ("facts", 0.5),
        ("facts", {"rates": [{"weekday": 12.5}]}),
        ("facts", [math.nan]),
        ("facts", {"deep": ({"inf": math.inf},)}),
        ("facts", {1: "a number for a key"}),
        ("facts", {"days": {1, 2}}),
        ("facts", {"price": Decimal("12.50")}),
        ("facts", {"at": NOON}),
        ("more_facts", 1.0),
    ],
)
def test_a_value_of_another_kind_is_refused_before_it_is_sent(database: Database, column: str, value: object) -> None:
    with pytest.raises(StatementError) as refused, database.transaction() as session:
        session.add(a_thing(**{column: value}))

    assert isinstance(refused.value.orig, TypeError)
    assert stored(database) == []


@pytest.mark.parametrize("column", ["at", "pence", "on", "facts", "state"])
def test_a_column_that_must_be_filled_refuses_nothing(database: Database, column: str) -> None:
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(a_thing(**{column: None}))

    assert stored(database) == []


@pytest.mark.parametrize("pence", [2**63, -(2**63) - 1])
def test_a_number_too_great_for_the_column_is_refused(database: Database, pence: int) -> None:
    with pytest.raises((DBAPIError, OverflowError)), database.transaction() as session:
        session.add(a_thing(pence=pence))

    assert stored(database) == []


@pytest.mark.parametrize("state", ["ajar", "NEW", ""])
def test_an_unknown_state_is_refused_by_the_database_itself(database: Database, state: str) -> None:
    with pytest.raises(IntegrityError, match="ck_sample_thing_door"), database.transaction() as session:
        session.add(a_thing(state=state))

    assert stored(database) == []


@pytest.mark.parametrize("state", ["ajar", "NEW", ""])
def test_raw_sql_can_not_set_an_unknown_state(database: Database, state: str) -> None:
    with database.transaction() as session:
        session.add(a_thing())

    with pytest.raises(IntegrityError, match="ck_sample_thing_door"), database.transaction() as session:
        session.execute(text("UPDATE sample_thing SET state = :state"), {"state": state})

    assert stored(database)[0].state is Door.NEW


def test_the_check_of_a_state_has_a_name(database: Database) -> None:
    checks = {
        check["name"]: check["sqltext"] for check in inspect(database.engine).get_check_constraints("sample_thing")
    }

    assert list(checks) == ["ck_sample_thing_door"]
    assert all(f"'{state}'" in checks["ck_sample_thing_door"] for state in Door)


def test_a_question_is_as_strict_as_a_row(database: Database) -> None:
    with database.reading() as session:
        for question in (col(SampleThing.at) < NAIVE, col(SampleThing.pence) > 12.5, col(SampleThing.on) == NOON):
            with pytest.raises(StatementError, match="is needed"):
                session.exec(select(SampleThing).where(question)).all()


def test_a_link_leads_to_a_row_and_keeps_it(database: Database) -> None:
    with database.transaction() as session:
        session.add(a_thing(id=1))
        session.flush()
        session.add(a_thing(id=2, other_id=1))

    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(a_thing(id=3, other_id=99))
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text("DELETE FROM sample_thing WHERE id = 1"))

    assert [thing.id for thing in stored(database)] == [1, 2]


# What comes back


def test_a_row_comes_back_as_it_was_stored(database: Database) -> None:
    facts = {"b": [1, None, True, {"é": "–"}], "a": "text"}
    with database.transaction() as session:
        session.add(a_thing(facts=facts, state=Door.SHUT, sealed=b"\x00\xff", until=NOON.astimezone(LONDON)))

    thing = stored(database)[0]

    assert (thing.at, thing.until, thing.pence, thing.on) == (NOON, NOON, 1250, date(2019, 6, 12))
    assert (thing.at.tzinfo, thing.until and thing.until.tzinfo) == (UTC, UTC)
    assert (thing.state, thing.sealed, thing.facts, thing.more_facts) == (Door.SHUT, b"\x00\xff", facts, None)


def test_instants_keep_their_order_through_both_clock_changes(database: Database) -> None:
    minutes = [night + timedelta(minutes=minute) for night in CLOCK_CHANGES for minute in range(180)]
    instants = [minute + timedelta(microseconds=tick) for minute in minutes for tick in (0, 1, 999_999)]
    with database.transaction() as session:
        session.add_all(a_thing(id=number, at=at.astimezone(LONDON)) for number, at in enumerate(instants, start=1))

    with database.reading() as session:
        read = list(session.exec(select(SampleThing.at).order_by(col(SampleThing.at))))

    assert read == instants
    assert {at.tzinfo for at in read} == {UTC}


@pytest.mark.parametrize("night", CLOCK_CHANGES)
def test_an_instant_is_found_by_its_end_to_the_microsecond(database: Database, night: datetime) -> None:
    closes_at = (night + timedelta(hours=1)).astimezone(LONDON)
    tick = timedelta(microseconds=1)
    with database.transaction() as session:
        session.add_all(a_thing(pence=pence, at=closes_at.astimezone(UTC) + tick * pence) for pence in (-1, 0, 1))

    with database.reading() as session:
        in_time = session.exec(select(SampleThing.pence).where(col(SampleThing.at) < closes_at)).all()

    assert in_time == [-1]


def test_on_sqlite_an_instant_is_a_whole_number_because_texts_do_not_sort_as_instants_do() -> None:
    bound = UtcDateTime().process_bind_param(NOON, SQLITE)

    assert bound == int(NOON.timestamp()) * 1_000_000
    assert type(bound) is int


@pytest.mark.parametrize("dialect", [SQLITE, POSTGRESQL], ids=["sqlite", "postgresql"])
@given(zones=st.timezones(), instants=st.lists(st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30)), max_size=8))  # noqa: DTZ001
def test_any_instant_of_any_zone_is_sent_and_read_as_itself(
    dialect: Dialect, zones: Any, instants: list[datetime]
) -> None:
    column, aware = UtcDateTime(), sorted(instant.replace(tzinfo=UTC) for instant in instants)

    sent = [column.process_bind_param(instant.astimezone(zones), dialect) for instant in aware]

    assert sent == sorted(sent)
    assert [column.process_result_value(value, dialect) for value in sent] == aware


# JSON


@given(JSON_VALUES)
def test_a_json_value_has_one_text_that_reads_as_itself(value: Any) -> None:
    text = canonical_json(value)

    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text
    assert Json().process_bind_param(value, SQLITE) == (None if value is None else text)


@given(st.dictionaries(st.text("abcé", max_size=3), JSON_VALUES, max_size=5), st.randoms())
def test_the_order_in_which_keys_were_set_does_not_show(value: dict[str, Any], draw: Any) -> None:
    shuffled = list(value.items())
    draw.shuffle(shuffled)

    assert canonical_json(dict(shuffled)) == canonical_json(value)


@given(JSON_VALUES, st.floats())
def test_a_float_is_refused_however_deep_it_lies(value: Any, number: float) -> None:
    for hidden in (number, [value, number], {"a": {"b": (number, value)}}):
        with pytest.raises(TypeError, match="no float is stored"):
            canonical_json(hidden)


def test_a_json_text_holds_no_spaces_and_plain_letters() -> None:
    assert canonical_json({"b": (1, None), "a": {Door.NEW: Door.OPEN, "é": True}}) == (
        '{"a":{"new":"open","é":true},"b":[1,null]}'
    )


def test_equal_values_are_equal_as_stored(database: Database) -> None:
    with database.transaction() as session:
        session.add(a_thing(facts={"b": 1, "a": [2]}))

    with database.reading() as session:
        assert found_by_facts(session, {"a": [2], "b": 1}) == 1
        assert found_by_facts(session, {"a": [3], "b": 1}) == 0


def found_by_facts(session: Session, facts: dict[str, Any]) -> int:
    return len(session.exec(select(SampleThing).where(col(SampleThing.facts) == facts)).all())
