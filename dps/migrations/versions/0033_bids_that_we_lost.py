"""bids that we lost.

Step 0033, after 0032.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "unkept_bid",
        sa.Column("id", ID, nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("closing_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("rounds", JSON, nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("noted_at", UTC, nullable=False),
        sa.Column("lost_at", UTC, nullable=True),
        sa.Column("settled_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["closing_id"], ["closing.id"], name=op.f("fk_unkept_bid_closing_id_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unkept_bid")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_unkept_bid_key_hash")),
    )
    op.create_index(op.f("ix_unkept_bid_closing_id"), "unkept_bid", ["closing_id"], unique=False)
    op.add_column("bid", sa.Column("handed_over_from", sa.String(24), nullable=True))
    op.add_column("closing", sa.Column("wakes_at", UTC, nullable=True))
    op.add_column("custodian", sa.Column("account", sa.String(24), nullable=True))
    op.create_index(op.f("ix_custodian_account"), "custodian", ["account"], unique=False)
