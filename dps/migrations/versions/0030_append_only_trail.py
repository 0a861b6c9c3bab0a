"""The database itself refuses to change or to take away what the trail holds.

Step 0030, after 0029.
"""

# ruff: noqa: E501, S608 - a rule in SQL stays in one piece
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

TABLES = {
    "audit_event": "id = NEW.id OR stream = NEW.stream AND seq = NEW.seq",
    "audit_checkpoint": "seq = NEW.seq",
    "audit_checkpoint_head": "checkpoint_seq = NEW.checkpoint_seq AND stream = NEW.stream",
}


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if not is_sqlite:
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING "
            "MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'restrict_violation'; END $$"
        )
    for table, same in TABLES.items():
        for statement in _on_sqlite(table, same) if is_sqlite else _on_postgresql(table):
            op.execute(statement)


def _on_sqlite(table: str, same: str) -> list[str]:
    refused = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    return [
        f"CREATE TRIGGER {table}_stays_as_it_is BEFORE UPDATE ON {table} {refused}",
        f"CREATE TRIGGER {table}_stays BEFORE DELETE ON {table} {refused}",
        f"CREATE TRIGGER {table}_is_not_replaced BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) {refused}",
    ]


def _on_postgresql(table: str) -> list[str]:
    return [
        f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    ]
