"""what providers say of their locations.

Step 0031, after 0030.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "location_notice",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "opened", "closed", name="locationnoticekind", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "stated",
                "recorded",
                "refused",
                "withdrawn",
                name="locationnoticestate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("regulator_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("sector", sa.String(6), nullable=True),
        sa.Column("lad", sa.String(9), nullable=True),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("stated_at", UTC, nullable=False),
        sa.Column("stated_by", sa.String(64), nullable=False),
        sa.Column("decided_at", UTC, nullable=True),
        sa.Column("decided_by", sa.String(64), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_location_notice_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location_notice")),
        sa.UniqueConstraint("ref", name=op.f("uq_location_notice_ref")),
    )
    op.create_index("ix_location_notice_state", "location_notice", ["state", "provider_id"], unique=False)
    op.create_index(
        "uq_location_notice_waits",
        "location_notice",
        ["provider_id", "regulator_id"],
        unique=True,
        sqlite_where=sa.text("state = 'stated'"),
        postgresql_where=sa.text("state = 'stated'"),
    )
