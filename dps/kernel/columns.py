"""Strict column types: what a row can't hold, no bug can store.

Naive times, floats of money, unknown states and floats inside JSON are refused when they are bound, on both
databases alike.
"""

import json
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, Dialect, Enum, Integer, LargeBinary, Text
from sqlalchemy.engine.interfaces import Dialect as DialectType
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

BigId = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. PostgreSQL: `timestamptz`; SQLite: integer microseconds since 1970, so that order is exact."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: DialectType) -> TypeEngine[Any]:
        return dialect.type_descriptor(BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise TypeError(f"an aware datetime is needed, not {value!r}")
        instant = value.astimezone(UTC)
        return (instant - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else instant

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + int(value) * _MICROSECOND
        read: datetime = value
        return read.astimezone(UTC)


class Whole(TypeDecorator[int]):
    """A whole number of pence or minutes: no float, no bool, no text."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if type(value) is not int:
            raise TypeError(f"a whole number is needed, not {value!r}")
        return value


class Day(TypeDecorator[date]):
    """A calendar day, without a time."""

    impl = Date
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> date | None:
        if value is None:
            return None
        if type(value) is not date:
            raise TypeError(f"a date without a time is needed, not {value!r}")
        return value


def canonical_json(value: Any) -> str:
    """The one text of a JSON value: sorted keys, no spaces, no floats, no NaN."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"no float is stored: {value!r}")
    if isinstance(value, dict):
        for key, inner in value.items():
            if type(key) is not str and not isinstance(key, StrEnum):
                raise TypeError(f"a JSON key is a text, not {key!r}")
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _refuse_floats(inner)


class Json(TypeDecorator[Any]):
    """A JSON value in its canonical text; comparable and hashable as stored."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else canonical_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def _enum(states: type[StrEnum]) -> Enum:
    return Enum(
        states,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=states.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


# The functions below are what tables use: each returns a field of a strict type.


def id_column() -> Any:
    return Field(default=None, primary_key=True, sa_type=BigId)


def ref_column() -> Any:
    """The public, non-enumerable reference of a row."""
    return Field(unique=True, max_length=24)


def link_column(target: str, *, nullable: bool = False, index: bool = True, unique: bool = False) -> Any:
    """A foreign key to `table.id`; deletes are never cascaded."""
    if nullable:
        return Field(default=None, foreign_key=target, nullable=True, index=index, unique=unique, sa_type=BigId)
    return Field(foreign_key=target, index=index, unique=unique, sa_type=BigId)


def utc_column(*, nullable: bool = False, index: bool = False) -> Any:
    if nullable:
        return Field(default=None, nullable=True, index=index, sa_type=UtcDateTime)
    return Field(index=index, sa_type=UtcDateTime)


def day_column(*, nullable: bool = False, index: bool = False) -> Any:
    if nullable:
        return Field(default=None, nullable=True, index=index, sa_type=Day)
    return Field(index=index, sa_type=Day)


def whole_column(*, nullable: bool = False, default: int | None = None) -> Any:
    """Pence or minutes; the unit stands in the column's name."""
    if nullable:
        return Field(default=None, nullable=True, sa_type=Whole)
    if default is not None:
        return Field(default=default, sa_type=Whole)
    return Field(sa_type=Whole)


def state_column(states: type[StrEnum], *, index: bool = True) -> Any:
    """One of `states`, by value, with a named CHECK on both databases."""
    return Field(index=index, sa_type=_enum(states))


def json_column(*, nullable: bool = False) -> Any:
    if nullable:
        return Field(default=None, nullable=True, sa_type=Json)
    return Field(sa_type=Json)


def bytes_column(*, nullable: bool = False) -> Any:
    if nullable:
        return Field(default=None, nullable=True, sa_type=LargeBinary)
    return Field(sa_type=LargeBinary)
