"""corrected passing on, and reviews by their day.

Step 0042, after 0041.
"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "passed_on_before",
        sa.Column("id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("passed_at", UTC, nullable=False),
        sa.Column("passed_by", sa.String(64), nullable=False),
        sa.Column("corrected_at", UTC, nullable=False),
        sa.Column("corrected_by", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_passed_on_before_contract_id_contract")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passed_on_before")),
    )
    op.create_index(op.f("ix_passed_on_before_contract_id"), "passed_on_before", ["contract_id"], unique=False)
    op.create_index(op.f("ix_outcome_review_reviewed_at"), "outcome_review", ["reviewed_at"], unique=False)
