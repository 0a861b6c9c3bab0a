"""Tables whose rows stay as they were written: the database itself refuses to change or to take one away (law 3).

No command changes an event; this is for whoever else can send SQL. Who owns the tables can take the triggers away
too, and what he does then is found by the proof (`verify`). Erasure needs no exception: the trail holds no person.
"""

from sqlalchemy import DDL, Table, UniqueConstraint, event

REFUSAL = (
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING "
    "MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation'; END $$"
)


def append_only(table: Table) -> None:
    """Have the triggers made wherever this table is made; steps of the history write them out (`triggers`)."""
    for dialect, statements in (("sqlite", on_sqlite(table)), ("postgresql", on_postgresql(table))):
        for statement in statements:
            event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]


def on_postgresql(table: Table) -> list[str]:
    """One trigger a table: whatever would change rows is refused, though it would find none."""
    name = table.name
    return [
        REFUSAL,
        f"CREATE TRIGGER {name}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


def on_sqlite(table: Table) -> list[str]:
    """Three triggers a table: INSERT OR REPLACE takes a row away without asking who guards against DELETE."""
    name = table.name
    keys = [[column.name for column in table.primary_key]]
    keys += [
        [column.name for column in one.columns]
        for one in sorted(table.constraints, key=lambda one: str(one.name))
        if isinstance(one, UniqueConstraint)
    ]
    same = " OR ".join(" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys)
    there = f"SELECT 1 FROM {name} WHERE {same}"  # noqa: S608 - names of our own tables
    refused = f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
    return [
        f"CREATE TRIGGER {name}_stays_as_it_is BEFORE UPDATE ON {name} {refused}",
        f"CREATE TRIGGER {name}_stays BEFORE DELETE ON {name} {refused}",
        f"CREATE TRIGGER {name}_is_not_replaced BEFORE INSERT ON {name} WHEN EXISTS ({there}) {refused}",
    ]
