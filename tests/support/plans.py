"""How a database would answer a question: which tables it would read from end to end."""

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlmodel import Session

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


def reads_whole_tables(plan: str) -> bool:
    """Whether a table is read from end to end; a list of constants is none."""
    return re.search(r"SCAN (?!\(|CONST)|Seq Scan", plan) is not None
