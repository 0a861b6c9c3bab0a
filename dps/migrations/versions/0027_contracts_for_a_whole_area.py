"""contracts for a whole area.

Step 0027, after 0026.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "area_contract",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum("agreed", "ended", name="areacontractstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("tender", sa.String(24), nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("rule_hash", sa.String(64), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("lots", JSON, nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("evaluated_pence", WHOLE, nullable=False),
        sa.Column("terms", JSON, nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("agreed_at", UTC, nullable=False),
        sa.CheckConstraint("evaluated_pence > 0", name=op.f("ck_area_contract_amounts")),
        sa.CheckConstraint("last_day >= from_day", name=op.f("ck_area_contract_days_in_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_contract")),
        sa.UniqueConstraint("ref", name=op.f("uq_area_contract_ref")),
        sa.UniqueConstraint("tender", name=op.f("uq_area_contract_tender")),
    )
    op.create_index("ix_area_contract_place", "area_contract", ["scheme", "locality"], unique=False)
    op.create_index(op.f("ix_area_contract_provider"), "area_contract", ["provider"], unique=False)
    op.create_table(
        "tender",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "published",
                "evaluated",
                "offered",
                "awarded",
                "cancelled",
                name="tenderstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("rule_hash", sa.String(64), nullable=False),
        sa.Column("key", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("closing_id", ID, nullable=False),
        sa.Column("published_at", UTC, nullable=False),
        sa.Column("published_by", sa.String(64), nullable=False),
        sa.Column("scores", JSON, nullable=True),
        sa.Column("offered_bid", sa.String(24), nullable=True),
        sa.Column("passed", JSON, nullable=False),
        sa.CheckConstraint(
            "(offered_bid IS NOT NULL) = (state IN ('offered', 'awarded'))", name=op.f("ck_tender_offered_to_one")
        ),
        sa.CheckConstraint("last_day >= from_day", name=op.f("ck_tender_days_in_order")),
        sa.ForeignKeyConstraint(["closing_id"], ["closing.id"], name=op.f("fk_tender_closing_id_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender")),
        sa.UniqueConstraint("ref", name=op.f("uq_tender_ref")),
    )
    op.create_index(op.f("ix_tender_authority"), "tender", ["authority"], unique=False)
    op.create_index(op.f("ix_tender_closing_id"), "tender", ["closing_id"], unique=True)
    op.create_index(op.f("ix_tender_state"), "tender", ["state"], unique=False)
    op.create_index(
        "uq_tender_open",
        "tender",
        ["scheme", "authority", "key", "locality"],
        unique=True,
        sqlite_where=sa.text("state IN ('published', 'evaluated', 'offered')"),
        postgresql_where=sa.text("state IN ('published', 'evaluated', 'offered')"),
    )
    op.add_column("statement", sa.Column("area_contract", sa.String(24), nullable=True))
    op.create_index(op.f("ix_statement_area_contract"), "statement", ["area_contract"], unique=False)
