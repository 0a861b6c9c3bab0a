"""A provider's documents (insurance, registration …): what was received, and until which day it is good.

Expiry is derived on each read (law 1): a document is good on its last day and not on the next, wherever a sweep may be.
A provider whose document has run out is suspended by that alone, until a good one is here. What a provider sends itself
counts once an officer has confirmed it (`document_checks`); until then the one before counts, as long as it is good.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, link_column, ref_column, state_column, utc_column
from dps.kernel.errors import BadInput, DocumentExpired
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable
from dps.register.interests import refuse_tied
from dps.register.providers import locked_provider, may_act_for
from dps.register.texts import keys


class Document(SQLModel, table=True):
    """One document as received. `expires_on` is its last good day in local time; None: it does not expire."""

    __tablename__ = "document"
    __table_args__ = (Index("ix_document_latest", "provider_id", "kind", "id"),)

    id: int | None = id_column()
    ref: str = ref_column()
    provider_id: int = link_column("provider.id", index=False)
    kind: str = Field(max_length=40)
    expires_on: date | None = day_column(nullable=True)
    sha256: str = Field(max_length=64)
    received_at: datetime = utc_column()
    received_from: str


class CheckState(StrEnum):
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class DocumentCheck(SQLModel, table=True):
    """An officer's look at what a provider sent itself, under the document's own reference.

    A document without one came from an officer, and counts.
    """

    __tablename__ = "document_check"
    __table_args__ = (Index("ix_document_check_state", "state", "document_id"),)
    STEPS: ClassVar[StateTable] = StateTable(
        "document",
        CheckState.WAITING,
        (CheckState.WAITING, "confirm", CheckState.CONFIRMED, (Role.REGISTER_OFFICER,)),
        (CheckState.WAITING, "refuse", CheckState.REFUSED, (Role.REGISTER_OFFICER,)),
    )

    id: int | None = id_column()
    document_id: int = link_column("document.id", unique=True)
    ref: str = ref_column()
    provider: str = Field(max_length=24)
    state: CheckState = state_column(CheckState, index=False)
    decided_at: datetime | None = utc_column(nullable=True)
    decided_by: str | None = Field(default=None, max_length=64)
    reason: str | None = Field(default=None)

    @property
    def stream(self) -> str:
        return self.provider


def receive(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    kind: str,
    sha256: str,
    expires_on: date | None,
    actor: Actor,
) -> Document:
    """Record a document, from an officer, or from the provider, whose own waits to be confirmed.

    Of a kind the latest that may count does. The same document sent again is received once, unless it was refused or an
    officer brings what still waits. One that is no longer good is refused (`DocumentExpired`).
    """
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise BadInput("a SHA-256 is 64 hexadecimal digits", field="sha256")
    [kind] = keys([kind], "kind")
    provider = locked_provider(session, provider_id)
    may_act_for(actor, provider, "send a document")
    # What an officer brings counts at once: whoever has a tie would confirm a friend's by bringing it.
    refuse_tied(session, actor, provider.ref, "bring a document")
    now = ports.clock.read(session)
    if not is_good(expires_on, now):
        raise DocumentExpired(expires_on=expires_on)
    is_its_own = actor.role is Role.PROVIDER
    latest, check = _latest(session, provider_id, kind)
    is_the_same = latest is not None and (latest.sha256, latest.expires_on) == (sha256, expires_on)
    waits = check is not None and check.state is CheckState.WAITING
    if latest is not None and is_the_same and (counts(check) or (waits and is_its_own)):
        return latest
    document = Document(
        ref=new_reference(Kind.DOCUMENT, ports.entropy),
        provider_id=provider_id,
        kind=kind,
        expires_on=expires_on,
        sha256=sha256,
        received_at=now,
        received_from=actor.ref,
    )
    session.add(document)
    session.flush()
    if is_its_own:
        session.add(
            DocumentCheck(
                document_id=document.id or 0, ref=document.ref, provider=provider.ref, state=CheckState.WAITING
            )
        )
        session.flush()
    facts = {
        "ref": document.ref,
        "kind": kind,
        "sha256": sha256,
        "expires_on": expires_on.isoformat() if expires_on else None,
    }
    audit.append(session, provider.stream, "document.receive", actor, now, facts)
    return document


def latest_documents(session: Session, provider_ids: Collection[int]) -> dict[int, dict[str, date | None]]:
    """For each provider: kind → last good day of the latest that may count, good or not; None if it does not expire.

    What still waits for an officer, or was refused, is as if it had not come.
    """
    found: dict[int, dict[str, date | None]] = {}
    for provider_id, kind, expires_on in session.execute(_RECEIVED, {"ids": list(provider_ids)}):
        found.setdefault(provider_id, {})[kind] = expires_on
    return found


def counts(check: DocumentCheck | None) -> bool:
    """Whether a document with this check may count: an officer confirmed it, or brought it."""
    return check is None or check.state is CheckState.CONFIRMED


# Built once: every stage, bid and award asks it.
_RECEIVED = (
    sa.select(col(Document.provider_id), col(Document.kind), col(Document.expires_on))
    .outerjoin(DocumentCheck, col(DocumentCheck.document_id) == col(Document.id))
    .where(
        col(Document.provider_id).in_(sa.bindparam("ids", expanding=True)),
        sa.or_(col(DocumentCheck.id).is_(None), col(DocumentCheck.state) == CheckState.CONFIRMED),
    )
    .order_by(col(Document.id))
)


def _latest(session: Session, provider_id: int, kind: str) -> tuple[Document | None, DocumentCheck | None]:
    """The last document of a kind, whatever became of it, with its check."""
    query = (
        select(Document, DocumentCheck)
        .outerjoin(DocumentCheck, col(DocumentCheck.document_id) == col(Document.id))
        .where(Document.provider_id == provider_id, Document.kind == kind)
        .order_by(col(Document.id).desc())
        .limit(1)
    )
    return session.exec(query).first() or (None, None)


def is_good(expires_on: date | None, at: datetime) -> bool:
    """Whether a document whose last good day is `expires_on` is good at `at`."""
    return expires_on is None or at.astimezone(LONDON).date() <= expires_on


def missing(held: Mapping[str, date | None], required: Iterable[str], at: datetime) -> list[str]:
    """The required kinds of which there is none, or none that is good at `at`, in order of the alphabet."""
    return sorted(kind for kind in set(required) if kind not in held or not is_good(held[kind], at))
