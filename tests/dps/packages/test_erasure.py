"""Erasure: what names the person is gone from rows and files, and the trail still verifies."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, SQLModel, select

from dps.contracts.contracts import Contract, create_contract, end, hand_back, start
from dps.contracts.reasons import EndReason, HandBackReason
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.audit import sign_checkpoint
from dps.kernel.database import Database
from dps.kernel.errors import Forbidden, NotFound, PersonErased, StillServed
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.verify import verify_trail
from dps.packages.amendments import amend
from dps.packages.erasure import ErasureReason, erase, scrub, scrub_due
from dps.packages.exclusions import Ground, Reason, disclose_reasons, exclude
from dps.packages.facts import Confidential, FreeText
from dps.packages.packages import (
    Package,
    confirm_free_text,
    disclose_confidential,
    free_text_of,
    versions_of,
)
from dps.packages.persons import Person, Purpose, correct_identity, disclose, find_person
from dps.packages.remarks import Remark, write_remark
from tests.dps.packages.cases import (
    APPROVER,
    AUDITOR,
    BROKER,
    ENTROPY,
    KEYRING,
    NEIGHBOUR,
    NOON,
    PROVIDER,
    PROVIDER_REF,
    SCHEME,
    VALID_NHS_NUMBERS,
    a_package,
    a_person,
    an_identity,
    some_facts,
)

CANARY = "Zebedee Quillfeather"
CARD = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 2100})


def _a_told_person(session: Session) -> tuple[Person, Package]:
    """A person whose name stands in every confidential place there is."""
    person = a_person(session, nhs_number=VALID_NHS_NUMBERS[0], notes=CANARY)
    hidden = Confidential(postcode="L6 1AB", address=CANARY, access=CANARY, preference_reason=CANARY)
    package = a_package(session, person, confidential=hidden, free_text=FreeText(pen_picture=CANARY))
    retold = FreeText(pen_picture=f"{CANARY} again")
    amend(session, KEYRING, package, free_text=retold, scheme=SCHEME, actor=BROKER, now=NOON)
    reason = Reason(Ground.SAFEGUARDING, CANARY)
    exclude(session, KEYRING, ENTROPY, person, provider=PROVIDER_REF, reason=reason, actor=BROKER, now=NOON)
    by: dict[str, Any] = {"actor": BROKER, "now": NOON}
    write_remark(session, KEYRING, ENTROPY, package, about="REF-1", step="hold", words=CANARY, **by)
    return person, package


def _erase(session: Session, person: Person, actor: Actor = APPROVER) -> None:
    reason = ErasureReason.RETENTION_ENDED
    erase(session, person, reason=reason, actor=actor, now=NOON, still_sought=lambda _session, _packages: None)


def _secrets(session: Session, person: Person, package: Package) -> list[bytes]:
    """Every stored byte string from which the person could be read with the installation's keys."""
    stored = [person.wrapped_key, person.identity, package.free_text, package.confidential]
    stored += [remark.words for remark in session.exec(select(Remark))]
    stored += [text for version in versions_of(session, package) for text in (version.free_text, version.confidential)]
    assert all(stored)
    return [text for text in stored if text]


def test_nothing_of_an_erased_person_can_be_opened_or_changed(database: Database) -> None:
    with database.transaction() as session:
        person, package = _a_told_person(session)
        _erase(session, person)

        for attempt in _openings(session, person, package):
            with pytest.raises(PersonErased):
                attempt()
        assert (person.erased_at, person.identity_given, package.free_text_given) == (NOON, [], [])
        assert package.facts == some_facts()


