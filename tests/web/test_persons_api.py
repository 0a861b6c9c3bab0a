"""Erasure over HTTP: by who may erase, once however often it is sent, and for nobody of another council."""

from datetime import date

from dps.kernel.actors import Role
from dps.packages.identity import Identity
from dps.packages.persons import Person, register_person
from tests.web.served import Served

IDENTITY = Identity(
    name="Synthetic Person", address="1 Synthetic Street", postcode="WA10 1AA", date_of_birth=date(1940, 5, 1)
)
BECAUSE = {"reason": "persons_request"}


def registered(served: Served) -> str:
    world = served.world
    with world.database.transaction() as session:
        return register_person(
            session,
            world.ports.keyring,
            world.ports.entropy,
            authority=world.authority,
            identity=IDENTITY,
            actor=world.broker,
            now=world.now,
        ).ref


def has_a_key(served: Served, person: str) -> bool:
    (row,) = served.world.rows(Person, Person.ref == person)
    return row.wrapped_key is not None


def test_a_person_is_erased_once_however_often_it_is_sent(served: Served) -> None:
    person, approver = registered(served), served.caller(Role.APPROVER)
    path = f"/api/persons/{person}/erasure"

    first, again = approver.post(path, BECAUSE, key="one"), approver.post(path, BECAUSE, key="one")
    anew = approver.post(path, BECAUSE, key="two")

    assert (first.status_code, first.json()) == (200, {"ref": person})
    assert again.json() == first.json()
    assert (anew.status_code, anew.json()["code"]) == (422, "person_erased")
    assert not has_a_key(served, person)
    assert [event.body["reason"] for event in served.world.events("person.erased")] == ["persons_request"]
    assert served.world.faults() == []


def test_to_another_council_the_person_does_not_exist(served: Served) -> None:
    person = registered(served)
    stranger = served.caller(Role.APPROVER, authority="another-council")

    foreign = stranger.post(f"/api/persons/{person}/erasure", BECAUSE)
    unknown = stranger.post("/api/persons/PER-0000-0000-0000/erasure", BECAUSE)

    assert (foreign.status_code, unknown.status_code) == (404, 404)
    assert has_a_key(served, person)


def test_nobody_is_erased_by_a_broker_without_a_reason_or_while_a_provider_is_sought(served: Served) -> None:
    referral = served.world.referral()
    (person,) = [row.ref for row in served.world.rows(Person)]
    path = f"/api/persons/{person}/erasure"
    approver = served.caller(Role.APPROVER)

    by_broker = served.broker().post(path, BECAUSE)
    unreasoned = approver.post(path, {"reason": "tidying"})
    sought = approver.post(path, BECAUSE)

    assert by_broker.status_code == 403
    assert unreasoned.status_code == 400
    assert (sought.status_code, sought.json()["code"]) == (422, "still_sought")
    assert referral in sought.json()["detail"]
    assert has_a_key(served, person)
