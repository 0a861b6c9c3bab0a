"""A bidder's own copies, readable in its browser alone.

Step 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "own_copy",
        sa.Column("id", ID, nullable=False),
        sa.Column("bid", sa.String(24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_copy")),
        sa.UniqueConstraint("bid", name=op.f("uq_own_copy_bid")),
    )
    op.create_index(op.f("ix_own_copy_kept_at"), "own_copy", ["kept_at"], unique=False)
