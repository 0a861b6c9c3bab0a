"""Years of history in a second: every row of what happened so far, copied again and again under other names.

A copy says what its original says, and holds together as it does: keys of its own, foreign keys and references that
lead to the copy's other rows. Only what is over should be copied; what is open would be open so many times.
"""

from sqlalchemy import Connection, Table, text
from sqlmodel import SQLModel

from dps.kernel.database import Database

HISTORY = (
    "person", "package", "package_version", "remark", "referral", "closing", "round", "eligibility_report",
    "invitation", "bid", "bid_round", "opened_bid", "scored_bid", "allocation_run", "award", "contract",
    "capacity_hold", "outbox_message", "change", "letter", "audit_event", "audit_head",
)  # fmt: skip
"""The tables that grow with every package; register, rules and accounts do not."""
_HOLDERS = frozenset({"provider", "recipient", "existing_provider"})
_REFERENCES = frozenset(
    {"ref", "stream", "about", "referral", "contract", "award", "bid", "closing", "key", "rounds_key"}
)


class Past:
    """What has happened when this is made, to be copied as often as is wanted."""

    def __init__(self, database: Database, *, holders: int = 20) -> None:
        """Of `holders` copies one is of the same provider, the rest of as many others."""
        self._database, self._holders = database, holders
        self._tables = {name: SQLModel.metadata.tables[name] for name in HISTORY}
        self._numbered = [name for name, table in self._tables.items() if "id" in table.columns]
        with database.engine.connect() as connection:
            said = {name: f"SELECT EXISTS (SELECT 1 FROM {name})" for name in self._tables}
            self.tables = [name for name, query in said.items() if connection.execute(text(query)).scalar_one()]
            self._last = max(_greatest(connection, name) for name in self._numbered)
        self._copies = 0

    def copy(self, times: int) -> None:
        """So many copies more; a PostgreSQL is told what it then holds, as its autovacuum would."""
        is_sqlite = self._database.is_sqlite
        with self._database.engine.begin() as connection:
            connection.exec_driver_sql(
                "PRAGMA defer_foreign_keys = ON" if is_sqlite else "SET LOCAL session_replication_role = replica"
            )
            above = max(_greatest(connection, name) for name in self._numbered)
            for name, table in self._tables.items():
                self._copy(connection, table, times, above)
                if name in self._numbered and not is_sqlite:
                    last = f"(SELECT max(id) FROM {name})"
                    connection.exec_driver_sql(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {last})")
        self._copies += times
        if not is_sqlite:
            with self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")

    def _copy(self, connection: Connection, table: Table, times: int, above: int) -> None:
        """A copy's numbers begin `above` whatever is numbered, one copy close behind the other."""
        first, last = self._copies + 1, self._copies + times
        number = f"+ {above} + (n - {first}) * {self._last}"
        said = []
        for column in table.columns:
            leads_to = {key.column.table.name for key in column.foreign_keys}
            if column.name == "id" or leads_to & self._tables.keys():
                said.append(f"{column.name} {number}")
            elif column.name in _REFERENCES or column.name.endswith("_ref"):
                kept = (getattr(column.type, "length", None) or 40) - 6
                said.append(f"substr({column.name}, 1, {kept}) || '-' || n")
            elif column.name in _HOLDERS:
                kept = (getattr(column.type, "length", None) or 40) - 3
                whose = f"(n - n / {self._holders} * {self._holders})"
                other = f"substr({column.name}, 1, {kept}) || '-' || {whose}"
                said.append(f"CASE WHEN {whose} = 0 THEN {column.name} ELSE {other} END")
            else:
                said.append(column.name)
        names = ", ".join(column.name for column in table.columns)
        past = (
            f"id <= {self._last}"
            if "id" in table.columns
            else f"stream IN (SELECT stream FROM audit_event WHERE id <= {self._last})"
        )
        connection.exec_driver_sql(
            f"INSERT INTO {table.name} ({names}) "
            f"WITH RECURSIVE many(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM many WHERE n < {last}) "
            f"SELECT {', '.join(said)} FROM {table.name}, many WHERE {past}"
        )


def _greatest(connection: Connection, name: str) -> int:
    return int(connection.execute(text(f"SELECT coalesce(max(id), 0) FROM {name}")).scalar_one())
