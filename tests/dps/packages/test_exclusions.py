"""Confidential exclusions: known to eligibility, read by brokers, counted by auditors, told to nobody."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, select

from dps.kernel import ending
from dps.kernel.actors import Actor
from dps.kernel.audit import AuditEvent
from dps.kernel.columns import canonical_json
from dps.kernel.database import Database
from dps.kernel.errors import AlreadyExcluded, BadReference, DpsError, Forbidden, NotFound, NothingChanged
from dps.packages.exclusions import (
    Ground,
    ProviderExclusion,
    Reason,
    count_exclusions,
    disclose_reasons,
    exclude,
    excluded_by_person,
    excluded_providers,
    lift,
    provider_digest,
)
from dps.packages.persons import Person, Purpose
from tests.dps.packages.cases import (
    APPROVER,
    AUDITOR,
    BROKER,
    ENTROPY,
    KEYRING,
    NEIGHBOUR,
    NOON,
    OTHER_PROVIDER_REF,
    PROVIDER,
    PROVIDER_REF,
    REQUESTER,
    a_person,
)

NIECE = Reason(Ground.RELATIVE_EMPLOYED, "Her niece works there.")


def _exclude(session: Session, person: Person, provider: str = PROVIDER_REF, actor: Actor = BROKER) -> Any:
    return exclude(session, KEYRING, ENTROPY, person, provider=provider, reason=NIECE, actor=actor, now=NOON)


def test_an_excluded_provider_is_named_to_eligibility_until_the_exclusion_is_lifted(database: Database) -> None:
    with database.transaction() as session:
        person, other = a_person(session), a_person(session)
        before = excluded_providers(session, person)
        exclusion = _exclude(session, person)
        during = excluded_providers(session, person)
        in_bulk = excluded_by_person(session, [person.id or 0, other.id or 0])
        lift(session, person, exclusion.ref, actor=APPROVER, now=NOON)
        after = excluded_providers(session, person)

    assert [set(found) for found in (before, during, after)] == [set(), {PROVIDER_REF}, set()]
    assert in_bulk == {person.id: {PROVIDER_REF}}


def test_a_provider_is_excluded_once_and_may_be_again(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)
        first = _exclude(session, person)

        with pytest.raises(AlreadyExcluded):
            _exclude(session, person)
        lift(session, person, first.ref, actor=BROKER, now=NOON)
        with pytest.raises(NothingChanged):
            lift(session, person, first.ref, actor=BROKER, now=NOON)
        _exclude(session, person)

        assert len(session.exec(select(ProviderExclusion)).all()) == 2


def test_brokers_read_the_reason_and_the_look_is_recorded(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)
        _exclude(session, person)
        _exclude(session, person, OTHER_PROVIDER_REF)

        reasons = disclose_reasons(session, KEYRING, person, actor=BROKER, purpose=Purpose.ARRANGING_CARE, now=NOON)

        ending.write(session)
        last = session.exec(select(AuditEvent).where(AuditEvent.stream == person.ref)).all()[-1]

    assert reasons == {PROVIDER_REF: NIECE, OTHER_PROVIDER_REF: NIECE}
    assert (last.kind, last.actor) == ("person.exclusions_disclosed", "USR-BROKER")


def test_the_trail_proves_the_provider_without_naming_it(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)
        exclusion = _exclude(session, person)
        lift(session, person, exclusion.ref, actor=BROKER, now=NOON)

        ending.write(session)
        events = session.exec(select(AuditEvent).where(AuditEvent.stream == person.ref).order_by("seq")).all()
        told = canonical_json([event.body for event in events])
        digest = provider_digest(KEYRING, exclusion)

    assert events[1].body["provider_digest"] == digest
    assert PROVIDER_REF not in told
    assert "niece" not in told
    assert "relative" not in told


def test_a_reason_is_stored_sealed_and_shows_nothing(database: Database) -> None:
    with database.transaction() as session:
        exclusion = _exclude(session, a_person(session))

        stored = repr(exclusion.model_dump())

    assert "niece" not in stored
    assert "relative" not in stored
    assert repr(NIECE) == "Reason(withheld)"


COMMANDS: dict[str, Callable[[Session, Person, Actor], object]] = {
    "exclude": lambda session, person, actor: _exclude(session, person, OTHER_PROVIDER_REF, actor),
    "lift": lambda session, person, actor: lift(session, person, "EXC-NONE", actor=actor, now=NOON),
    "read reasons": lambda session, person, actor: disclose_reasons(
        session, KEYRING, person, actor=actor, purpose=Purpose.SAFEGUARDING, now=NOON
    ),
    "count": lambda session, person, actor: count_exclusions(session, authority=person.authority, actor=actor),
}
FOREIGN = {"exclude": NotFound, "lift": NotFound, "read reasons": NotFound, "count": NotFound}
NOBODY = {"exclude": Forbidden, "lift": Forbidden, "read reasons": Forbidden, "count": Forbidden}


@pytest.mark.parametrize(
    ("actor", "refusals"),
    [
        (BROKER, {"lift": NotFound}),
        (APPROVER, {"lift": NotFound}),
        (AUDITOR, NOBODY | {"count": None}),
        (REQUESTER, NOBODY),
        (NEIGHBOUR, FOREIGN),
        (PROVIDER, NOBODY | {"read reasons": NotFound}),
    ],
)
def test_who_may_do_what(database: Database, actor: Actor, refusals: dict[str, type[DpsError] | None]) -> None:
    with database.transaction() as session:
        person = a_person(session)
        _exclude(session, person)

        answers = {name: _refusal(session, person, actor, name) for name in COMMANDS}

    assert answers == dict.fromkeys(COMMANDS) | refusals


def _refusal(session: Session, person: Person, actor: Actor, name: str) -> type[DpsError] | None:
    try:
        COMMANDS[name](session, person, actor)
    except DpsError as refusal:
        return type(refusal)
    return None


def test_auditors_get_the_count_of_what_is_in_force(database: Database) -> None:
    with database.transaction() as session:
        person, other = a_person(session), a_person(session)
        first = _exclude(session, person)
        _exclude(session, person, OTHER_PROVIDER_REF)
        _exclude(session, other)
        lift(session, person, first.ref, actor=BROKER, now=NOON)

        assert count_exclusions(session, authority="westshire", actor=AUDITOR) == 2


def test_an_exclusion_of_somebody_else_is_not_lifted(database: Database) -> None:
    with database.transaction() as session:
        person, other = a_person(session), a_person(session)
        exclusion = _exclude(session, other)

        with pytest.raises(NotFound):
            lift(session, person, exclusion.ref, actor=BROKER, now=NOON)

        assert excluded_providers(session, other) == {PROVIDER_REF}


def test_only_a_provider_is_excluded(database: Database) -> None:
    with database.transaction() as session, pytest.raises(BadReference):
        _exclude(session, a_person(session), "Acme Care")
