"""Hours held for awards: no hour is sold twice, and everything about a hold happens once (law 5, law 4)."""

import pytest
from sqlmodel import select

from dps.kernel import ending
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, HeldOtherwise, NoCapacity, NotFound
from dps.kernel.ports import Ports
from dps.register import capacity, holds
from dps.register.capacity import Ledger
from dps.register.holds import Hold, HoldState
from tests.dps.register.builders import (
    AUTHORITY,
    HERE,
    HOUR,
    NOON,
    a_provider,
    all_at_once,
    free,
    free_hours,
    id_of,
    its_own,
    numbers,
    reserved,
    walk,
)


def test_a_released_reservation_is_free_again(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)
        reserved(session, provider, 8 * HOUR, "AWD-1")

        holds.release(session, award_ref="AWD-1", actor=CLOCK, now=NOON)

        assert (free(session, provider), numbers(session, provider)) == (20 * HOUR, (20 * HOUR, 0, 0))


def test_more_than_is_free_is_refused_with_both_numbers(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 10 * HOUR)
        reserved(session, provider, 8 * HOUR, "AWD-1")

        with pytest.raises(NoCapacity) as refused:
            reserved(session, provider, 2 * HOUR + 1, "AWD-2")

        assert (refused.value.free_minutes, refused.value.asked_minutes) == (120, 121)
        assert reserved(session, provider, 2 * HOUR, "AWD-2").state is HoldState.RESERVED


def test_each_step_is_done_once_however_often_it_is_asked_for(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)
        for _ in range(3):
            reserved(session, provider, 8 * HOUR, "AWD-1")
        for _ in range(3):
            holds.commit(session, award_ref="AWD-1", actor=CLOCK, now=NOON)
        committed = numbers(session, provider)
        for _ in range(3):
            holds.release(session, award_ref="AWD-1", actor=CLOCK, now=NOON)

        ending.write(session)
        kinds = session.exec(select(AuditEvent.kind).where(AuditEvent.stream == "AWD-1")).all()

        assert (committed, numbers(session, provider)) == ((20 * HOUR, 0, 8 * HOUR), (12 * HOUR, 0, 0))
        assert kinds == ["hold.reserve", "hold.commit", "hold.release"]


def test_another_request_for_the_same_award_is_a_conflict(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)
        reserved(session, provider, 8 * HOUR, "AWD-1")

        with pytest.raises(HeldOtherwise):
            reserved(session, provider, 9 * HOUR, "AWD-1")
        holds.release(session, award_ref="AWD-1", actor=CLOCK, now=NOON)
        with pytest.raises(HeldOtherwise):
            reserved(session, provider, 8 * HOUR, "AWD-1")


def test_a_provider_moves_its_own_holds_only(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        stranger = its_own(a_provider(session, ports, name="Alder Care"))
        free_hours(session, ports, given_provider, 20 * HOUR)
        reserved(session, provider, 8 * HOUR, "AWD-1")

        with pytest.raises(NotFound):
            holds.release(session, award_ref="AWD-1", actor=stranger, now=NOON)
        with pytest.raises(NotFound):
            capacity.say_full(session, ports, provider_id=provider, actor=stranger)
        with pytest.raises(Forbidden):
            holds.commit(session, award_ref="AWD-1", actor=Actor("USR-A", Role.AUDITOR), now=NOON)


@pytest.mark.parametrize("minutes", [0, -1, 10_000_001, True, 1.5])
def test_minutes_that_make_no_sense_are_refused(database: Database, ports: Ports, minutes: int) -> None:
    with database.transaction() as session:
        provider = id_of(a_provider(session, ports))

        with pytest.raises(BadInput):
            reserved(session, provider, minutes, "AWD-1")


@pytest.mark.parametrize("state", list(HoldState))
@pytest.mark.parametrize("name", Hold.STEPS.names)
def test_every_step_of_a_hold_leads_where_its_table_says(
    database: Database, ports: Ports, state: HoldState, name: str
) -> None:
    with database.transaction() as session:
        hold = Hold(
            ref="AWD-1",
            provider_id=id_of(a_provider(session, ports)),
            authority=AUTHORITY,
            locality=HERE,
            weekly_minutes=60,
            state=state,
            reserved_at=NOON,
        )

        walked, said = walk(session, hold, name)

        assert walked == said


def test_sixteen_threads_never_reserve_more_than_is_free(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        people = [a_provider(session, ports, name=f"Provider {number}") for number in range(5)]
        for provider in people:
            free_hours(session, ports, provider, 10 * HOUR)
        ids = [id_of(provider) for provider in people]
    threads, rounds, refused = 16, 6, []

    def race(thread: int) -> None:
        for number in range(rounds):
            try:
                with database.transaction() as session:
                    reserved(session, ids[(thread + number) % 5], 2 * HOUR, f"AWD-{thread}-{number}")
            except NoCapacity as no:
                refused.append(no)

    failed = all_at_once(threads, race)

    with database.reading() as session:
        whole = session.exec(select(Ledger).where(Ledger.locality == "")).all()
        held = session.exec(select(Hold)).all()
        assert failed == []
        assert len(held) + len(refused) == threads * rounds
        assert [(row.reserved_minutes, row.ceiling_minutes) for row in whole] == [(10 * HOUR, 10 * HOUR)] * 5
        assert sum(hold.weekly_minutes for hold in held) == 5 * 10 * HOUR


def test_one_award_reserved_by_many_threads_is_held_once(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)

    def race(_: int) -> None:
        with database.transaction() as session:
            reserved(session, provider, HOUR, "AWD-1")
        with database.transaction() as session:
            holds.commit(session, award_ref="AWD-1", actor=CLOCK, now=NOON)

    failed = all_at_once(8, race)

    with database.reading() as session:
        assert (failed, numbers(session, provider)) == ([], (20 * HOUR, 0, HOUR))
