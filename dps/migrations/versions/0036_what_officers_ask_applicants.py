"""what officers ask applicants.

Step 0036, after 0035.
"""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "application_inquiry",
        sa.Column("id", ID, nullable=False),
        sa.Column("application_id", ID, nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("asked_at", UTC, nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False),
        sa.Column("answer", sa.String(), nullable=True),
        sa.Column("answered_at", UTC, nullable=True),
        sa.Column("answered_by", sa.String(64), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["application.id"], name=op.f("fk_application_inquiry_application_id_application")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application_inquiry")),
    )
    op.create_index(
        op.f("ix_application_inquiry_application_id"), "application_inquiry", ["application_id"], unique=False
    )
    op.create_index(
        "uq_application_inquiry_waits",
        "application_inquiry",
        ["application_id"],
        unique=True,
        sqlite_where=sa.text("answered_at IS NULL"),
        postgresql_where=sa.text("answered_at IS NULL"),
    )
