"""The documents themselves: uploaded, checked for kind and size, and encrypted at rest with the application key.

A file is stored with its receipt (`documents.receive`): its SHA-256 stands in the trail, its bytes nowhere but here.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel.actors import Actor, Role
from dps.kernel.columns import bytes_column, id_column, link_column, whole_column
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.ports import Ports
from dps.register.concerned import concerned_schemes
from dps.register.documents import CheckState, Document, DocumentCheck, counts, receive
from dps.register.officers import tell_officers
from dps.register.providers import Provider, may_act_for

MOST_BYTES = 5 * 1024 * 1024
"""Five mebibytes: a scanned certificate of ten pages."""


class Media(StrEnum):
    """What can be uploaded: kinds that every browser shows and that run nothing by themselves."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"


_BEGINS = {Media.PDF: b"%PDF-", Media.PNG: b"\x89PNG\r\n\x1a\n", Media.JPEG: b"\xff\xd8\xff"}


class DocumentFile(SQLModel, table=True):
    """The sealed bytes of one document; no file name, which might name a person."""

    __tablename__ = "document_file"

    id: int | None = id_column()
    document_id: int = link_column("document.id", unique=True)
    media: str = Field(max_length=20)
    size_bytes: int = whole_column()
    sealed: bytes = bytes_column()


@dataclass(frozen=True, slots=True)
class ReceivedDocument:
    """One document in a list; `has_file` is False where only its hash was sent in.

    `state` says what an officer found; what an officer brought is confirmed. `because`: why it was refused.
    """

    ref: str
    kind: str
    expires_on: date | None
    has_file: bool
    state: CheckState
    because: str | None


def media_of(content: bytes) -> Media:
    """What this file is, by its first bytes and not by its name; BadInput for what is empty, too large or no such."""
    if not content:
        raise BadInput("choose the file to upload", field="file")
    if len(content) > MOST_BYTES:
        raise BadInput(f"the file is larger than {MOST_BYTES // 1024 // 1024} MB: scan it again, smaller", field="file")
    for media, beginning in _BEGINS.items():
        if content.startswith(beginning):
            return media
    raise BadInput("upload a PDF, a PNG or a JPEG", field="file")


def receive_file(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    kind: str,
    content: bytes,
    expires_on: date | None,
    actor: Actor,
) -> Document:
    """Receive a document with its file, from the provider or an officer; the same sent again is received once.

    Officers are told of what a provider sends: it waits for them.
    """
    media = media_of(content)
    document = receive(
        session,
        ports,
        provider_id=provider_id,
        kind=kind,
        sha256=hashlib.sha256(content).hexdigest(),
        expires_on=expires_on,
        actor=actor,
    )
    assert document.id is not None
    if session.exec(select(DocumentFile.id).where(DocumentFile.document_id == document.id)).first() is None:
        sealed = ports.keyring.application.seal(content, about=_about(document.ref))
        session.add(DocumentFile(document_id=document.id, media=media, size_bytes=len(content), sealed=sealed))
        session.flush()
        if actor.role is Role.PROVIDER:
            schemes = concerned_schemes(session, provider_id)
            now = document.received_at
            tell_officers(session, ports, schemes, kind="document_to_check", about=document.ref, now=now)
    return document


def file_of(session: Session, ports: Ports, ref: str, actor: Actor) -> tuple[Media, bytes]:
    """A document's file, to its own provider and to officers of the register; to anybody else it does not exist."""
    actor.needs("read a document", Role.PROVIDER, Role.REGISTER_OFFICER)
    query = (
        select(DocumentFile, Provider)
        .join(Document, col(Document.id) == col(DocumentFile.document_id))
        .join(Provider, col(Provider.id) == col(Document.provider_id))
        .where(Document.ref == ref)
    )
    found = session.exec(query).first()
    if found is None:
        raise NotFound(kind="document", ref=ref)
    file, provider = found
    may_act_for(actor, provider, "read a document")
    return Media(file.media), ports.keyring.application.open(file.sealed, about=_about(ref))


def received_documents(session: Session, provider_id: int) -> list[ReceivedDocument]:
    """Of each kind that this provider holds: what counts, then what came later and waits or was refused."""
    query = (
        select(Document, DocumentFile.id, DocumentCheck)
        .outerjoin(DocumentFile, col(DocumentFile.document_id) == col(Document.id))
        .outerjoin(DocumentCheck, col(DocumentCheck.document_id) == col(Document.id))
        .where(Document.provider_id == provider_id)
        .order_by(col(Document.id))
    )
    shown: dict[str, list[ReceivedDocument]] = {}
    for row, file, check in session.exec(query):
        one = ReceivedDocument(
            ref=row.ref,
            kind=row.kind,
            expires_on=row.expires_on,
            has_file=file is not None,
            state=CheckState.CONFIRMED if check is None else check.state,
            because=check.reason if check else None,
        )
        before = shown.get(row.kind, [])
        shown[row.kind] = [] if counts(check) else [known for known in before if known.state is CheckState.CONFIRMED]
        shown[row.kind].append(one)
    return [one for kind in sorted(shown) for one in shown[kind]]


def kinds_waiting(session: Session, provider_id: int) -> set[str]:
    """The kinds of which the last that this provider sent waits for an officer."""
    return {one.kind for one in received_documents(session, provider_id) if one.state is CheckState.WAITING}


def _about(ref: str) -> str:
    return f"{ref} file"
