"""Declarations of free hours and the ledger's rows: what is free, when, and what the database refuses (law 5)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, NoCapacity, NotFound
from dps.kernel.ports import Ports
from dps.register import capacity, holds
from dps.register.capacity import LedgerFlag
from tests.dps.register.builders import (
    AUTHORITY,
    BROKER,
    HERE,
    HOUR,
    NOON,
    THERE,
    a_provider,
    free,
    free_hours,
    id_of,
    its_own,
    numbers,
    raised,
    reserved,
    step,
)


def test_a_declaration_is_used_up_by_reservation_and_commitment(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)

        reserved(session, provider, 8 * HOUR, "AWD-1")
        after_the_offer = free(session, provider), numbers(session, provider)
        holds.commit(session, award_ref="AWD-1", actor=CLOCK, now=NOON)
        after_the_contract = free(session, provider), numbers(session, provider)

    assert after_the_offer == (12 * HOUR, (20 * HOUR, 8 * HOUR, 0))
    assert after_the_contract == (12 * HOUR, (20 * HOUR, 0, 8 * HOUR))


def test_the_hours_of_an_ended_contract_are_not_free_before_they_are_declared(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)
        reserved(session, provider, 8 * HOUR, "AWD-1")
        holds.commit(session, award_ref="AWD-1", actor=CLOCK, now=NOON)

        holds.release(session, award_ref="AWD-1", actor=CLOCK, now=NOON)
        before = free(session, provider), numbers(session, provider)
        free_hours(session, ports, given_provider, 20 * HOUR)
        after = free(session, provider)

    assert before == (12 * HOUR, (12 * HOUR, 0, 0))
    assert after == 20 * HOUR


def test_a_provider_that_declared_nothing_has_nothing_free(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(a_provider(session, ports))

        with pytest.raises(NoCapacity):
            reserved(session, provider, 1, "AWD-1")

        assert free(session, provider) == 0


def test_a_locality_can_have_less_than_the_authority(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)
        free_hours(session, ports, given_provider, 5 * HOUR, locality=HERE)

        reserved(session, provider, 4 * HOUR, "AWD-1", locality=HERE)
        reserved(session, provider, 10 * HOUR, "AWD-2", locality=THERE)

        assert (free(session, provider, locality=HERE), free(session, provider, locality=THERE)) == (60, 6 * HOUR)
        with pytest.raises(NoCapacity):
            reserved(session, provider, 2 * HOUR, "AWD-3", locality=HERE)


def test_who_declares_by_locality_alone_has_nothing_free_in_the_others(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 5 * HOUR, locality=HERE)

        assert (free(session, provider, locality=HERE), free(session, provider, locality=THERE)) == (5 * HOUR, 0)


def test_hours_held_before_a_locality_was_declared_count_in_it(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)
        reserved(session, provider, 4 * HOUR, "AWD-1", locality=HERE)

        free_hours(session, ports, given_provider, 5 * HOUR, locality=HERE)

        assert free(session, provider, locality=HERE) == HOUR


def test_a_lowered_declaration_keeps_what_is_reserved_and_is_flagged(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)
        reserved(session, provider, 8 * HOUR, "AWD-1")

        row = free_hours(session, ports, given_provider, 3 * HOUR)
        lowered = row.flag, free(session, provider), numbers(session, provider)
        holds.release(session, award_ref="AWD-1", actor=CLOCK, now=NOON)

        assert lowered == (LedgerFlag.LOWERED, 0, (8 * HOUR, 8 * HOUR, 0))
        assert free(session, provider) == 3 * HOUR


def test_an_expired_declaration_frees_nothing_even_before_a_sweep(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR, days=7)
        reserved(session, provider, 8 * HOUR, "AWD-1")
        at_the_end = step(ports, timedelta(days=7))

        assert (free(session, provider, at_day=6), free(session, provider, at_day=7)) == (12 * HOUR, 0)
        with pytest.raises(NoCapacity):
            reserved(session, provider, 1, "AWD-2", now=at_the_end)
        recorded = [capacity.settle_expired(session, actor=CLOCK, now=at_the_end) for _ in range(2)]
        flagged = [(row.locality, row.flag, row.ceiling_minutes) for row in capacity.flagged(session, AUTHORITY)]

    assert recorded == [1, 0]
    assert flagged == [("", LedgerFlag.EXPIRED, 8 * HOUR)]


def test_what_was_offered_in_time_can_be_committed_after_the_declaration_expired(
    database: Database, ports: Ports
) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR, days=1)
        reserved(session, provider, 8 * HOUR, "AWD-1")
        later = step(ports, timedelta(days=2))

        holds.commit(session, award_ref="AWD-1", actor=CLOCK, now=later)

        assert numbers(session, provider) == (8 * HOUR, 0, 8 * HOUR)


def test_full_caps_everything_at_once_and_can_be_undone(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        own = its_own(given_provider)
        free_hours(session, ports, given_provider, 20 * HOUR)
        free_hours(session, ports, given_provider, 9 * HOUR, locality=HERE)
        reserved(session, provider, 4 * HOUR, "AWD-1", locality=HERE)

        capacity.say_full(session, ports, provider_id=provider, actor=own)
        capacity.say_full(session, ports, provider_id=provider, actor=own)
        full = [(free(session, provider, locality=place), numbers(session, provider, place)) for place in ("", HERE)]
        with pytest.raises(NoCapacity):
            reserved(session, provider, 1, "AWD-2", locality=THERE)
        capacity.say_not_full(session, ports, provider_id=provider, actor=own)

        assert full == [(0, (4 * HOUR, 4 * HOUR, 0)), (0, (4 * HOUR, 4 * HOUR, 0))]
        assert (free(session, provider, locality=HERE), free(session, provider, locality=THERE)) == (
            5 * HOUR,
            16 * HOUR,
        )


def test_more_hours_for_a_person_served_raise_ceiling_and_commitment_together(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 2 * HOUR)
        for _ in range(2):
            raised(session, provider, 24 * HOUR, "VAR-1")

        flags = [row.flag for row in capacity.flagged(session, AUTHORITY)]

        assert (free(session, provider), numbers(session, provider)) == (2 * HOUR, (26 * HOUR, 0, 24 * HOUR))
        assert flags == [LedgerFlag.RAISED, LedgerFlag.RAISED]


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("reserved_minutes = reserved_minutes + 601", "never_oversold"),
        ("committed_minutes = committed_minutes + 601", "never_oversold"),
        ("ceiling_minutes = ceiling_minutes + 1", "ceiling_is_declared"),
        ("ceiling_minutes = reserved_minutes + committed_minutes - 1", "never_oversold"),
        ("reserved_minutes = -1", "reserved_not_negative"),
        ("committed_minutes = -1", "committed_not_negative|ceiling_is_declared"),
        ("declared_minutes = -1", "declared_not_negative|ceiling_is_declared"),
    ],
)
def test_the_database_refuses_raw_sql_over_the_ceiling(
    database: Database, ports: Ports, change: str, constraint: str
) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)
        reserved(session, provider, 10 * HOUR, "AWD-1")

    with pytest.raises(IntegrityError, match=constraint), database.transaction() as session:
        session.execute(text(f"UPDATE capacity_ledger SET {change}"))


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("minutes", -1),
        ("minutes", 10_000_001),
        ("minutes", 1.5),
        ("authority", ""),
        ("locality", "x" * 41),
        ("expires_at", NOON),
        ("expires_at", NOON + timedelta(days=367)),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(
    database: Database, ports: Ports, fact: str, value: object
) -> None:
    said: dict[str, Any] = {"authority": AUTHORITY, "minutes": 60, "expires_at": NOON + timedelta(days=1), fact: value}
    with database.transaction() as session:
        provider = a_provider(session, ports)

        with pytest.raises(BadInput) as refused:
            capacity.declare(session, ports, provider_id=id_of(provider), actor=its_own(provider), **said)

        assert refused.value.field == fact


def test_a_flag_stays_until_somebody_has_looked(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 2 * HOUR)
        raised(session, provider, HOUR, "VAR-1")
        free_hours(session, ports, given_provider, 3 * HOUR)
        before = [row.locality for row in capacity.flagged(session, AUTHORITY)]

        for row in [*capacity.flagged(session, AUTHORITY)] * 2:
            capacity.clear_flag(session, ports, row=row, actor=BROKER)
        foreign = Actor("USR-KENT", Role.BROKER, authority="kent")
        row = capacity.rows_of(session, provider, AUTHORITY)[""]
        with pytest.raises(NotFound):
            capacity.clear_flag(session, ports, row=row, actor=foreign)

        assert (before, list(capacity.flagged(session, AUTHORITY))) == (["", HERE], [])
    with database.reading() as session:
        cleared = session.exec(select(AuditEvent).where(AuditEvent.kind == "capacity.flag_cleared")).all()
    assert len(cleared) == 2


def test_a_broker_speaks_for_a_provider_to_its_own_authority_only(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        said: dict[str, Any] = {"minutes": 60, "expires_at": NOON + timedelta(days=1), "actor": BROKER}

        capacity.declare(session, ports, provider_id=id_of(provider), authority=AUTHORITY, **said)
        with pytest.raises(NotFound):
            capacity.declare(session, ports, provider_id=id_of(provider), authority="kent", **said)
