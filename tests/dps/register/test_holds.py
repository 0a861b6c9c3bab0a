"""The capacity ledger: no hour is sold twice, and everything about a hold happens once (law 5, law 4)."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, DpsError, Forbidden, HeldOtherwise, NoCapacity, NoSuchStep, NotFound
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.register import capacity, holds
from dps.register.capacity import Ledger, LedgerFlag
from dps.register.holds import Hold, HoldState
from dps.register.providers import Provider
from tests.dps.register.builders import (
    AUTHORITY,
    HERE,
    NOON,
    THERE,
    a_provider,
    all_at_once,
    free_hours,
    id_of,
    its_own,
    step,
)

HOUR = 60


def reserved(
    session: Session, provider_id: int, minutes: int, award: str, *, locality: str = HERE, now: datetime = NOON
) -> Hold:
    return holds.reserve(
        session,
        provider_id=provider_id,
        authority=AUTHORITY,
        locality=locality,
        minutes=minutes,
        award_ref=award,
        actor=CLOCK,
        now=now,
    )


def raised(session: Session, provider_id: int, minutes: int, ref: str, *, now: datetime = NOON) -> Hold:
    return holds.raise_for_existing(
        session,
        provider_id=provider_id,
        authority=AUTHORITY,
        locality=HERE,
        minutes=minutes,
        ref=ref,
        actor=CLOCK,
        now=now,
    )


def free(session: Session, provider_id: int, *, locality: str = HERE, at_day: int = 0) -> int:
    return capacity.free_minutes(
        session, provider_id=provider_id, authority=AUTHORITY, locality=locality, at=NOON + timedelta(days=at_day)
    )


def numbers(session: Session, provider_id: int, locality: str = "") -> tuple[int, int, int]:
    row = capacity.rows_of(session, provider_id, AUTHORITY)[locality]
    return row.ceiling_minutes, row.reserved_minutes, row.committed_minutes


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


def test_a_released_reservation_is_free_again(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 20 * HOUR)
        reserved(session, provider, 8 * HOUR, "AWD-1")

        holds.release(session, award_ref="AWD-1", actor=CLOCK, now=NOON)

        assert (free(session, provider), numbers(session, provider)) == (20 * HOUR, (20 * HOUR, 0, 0))


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


def test_more_than_is_free_is_refused_with_both_numbers(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = id_of(given_provider := a_provider(session, ports))
        free_hours(session, ports, given_provider, 10 * HOUR)
        reserved(session, provider, 8 * HOUR, "AWD-1")

        with pytest.raises(NoCapacity) as refused:
            reserved(session, provider, 2 * HOUR + 1, "AWD-2")

        assert (refused.value.free_minutes, refused.value.asked_minutes) == (120, 121)
        assert reserved(session, provider, 2 * HOUR, "AWD-2").state is HoldState.RESERVED


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
        session.add(hold)

        if Hold.STEPS.allows(state, name):
            advance(session, hold, name, CLOCK, NOON)
            assert hold.state is Hold.STEPS.step(state, name, hold.ref).target
        else:
            with pytest.raises(NoSuchStep):
                advance(session, hold, name, CLOCK, NOON)
            assert hold.state is state


PLACES = ("", HERE, THERE)


class Promises:
    """What a ledger must never exceed, kept without looking at its rows.

    Since a declaration, the reservations that are open and the commitments made come to no more than it said.
    """

    def __init__(self) -> None:
        self.declared: dict[str, int] = {}
        self.open: dict[str, tuple[str, int]] = {}
        self.committed: dict[str, int] = dict.fromkeys(PLACES, 0)

    def declare(self, place: str, minutes: int | None) -> None:
        self.committed[place] = 0
        if minutes is None:
            self.declared.pop(place, None)
        else:
            self.declared[place] = minutes

    def reserve(self, award: str, place: str, minutes: int) -> None:
        if award not in self.open:
            self.open[award] = (place, minutes)
            for limited in {"", place} & self.declared.keys():
                assert self._promised(limited) <= self.declared[limited]
            assert {"", place} & self.declared.keys()

    def commit(self, award: str) -> None:
        place, minutes = self.open.pop(award, ("", 0))
        for counted in {"", place}:
            self.committed[counted] += minutes

    def release(self, award: str) -> None:
        self.open.pop(award, None)

    def _promised(self, limited: str) -> int:
        return self.committed[limited] + sum(n for place, n in self.open.values() if limited in ("", place))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["declare", "reserve", "reserve", "commit", "release", "raise", "full", "wait", "take_back"]),
        st.integers(min_value=0, max_value=400),
        st.integers(min_value=0, max_value=9),
        st.sampled_from(PLACES),
    ),
    max_size=20,
)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_no_sequence_of_steps_oversells(
    database: Database, ports: Ports, steps: list[tuple[str, int, int, str]]
) -> None:
    promises = Promises()
    with database.transaction() as session:
        provider = a_provider(session, ports)
        for kind, minutes, number, place in [("declare", 600, 0, ""), *steps]:
            award = f"AWD-{provider.ref}-{number}"
            before = _free_everywhere(session, ports, id_of(provider))
            try:
                _take_step(session, ports, provider, promises, kind, minutes, award, place)
            except DpsError:
                assert _free_everywhere(session, ports, id_of(provider)) == before
            _compare(session, id_of(provider))


def _free_everywhere(session: Session, ports: Ports, provider: int) -> list[int]:
    at = ports.clock.read(session)
    return [
        capacity.free_minutes(session, provider_id=provider, authority=AUTHORITY, locality=place, at=at)
        for place in PLACES
    ]


def _take_step(
    session: Session,
    ports: Ports,
    provider: Provider,
    promises: Promises,
    kind: str,
    minutes: int,
    award: str,
    place: str,
) -> None:
    own, id_, now = its_own(provider), id_of(provider), ports.clock.read(session)
    match kind:
        case "declare":
            free_hours(session, ports, provider, minutes, locality=place, days=3)
            promises.declare(place, minutes)
        case "take_back":
            capacity.take_back(session, ports, provider_id=id_, authority=AUTHORITY, locality=place, actor=own)
            promises.declare(place, None)
        case "reserve":
            reserved(session, id_, minutes, award, locality=place or HERE, now=now)
            promises.reserve(award, place or HERE, minutes)
        case "commit":
            holds.commit(session, award_ref=award, actor=CLOCK, now=now)
            promises.commit(award)
        case "release":
            holds.release(session, award_ref=award, actor=CLOCK, now=now)
            promises.release(award)
        case "raise":
            raised(session, id_, minutes, f"VAR{award[3:]}", now=now)
        case "full":
            say = capacity.say_not_full if provider.full_since else capacity.say_full
            say(session, ports, provider_id=id_, actor=own)
        case _:
            step(ports, timedelta(days=1))
            capacity.settle_expired(session, actor=CLOCK, now=ports.clock.read(session))


def _compare(session: Session, provider: int) -> None:
    """The rows say what the holds say."""
    held = session.exec(select(Hold).where(Hold.provider_id == provider)).all()
    for place, row in capacity.rows_of(session, provider, AUTHORITY).items():
        here = [hold for hold in held if place in ("", hold.locality)]
        by_state = {state: sum(hold.weekly_minutes for hold in here if hold.state is state) for state in HoldState}
        assert row.reserved_minutes == by_state[HoldState.RESERVED]
        assert row.committed_minutes == by_state[HoldState.COMMITTED]
        assert row.reserved_minutes + row.committed_minutes <= row.ceiling_minutes


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
