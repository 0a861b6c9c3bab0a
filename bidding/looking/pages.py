"""Pages of a list: `after` is the reference of the last row seen, so that nothing is skipped or seen twice."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import col, select

PAGE = 100
"""The most rows of one page."""


def behind(table: Any, after: str | None) -> ColumnElement[bool]:
    """Rows that come after the one with this reference; an unknown reference has nothing behind it."""
    if after is None:
        return col(table.id) > 0
    return col(table.id) > select(table.id).where(table.ref == after).scalar_subquery()