def _openings(session: Session, person: Person, package: Package) -> list[Any]:
    why: dict[str, Any] = {"actor": BROKER, "purpose": Purpose.SUBJECT_ACCESS, "now": NOON}
    by: dict[str, Any] = {"actor": BROKER, "now": NOON}
    facts = some_facts(other_minutes_allowed=True)
    reason = Reason(Ground.PERSONS_WISH, "No")
    return [
        lambda: disclose(session, KEYRING, person, **why),
        lambda: disclose_confidential(session, KEYRING, package, **why),
        lambda: disclose_reasons(session, KEYRING, person, **why),
        lambda: free_text_of(session, KEYRING, package),
        lambda: confirm_free_text(session, package, **by),
        lambda: correct_identity(session, KEYRING, person, identity=an_identity(), **by),
        lambda: amend(session, KEYRING, package, facts=facts, scheme=SCHEME, **by),
        lambda: a_package(session, person),
        lambda: exclude(session, KEYRING, ENTROPY, person, provider="PRV-0000-0000-001M", reason=reason, **by),
        lambda: write_remark(session, KEYRING, ENTROPY, package, about="REF-1", step="hold", words="No", **by),
        lambda: _erase(session, person),
    ]


def test_no_row_of_any_table_holds_what_opened_or_named_the_person(database: Database) -> None:
    with database.transaction() as session:
        person, package = _a_told_person(session)
        secrets = _secrets(session, person, package)
        key = KEYRING.application.open(secrets[0], about=f"{person.ref} key")
        before = _dump(session)
        _erase(session, person)

    with database.reading() as session:
        after = _dump(session)

    assert all(secret.hex() in before for secret in secrets)
    assert not [secret for secret in [*secrets, key, CANARY.encode()] if secret.hex() in after or repr(secret) in after]
    assert CANARY not in after


def _dump(session: Session) -> str:
    """Every value of every row, as a dump writes it."""
    values = (
        value.hex() if isinstance(value, bytes) else repr(value)
        for table in SQLModel.metadata.sorted_tables
        for row in session.execute(table.select())
        for value in row
    )
    return "\n".join(values)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_no_byte_of_it_stays_in_sqlites_files(database: Database) -> None:
    with database.transaction() as session:
        person, package = _a_told_person(session)
        secrets = _secrets(session, person, package)
    before = _file_bytes(database)
    with database.transaction() as session:
        _erase(session, find_person(session, person.ref, actor=APPROVER))

    is_scrubbed = scrub(database)

    after = _file_bytes(database)
    assert all(secret in before for secret in secrets)
    assert is_scrubbed
    assert not [secret for secret in [*secrets, CANARY.encode()] if secret in after]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_scrubbing_says_when_somebodys_look_stood_in_its_way(database: Database) -> None:
    with database.transaction() as session:
        person, _ = _a_told_person(session)
    with database.reading() as look:
        find_person(look, person.ref, actor=APPROVER)
        with database.transaction() as session:
            _erase(session, find_person(session, person.ref, actor=APPROVER))

        while_looking = scrub(database)

    assert (while_looking, scrub(database)) == (False, True)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_who_was_erased_is_due_until_the_files_are_clear(database: Database) -> None:
    with database.transaction() as session:
        person, package = _a_told_person(session)
        secrets = _secrets(session, person, package)
        other = a_person(session)
    with database.transaction() as session:
        _erase(session, find_person(session, person.ref, actor=APPROVER))

    with database.reading() as look:
        find_person(look, person.ref, actor=APPROVER)
        with database.transaction() as session:
            session.get_one(Person, other.id).identity_given = []
        while_looking = scrub_due(database, lambda _: NOON)
    cleared = scrub_due(database, lambda _: NOON)

    with database.reading() as session:
        marks = {one.ref: one.cleared_at for one in session.exec(select(Person))}
    assert (while_looking, cleared) == (False, True)
    assert marks == {person.ref: NOON, other.ref: None}
    assert not [secret for secret in secrets if secret in _file_bytes(database)]


def test_nothing_is_cleared_where_nobody_is_due(database: Database) -> None:
    def never(_: Session) -> datetime:
        raise AssertionError("somebody was due")

    with database.transaction() as session:
        a_person(session)

    assert scrub_due(database, never)


def test_clearing_what_is_due_is_marked_and_not_done_again(database: Database) -> None:
    with database.transaction() as session:
        person, _ = _a_told_person(session)
    with database.transaction() as session:
        _erase(session, find_person(session, person.ref, actor=APPROVER))

    assert scrub_due(database, lambda _: NOON)

    with database.reading() as session:
        assert session.get_one(Person, person.id).cleared_at == NOON


