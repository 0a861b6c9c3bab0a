"""accounts sessions and guesses.

Step 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column(
            "part",
            sa.Enum(
                "broker",
                "approver",
                "commissioner",
                "auditor",
                "register_officer",
                "requester",
                "administrator",
                "provider_user",
                "provider_admin",
                name="part",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("authority", sa.String(40), nullable=True),
        sa.Column("provider", sa.String(24), nullable=True),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("totp_secret", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", WHOLE, nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("closed_at", UTC, nullable=True),
        sa.CheckConstraint(
            "(provider IS NOT NULL) = (part IN ('provider_user', 'provider_admin'))",
            name=op.f("ck_account_provider_of_provider"),
        ),
        sa.CheckConstraint(
            "authority IS NOT NULL OR part IN ('provider_user', 'provider_admin', 'auditor', 'administrator')",
            name=op.f("ck_account_has_authority"),
        ),
        sa.CheckConstraint("authority IS NULL OR provider IS NULL", name=op.f("ck_account_one_side")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("email", name=op.f("uq_account_email")),
        sa.UniqueConstraint("ref", name=op.f("uq_account_ref")),
    )
    op.create_index(op.f("ix_account_provider"), "account", ["provider"], unique=False)
    op.create_table(
        "guesses",
        sa.Column("id", ID, nullable=False),
        sa.Column("name_digest", sa.String(64), nullable=False),
        sa.Column("instants", JSON, nullable=False),
        sa.Column("last_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guesses")),
        sa.UniqueConstraint("name_digest", name=op.f("uq_guesses_name_digest")),
    )
    op.create_index(op.f("ix_guesses_last_at"), "guesses", ["last_at"], unique=False)
    op.create_table(
        "signed_in",
        sa.Column("id", ID, nullable=False),
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("is_half", sa.Boolean(), nullable=False),
        sa.Column("began_at", UTC, nullable=False),
        sa.Column("seen_at", UTC, nullable=False),
        sa.Column("ended_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_signed_in_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_in")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_signed_in_token_sha256")),
    )
    op.create_index(op.f("ix_signed_in_account_id"), "signed_in", ["account_id"], unique=False)
    op.create_index(op.f("ix_signed_in_began_at"), "signed_in", ["began_at"], unique=False)
