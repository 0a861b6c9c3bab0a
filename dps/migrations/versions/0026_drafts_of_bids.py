"""drafts of bids.

Step 0026, after 0025.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "bid_draft",
        sa.Column("id", ID, nullable=False),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("round_ref", sa.String(24), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bid_draft")),
        sa.UniqueConstraint("account", "round_ref", name=op.f("uq_bid_draft_account_round_ref")),
    )
    op.create_index(op.f("ix_bid_draft_round_ref"), "bid_draft", ["round_ref"], unique=False)
