"""what a provider has sealed for these rounds by index.

Step 0037, after 0036.
"""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.drop_index(op.f("ix_bid_state_provider"), table_name="bid")
    op.create_index("ix_bid_state_provider_rounds", "bid", ["state", "provider", "rounds_key"], unique=False)
