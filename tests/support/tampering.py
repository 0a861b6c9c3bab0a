"""Hands past the database's own guards, for tests that tamper."""

from sqlalchemy import Connection, text


def unguard(connection: Connection) -> None:
    """Until this transaction ends neither triggers nor foreign keys are asked; what SQLite's triggers said is gone."""
    if connection.dialect.name != "sqlite":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    connection.execute(text("PRAGMA defer_foreign_keys = ON"))
    for name in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
        connection.execute(text(f"DROP TRIGGER {name}"))
