"""Mass run-off: the decision about a suspended provider, and the contracts that it moves.

Step 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "run_off",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("suspension_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("cases", WHOLE, nullable=False),
        sa.Column("decided_at", UTC, nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(["suspension_id"], ["suspension.id"], name=op.f("fk_run_off_suspension_id_suspension")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_off")),
        sa.UniqueConstraint("ref", name=op.f("uq_run_off_ref")),
        sa.UniqueConstraint("suspension_id", "authority", name=op.f("uq_run_off_suspension_id_authority")),
    )
    op.create_table(
        "run_off_case",
        sa.Column("id", ID, nullable=False),
        sa.Column("run_off_id", ID, nullable=False),
        sa.Column("contract_id", ID, nullable=False),
        sa.Column("moved_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_run_off_case_contract_id_contract")),
        sa.ForeignKeyConstraint(["run_off_id"], ["run_off.id"], name=op.f("fk_run_off_case_run_off_id_run_off")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run_off_case")),
        sa.UniqueConstraint("run_off_id", "contract_id", name=op.f("uq_run_off_case_run_off_id_contract_id")),
    )
    op.create_index(op.f("ix_run_off_case_contract_id"), "run_off_case", ["contract_id"], unique=False)
    op.create_index(op.f("ix_run_off_case_moved_at"), "run_off_case", ["moved_at"], unique=False)
