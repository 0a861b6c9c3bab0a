"""What happens to a contract: variations, deliveries, outcomes, tiers, statements.

Step 0004, after 0003.
"""

# ruff: noqa: E501 - a rule in SQL stays in one piece
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "uplift",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("lot", sa.String(40), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("basis_points", WHOLE, nullable=False),
        sa.Column("decided_at", UTC, nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=False),
        sa.CheckConstraint("basis_points > 0", name=op.f("ck_uplift_rises")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uplift")),
        sa.UniqueConstraint("ref", name=op.f("uq_uplift_ref")),
    )
    op.create_table(
        "contract_tier",
        sa.Column("id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("key", sa.String(40), nullable=True),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("placed_at", UTC, nullable=False),
        sa.Column("placed_by", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_contract_tier_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_tier")),
        sa.UniqueConstraint("contract_id", "from_day", name=op.f("uq_contract_tier_contract_id_from_day")),
    )
    op.create_table(
        "delivery",
        sa.Column("id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("visit_ref", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "done",
                "missed",
                "cancelled",
                "cancelled_late",
                name="visitoutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("line", WHOLE, nullable=True),
        sa.Column("planned_minutes", WHOLE, nullable=False),
        sa.Column("delivered_minutes", WHOLE, nullable=False),
        sa.Column("carers", WHOLE, nullable=False),
        sa.Column("is_night", sa.Boolean(), nullable=False),
        sa.Column("started_at", UTC, nullable=True),
        sa.Column("ended_at", UTC, nullable=True),
        sa.Column("oddities", JSON, nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("recorded_by", sa.String(64), nullable=False),
        sa.CheckConstraint("(ended_at IS NULL) = (outcome <> 'done')", name=op.f("ck_delivery_ended_when_done")),
        sa.CheckConstraint("(started_at IS NULL) = (outcome <> 'done')", name=op.f("ck_delivery_started_when_done")),
        sa.CheckConstraint("(line IS NULL) = (planned_minutes = 0)", name=op.f("ck_delivery_planned_or_not")),
        sa.CheckConstraint("delivered_minutes >= 0 AND carers >= 1", name=op.f("ck_delivery_amounts")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_delivery_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("contract_id", "visit_ref", name=op.f("uq_delivery_contract_id_visit_ref")),
    )
    op.create_index(
        "uq_delivery_planned_visit",
        "delivery",
        ["contract_id", "day", "line"],
        unique=True,
        sqlite_where=sa.text("line IS NOT NULL"),
        postgresql_where=sa.text("line IS NOT NULL"),
    )
    op.create_table(
        "outcome_review",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("met", WHOLE, nullable=False),
        sa.Column("agreed", WHOLE, nullable=False),
        sa.Column(
            "exception",
            sa.Enum(
                "none",
                "excess_needed",
                "unmet_excused",
                name="provenexception",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reviewed_at", UTC, nullable=False),
        sa.Column("reviewed_by", sa.String(64), nullable=False),
        sa.CheckConstraint("agreed >= 1 AND met >= 0 AND met <= agreed", name=op.f("ck_outcome_review_met_of_agreed")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_outcome_review_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome_review")),
        sa.UniqueConstraint("contract_id", "last_day", name=op.f("uq_outcome_review_contract_id_last_day")),
        sa.UniqueConstraint("ref", name=op.f("uq_outcome_review_ref")),
    )
    op.create_table(
        "statement",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "made",
                "agreed",
                "queried",
                "paid",
                "withdrawn",
                name="statementstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("contract_id", ID, nullable=True),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("lot", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("rule_hash", sa.String(64), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("pence", WHOLE, nullable=False),
        sa.Column("chargeable_pence", WHOLE, nullable=False),
        sa.Column("to_discussion_pence", WHOLE, nullable=False),
        sa.Column("lines", JSON, nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.Column("made_by", sa.String(64), nullable=False),
        sa.Column("paid_at", UTC, nullable=True),
        sa.CheckConstraint("(paid_at IS NOT NULL) = (state = 'paid')", name=op.f("ck_statement_paid_when_paid")),
        sa.CheckConstraint(
            "contract_id IS NULL OR to_discussion_pence = 0", name=op.f("ck_statement_discussed_by_area")
        ),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_statement_days_in_order")),
        sa.CheckConstraint(
            "pence >= 0 AND chargeable_pence >= 0 AND chargeable_pence <= pence", name=op.f("ck_statement_amounts")
        ),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_statement_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("ref", name=op.f("uq_statement_ref")),
    )
    op.create_index(op.f("ix_statement_authority"), "statement", ["authority"], unique=False)
    op.create_index(op.f("ix_statement_contract_id"), "statement", ["contract_id"], unique=False)
    op.create_index(op.f("ix_statement_provider"), "statement", ["provider"], unique=False)
    op.create_index(op.f("ix_statement_state"), "statement", ["state"], unique=False)
    op.create_table(
        "variation",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "flex",
                "reduction",
                "proposal",
                "increase",
                "pause",
                name="variationkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "agreed",
                "refused",
                "withdrawn",
                "closed",
                name="variationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("begun_by", sa.String(40), nullable=True),
        sa.Column("schedule", JSON, nullable=True),
        sa.Column("weekly_minutes", WHOLE, nullable=True),
        sa.Column("weekly_pence", WHOLE, nullable=True),
        sa.Column("extra_minutes_a_day", WHOLE, nullable=True),
        sa.Column("pence_a_day", WHOLE, nullable=True),
        sa.Column("changed", sa.String(40), nullable=True),
        sa.Column("outcome", sa.String(40), nullable=True),
        sa.Column("averted", sa.String(40), nullable=True),
        sa.Column("asked_at", UTC, nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.CheckConstraint(
            "(kind = 'flex') = (extra_minutes_a_day IS NOT NULL AND pence_a_day IS NOT NULL AND last_day IS NOT NULL AND begun_by IS NOT NULL)",
            name=op.f("ck_variation_flex_is_whole"),
        ),
        sa.CheckConstraint(
            "(kind IN ('reduction', 'proposal', 'increase')) = (schedule IS NOT NULL)",
            name=op.f("ck_variation_has_week"),
        ),
        sa.CheckConstraint("(schedule IS NULL) = (weekly_minutes IS NULL)", name=op.f("ck_variation_week_has_minutes")),
        sa.CheckConstraint("(schedule IS NULL) = (weekly_pence IS NULL)", name=op.f("ck_variation_week_has_price")),
        sa.CheckConstraint("extra_minutes_a_day > 0 AND pence_a_day >= 0", name=op.f("ck_variation_flex_amounts")),
        sa.CheckConstraint("last_day >= from_day", name=op.f("ck_variation_days_in_order")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_variation_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variation")),
        sa.UniqueConstraint("ref", name=op.f("uq_variation_ref")),
    )
    op.create_index(op.f("ix_variation_contract_id"), "variation", ["contract_id"], unique=False)
    op.create_index(op.f("ix_variation_state"), "variation", ["state"], unique=False)
    op.create_index(
        "uq_variation_pause",
        "variation",
        ["contract_id"],
        unique=True,
        sqlite_where=sa.text("kind = 'pause' AND state = 'agreed'"),
        postgresql_where=sa.text("kind = 'pause' AND state = 'agreed'"),
    )
