"""What Alembic runs for every step: the caller's connection and metadata, nothing of its own.

`history.migrate` hands in a connection whose transaction is open, so that a step is made whole or not at all, on
SQLite too. `render_item` is given only while a new step is written.
"""

from alembic import context

from dps.migrations.history import includes

attributes = context.config.attributes

context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    compare_type=True,
    include_name=includes,
    render_item=attributes.get("render_item"),
)
with context.begin_transaction():
    context.run_migrations()
