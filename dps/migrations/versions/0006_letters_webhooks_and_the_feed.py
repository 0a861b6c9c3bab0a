"""letters webhooks and the feed.

Step 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "webhook_endpoint",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("kinds", JSON, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_endpoint")),
        sa.UniqueConstraint("ref", name=op.f("uq_webhook_endpoint_ref")),
    )
    op.create_index(op.f("ix_webhook_endpoint_recipient"), "webhook_endpoint", ["recipient"], unique=False)
    op.create_table(
        "change",
        sa.Column("id", ID, nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox_message.id"], name=op.f("fk_change_message_id_outbox_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change")),
        sa.UniqueConstraint("message_id", name=op.f("uq_change_message_id")),
    )
    op.create_table(
        "letter",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column(
            "channel",
            sa.Enum("mail", "text", "webhook", name="channel", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("account_id", ID, nullable=True),
        sa.Column("endpoint_id", ID, nullable=True),
        sa.Column("not_before", UTC, nullable=False),
        sa.Column(
            "delivery",
            sa.Enum(
                "queued", "sent", "given_up", name="delivery", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("delivered_at", UTC, nullable=True),
        sa.Column("last_error", sa.String(80), nullable=True),
        sa.CheckConstraint(
            "(endpoint_id IS NOT NULL) = (channel = 'webhook')", name=op.f("ck_letter_endpoint_of_webhook")
        ),
        sa.CheckConstraint("account_id IS NULL OR endpoint_id IS NULL", name=op.f("ck_letter_one_reader")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_letter_account_id_account")),
        sa.ForeignKeyConstraint(
            ["endpoint_id"], ["webhook_endpoint.id"], name=op.f("fk_letter_endpoint_id_webhook_endpoint")
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox_message.id"], name=op.f("fk_letter_message_id_outbox_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter")),
        sa.UniqueConstraint("message_id", "channel", "account_id", name="uq_letter_reader"),
        sa.UniqueConstraint("message_id", "endpoint_id", name="uq_letter_endpoint"),
        sa.UniqueConstraint("ref", name=op.f("uq_letter_ref")),
    )
    op.create_index(op.f("ix_letter_account_id"), "letter", ["account_id"], unique=False)
    op.create_index(op.f("ix_letter_delivery"), "letter", ["delivery"], unique=False)
    op.create_index(
        "ix_letter_due",
        "letter",
        ["not_before", "id"],
        unique=False,
        sqlite_where=sa.text("delivery = 'queued'"),
        postgresql_where=sa.text("delivery = 'queued'"),
    )
    op.create_index(op.f("ix_letter_endpoint_id"), "letter", ["endpoint_id"], unique=False)
    op.create_index(op.f("ix_letter_message_id"), "letter", ["message_id"], unique=False)
    op.add_column("account", sa.Column("mobile", sa.String(20), nullable=True))
