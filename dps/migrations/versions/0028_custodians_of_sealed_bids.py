"""custodians of sealed bids.

Step 0028, after 0027.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "custodian",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum("active", "withdrawn", name="custodianstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("holder", sa.String(80), nullable=False),
        sa.Column("recipient", sa.String(80), nullable=False),
        sa.Column("registered_at", UTC, nullable=False),
        sa.Column("rehearsed_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custodian")),
        sa.UniqueConstraint("ref", name=op.f("uq_custodian_ref")),
        sa.UniqueConstraint("scheme", "recipient", name=op.f("uq_custodian_scheme_recipient")),
    )
    op.create_table(
        "custody_release",
        sa.Column("id", ID, nullable=False),
        sa.Column("closing_id", ID, nullable=False),
        sa.Column("custodian", sa.String(24), nullable=False),
        sa.Column("shares", JSON, nullable=False),
        sa.Column("handed_in_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["closing_id"], ["closing.id"], name=op.f("fk_custody_release_closing_id_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_release")),
        sa.UniqueConstraint("closing_id", "custodian", name=op.f("uq_custody_release_closing_id_custodian")),
    )
    op.add_column("closing", sa.Column("custody", JSON, nullable=True))
    op.add_column("closing", sa.Column("shares_usable", WHOLE, nullable=True))
