"""Persons: one row each, readable by few, each opening in the trail."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from threading import Barrier

import pytest
from sqlmodel import Session, select

from dps.kernel import ending
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.columns import canonical_json
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Corrupted, DpsError, Forbidden, NotFound, NothingChanged, PersonKnown
from dps.kernel.references import Kind, kind_of
from dps.packages.persons import (
    OF_THE_WINNER,
    Person,
    Purpose,
    correct_identity,
    disclose,
    find_person,
    register_person,
)
from tests.dps.packages.cases import (
    APPROVER,
    AUDITOR,
    BROKER,
    ENTROPY,
    KEYRING,
    NEIGHBOUR,
    NOON,
    OTHER_PROVIDER,
    PROVIDER,
    PROVIDER_REF,
    REQUESTER,
    VALID_NHS_NUMBERS,
    a_person,
    an_identity,
)


def _events(session: Session, person: Person) -> list[AuditEvent]:
    ending.write(session)
    return list(session.exec(select(AuditEvent).where(AuditEvent.stream == person.ref).order_by("seq")))


def test_a_person_is_read_back_by_a_broker(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)

    with database.transaction() as session:
        found = find_person(session, person.ref, actor=BROKER)
        identity = disclose(session, KEYRING, found, actor=BROKER, purpose=Purpose.ARRANGING_CARE, now=NOON)

    assert identity == an_identity(nhs_number="")
    assert kind_of(person.ref) is Kind.PERSON


def test_each_opening_is_in_the_trail_with_who_and_why(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)
        disclose(session, KEYRING, person, actor=APPROVER, purpose=Purpose.SAFEGUARDING, now=NOON)
        disclose(session, KEYRING, person, actor=PROVIDER, purpose=Purpose.HANDOVER, now=NOON, winner=PROVIDER_REF)

        events = [(event.kind, event.actor, event.body.get("purpose")) for event in _events(session, person)]

    assert events == [
        ("person.registered", "USR-BROKER", None),
        ("person.disclosed", "USR-APPROVER", "safeguarding"),
        ("person.disclosed", "USR-PROVIDER", "handover"),
    ]


OFFICE_PURPOSES = frozenset(Purpose) - OF_THE_WINNER
WHO_MAY: dict[tuple[Actor, Purpose, str | None], type[DpsError] | None] = {
    **{(actor, purpose, None): None for actor in (BROKER, APPROVER) for purpose in OFFICE_PURPOSES},
    **{(actor, purpose, None): Forbidden for actor in (BROKER, APPROVER) for purpose in OF_THE_WINNER},
    **{(NEIGHBOUR, purpose, None): NotFound for purpose in Purpose},
    **{(actor, purpose, None): Forbidden for actor in (REQUESTER, AUDITOR, CLOCK) for purpose in Purpose},
    **{(PROVIDER, purpose, PROVIDER_REF): None for purpose in OF_THE_WINNER},
    **{(PROVIDER, purpose, PROVIDER_REF): Forbidden for purpose in OFFICE_PURPOSES},
    **{(PROVIDER, purpose, None): NotFound for purpose in Purpose},
    **{(OTHER_PROVIDER, purpose, PROVIDER_REF): NotFound for purpose in Purpose},
    (Actor(ref="USR-ADMIN", role=Role.ADMINISTRATOR), Purpose.SUBJECT_ACCESS, None): Forbidden,
    (Actor(ref="USR-NONE", role=Role.PROVIDER), Purpose.HANDOVER, None): NotFound,
}


def test_only_those_who_may_open_an_identity_do(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)

        answers = {
            case: _refusal(session, person, case[0], case[1], case[2])  #
            for case in WHO_MAY
        }

    assert answers == WHO_MAY


def _refusal(
    session: Session, person: Person, actor: Actor, purpose: Purpose, winner: str | None
) -> type[DpsError] | None:
    try:
        disclose(session, KEYRING, person, actor=actor, purpose=purpose, now=NOON, winner=winner)
    except DpsError as refusal:
        return type(refusal)
    return None


def test_a_requester_opens_what_it_writes_itself_and_only_to_correct_it(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)

        def opened(purpose: Purpose, writer: str | None) -> str:
            more = {"purpose": purpose, "now": NOON, "writer": writer}
            return disclose(session, KEYRING, person, actor=REQUESTER, **more).name  # type: ignore[arg-type]

        assert opened(Purpose.CORRECTING, REQUESTER.ref)
        for purpose, writer in (
            (Purpose.CORRECTING, "USR-ANOTHER"),
            (Purpose.CORRECTING, None),
            (Purpose.ARRANGING_CARE, REQUESTER.ref),
            (Purpose.HANDOVER, REQUESTER.ref),
        ):
            with pytest.raises(Forbidden):
                opened(purpose, writer)


def test_a_broker_of_no_authority_opens_nothing(database: Database) -> None:
    nowhere = Actor(ref="USR-NOWHERE", role=Role.BROKER)
    with database.transaction() as session:
        person = a_person(session)

        with pytest.raises((Forbidden, NotFound)):
            disclose(session, KEYRING, person, actor=nowhere, purpose=Purpose.SUBJECT_ACCESS, now=NOON)


@pytest.mark.parametrize("actor", [NEIGHBOUR, PROVIDER])
def test_a_foreign_person_is_as_missing_as_one_that_never_was(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        person = a_person(session)

        with pytest.raises(NotFound) as foreign:
            find_person(session, person.ref, actor=actor)
        with pytest.raises(NotFound) as missing:
            find_person(session, "PER-0000-0000-0000", actor=actor)

    assert str(foreign.value).replace(person.ref, "") == str(missing.value).replace("PER-0000-0000-0000", "")


@pytest.mark.parametrize("actor", [NEIGHBOUR, APPROVER, AUDITOR, PROVIDER, CLOCK])
def test_only_the_authoritys_brokers_and_requesters_register(database: Database, actor: Actor) -> None:
    with database.transaction() as session, pytest.raises((Forbidden, NotFound)):
        register_person(session, KEYRING, ENTROPY, authority="westshire", identity=an_identity(), actor=actor, now=NOON)


def test_one_nhs_number_is_one_person_of_an_authority(database: Database) -> None:
    with database.transaction() as session:
        first = a_person(session, nhs_number=VALID_NHS_NUMBERS[0])
        other = a_person(session, nhs_number=VALID_NHS_NUMBERS[1])
        abroad = a_person(session, authority="eastshire", actor=NEIGHBOUR, nhs_number=VALID_NHS_NUMBERS[0])

        with pytest.raises(PersonKnown) as again:
            a_person(session, nhs_number=VALID_NHS_NUMBERS[0])
        with pytest.raises(PersonKnown):
            correct_identity(
                session,
                KEYRING,
                other,
                identity=an_identity(nhs_number=VALID_NHS_NUMBERS[0]),
                actor=BROKER,
                now=NOON,
            )

    assert again.value.ref == first.ref
    assert abroad.nhs_fingerprint != first.nhs_fingerprint


def test_a_correction_names_the_fields_and_not_what_they_say(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session, nhs_number=VALID_NHS_NUMBERS[0])
        corrected = replace(an_identity(nhs_number=VALID_NHS_NUMBERS[1]), name="Zebedee Quillfeather-Oyelaran")

        correct_identity(session, KEYRING, person, identity=corrected, actor=REQUESTER, now=NOON)

        read = disclose(session, KEYRING, person, actor=BROKER, purpose=Purpose.CORRECTING, now=NOON)
        body = _events(session, person)[1].body
        with pytest.raises(NothingChanged):
            correct_identity(session, KEYRING, person, identity=corrected, actor=REQUESTER, now=NOON)
        a_person(session, nhs_number=VALID_NHS_NUMBERS[0])  # the number that was given up is free again

    assert read == corrected
    assert body == {"ref": person.ref, "changed": ["name", "nhs_number"]}


def test_nobody_is_born_tomorrow(database: Database) -> None:
    with database.transaction() as session, pytest.raises(BadInput, match="past"):
        a_person(session, date_of_birth=date(2026, 3, 3))


def test_no_row_holds_anything_personal_in_clear(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session, nhs_number=VALID_NHS_NUMBERS[0])
        told = canonical_json([event.body for event in _events(session, person)])
        columns = repr(person.model_dump())

    for canary in ("Zebedee", "Teasel", "L6 1AB", "1941", "9434765919", "01632", "Daughter", "hearing"):
        assert canary not in columns
        assert canary not in told


def test_an_identity_moved_to_another_row_can_not_be_read_there(database: Database) -> None:
    with database.transaction() as session:
        one, two = a_person(session), a_person(session)
        one.wrapped_key, one.identity = two.wrapped_key, two.identity
        session.flush()

        with pytest.raises(Corrupted):
            disclose(session, KEYRING, one, actor=BROKER, purpose=Purpose.ARRANGING_CARE, now=NOON)


def test_every_person_has_a_key_of_their_own(database: Database) -> None:
    with database.transaction() as session:
        people = [a_person(session) for _ in range(5)]

        keys = {KEYRING.application.open(person.wrapped_key or b"", about=f"{person.ref} key") for person in people}

    assert len(keys) == 5
    assert all(len(key) == 32 for key in keys)


def test_of_four_who_register_one_person_at_once_one_does(database: Database) -> None:
    start = Barrier(4)

    def register(_: int) -> str:
        start.wait()
        try:
            with database.transaction() as session:
                a_person(session, nhs_number=VALID_NHS_NUMBERS[0])
        except PersonKnown:
            return "known"
        return "registered"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(register, range(4)))

    assert answers == ["known", "known", "known", "registered"]
