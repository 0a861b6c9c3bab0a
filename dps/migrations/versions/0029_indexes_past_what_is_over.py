"""indexes past what is over.

Step 0029, after 0028.
"""

# ruff: noqa: E501 - a rule in SQL stays in one piece
import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_audit_head_unsigned",
        "audit_head",
        ["stream"],
        unique=False,
        sqlite_where=sa.text("seq > signed_seq"),
        postgresql_where=sa.text("seq > signed_seq"),
    )
    op.create_index("ix_award_provider_state", "award", ["provider", "state"], unique=False)
    op.add_column("change", sa.Column("recipient", sa.String(64), nullable=True))
    op.execute(
        "UPDATE change SET recipient = (SELECT recipient FROM outbox_message WHERE outbox_message.id = change.message_id)"
    )
    op.create_index("ix_change_recipient", "change", ["recipient", "id"], unique=False)
    op.drop_index(op.f("ix_referral_authority"), table_name="referral")
    op.create_index("ix_referral_authority_state", "referral", ["authority", "state"], unique=False)
