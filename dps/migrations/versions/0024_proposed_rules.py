"""proposed rules.

Step 0024, after 0023.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "rules_proposal",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("base_hash", sa.String(64), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("looked_at", sa.String(40), nullable=False),
        sa.Column("figures", JSON, nullable=False),
        sa.Column("proposed_at", UTC, nullable=False),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rules_proposal")),
        sa.UniqueConstraint("ref", name=op.f("uq_rules_proposal_ref")),
    )
    op.create_index(op.f("ix_rules_proposal_scheme"), "rules_proposal", ["scheme"], unique=False)
