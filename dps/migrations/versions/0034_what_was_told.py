"""what visits and area statements were told.

Step 0034, after 0033.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.add_column("delivery", sa.Column("told", JSON, nullable=True))
    op.add_column("statement", sa.Column("figures", JSON, nullable=True))
