"""What the law makes due.

Step 0008, after 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "legal_notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column(
            "clock",
            sa.Enum(
                "term",
                "reopening",
                "tiers",
                "notice",
                "application",
                name="clock",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("about", sa.String(40), nullable=False),
        sa.Column("number", sa.String(80), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", UTC, nullable=False),
        sa.Column("recorded_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_notice")),
        sa.UniqueConstraint(
            "scheme", "clock", "about", "published_on", name=op.f("uq_legal_notice_scheme_clock_about_published_on")
        ),
    )
    op.create_index(op.f("ix_legal_notice_scheme"), "legal_notice", ["scheme"], unique=False)
    op.create_table(
        "legal_warning",
        sa.Column("id", ID, nullable=False),
        sa.Column(
            "clock",
            sa.Enum(
                "term",
                "reopening",
                "tiers",
                "notice",
                "application",
                name="clock",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("about", sa.String(40), nullable=False),
        sa.Column("limit_on", sa.Date(), nullable=False),
        sa.Column("sent_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_warning")),
        sa.UniqueConstraint("clock", "about", "limit_on", name=op.f("uq_legal_warning_clock_about_limit_on")),
    )
    op.add_column("package", sa.Column("legal_basis", sa.String(24), nullable=True))
