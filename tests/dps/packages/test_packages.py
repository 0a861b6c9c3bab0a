"""Packages: written, opened by few, and confirmed word for word."""

from typing import Any

import pytest
from sqlmodel import Session, select

from dps.kernel import ending
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.audit import AuditEvent
from dps.kernel.columns import canonical_json
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NotFound, NothingChanged, StateChanged
from dps.packages.amendments import correct
from dps.packages.facts import FreeText
from dps.packages.packages import (
    Package,
    confirm_free_text,
    create_package,
    disclose_confidential,
    find_package,
    free_text_of,
    note_referred,
    person_of,
    versions_of,
)
from dps.packages.persons import Purpose
from tests.dps.packages.cases import (
    APPROVER,
    AUDITOR,
    BROKER,
    ENTROPY,
    HOME,
    KEYRING,
    NEIGHBOUR,
    NOON,
    OTHER_PROVIDER,
    PROVIDER,
    PROVIDER_REF,
    REQUESTER,
    SCHEME,
    WORDS,
    a_package,
    a_person,
    some_facts,
)

CANARIES = ("Teasel", "L6 1AB", "4711", "Knows them", "radio", "Washes")


def _bodies(session: Session, stream: str) -> list[Any]:
    ending.write(session)
    query = select(AuditEvent).where(AuditEvent.stream == stream).order_by("seq")
    return [{"kind": event.kind, **event.body} for event in session.exec(query)]


def test_a_package_is_read_back_as_it_was_written(database: Database) -> None:
    with database.transaction() as session:
        ref = a_package(session).ref

    with database.reading() as session:
        package = find_package(session, ref, actor=BROKER)

        assert package.facts == some_facts()
        assert package.weekly_minutes == 7 * 30
        assert free_text_of(session, KEYRING, package) == WORDS
        assert (package.version, package.correction, package.free_text_confirmed_by) == (1, 0, None)


def test_an_incomplete_package_may_be_written(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session, facts={"schedule": None, "needs": None, "latest_start": None}, free_text=None)

        assert package.weekly_minutes is None
        assert package.free_text_given == []


def test_no_row_and_no_event_holds_anything_personal_in_clear(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)
        rows = repr([package.model_dump(), *(version.model_dump() for version in versions_of(session, package))])
        told = canonical_json(_bodies(session, package.ref) + _bodies(session, person_of(session, package).ref))

    assert not [canary for canary in CANARIES if canary in rows or canary in told]


def test_what_the_scheme_can_not_buy_is_not_written(database: Database) -> None:
    with database.transaction() as session, pytest.raises(BadInput, match="no lot"):
        a_package(session, facts={"lot": "live-in"})


@pytest.mark.parametrize("actor", [NEIGHBOUR, APPROVER, AUDITOR, PROVIDER, CLOCK])
def test_only_the_persons_own_brokers_and_requesters_write(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        person = a_person(session)

        with pytest.raises((Forbidden, NotFound)):
            create_package(
                session,
                KEYRING,
                ENTROPY,
                person,
                facts=some_facts(),
                confidential=HOME,
                scheme=SCHEME,
                actor=actor,
                now=NOON,
            )


@pytest.mark.parametrize("actor", [NEIGHBOUR, PROVIDER])
def test_a_foreign_package_is_as_missing_as_one_that_never_was(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        package = a_package(session)

        with pytest.raises(NotFound, match="no package"):
            find_package(session, package.ref, actor=actor)
        with pytest.raises(NotFound, match="no package"):
            find_package(session, "PKG-0000-0000-0000", actor=actor)


def test_the_address_is_opened_to_the_winner_and_the_opening_recorded(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)

        confidential = disclose_confidential(
            session, KEYRING, package, actor=PROVIDER, purpose=Purpose.HANDOVER, now=NOON, winner=PROVIDER_REF
        )
        with pytest.raises(NotFound):
            disclose_confidential(
                session, KEYRING, package, actor=OTHER_PROVIDER, purpose=Purpose.HANDOVER, now=NOON, winner=PROVIDER_REF
            )
        person = person_of(session, package)
        last = _bodies(session, person.ref)[-1]

    assert confidential == HOME
    assert last == {
        "kind": "package.disclosed",
        "ref": person.ref,
        "package": package.ref,
        "provider": PROVIDER_REF,
        "purpose": "handover",
    }


def test_a_brokers_word_confirms_the_text(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)

        confirm_free_text(session, package, actor=BROKER, now=NOON)

        assert package.free_text_confirmed_by == "USR-BROKER"
        assert _bodies(session, package.ref)[-1]["kind"] == "package.free_text_confirmed"
        with pytest.raises(NothingChanged):
            confirm_free_text(session, package, actor=BROKER, now=NOON)


@pytest.mark.parametrize("actor", [REQUESTER, NEIGHBOUR, PROVIDER, AUDITOR, CLOCK])
def test_nobody_else_confirms_the_text(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        package = a_package(session)

        with pytest.raises((Forbidden, NotFound)):
            confirm_free_text(session, package, actor=actor, now=NOON)

        assert package.free_text_confirmed_by is None


def test_no_text_is_no_text_to_confirm(database: Database) -> None:
    with database.transaction() as session, pytest.raises(NothingChanged):
        confirm_free_text(session, a_package(session, free_text=None), actor=BROKER, now=NOON)


def test_a_text_changed_meanwhile_is_not_confirmed(database: Database) -> None:
    with database.transaction() as session:
        ref = a_package(session).ref
    with database.transaction() as session:
        package = find_package(session, ref, actor=BROKER)
        edition = package.edition
        text = FreeText(pen_picture="Zebedee likes the radio on.", outcomes=WORDS.outcomes)
        correct(session, KEYRING, package, free_text=text, scheme=SCHEME, actor=REQUESTER, now=NOON)

    with database.transaction() as session:
        package = find_package(session, ref, actor=BROKER)
        with pytest.raises(StateChanged):
            confirm_free_text(session, package, edition=edition, actor=BROKER, now=NOON)

    with database.reading() as session:
        assert find_package(session, ref, actor=BROKER).free_text_confirmed_by is None


def test_the_first_publication_is_remembered(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)

        note_referred(session, package, now=NOON)
        note_referred(session, package, now=NOON.replace(hour=13))

        assert session.exec(select(Package.referred_at)).all() == [NOON]
