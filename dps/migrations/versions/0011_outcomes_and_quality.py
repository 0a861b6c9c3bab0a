"""Outcomes answered, people followed up, concerns, quality scores, and notices to failing providers.

Step 0011, after 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "quality_score",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "published",
                "appealed",
                "confirmed",
                "corrected",
                name="scorestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("score", WHOLE, nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("parts", JSON, nullable=False),
        sa.Column("rule_hash", sa.String(64), nullable=False),
        sa.Column("published_at", UTC, nullable=False),
        sa.Column("published_by", sa.String(64), nullable=False),
        sa.Column("appeal_reason", sa.String(40), nullable=True),
        sa.CheckConstraint("score BETWEEN 0 AND 100", name=op.f("ck_quality_score_score_of_100")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quality_score")),
        sa.UniqueConstraint("ref", name=op.f("uq_quality_score_ref")),
    )
    op.create_index("ix_quality_score_scheme", "quality_score", ["scheme", "provider"], unique=False)
    op.create_table(
        "enablement_bar",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "noticed",
                "challenged",
                "upheld",
                "withdrawn",
                name="barstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("failed", WHOLE, nullable=False),
        sa.Column("of", WHOLE, nullable=False),
        sa.Column("noticed_at", UTC, nullable=False),
        sa.Column("noticed_by", sa.String(64), nullable=False),
        sa.Column("challenge_by", UTC, nullable=False),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.Column("suspension", sa.String(24), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_enablement_bar_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enablement_bar")),
        sa.UniqueConstraint("ref", name=op.f("uq_enablement_bar_ref")),
    )
    op.create_index(op.f("ix_enablement_bar_provider_id"), "enablement_bar", ["provider_id"], unique=False)
    op.create_table(
        "concern",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "complaint", "safeguarding", name="concernkind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "topic",
            sa.Enum(
                "missed_visits",
                "late_visits",
                "short_visits",
                "conduct",
                "quality_of_care",
                "medication",
                "neglect",
                "abuse",
                name="concerntopic",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "upheld",
                "not_upheld",
                name="concernstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("recorded_by", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_concern_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_concern")),
        sa.UniqueConstraint("ref", name=op.f("uq_concern_ref")),
    )
    op.create_index(op.f("ix_concern_contract_id"), "concern", ["contract_id"], unique=False)
    op.create_table(
        "followed_up",
        sa.Column("id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("point", sa.String(40), nullable=False),
        sa.Column("asked_on", sa.Date(), nullable=False),
        sa.Column(
            "whereabouts",
            sa.Enum(
                "home_independent",
                "home_with_care",
                "hospital",
                "care_home",
                "died",
                "not_reached",
                name="whereabouts",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("satisfaction", WHOLE, nullable=True),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("recorded_by", sa.String(64), nullable=False),
        sa.CheckConstraint("satisfaction BETWEEN 1 AND 5", name=op.f("ck_followed_up_satisfaction_of_5")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_followed_up_contract_id_contract")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_followed_up")),
        sa.UniqueConstraint("contract_id", "point", name=op.f("uq_followed_up_contract_id_point")),
    )
    op.create_table(
        "outcome_answer",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("review_id", ID, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "agreed",
                "contested",
                "settled",
                name="answerstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("answered_at", UTC, nullable=False),
        sa.Column("answered_by", sa.String(64), nullable=False),
        sa.Column("met", WHOLE, nullable=True),
        sa.Column("exception", sa.String(40), nullable=True),
        sa.CheckConstraint("(met IS NOT NULL) = (state = 'settled')", name=op.f("ck_outcome_answer_met_when_settled")),
        sa.ForeignKeyConstraint(
            ["review_id"], ["outcome_review.id"], name=op.f("fk_outcome_answer_review_id_outcome_review")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome_answer")),
        sa.UniqueConstraint("ref", name=op.f("uq_outcome_answer_ref")),
    )
    op.create_index(op.f("ix_outcome_answer_review_id"), "outcome_answer", ["review_id"], unique=True)
    op.add_column("contract", sa.Column("over_because", sa.String(40), nullable=True))
