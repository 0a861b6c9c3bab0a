"""An officer's look at what a provider sent: confirmed, from when on it counts, or refused with a reason.

Nothing counts before: a document lets a provider in, keeps it there, or lets it reduce somebody's care by itself
(a trusted assessor's accreditation), and nobody vouches for its own.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from dps.kernel import outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.database import locked_one
from dps.kernel.errors import NotFound
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.register.concerned import answers_for, of_these
from dps.register.document_files import DocumentFile
from dps.register.documents import CheckState, Document, DocumentCheck
from dps.register.interests import refuse_tied
from dps.register.providers import Provider, locked_provider
from dps.register.texts import reason

_OFFICER = (Role.REGISTER_OFFICER,)


def confirm_document(session: Session, ports: Ports, *, document_ref: str, actor: Actor) -> None:
    """An officer has looked at it, and it is what the provider says: it counts from now on."""
    check = _to_decide(session, document_ref, actor, "confirm a document")
    now = ports.clock.read(session)
    advance(session, check, "confirm", actor, now, decided_at=now, decided_by=actor.ref)
    _tell(session, ports, check, "document_confirmed", now)


def refuse_document(session: Session, ports: Ports, *, document_ref: str, because: str, actor: Actor) -> None:
    """It is not what it should be; the provider reads why. What counted before goes on counting."""
    words = reason(because)
    check = _to_decide(session, document_ref, actor, "refuse a document")
    now = ports.clock.read(session)
    advance(session, check, "refuse", actor, now, decided_at=now, decided_by=actor.ref, reason=words)
    _tell(session, ports, check, "document_refused", now)


@dataclass(frozen=True, slots=True)
class SentDocument:
    """What a provider sent, with its check and the provider's name."""

    document: Document
    check: DocumentCheck
    provider: str
    provider_name: str
    has_file: bool


def documents_to_check(session: Session, schemes: Collection[str], *, actor: Actor) -> list[SentDocument]:
    """What members of these schemes, or applicants to them, sent and nobody has looked at; the oldest first.

    Of a kind the last one that a provider sent: who sends a better scan takes the one before out of the list.
    """
    actor.needs("look at documents", *_OFFICER)
    later = aliased(Document)
    is_followed = exists().where(
        later.provider_id == Document.provider_id,  # type: ignore[arg-type]
        later.kind == Document.kind,  # type: ignore[arg-type]
        later.id > Document.id,  # type: ignore[arg-type, operator]
    )
    query = _sent().where(
        of_these(col(Document.provider_id), schemes), col(DocumentCheck.state) == CheckState.WAITING, ~is_followed
    )
    return [_as_sent(row) for row in session.exec(query.order_by(col(Document.id)))]


def document_to_check(session: Session, ref: str, schemes: Collection[str], *, actor: Actor) -> SentDocument:
    """One of these, decided or not; NotFound for another provider's, and for what an officer brought."""
    actor.needs("look at documents", *_OFFICER)
    query = _sent().where(of_these(col(Document.provider_id), schemes), col(Document.ref) == ref)
    found = session.exec(query).first()
    if found is None:
        raise NotFound(kind="document", ref=ref)
    return _as_sent(found)


def _sent() -> Any:
    return (
        select(Document, DocumentCheck, Provider.ref, Provider.name, DocumentFile.id)  # type: ignore[call-overload]
        .join(DocumentCheck, col(DocumentCheck.document_id) == col(Document.id))
        .join(Provider, col(Provider.id) == col(Document.provider_id))
        .outerjoin(DocumentFile, col(DocumentFile.document_id) == col(Document.id))
    )


def _as_sent(row: Any) -> SentDocument:
    document, check, provider, name, file = row
    return SentDocument(document, check, provider, name, has_file=file is not None)


def _to_decide(session: Session, ref: str, actor: Actor, step: str) -> DocumentCheck:
    """The check, its provider locked first: whatever changes what a provider may take holds that row."""
    actor.needs(step, *_OFFICER)
    query = select(DocumentCheck, Document.provider_id).join(Document, col(Document.id) == DocumentCheck.document_id)
    found = session.exec(query.where(Document.ref == ref)).first()
    if found is None or not answers_for(session, actor, found[1]):
        raise NotFound(kind="document", ref=ref)
    check, provider_id = found
    refuse_tied(session, actor, check.provider, step)
    locked_provider(session, provider_id)
    return locked_one(session, DocumentCheck, check.id)


def _tell(session: Session, ports: Ports, check: DocumentCheck, kind: str, now: datetime) -> None:
    recipient = f"provider:{check.provider}"
    outbox.post(session, ports.entropy, recipient=recipient, kind=kind, about=check.ref, now=now)
