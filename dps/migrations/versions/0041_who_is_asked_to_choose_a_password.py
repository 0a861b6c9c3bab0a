"""who is asked to choose a password.

Step 0041, after 0040.
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.add_column("account", sa.Column("invited_at", UTC, nullable=True))
