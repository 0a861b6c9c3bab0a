"""packages placed otherwise.

Step 0032, after 0031.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "placement",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("referral_id", ID, nullable=False),
        sa.Column("referral_ref", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "approved",
                "refused",
                "withdrawn",
                "lapsed",
                name="placementstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("how", sa.String(40), nullable=False),
        sa.Column("provider", sa.String(24), nullable=True),
        sa.Column("weekly_pence", WHOLE, nullable=False),
        sa.Column("proposed_by", sa.String(64), nullable=False),
        sa.Column("proposed_at", UTC, nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=True),
        sa.Column("decided_at", UTC, nullable=True),
        sa.Column("lapsed_because", sa.String(24), nullable=True),
        sa.CheckConstraint("(decided_at IS NULL) = (state = 'proposed')", name=op.f("ck_placement_decided_once")),
        sa.CheckConstraint(
            "(lapsed_because IS NOT NULL) = (state = 'lapsed')", name=op.f("ck_placement_lapsed_because")
        ),
        sa.CheckConstraint(
            "state <> 'approved' OR (decided_by IS NOT NULL AND decided_by <> proposed_by)",
            name=op.f("ck_placement_two_people"),
        ),
        sa.CheckConstraint("weekly_pence >= 0", name=op.f("ck_placement_price")),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_placement_referral_id_referral")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
        sa.UniqueConstraint("ref", name=op.f("uq_placement_ref")),
    )
    op.create_index(op.f("ix_placement_referral_id"), "placement", ["referral_id"], unique=False)
    op.create_index(
        "uq_placement_waiting",
        "placement",
        ["referral_id"],
        unique=True,
        sqlite_where=sa.text("state = 'proposed'"),
        postgresql_where=sa.text("state = 'proposed'"),
    )
