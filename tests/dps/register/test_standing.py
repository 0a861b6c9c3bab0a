"""The bulk reading that eligibility stands on."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from dps.kernel.database import Database
from dps.kernel.ports import Ports
from dps.register import capacity, providers
from dps.register.limits import LimitPart, set_take_limit
from dps.register.membership import MembershipState
from dps.register.providers import Provider
from dps.register.standing import ProviderStanding, lock_standing, standing
from dps.schemes.model import Rating
from tests.dps.register.builders import (
    AUTHORITY,
    HERE,
    LIST,
    LOT,
    NOON,
    OFFICER,
    THERE,
    WORCESTERSHIRE,
    a_location,
    a_member,
    a_provider,
    free_hours,
    good_documents,
    id_of,
    its_own,
    removed,
    suspended,
)

DAY = timedelta(days=1)


def everything_about(session: Session, ports: Ports, number: int) -> Provider:
    provider = a_provider(session, ports, name=f"Provider {number}")
    a_location(session, ports, provider, regulator_id=f"1-{number}")
    a_member(session, ports, provider, localities=[HERE, THERE])
    good_documents(session, ports, provider)
    free_hours(session, ports, provider, 600)
    set_take_limit(
        session,
        ports,
        provider_id=id_of(provider),
        scheme=WORCESTERSHIRE,
        parts=[LimitPart(packages=number)],
        actor=its_own(provider),
    )
    suspended(session, ports, provider, localities=[THERE])
    return provider


def only(session: Session, **narrowed: object) -> ProviderStanding:
    [found] = standing(session, WORCESTERSHIRE.key, NOON, **narrowed)  # type: ignore[arg-type]
    return found


def test_one_provider_with_everything_about_it(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = everything_about(session, ports, 7)

        one = only(session)

        assert one.provider == provider.ref
        assert {held.place: held.state for held in one.memberships} == {
            (LIST, LOT, HERE): MembershipState.ACTIVE,
            (LIST, LOT, THERE): MembershipState.SUSPENDED,
        }
        assert [(place.regulator_id, place.rating, place.lad) for place in one.locations] == [
            ("1-7", Rating.GOOD, "E07000237")
        ]
        assert set(one.documents) == set(WORCESTERSHIRE.admission.documents)
        assert (one.free_minutes(AUTHORITY, HERE), one.free_minutes("kent", HERE)) == (600, 0)
        assert one.take_limit == (LimitPart(packages=7),)


def test_the_number_of_selects_does_not_grow_with_the_providers(database: Database, ports: Ports) -> None:
    seen: list[str] = []

    def selects() -> int:
        with database.reading() as session:
            event.listen(database.engine, "before_cursor_execute", count)
            found = len(standing(session, WORCESTERSHIRE.key, NOON))
            event.remove(database.engine, "before_cursor_execute", count)
        assert found
        asked = len([statement for statement in seen if statement.startswith("SELECT")])
        seen.clear()
        return asked

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    with database.transaction() as session:
        everything_about(session, ports, 1)
    for_one = selects()
    with database.transaction() as session:
        for number in range(2, 12):
            everything_about(session, ports, number)

    assert (for_one, selects()) == (7, 7)


def test_narrowing_leaves_out_other_places_and_who_is_only_there(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        here, there = a_provider(session, ports), a_provider(session, ports, name="Alder Care")
        a_member(session, ports, here, localities=[HERE, THERE])
        a_member(session, ports, there, localities=[THERE])

        narrowed = only(session, lots=[LOT], localities=[HERE])

        assert (narrowed.provider, [one.place[2] for one in narrowed.memberships]) == (here.ref, [HERE])
        assert standing(session, WORCESTERSHIRE.key, NOON, lots=["no-such-lot"]) == ()


def test_a_provider_that_is_named_is_there_even_without_a_membership(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, a_provider(session, ports, name="Alder Care"))

        named = only(session, providers=[id_of(provider)])

        assert (named.provider, named.memberships) == (provider.ref, ())


def test_a_location_counts_while_it_is_registered(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_location(session, ports, provider, regulator_id="1-7")
        last_day = date(2018, 3, 15)
        providers.close_location(session, ports, regulator_id="1-7", on=last_day + DAY, actor=OFFICER)

        found = [
            len(standing(session, WORCESTERSHIRE.key, at, providers=[id_of(provider)])[0].locations)
            for at in (NOON, NOON + DAY, NOON + 2 * DAY)
        ]

        assert found == [1, 1, 0]


def test_full_and_expired_are_read_from_the_instant(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        free_hours(session, ports, provider, 600, days=1)
        free = [
            one.free_minutes(AUTHORITY, HERE)
            for at in (NOON, NOON + DAY)
            for one in standing(session, WORCESTERSHIRE.key, at)
        ]
        capacity.say_full(session, ports, provider_id=id_of(provider), actor=its_own(provider))
        full = only(session)

        assert (free, full.is_full, full.free_minutes(AUTHORITY, HERE)) == ([600, 0], True, 0)


def full(session: Session, ports: Ports, provider: Provider) -> None:
    capacity.say_full(session, ports, provider_id=id_of(provider), actor=its_own(provider))


@pytest.mark.parametrize("database_kind", ["postgresql"])
@pytest.mark.parametrize("decision", [suspended, removed, full])
def test_a_decision_about_a_provider_waits_for_an_award_that_has_looked(
    database: Database, ports: Ports, decision: Callable[[Session, Ports, Provider], object]
) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider, localities=[HERE, THERE])

    def decide() -> None:
        with database.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            decision(session, ports, provider)

    with database.transaction() as award:
        lock_standing(award, [id_of(provider)])
        with pytest.raises(OperationalError, match="lock timeout"):
            decide()
    decide()


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_row_that_names_a_locked_provider_does_not_wait(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)

    with database.transaction() as award:
        lock_standing(award, [id_of(provider)])
        with database.transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '50ms'"))
            session.execute(
                text(
                    "INSERT INTO document (ref, provider_id, kind, sha256, received_at, received_from)"
                    " VALUES ('DOC-1', :id, 'charter', '', current_timestamp, 'x')"
                ),
                {"id": id_of(provider)},
            )
