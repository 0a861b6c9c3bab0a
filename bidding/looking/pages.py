"""Pages of a list: `after` is the reference of the last row seen, so that nothing is skipped or seen twice."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlmodel import col, select

PAGE = 100
"""The most rows of one page."""


def behind(table: Any, after: str | None) -> ColumnElement[bool]:
    """Rows that come after the one with this reference; an unknown reference has nothing behind it."""
    if after is None:
        return col(table.id) > 0
    return col(table.id) > select(table.id).where(table.ref == after).scalar_subquery()


class Turn(NamedTuple):
    """Which rows a page may hold, and in which order."""

    rows: ColumnElement[bool]
    order: ColumnElement[Any]


def turned(table: Any, after: str | None, *, last_first: bool) -> Turn:
    """In the order in which rows were made, or from the last one back; `after` was the last on the page before."""
    if not last_first:
        return Turn(behind(table, after), col(table.id).asc())
    if after is None:
        return Turn(col(table.id) > 0, col(table.id).desc())
    return Turn(col(table.id) < select(table.id).where(table.ref == after).scalar_subquery(), col(table.id).desc())


class AsFilter(FunctionElement[str]):
    """A column that SQLite is to compare and not to look up: an index on it leads to all rows, to be sorted for a page.

    PostgreSQL knows how many it leads to, and decides for itself.
    """

    name = "as_filter"
    inherit_cache = True
    type = String()


@compiles(AsFilter)
def _as_it_is(element: AsFilter, compiler: Any, **how: Any) -> str:
    return str(compiler.process(element.clauses, **how))


@compiles(AsFilter, "sqlite")
def _by_no_index(element: AsFilter, compiler: Any, **how: Any) -> str:
    return f"+{_as_it_is(element, compiler, **how)}"