def _file_bytes(database: Database) -> bytes:
    path = Path(str(database.url.database))
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"{path.name}*")))


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_no_byte_of_it_stays_in_postgresqls_pages(database: Database) -> None:
    with database.transaction() as session:
        person, package = _a_told_person(session)
        secrets = _secrets(session, person, package)
    before = _pages(database)
    with database.transaction() as session:
        _erase(session, find_person(session, person.ref, actor=APPROVER))

    is_scrubbed = scrub(database)

    after = _pages(database)
    assert all(secret in before for secret in secrets)
    assert is_scrubbed
    assert not [secret for secret in [*secrets, CANARY.encode()] if secret in after]


def _pages(database: Database) -> bytes:
    """The tables' files, once everything has been written to them."""
    with database.engine.connect() as connection:
        connection.exec_driver_sql("CHECKPOINT")
        return b"".join(
            bytes(
                connection.exec_driver_sql(f"SELECT pg_read_binary_file(pg_relation_filepath('{table}'))").scalar_one()
            )
            for table in ("person", "package", "package_version", "provider_exclusion", "remark")
        )


def test_the_trail_still_verifies(database: Database) -> None:
    with database.transaction() as session:
        person, _ = _a_told_person(session)
        sign_checkpoint(session, KEYRING.signing, NOON)
        _erase(session, person)
        sign_checkpoint(session, KEYRING.signing, NOON)

    with database.reading() as session:
        report = verify_trail(session, KEYRING.public_keys)

    assert report.ok, report.faults
    assert (report.checkpoints, report.streams) == (2, 2)


def test_others_are_left_alone(database: Database) -> None:
    with database.transaction() as session:
        person, _ = _a_told_person(session)
        other = a_package(session, a_person(session, nhs_number=VALID_NHS_NUMBERS[1]))
        _erase(session, person)

        assert free_text_of(session, KEYRING, other).pen_picture
        a_person(session, nhs_number=VALID_NHS_NUMBERS[0])  # may be registered anew


def _contracted(session: Session, package: Package) -> Contract:
    """A contract for this package, to begin today."""
    return create_contract(
        session,
        ENTROPY,
        package=package,
        award_ref="AWD-1",
        provider=PROVIDER_REF,
        weekly_minutes=210,
        weekly_pence=7350,
        card=CARD,
        starts_on=NOON.date(),
        actor=CLOCK,
        now=NOON,
    )


def test_nobody_is_erased_while_care_goes_on(database: Database) -> None:
    with database.transaction() as session:
        person, package = _a_told_person(session)
        day = NOON.date()
        contract = _contracted(session, package)

        with pytest.raises(StillServed, match=contract.ref):
            _erase(session, person)
        start(session, ENTROPY, contract, first_visit_on=day, actor=BROKER, now=NOON)
        end(session, ENTROPY, contract, reason=EndReason.PERSON_DIED, last_day=day, actor=BROKER, now=NOON)
        _erase(session, person)

        assert person.erased_at == NOON


def test_nobody_is_erased_before_the_last_day_of_care_that_was_handed_back(database: Database) -> None:
    with database.transaction() as session:
        person, package = _a_told_person(session)
        day = NOON.date()
        contract = _contracted(session, package)

        start(session, ENTROPY, contract, first_visit_on=day, actor=BROKER, now=NOON)
        last, why = day + timedelta(days=7), HandBackReason.STAFFING
        hand_back(session, ENTROPY, contract, reason=why, last_day=last, actor=BROKER, now=NOON)

        with pytest.raises(StillServed, match=contract.ref):
            _erase(session, person)


@pytest.mark.parametrize("actor", [BROKER, NEIGHBOUR, AUDITOR, PROVIDER, Actor("USR-A", Role.APPROVER, "eastshire")])
def test_who_may_not_erase(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        person = a_person(session)

        with pytest.raises((Forbidden, NotFound)):
            _erase(session, person, actor)

        assert person.erased_at is None
