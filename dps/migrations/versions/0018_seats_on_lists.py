"""seats on lists.

Step 0018, after 0017.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.add_column("membership", sa.Column("seat", WHOLE, nullable=True))
    op.create_index(
        "uq_membership_seat",
        "membership",
        ["scheme", "list_key", "lot", "locality", "seat"],
        unique=True,
        sqlite_where=sa.text("seat IS NOT NULL AND state <> 'removed'"),
        postgresql_where=sa.text("seat IS NOT NULL AND state <> 'removed'"),
    )
