"""`dps erase`: a person is forgotten from the command line, and only once nobody needs the name any more."""

from datetime import date
from pathlib import Path

import pytest
from sqlmodel import select

from dps.kernel.actors import Actor, Role
from dps.packages.identity import Identity
from dps.packages.persons import Person, register_person
from tests.web.served import dps
from web.assembly import opened

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
BROKER = Actor("broker", Role.BROKER, authority="st-helens")
IDENTITY = Identity(
    name="Synthetic Person", address="1 Synthetic Street", postcode="WA10 1AA", date_of_birth=date(1940, 5, 1)
)


def registered() -> str:
    with opened() as installation, installation.database.transaction() as session:
        ports = installation.ports
        now = ports.clock.read(session)
        return register_person(
            session, ports.keyring, ports.entropy, authority="st-helens", identity=IDENTITY, actor=BROKER, now=now
        ).ref


def key_of(ref: str) -> bytes | None:
    with opened() as installation, installation.database.reading() as session:
        return session.exec(select(Person.wrapped_key).where(Person.ref == ref)).one()


@SQLITE
def test_a_person_is_erased_once_and_a_second_time_only_clears_the_files(installed: Path) -> None:
    person = registered()
    had_a_key = key_of(person) is not None

    first = dps("erase", person, "--reason", "persons_request", "--yes")
    again = dps("erase", person, "--reason", "persons_request", "--yes")

    assert had_a_key
    assert key_of(person) is None
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert "had been erased before" in again.stdout
    assert "had been erased before" not in first.stdout
    assert dps("audit", "verify").exit_code == 0


@SQLITE
def test_nobody_is_erased_without_a_reason_a_yes_or_a_person_of_that_reference(installed: Path) -> None:
    person = registered()

    unsaid = dps("erase", person, "--reason", "persons_request")
    unknown = dps("erase", "PER-0000-0000-0000", "--reason", "persons_request", "--yes")
    unreasoned = dps("erase", person, "--reason", "tidying", "--yes")

    assert unsaid.exit_code == 1
    assert (unknown.exit_code, unreasoned.exit_code) == (2, 2)
    assert key_of(person) is not None
