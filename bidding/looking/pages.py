"""Pages of a list: `after` is the reference of the last row seen, so that nothing is skipped or seen twice."""

from typing import Any

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
