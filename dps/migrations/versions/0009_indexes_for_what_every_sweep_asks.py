"""indexes for what every sweep asks.

Step 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_index("ix_award_scheme", "award", ["scheme", "state"], unique=False)
    op.create_index("ix_membership_state", "membership", ["state", "scheme", "provider_ref"], unique=False)
    op.create_index("ix_suspension_state", "suspension", ["state", "scheme", "provider_ref"], unique=False)
