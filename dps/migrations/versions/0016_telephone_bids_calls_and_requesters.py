"""Telephone bids, calls and requesters.

Step 0016, after 0015.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "call",
        sa.Column("id", ID, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "no_answer",
                "call_back",
                "will_answer",
                "can_not_take_it",
                "wrong_number",
                name="calloutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("called_at", UTC, nullable=False),
        sa.Column("called_by", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_call_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call")),
    )
    op.create_index(op.f("ix_call_round_id"), "call", ["round_id"], unique=False)
    op.add_column("bid", sa.Column("confirmed_at", UTC, nullable=True))
    op.add_column("provider", sa.Column("phone", sa.String(24), nullable=True))
    op.add_column("referral", sa.Column("requested_by", sa.String(40), nullable=True))
    op.create_index(op.f("ix_referral_requested_by"), "referral", ["requested_by"], unique=False)
