"""provisional telephone bids.

Step 0021, after 0020.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    # What a broker typed lies beside the provider's own bid until it is confirmed.
    op.drop_index("uq_bid_live", table_name="bid")
    op.create_index(
        "uq_bid_live",
        "bid",
        ["provider", "rounds_key"],
        unique=True,
        sqlite_where=sa.text("state = 'sealed' AND (typed_by IS NULL OR confirmed_at IS NOT NULL)"),
        postgresql_where=sa.text("state = 'sealed' AND (typed_by IS NULL OR confirmed_at IS NOT NULL)"),
    )
    op.create_index(
        "uq_bid_provisional",
        "bid",
        ["provider", "rounds_key"],
        unique=True,
        sqlite_where=sa.text("state = 'sealed' AND typed_by IS NOT NULL AND confirmed_at IS NULL"),
        postgresql_where=sa.text("state = 'sealed' AND typed_by IS NOT NULL AND confirmed_at IS NULL"),
    )
