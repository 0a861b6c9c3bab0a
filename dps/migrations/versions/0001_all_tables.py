"""All tables.

Step 0001, the first.
"""

# ruff: noqa: E501 - a rule in SQL stays in one piece
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
WHOLE = sa.BigInteger()
JSON = sa.Text()


def upgrade() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.Column("key_sha256", sa.String(64), nullable=False),
        sa.Column("account", sa.String(24), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "broker",
                "approver",
                "commissioner",
                "auditor",
                "register_officer",
                "requester",
                "provider",
                "administrator",
                "clock",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("authority", sa.String(40), nullable=True),
        sa.Column("provider", sa.String(24), nullable=True),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("expires_at", UTC, nullable=False),
        sa.Column("revoked_at", UTC, nullable=True),
        sa.CheckConstraint(
            "(provider IS NOT NULL) = (role = 'provider')", name=op.f("ck_api_key_provider_of_provider")
        ),
        sa.CheckConstraint(
            "authority IS NOT NULL OR role IN ('provider', 'administrator', 'auditor')",
            name=op.f("ck_api_key_has_authority"),
        ),
        sa.CheckConstraint("role <> 'clock'", name=op.f("ck_api_key_not_the_clock")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_api_key_expires_after_creation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_sha256", name=op.f("uq_api_key_key_sha256")),
        sa.UniqueConstraint("name", name=op.f("uq_api_key_name")),
    )
    op.create_index(op.f("ix_api_key_account"), "api_key", ["account"], unique=False)
    op.create_table(
        "audit_checkpoint",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("heads", WHOLE, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_checkpoint")),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", sa.String(40), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("role", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("previous_hash", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq_audit_event_stream_seq")),
    )
    op.create_table(
        "audit_head",
        sa.Column("stream", sa.String(40), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("signed_seq", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "clock_map",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("real_origin", UTC, nullable=False),
        sa.Column("origin", UTC, nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_map")),
    )
    op.create_table(
        "closing",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("rule_hash", sa.String(64), nullable=False),
        sa.Column("mode", sa.String(24), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("closes_at", UTC, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "gathering",
                "closed",
                "opened",
                "scored",
                "allocated",
                name="closingstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("recipients", JSON, nullable=False),
        sa.Column("recipients_id", sa.String(16), nullable=False),
        sa.Column("sealed_number", sa.LargeBinary(), nullable=False),
        sa.Column("number_sha256", sa.String(64), nullable=False),
        sa.Column("manifest_sha256", sa.String(64), nullable=True),
        sa.Column("lot_seed", sa.String(64), nullable=True),
        sa.Column("closed_at", UTC, nullable=True),
        sa.Column("opened_at", UTC, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing")),
        sa.UniqueConstraint("ref", name=op.f("uq_closing_ref")),
    )
    op.create_index("ix_closing_due", "closing", ["state", "closes_at"], unique=False)
    op.create_index(
        "uq_closing_published",
        "closing",
        ["scheme", "rule_hash", "mode", "closes_at"],
        unique=True,
        sqlite_where=sa.text("published = 1"),
        postgresql_where=sa.text("published"),
    )
    op.create_table(
        "idempotent_answer",
        sa.Column("id", ID, nullable=False),
        sa.Column("key_hash", sa.String(64), nullable=False),
        sa.Column("body_fingerprint", sa.String(64), nullable=False),
        sa.Column("answer", JSON, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idempotent_answer")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_idempotent_answer_key_hash")),
    )
    op.create_table(
        "interest",
        sa.Column("id", ID, nullable=False),
        sa.Column("account", sa.String(64), nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("declared_at", UTC, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest")),
    )
    op.create_index(op.f("ix_interest_account"), "interest", ["account"], unique=False)
    op.create_table(
        "outbox_message",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("recipient", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(60), nullable=False),
        sa.Column("about", sa.String(40), nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("posted_at", UTC, nullable=False),
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
        sa.Column("last_error", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox_message")),
        sa.UniqueConstraint("ref", name=op.f("uq_outbox_message_ref")),
    )
    op.create_index(op.f("ix_outbox_message_about"), "outbox_message", ["about"], unique=False)
    op.create_index(
        "ix_outbox_message_due",
        "outbox_message",
        ["not_before", "id"],
        unique=False,
        sqlite_where=sa.text("delivery = 'queued'"),
        postgresql_where=sa.text("delivery = 'queued'"),
    )
    op.create_index(op.f("ix_outbox_message_recipient"), "outbox_message", ["recipient"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("identity", sa.LargeBinary(), nullable=True),
        sa.Column("identity_given", JSON, nullable=False),
        sa.Column("nhs_fingerprint", sa.String(64), nullable=True),
        sa.Column("registered_at", UTC, nullable=False),
        sa.Column("erased_at", UTC, nullable=True),
        sa.CheckConstraint(
            "(erased_at IS NULL) = (identity IS NOT NULL)", name=op.f("ck_person_identity_until_erased")
        ),
        sa.CheckConstraint("(erased_at IS NULL) = (wrapped_key IS NOT NULL)", name=op.f("ck_person_key_until_erased")),
        sa.CheckConstraint(
            "erased_at IS NULL OR nhs_fingerprint IS NULL", name=op.f("ck_person_no_fingerprint_when_erased")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("authority", "nhs_fingerprint", name=op.f("uq_person_authority_nhs_fingerprint")),
        sa.UniqueConstraint("ref", name=op.f("uq_person_ref")),
    )
    op.create_index(op.f("ix_person_authority"), "person", ["authority"], unique=False)
    op.create_table(
        "places_load",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("vintage", sa.String(40), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("knows_liveness", sa.Boolean(), nullable=False),
        sa.Column("rows", WHOLE, nullable=False),
        sa.Column("left_out", WHOLE, nullable=False),
        sa.Column("districts", JSON, nullable=False),
        sa.Column("loaded_at", UTC, nullable=False),
        sa.Column("loaded_by", sa.String(64), nullable=False),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_places_load_sha256_is_hex")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_places_load")),
    )
    op.create_table(
        "provider",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("company_number", sa.String(8), nullable=True),
        sa.Column("registered_at", UTC, nullable=False),
        sa.Column("skills", JSON, nullable=False),
        sa.Column("accepted_flags", JSON, nullable=False),
        sa.Column("service_from_minute", WHOLE, nullable=True),
        sa.Column("service_until_minute", WHOLE, nullable=True),
        sa.Column("most_carers", WHOLE, nullable=False),
        sa.Column("full_since", UTC, nullable=True),
        sa.CheckConstraint(
            "(service_from_minute IS NULL AND service_until_minute IS NULL) OR (service_from_minute BETWEEN 0 AND 1439 AND service_until_minute > service_from_minute AND service_until_minute <= service_from_minute + 1440)",
            name=op.f("ck_provider_service_hours"),
        ),
        sa.CheckConstraint("most_carers IN (1, 2)", name=op.f("ck_provider_most_carers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider")),
        sa.UniqueConstraint("company_number", name=op.f("uq_provider_company_number")),
        sa.UniqueConstraint("ref", name=op.f("uq_provider_ref")),
    )
    op.create_table(
        "scheme_rules",
        sa.Column("id", ID, nullable=False),
        sa.Column("key", sa.String(32), nullable=False),
        sa.Column("rule_hash", sa.String(64), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("published_at", UTC, nullable=False),
        sa.Column("published_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheme_rules")),
        sa.UniqueConstraint("rule_hash", name=op.f("uq_scheme_rules_rule_hash")),
    )
    op.create_index(op.f("ix_scheme_rules_key"), "scheme_rules", ["key"], unique=False)
    op.create_table(
        "allocation_run",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("closing_id", ID, nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("instance", sa.String(), nullable=False),
        sa.Column("instance_sha256", sa.String(64), nullable=False),
        sa.Column("lot_seed", sa.String(64), nullable=False),
        sa.Column("effort", sa.Integer(), nullable=False),
        sa.Column("claimed_at", UTC, nullable=False),
        sa.Column("finished_at", UTC, nullable=True),
        sa.Column("status", sa.String(24), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=True),
        sa.Column("answer", JSON, nullable=True),
        sa.Column("advice", JSON, nullable=True),
        sa.ForeignKeyConstraint(["closing_id"], ["closing.id"], name=op.f("fk_allocation_run_closing_id_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allocation_run")),
        sa.UniqueConstraint("ref", name=op.f("uq_allocation_run_ref")),
    )
    op.create_index(op.f("ix_allocation_run_closing_id"), "allocation_run", ["closing_id"], unique=True)
    op.create_table(
        "application",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("provider_ref", sa.String(24), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "submitted",
                "approved",
                "refused",
                "withdrawn",
                name="applicationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("lots", JSON, nullable=False),
        sa.Column("localities", JSON, nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("drafted_at", UTC, nullable=False),
        sa.Column("submitted_at", UTC, nullable=True),
        sa.Column("decide_by", UTC, nullable=True),
        sa.Column("decided_at", UTC, nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("lists", JSON, nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_application_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_application")),
        sa.UniqueConstraint("ref", name=op.f("uq_application_ref")),
    )
    op.create_index(op.f("ix_application_provider_id"), "application", ["provider_id"], unique=False)
    op.create_index(op.f("ix_application_scheme"), "application", ["scheme"], unique=False)
    op.create_index(op.f("ix_application_state"), "application", ["state"], unique=False)
    op.create_table(
        "audit_checkpoint_head",
        sa.Column("checkpoint_seq", sa.Integer(), nullable=False),
        sa.Column("stream", sa.String(40), nullable=False),
        sa.Column("seq", WHOLE, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.ForeignKeyConstraint(
            ["checkpoint_seq"],
            ["audit_checkpoint.seq"],
            name=op.f("fk_audit_checkpoint_head_checkpoint_seq_audit_checkpoint"),
        ),
        sa.PrimaryKeyConstraint("checkpoint_seq", "stream", name=op.f("pk_audit_checkpoint_head")),
    )
    op.create_table(
        "bid",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("closing_id", ID, nullable=False),
        sa.Column("rounds_key", sa.String(64), nullable=False),
        sa.Column("invitation_ref", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "sealed",
                "replaced",
                "withdrawn",
                "lapsed",
                "opened",
                "invalid",
                "awarded",
                "unsuccessful",
                name="bidstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext_sha256", sa.String(64), nullable=False),
        sa.Column("commitment", sa.String(64), nullable=False),
        sa.Column("receipt", JSON, nullable=False),
        sa.Column("valid_until", UTC, nullable=False),
        sa.Column("typed_by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["closing_id"], ["closing.id"], name=op.f("fk_bid_closing_id_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bid")),
        sa.UniqueConstraint("ref", name=op.f("uq_bid_ref")),
    )
    op.create_index(op.f("ix_bid_closing_id"), "bid", ["closing_id"], unique=False)
    op.create_index(op.f("ix_bid_provider"), "bid", ["provider"], unique=False)
    op.create_index(op.f("ix_bid_state"), "bid", ["state"], unique=False)
    op.create_index(
        "uq_bid_live",
        "bid",
        ["provider", "rounds_key"],
        unique=True,
        sqlite_where=sa.text("state = 'sealed'"),
        postgresql_where=sa.text("state = 'sealed'"),
    )
    op.create_table(
        "capacity_declaration",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("minutes", WHOLE, nullable=True),
        sa.Column("free_from", sa.Date(), nullable=True),
        sa.Column("declared_at", UTC, nullable=False),
        sa.Column("expires_at", UTC, nullable=True),
        sa.Column("declared_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["provider.id"], name=op.f("fk_capacity_declaration_provider_id_provider")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_declaration")),
        sa.UniqueConstraint("ref", name=op.f("uq_capacity_declaration_ref")),
    )
    op.create_index(op.f("ix_capacity_declaration_provider_id"), "capacity_declaration", ["provider_id"], unique=False)
    op.create_table(
        "capacity_hold",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("weekly_minutes", WHOLE, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "reserved",
                "committed",
                "released",
                name="holdstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reserved_at", UTC, nullable=False),
        sa.Column("committed_at", UTC, nullable=True),
        sa.Column("released_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_capacity_hold_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_hold")),
        sa.UniqueConstraint("ref", name=op.f("uq_capacity_hold_ref")),
    )
    op.create_index(op.f("ix_capacity_hold_provider_id"), "capacity_hold", ["provider_id"], unique=False)
    op.create_index(op.f("ix_capacity_hold_state"), "capacity_hold", ["state"], unique=False)
    op.create_table(
        "capacity_ledger",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("ceiling_minutes", WHOLE, nullable=False),
        sa.Column("reserved_minutes", WHOLE, nullable=False),
        sa.Column("committed_minutes", WHOLE, nullable=False),
        sa.Column("declared_minutes", WHOLE, nullable=True),
        sa.Column("declared_at", UTC, nullable=True),
        sa.Column("expires_at", UTC, nullable=True),
        sa.Column("free_from", sa.Date(), nullable=True),
        sa.Column(
            "flag",
            sa.Enum(
                "none",
                "lowered",
                "expired",
                "raised",
                name="ledgerflag",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("flagged_at", UTC, nullable=True),
        sa.CheckConstraint(
            "(declared_minutes IS NULL) = (expires_at IS NULL)", name=op.f("ck_capacity_ledger_declared_until")
        ),
        sa.CheckConstraint(
            "ceiling_minutes <= committed_minutes + CASE WHEN declared_minutes > reserved_minutes THEN declared_minutes ELSE reserved_minutes END",
            name=op.f("ck_capacity_ledger_ceiling_is_declared"),
        ),
        sa.CheckConstraint("committed_minutes >= 0", name=op.f("ck_capacity_ledger_committed_not_negative")),
        sa.CheckConstraint("declared_minutes >= 0", name=op.f("ck_capacity_ledger_declared_not_negative")),
        sa.CheckConstraint(
            "reserved_minutes + committed_minutes <= ceiling_minutes", name=op.f("ck_capacity_ledger_never_oversold")
        ),
        sa.CheckConstraint("reserved_minutes >= 0", name=op.f("ck_capacity_ledger_reserved_not_negative")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_capacity_ledger_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_ledger")),
        sa.UniqueConstraint(
            "provider_id", "authority", "locality", name=op.f("uq_capacity_ledger_provider_id_authority_locality")
        ),
    )
    op.create_index(op.f("ix_capacity_ledger_expires_at"), "capacity_ledger", ["expires_at"], unique=False)
    op.create_index(op.f("ix_capacity_ledger_flag"), "capacity_ledger", ["flag"], unique=False)
    op.create_table(
        "document",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("received_at", UTC, nullable=False),
        sa.Column("received_from", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_document_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("ref", name=op.f("uq_document_ref")),
    )
    op.create_index("ix_document_latest", "document", ["provider_id", "kind", "id"], unique=False)
    op.create_table(
        "location",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("regulator_id", sa.String(24), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("district", sa.String(4), nullable=False),
        sa.Column("sector", sa.String(6), nullable=True),
        sa.Column("lad", sa.String(9), nullable=True),
        sa.Column(
            "rating",
            sa.Enum(
                "outstanding",
                "good",
                "requires_improvement",
                "inadequate",
                "not_rated",
                name="rating",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("registered_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_location_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
        sa.UniqueConstraint("regulator_id", name=op.f("uq_location_regulator_id")),
    )
    op.create_index(op.f("ix_location_provider_id"), "location", ["provider_id"], unique=False)
    op.create_table(
        "membership",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("provider_ref", sa.String(24), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("list_key", sa.String(40), nullable=False),
        sa.Column("lot", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "active",
                "suspended",
                "removed",
                name="membershipstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("admitted_at", UTC, nullable=False),
        sa.Column("removed_at", UTC, nullable=True),
        sa.Column("removed_because", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_membership_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
        sa.UniqueConstraint("ref", name=op.f("uq_membership_ref")),
    )
    op.create_index("ix_membership_scheme", "membership", ["scheme", "provider_id"], unique=False)
    op.create_index(
        "uq_membership_held",
        "membership",
        ["provider_id", "scheme", "list_key", "lot", "locality"],
        unique=True,
        sqlite_where=sa.text("state <> 'removed'"),
        postgresql_where=sa.text("state <> 'removed'"),
    )
    op.create_table(
        "package",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("lot", sa.String(40), nullable=False),
        sa.Column(
            "urgency",
            sa.Enum(
                "standard",
                "urgent",
                "hospital_discharge",
                "crisis",
                name="urgency",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("sector", sa.String(8), nullable=False),
        sa.Column(
            "funding",
            sa.Enum(
                "undecided",
                "council",
                "chc",
                "joint",
                "section_117",
                "discharge_fund",
                "self_funded",
                name="fundingstream",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("schedule", JSON, nullable=True),
        sa.Column("schedule_is_provisional", sa.Boolean(), nullable=False),
        sa.Column("weekly_minutes", WHOLE, nullable=True),
        sa.Column("needs", JSON, nullable=True),
        sa.Column("flags", JSON, nullable=True),
        sa.Column(
            "age_band",
            sa.Enum(
                "unknown",
                "0-17",
                "18-64",
                "65-74",
                "75-84",
                "85+",
                name="ageband",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("budget_pence", WHOLE, nullable=True),
        sa.Column("budget_weeks", WHOLE, nullable=True),
        sa.Column("earliest_start", sa.Date(), nullable=True),
        sa.Column("latest_start", sa.Date(), nullable=True),
        sa.Column("preferred_provider", sa.String(24), nullable=True),
        sa.Column("existing_provider", sa.String(24), nullable=True),
        sa.Column("other_minutes_allowed", sa.Boolean(), nullable=False),
        sa.Column("linked_group", sa.String(24), nullable=True),
        sa.Column(
            "linked_as",
            sa.Enum(
                "alone",
                "split_package",
                "household",
                name="linkkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("free_text", sa.LargeBinary(), nullable=True),
        sa.Column("free_text_given", JSON, nullable=False),
        sa.Column("free_text_confirmed_by", sa.String(40), nullable=True),
        sa.Column("confidential", sa.LargeBinary(), nullable=True),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("correction", WHOLE, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("changed_at", UTC, nullable=False),
        sa.Column("referred_at", UTC, nullable=True),
        sa.CheckConstraint("(linked_group IS NULL) = (linked_as = 'alone')", name=op.f("ck_package_linked_or_alone")),
        sa.CheckConstraint("budget_pence >= 0 AND budget_weeks >= 1", name=op.f("ck_package_budget")),
        sa.CheckConstraint("earliest_start <= latest_start", name=op.f("ck_package_starts_in_order")),
        sa.CheckConstraint("version >= 1 AND correction >= 0", name=op.f("ck_package_version_counts")),
        sa.CheckConstraint("weekly_minutes > 0", name=op.f("ck_package_has_minutes")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_package_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package")),
        sa.UniqueConstraint("ref", name=op.f("uq_package_ref")),
    )
    op.create_index(op.f("ix_package_authority"), "package", ["authority"], unique=False)
    op.create_index("ix_package_crowd", "package", ["scheme", "locality", "referred_at"], unique=False)
    op.create_index(op.f("ix_package_linked_group"), "package", ["linked_group"], unique=False)
    op.create_index(op.f("ix_package_person_id"), "package", ["person_id"], unique=False)
    op.create_table(
        "postcode",
        sa.Column("canonical", sa.String(8), nullable=False),
        sa.Column("district", sa.String(4), nullable=False),
        sa.Column("sector", sa.String(6), nullable=False),
        sa.Column("lad_code", sa.String(9), nullable=True),
        sa.Column("easting", WHOLE, nullable=True),
        sa.Column("northing", WHOLE, nullable=True),
        sa.Column(
            "grid",
            sa.Enum("british", "irish", "none", name="grid", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("live", sa.Boolean(), nullable=True),
        sa.Column("terminated", sa.String(7), nullable=True),
        sa.Column("load_id", ID, nullable=False),
        sa.CheckConstraint("(grid = 'none') = (easting IS NULL)", name=op.f("ck_postcode_position_has_a_grid")),
        sa.CheckConstraint("(easting IS NULL) = (northing IS NULL)", name=op.f("ck_postcode_position_is_whole")),
        sa.CheckConstraint("live IS NULL OR live OR terminated IS NOT NULL", name=op.f("ck_postcode_dead_has_a_month")),
        sa.CheckConstraint("terminated IS NULL OR NOT live", name=op.f("ck_postcode_terminated_is_not_live")),
        sa.ForeignKeyConstraint(["load_id"], ["places_load.id"], name=op.f("fk_postcode_load_id_places_load")),
        sa.PrimaryKeyConstraint("canonical", name=op.f("pk_postcode")),
    )
    op.create_index(op.f("ix_postcode_district"), "postcode", ["district"], unique=False)
    op.create_index(op.f("ix_postcode_load_id"), "postcode", ["load_id"], unique=False)
    op.create_index(op.f("ix_postcode_sector"), "postcode", ["sector"], unique=False)
    op.create_table(
        "provider_exclusion",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("excluded_by", sa.String(40), nullable=False),
        sa.Column("excluded_at", UTC, nullable=False),
        sa.Column("lifted_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_provider_exclusion_person_id_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_exclusion")),
        sa.UniqueConstraint("ref", name=op.f("uq_provider_exclusion_ref")),
    )
    op.create_index(
        "uq_provider_exclusion_in_force",
        "provider_exclusion",
        ["person_id", "provider"],
        unique=True,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "rate_card",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("lot", sa.String(40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_rate_card_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rate_card")),
        sa.UniqueConstraint("provider_id", "scheme", "lot", name=op.f("uq_rate_card_provider_id_scheme_lot")),
    )
    op.create_table(
        "suspension",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("provider_ref", sa.String(24), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column(
            "state",
            sa.Enum("imposed", "lifted", name="suspensionstate", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column(
            "scope",
            sa.Enum(
                "new_work",
                "restarts_and_increases",
                "all",
                name="suspensionscope",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("lots", JSON, nullable=False),
        sa.Column("localities", JSON, nullable=False),
        sa.Column("starts_at", UTC, nullable=False),
        sa.Column("ends_at", UTC, nullable=True),
        sa.Column(
            "running_contracts",
            sa.Enum(
                "continue",
                "transfer",
                "end_now",
                name="runningcontracts",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("because", sa.String(), nullable=False),
        sa.Column("imposed_by", sa.String(), nullable=False),
        sa.Column("imposed_at", UTC, nullable=False),
        sa.Column("lifted_at", UTC, nullable=True),
        sa.Column("lifted_because", sa.String(), nullable=True),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_suspension_ends_after_start")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_suspension_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspension")),
        sa.UniqueConstraint("ref", name=op.f("uq_suspension_ref")),
    )
    op.create_index(op.f("ix_suspension_provider_id"), "suspension", ["provider_id"], unique=False)
    op.create_table(
        "take_limit",
        sa.Column("id", ID, nullable=False),
        sa.Column("provider_id", ID, nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("parts", JSON, nullable=False),
        sa.Column("set_at", UTC, nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("replaced_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_take_limit_provider_id_provider")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_take_limit")),
    )
    op.create_index(
        "uq_take_limit_in_force",
        "take_limit",
        ["provider_id", "scheme"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "contract",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "active",
                "suspended",
                "failed_to_start",
                "ended",
                "handed_back",
                name="contractstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("award_ref", sa.String(24), nullable=False),
        sa.Column("package_id", ID, nullable=False),
        sa.Column("package_version", WHOLE, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("lot", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("weekly_minutes", WHOLE, nullable=False),
        sa.Column("weekly_pence", WHOLE, nullable=False),
        sa.Column("card", JSON, nullable=False),
        sa.Column("agreed_at", UTC, nullable=False),
        sa.Column("first_agreed_start", sa.Date(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("start_moves", WHOLE, nullable=False),
        sa.Column("started_on", sa.Date(), nullable=True),
        sa.Column("suspended_on", sa.Date(), nullable=True),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(last_day IS NOT NULL) = (state IN ('ended', 'handed_back'))", name=op.f("ck_contract_last_day_when_over")
        ),
        sa.CheckConstraint(
            "(started_on IS NULL) = (state IN ('pending', 'failed_to_start'))",
            name=op.f("ck_contract_started_when_active"),
        ),
        sa.CheckConstraint(
            "(suspended_on IS NOT NULL) = (state = 'suspended')", name=op.f("ck_contract_suspended_on_when_suspended")
        ),
        sa.CheckConstraint("start_moves IN (0, 1)", name=op.f("ck_contract_start_moves_once")),
        sa.CheckConstraint("weekly_minutes > 0 AND weekly_pence >= 0", name=op.f("ck_contract_amounts")),
        sa.ForeignKeyConstraint(["package_id"], ["package.id"], name=op.f("fk_contract_package_id_package")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("award_ref", name=op.f("uq_contract_award_ref")),
        sa.UniqueConstraint("ref", name=op.f("uq_contract_ref")),
    )
    op.create_index(op.f("ix_contract_authority"), "contract", ["authority"], unique=False)
    op.create_index(op.f("ix_contract_package_id"), "contract", ["package_id"], unique=False)
    op.create_index(op.f("ix_contract_provider"), "contract", ["provider"], unique=False)
    op.create_index("ix_contract_scheme_agreed", "contract", ["scheme", "agreed_at"], unique=False)
    op.create_index(op.f("ix_contract_state"), "contract", ["state"], unique=False)
    op.create_index(
        "uq_contract_package_in_force",
        "contract",
        ["package_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('pending', 'active', 'suspended')"),
        postgresql_where=sa.text("state IN ('pending', 'active', 'suspended')"),
    )
    op.create_table(
        "opened_bid",
        sa.Column("id", ID, nullable=False),
        sa.Column("bid_id", ID, nullable=False),
        sa.Column("opened_at", UTC, nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("nonce", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["bid_id"], ["bid.id"], name=op.f("fk_opened_bid_bid_id_bid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opened_bid")),
    )
    op.create_index(op.f("ix_opened_bid_bid_id"), "opened_bid", ["bid_id"], unique=True)
    op.create_table(
        "package_version",
        sa.Column("id", ID, nullable=False),
        sa.Column("package_id", ID, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("correction", WHOLE, nullable=False),
        sa.Column("changed", JSON, nullable=False),
        sa.Column("facts", JSON, nullable=False),
        sa.Column("free_text", sa.LargeBinary(), nullable=True),
        sa.Column("confidential", sa.LargeBinary(), nullable=True),
        sa.Column("changed_by", sa.String(40), nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["package_id"], ["package.id"], name=op.f("fk_package_version_package_id_package")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_package_version")),
        sa.UniqueConstraint(
            "package_id", "number", "correction", name=op.f("uq_package_version_package_id_number_correction")
        ),
    )
    op.create_table(
        "referral",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("rule_hash", sa.String(64), nullable=True),
        sa.Column("package_id", ID, nullable=False),
        sa.Column("package_ref", sa.String(24), nullable=False),
        sa.Column("urgency", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "draft",
                "ready",
                "seeking",
                "held",
                "placed",
                "unfilled",
                "placed_otherwise",
                "withdrawn",
                name="referralstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("ladder", JSON, nullable=True),
        sa.Column("cycle", WHOLE, nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("published_at", UTC, nullable=True),
        sa.Column("seeking_since", UTC, nullable=True),
        sa.Column("unfilled_at", UTC, nullable=True),
        sa.Column("placed_at", UTC, nullable=True),
        sa.ForeignKeyConstraint(["package_id"], ["package.id"], name=op.f("fk_referral_package_id_package")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_referral")),
        sa.UniqueConstraint("ref", name=op.f("uq_referral_ref")),
    )
    op.create_index(op.f("ix_referral_authority"), "referral", ["authority"], unique=False)
    op.create_index(op.f("ix_referral_package_id"), "referral", ["package_id"], unique=True)
    op.create_index(op.f("ix_referral_scheme"), "referral", ["scheme"], unique=False)
    op.create_index(op.f("ix_referral_state"), "referral", ["state"], unique=False)
    op.create_table(
        "round",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("referral_id", ID, nullable=False),
        sa.Column("closing_id", ID, nullable=True),
        sa.Column("predecessor_id", ID, nullable=True),
        sa.Column("cycle", WHOLE, nullable=False),
        sa.Column("stage_no", WHOLE, nullable=False),
        sa.Column("attempt", WHOLE, nullable=False),
        sa.Column("stage_key", sa.String(40), nullable=False),
        sa.Column("mode", sa.String(24), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("rule_hash", sa.String(64), nullable=False),
        sa.Column("lot", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "planned",
                "published",
                "closed",
                "decided",
                "cancelled",
                name="roundstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("opens_at", UTC, nullable=False),
        sa.Column("closes_at", UTC, nullable=True),
        sa.Column("outcome", sa.String(16), nullable=True),
        sa.Column("published_part", JSON, nullable=False),
        sa.ForeignKeyConstraint(["closing_id"], ["closing.id"], name=op.f("fk_round_closing_id_closing")),
        sa.ForeignKeyConstraint(["predecessor_id"], ["round.id"], name=op.f("fk_round_predecessor_id_round")),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_round_referral_id_referral")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round")),
        sa.UniqueConstraint("ref", name=op.f("uq_round_ref")),
        sa.UniqueConstraint(
            "referral_id", "cycle", "stage_no", "attempt", name=op.f("uq_round_referral_id_cycle_stage_no_attempt")
        ),
    )
    op.create_index(op.f("ix_round_closes_at"), "round", ["closes_at"], unique=False)
    op.create_index(op.f("ix_round_closing_id"), "round", ["closing_id"], unique=False)
    op.create_index(op.f("ix_round_referral_id"), "round", ["referral_id"], unique=False)
    op.create_index(op.f("ix_round_state"), "round", ["state"], unique=False)
    op.create_table(
        "award",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("referral_id", ID, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("bid_id", ID, nullable=True),
        sa.Column("run_ref", sa.String(24), nullable=True),
        sa.Column("bundle", sa.String(24), nullable=True),
        sa.Column("source", sa.String(24), nullable=False),
        sa.Column("reason", sa.String(2000), nullable=True),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("scheme", sa.String(40), nullable=False),
        sa.Column("lot", sa.String(40), nullable=False),
        sa.Column("locality", sa.String(40), nullable=False),
        sa.Column("weekly_pence", WHOLE, nullable=False),
        sa.Column("weekly_minutes", WHOLE, nullable=False),
        sa.Column("card", JSON, nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("from_minute", WHOLE, nullable=False),
        sa.Column("until_minute", WHOLE, nullable=False),
        sa.Column("needs_person", sa.Boolean(), nullable=False),
        sa.Column("already_accepted", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "offered",
                "accepted",
                "confirmed",
                "returned",
                "declined",
                "expired",
                "refused_by_person",
                "overturned",
                name="awardstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("proposed_at", UTC, nullable=False),
        sa.Column("approvals", JSON, nullable=False),
        sa.Column("offered_at", UTC, nullable=True),
        sa.Column("answer_by", UTC, nullable=True),
        sa.Column("accepted_at", UTC, nullable=True),
        sa.Column("confirm_by", UTC, nullable=True),
        sa.Column("ended_at", UTC, nullable=True),
        sa.Column("end_reason", sa.String(2000), nullable=True),
        sa.ForeignKeyConstraint(["bid_id"], ["bid.id"], name=op.f("fk_award_bid_id_bid")),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_award_referral_id_referral")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_award_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award")),
        sa.UniqueConstraint("ref", name=op.f("uq_award_ref")),
    )
    op.create_index(op.f("ix_award_bid_id"), "award", ["bid_id"], unique=False)
    op.create_index(op.f("ix_award_bundle"), "award", ["bundle"], unique=False)
    op.create_index("ix_award_due", "award", ["state", "answer_by"], unique=False)
    op.create_index(op.f("ix_award_provider"), "award", ["provider"], unique=False)
    op.create_index(op.f("ix_award_referral_id"), "award", ["referral_id"], unique=False)
    op.create_index(op.f("ix_award_round_id"), "award", ["round_id"], unique=False)
    op.create_index(op.f("ix_award_state"), "award", ["state"], unique=False)
    op.create_index(
        "uq_award_live",
        "award",
        ["referral_id"],
        unique=True,
        sqlite_where=sa.text("state IN ('proposed', 'offered', 'accepted', 'confirmed') AND ended_at IS NULL"),
        postgresql_where=sa.text("state IN ('proposed', 'offered', 'accepted', 'confirmed') AND ended_at IS NULL"),
    )
    op.create_table(
        "bid_round",
        sa.Column("id", ID, nullable=False),
        sa.Column("bid_id", ID, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["bid_id"], ["bid.id"], name=op.f("fk_bid_round_bid_id_bid")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_bid_round_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bid_round")),
        sa.UniqueConstraint("bid_id", "round_id", name=op.f("uq_bid_round_bid_id_round_id")),
    )
    op.create_index(op.f("ix_bid_round_round_id"), "bid_round", ["round_id"], unique=False)
    op.create_table(
        "eligibility_report",
        sa.Column("id", ID, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("at", UTC, nullable=False),
        sa.Column("eligible", WHOLE, nullable=False),
        sa.Column("assessed", WHOLE, nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_eligibility_report_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_eligibility_report")),
    )
    op.create_index(op.f("ix_eligibility_report_round_id"), "eligibility_report", ["round_id"], unique=True)
    op.create_table(
        "invitation",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "invited",
                "accepted",
                "declined",
                "lapsed",
                name="invitationstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("invited_at", UTC, nullable=True),
        sa.Column("answered_at", UTC, nullable=True),
        sa.Column("decline_reason", sa.String(500), nullable=True),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_invitation_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("ref", name=op.f("uq_invitation_ref")),
        sa.UniqueConstraint("round_id", "provider", name=op.f("uq_invitation_round_id_provider")),
    )
    op.create_index(op.f("ix_invitation_provider"), "invitation", ["provider"], unique=False)
    op.create_table(
        "open_offer",
        sa.Column("id", ID, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column("referral_id", ID, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "made",
                "taken",
                "withdrawn",
                "lapsed",
                name="openofferstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("content", JSON, nullable=False),
        sa.Column("made_at", UTC, nullable=False),
        sa.ForeignKeyConstraint(["referral_id"], ["referral.id"], name=op.f("fk_open_offer_referral_id_referral")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_open_offer_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_offer")),
        sa.UniqueConstraint("ref", name=op.f("uq_open_offer_ref")),
    )
    op.create_index(op.f("ix_open_offer_referral_id"), "open_offer", ["referral_id"], unique=False)
    op.create_table(
        "scored_bid",
        sa.Column("id", ID, nullable=False),
        sa.Column("bid_id", ID, nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("provider", sa.String(24), nullable=False),
        sa.Column("is_valid", sa.Boolean(), nullable=False),
        sa.Column("reasons", JSON, nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("weekly_pence", WHOLE, nullable=False),
        sa.Column("weekly_minutes", WHOLE, nullable=False),
        sa.Column("price_points", WHOLE, nullable=False),
        sa.Column("quality_points", WHOLE, nullable=False),
        sa.Column("total_points", WHOLE, nullable=False),
        sa.Column("rank", WHOLE, nullable=True),
        sa.Column("ties", JSON, nullable=False),
        sa.Column("workings", JSON, nullable=False),
        sa.ForeignKeyConstraint(["bid_id"], ["bid.id"], name=op.f("fk_scored_bid_bid_id_bid")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_scored_bid_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scored_bid")),
        sa.UniqueConstraint("bid_id", "round_id", name=op.f("uq_scored_bid_bid_id_round_id")),
    )
    op.create_index(op.f("ix_scored_bid_round_id"), "scored_bid", ["round_id"], unique=False)
