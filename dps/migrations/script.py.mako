"""${message}.

Step ${up_revision}${f", after {down_revision}" if down_revision else ", the first"}.
"""

# ruff: noqa: E501 - a rule in SQL stays in one piece
import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
