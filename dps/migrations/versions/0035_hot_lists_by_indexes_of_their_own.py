"""hot lists by indexes of their own.

Step 0035, after 0034.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.drop_index(op.f("ix_bid_state"), table_name="bid")
    op.create_index("ix_bid_state_provider", "bid", ["state", "provider"], unique=False)
    op.drop_index(op.f("ix_statement_provider"), table_name="statement")
    op.create_index("ix_statement_provider_state", "statement", ["provider", "state"], unique=False)
