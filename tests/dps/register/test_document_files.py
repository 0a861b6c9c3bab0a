"""Uploaded documents: what is taken, how it is kept, and who reads it."""

import hashlib
from datetime import date

import pytest
from sqlmodel import Session, select

from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NotFound
from dps.kernel.ports import Ports
from dps.register.document_files import (
    MOST_BYTES,
    DocumentFile,
    Media,
    file_of,
    media_of,
    receive_file,
    received_documents,
)
from dps.register.documents import Document
from dps.register.providers import Provider
from tests.dps.register.builders import BROKER, OFFICER, a_provider, id_of, its_own

PDF = b"%PDF-1.7\n a certificate of synthetic insurance"
GOOD_UNTIL = date(2020, 1, 1)
KIND = "public_liability_insurance"


@pytest.mark.parametrize(
    ("content", "media"),
    [(PDF, Media.PDF), (b"\x89PNG\r\n\x1a\n rest", Media.PNG), (b"\xff\xd8\xff\xe0 rest", Media.JPEG)],
)
def test_a_file_is_known_by_its_first_bytes(content: bytes, media: Media) -> None:
    assert media_of(content) is media


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "choose the file"),
        (b"<html><script>alert(1)</script>", "PDF, a PNG or a JPEG"),
        (b"PK\x03\x04 a word file", "PDF, a PNG or a JPEG"),
        (b"%PDF-" + bytes(MOST_BYTES - 4), "larger than 5 MB"),
    ],
)
def test_what_is_no_picture_and_no_pdf_or_too_large_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        media_of(content)


def test_the_largest_file_is_taken() -> None:
    assert media_of(b"%PDF-" + bytes(MOST_BYTES - 5)) is Media.PDF


def test_a_file_is_kept_encrypted_and_read_by_its_provider_and_by_officers(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider, other = a_provider(session, ports), a_provider(session, ports, name="Another")
        sent = received(session, ports, provider)
        ref = sent.ref

        row = session.exec(select(DocumentFile)).one()
        assert PDF not in row.sealed
        assert b"certificate" not in row.sealed
        assert sent.sha256 == hashlib.sha256(PDF).hexdigest()
        assert file_of(session, ports, ref, its_own(provider)) == (Media.PDF, PDF)
        assert file_of(session, ports, ref, OFFICER) == (Media.PDF, PDF)
        with pytest.raises(NotFound):
            file_of(session, ports, ref, its_own(other))
        with pytest.raises(NotFound):
            file_of(session, ports, "DOC-0000-0000-0000", its_own(provider))
        with pytest.raises(Forbidden):
            file_of(session, ports, ref, BROKER)


def test_the_same_file_sent_twice_is_received_once(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        first, second = received(session, ports, provider), received(session, ports, provider)

        assert first.ref == second.ref
        assert len(session.exec(select(DocumentFile)).all()) == 1


def test_the_latest_of_each_kind_is_listed(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        received(session, ports, provider)
        newer = received(session, ports, provider, content=PDF + b"2", expires_on=date(2021, 1, 1))

        (listed,) = received_documents(session, id_of(provider))

        assert (listed.ref, listed.expires_on, listed.has_file) == (newer.ref, date(2021, 1, 1), True)


def received(
    session: Session,
    ports: Ports,
    provider: Provider,
    *,
    content: bytes = PDF,
    expires_on: date | None = date(2020, 1, 1),
) -> Document:
    return receive_file(
        session,
        ports,
        provider_id=id_of(provider),
        kind=KIND,
        content=content,
        expires_on=expires_on,
        actor=its_own(provider),
    )
