"""blocks of paid hours.

Step 0023, after 0022.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "block_contract",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum("agreed", "ended", name="blockstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("lot", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("weekly_minutes", WHOLE, nullable=False),
        sa.Column("weekly_pence", WHOLE, nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("agreed_at", UTC, nullable=False),
        sa.Column("agreed_by", sa.String(64), nullable=False),
        sa.CheckConstraint(
            "(last_day IS NOT NULL) = (state = 'ended')", name=op.f("ck_block_contract_last_day_when_ended")
        ),
        sa.CheckConstraint("last_day >= from_day", name=op.f("ck_block_contract_days_in_order")),
        sa.CheckConstraint("weekly_minutes > 0 AND weekly_pence > 0", name=op.f("ck_block_contract_amounts")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_block_contract_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_block_contract")),
        sa.UniqueConstraint("ref", name=op.f("uq_block_contract_ref")),
    )
    op.create_index("ix_block_place", "block_contract", ["scheme", "lot", "locality"], unique=False)
    op.create_index(
        "uq_block_agreed",
        "block_contract",
        ["provider_id", "authority", "scheme", "lot", "locality"],
        unique=True,
        sqlite_where=sa.text("state = 'agreed'"),
        postgresql_where=sa.text("state = 'agreed'"),
    )
    op.add_column("capacity_hold", sa.Column("out_of", sa.String(24), nullable=True))
    op.create_index(op.f("ix_capacity_hold_out_of"), "capacity_hold", ["out_of"], unique=False)
    op.add_column("statement", sa.Column("block", sa.String(24), nullable=True))
    op.create_index(op.f("ix_statement_block"), "statement", ["block"], unique=False)
