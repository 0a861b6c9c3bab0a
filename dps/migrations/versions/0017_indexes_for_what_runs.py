"""indexes for what runs.

Step 0017, after 0016.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.drop_index(op.f("ix_award_scheme"), table_name="award")
    op.create_index(
        "ix_award_running",
        "award",
        ["scheme", "state", "provider"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(op.f("ix_package_crowd"), table_name="package")
    op.create_index("ix_package_crowd", "package", ["scheme", "referred_at"], unique=False)
