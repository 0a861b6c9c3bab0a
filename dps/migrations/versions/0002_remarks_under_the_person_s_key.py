"""Remarks under the person's key.

Step 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "remark",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("package_id", ID, nullable=False),
        sa.Column("about", sa.String(24), nullable=False),
        sa.Column("step", sa.String(40), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("written_by", sa.String(64), nullable=False),
        sa.Column("written_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["package.id"], name=op.f("fk_remark_package_id_package")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark")),
        sa.UniqueConstraint("ref", name=op.f("uq_remark_ref")),
    )
    op.create_index(op.f("ix_remark_about"), "remark", ["about"], unique=False)
    op.create_index(op.f("ix_remark_package_id"), "remark", ["package_id"], unique=False)
    op.drop_column("invitation", "decline_reason")
