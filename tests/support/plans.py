"""How a database would answer a question: which tables it would read from end to end."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import event
from sqlmodel import Session, SQLModel

from dps.kernel.database import Database


def plans_of(database: Database, ask: Callable[[Session], Any]) -> list[str]:
    """The plan of each SELECT that `ask` sends, as the database writes it.

    PostgreSQL reads a small table whole because that is quicker; it is told not to, so that what is left is what no
    index can answer.
    """
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        seen.append((statement, parameters))

    with database.reading() as session:
        event.listen(database.engine, "before_cursor_execute", note)
        try:
            ask(session)
        finally:
            event.remove(database.engine, "before_cursor_execute", note)
        connection = session.connection()
        if database.is_sqlite:
            explain, column = "EXPLAIN QUERY PLAN", 3
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            explain, column = "EXPLAIN", 0
        return [
            "\n".join(row[column] for row in connection.exec_driver_sql(f"{explain} {statement}", parameters))
            for statement, parameters in seen
            if statement.startswith("SELECT")
        ]


def plans_while(database: Database, act: Callable[[], Any]) -> list[tuple[str, str]]:
    """Each statement that is sent while `act` is done, with its plan as the database would choose it for what it holds.

    Nothing is forbidden to it: fill the tables first. Statements that write are looked at for what they read.
    """
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if not many and statement.startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            seen.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    explain, column = ("EXPLAIN QUERY PLAN", 3) if database.is_sqlite else ("EXPLAIN", 0)
    with database.engine.connect() as connection:
        return [
            (
                statement,
                "\n".join(row[column] for row in connection.exec_driver_sql(f"{explain} {statement}", parameters)),
            )
            for statement, parameters in seen
        ]


def statements_while(database: Database, act: Callable[[], Any]) -> int:
    """How many statements are sent while `act` is done."""
    seen = 0

    def note(*_: Any) -> None:
        nonlocal seen
        seen += 1

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        act()
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return seen


def whole_tables_read(plan: str) -> set[str]:
    """The tables, or the names that a statement gives them, that a plan reads from end to end.

    An index that holds only some of the rows may be: it is as long as what is open.
    """
    found = re.findall(r"SCAN (?!\(|CONST|\d+ CONST)(\w+)(?: USING (?:COVERING )?INDEX (\w+))?|Seq Scan on (\w+)", plan)
    return {scanned or read for scanned, index, read in found if index not in _partial()}


@cache
def _partial() -> frozenset[str]:
    indexes = (index for table in SQLModel.metadata.tables.values() for index in table.indexes)
    return frozenset(str(one.name) for one in indexes if one.dialect_options["sqlite"]["where"] is not None)


def reads_whole_tables(plan: str) -> bool:
    """Whether a table is read from end to end; a list of constants is none."""
    return re.search(r"SCAN (?!\(|CONST|\d+ CONST)|Seq Scan", plan) is not None
