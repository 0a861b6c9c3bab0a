"""Documents and their last good day."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, select

from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, DocumentExpired, NotFound
from dps.kernel.ports import Ports
from dps.register.documents import Document, is_good, latest_documents, missing, receive
from dps.register.providers import Provider
from tests.dps.register.builders import OFFICER, a_provider, id_of, its_own, step

KIND = "public_liability_insurance"


def send(
    session: Session,
    ports: Ports,
    provider: Provider,
    *,
    expires_on: date | None = date(2018, 12, 31),
    sha256: str = "a" * 64,
    actor: Actor = OFFICER,
) -> Document:
    return receive(
        session,
        ports,
        provider_id=id_of(provider),
        kind=KIND,
        sha256=sha256,
        expires_on=expires_on,
        actor=actor,
    )


@pytest.mark.parametrize(
    ("at", "good"),
    [
        (datetime(2018, 6, 30, 22, 59, 59, tzinfo=UTC), True),  # 23:59:59 in London
        (datetime(2018, 6, 30, 23, 0, tzinfo=UTC), False),  # midnight in London, an hour before UTC's
    ],
)
def test_a_document_is_good_until_midnight_in_london_of_its_last_day(at: datetime, good: bool) -> None:
    assert is_good(date(2018, 6, 30), at) is good


def test_a_document_that_never_expires_is_good() -> None:
    assert is_good(None, datetime(2099, 1, 1, tzinfo=UTC))


def test_the_latest_received_of_a_kind_counts(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        send(session, ports, provider, sha256="a" * 64, expires_on=date(2019, 12, 31))
        send(session, ports, provider, sha256="b" * 64, expires_on=date(2018, 4, 1))

        assert latest_documents(session, [id_of(provider)]) == {id_of(provider): {KIND: date(2018, 4, 1)}}


def test_the_same_document_is_received_once(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)

        sent = [send(session, ports, provider).ref for _ in range(3)]

        assert len(set(sent)) == len(session.exec(select(Document)).all()) == 1


def test_a_document_that_is_no_longer_good_is_refused(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)

        with pytest.raises(DocumentExpired):
            send(session, ports, provider, expires_on=date(2018, 3, 13))
        assert send(session, ports, provider, expires_on=date(2018, 3, 14)).expires_on == date(2018, 3, 14)


def test_a_document_is_missing_again_the_day_after_its_last(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        send(session, ports, provider, expires_on=date(2018, 3, 14))
        held = latest_documents(session, [id_of(provider)])[id_of(provider)]

        today = missing(held, [KIND, "charter"], ports.clock.read(session))
        tomorrow = missing(held, [KIND, "charter"], step(ports, timedelta(days=1)))

    assert (today, tomorrow) == (["charter"], ["charter", KIND])


@pytest.mark.parametrize("sha256", ["", "a" * 63, "A" * 64, "g" * 64, "a" * 64 + "\n"])
def test_a_digest_that_is_none_is_refused(database: Database, ports: Ports, sha256: str) -> None:
    with database.transaction() as session, pytest.raises(BadInput):
        send(session, ports, a_provider(session, ports), sha256=sha256)


def test_a_stranger_sends_no_document(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider, stranger = a_provider(session, ports), a_provider(session, ports, name="Alder Care")

        with pytest.raises(NotFound):
            send(session, ports, provider, actor=its_own(stranger))
