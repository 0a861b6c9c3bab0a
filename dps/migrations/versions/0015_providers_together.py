"""Providers that supply together, and contracts passed on.

Step 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "arrangement",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("lead", "consortium", name="arrangementkind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum("agreed", "ended", name="arrangementstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("lead", sa.String(24), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("agreed_at", UTC, nullable=False),
        sa.Column("agreed_by", sa.String(64), nullable=False),
        sa.CheckConstraint(
            "(last_day IS NOT NULL) = (state = 'ended')", name=op.f("ck_arrangement_last_day_when_ended")
        ),
        sa.CheckConstraint("last_day >= from_day", name=op.f("ck_arrangement_days_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrangement")),
        sa.UniqueConstraint("ref", name=op.f("uq_arrangement_ref")),
    )
    op.create_index(op.f("ix_arrangement_lead"), "arrangement", ["lead"], unique=False)
    op.create_table(
        "arrangement_member",
        sa.Column("id", ID, nullable=False),
        sa.Column("arrangement_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("share_percent", WHOLE, nullable=True),
        sa.CheckConstraint("share_percent BETWEEN 1 AND 99", name=op.f("ck_arrangement_member_share_of_100")),
        sa.ForeignKeyConstraint(
            ["arrangement_id"], ["arrangement.id"], name=op.f("fk_arrangement_member_arrangement_id_arrangement")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrangement_member")),
        sa.UniqueConstraint("arrangement_id", "provider", name=op.f("uq_arrangement_member_arrangement_id_provider")),
    )
    op.create_index(op.f("ix_arrangement_member_provider"), "arrangement_member", ["provider"], unique=False)
    op.create_table(
        "passed_on",
        sa.Column("id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("passed_at", UTC, nullable=False),
        sa.Column("passed_by", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_passed_on_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passed_on")),
        sa.UniqueConstraint("contract_id", "from_day", name=op.f("uq_passed_on_contract_id_from_day")),
    )
