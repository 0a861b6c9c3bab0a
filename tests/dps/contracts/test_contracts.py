"""Contracts: every step from every state, and the days on which they may be taken."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, func, select

from dps.contracts.contracts import Contract, ContractState, end, hand_back, move_start, start, suspend
from dps.contracts.reasons import EndReason, FailureReason, HandBackReason, SuspensionReason
from dps.contracts.standing import find_contract
from dps.kernel import ending
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import (
    AlreadyContracted,
    BadInput,
    Conflict,
    DpsError,
    Forbidden,
    NoSuchStep,
    NotFound,
    StartCannotMove,
    StateChanged,
)
from dps.kernel.outbox import OutboxMessage
from tests.dps.contracts.cases import AGREED_START, CARD, COMMANDS, TODAY, a_contract, a_contract_in
from tests.dps.packages.cases import (
    BROKER,
    ENTROPY,
    NEIGHBOUR,
    NOON,
    OTHER_PROVIDER,
    PROVIDER,
    PROVIDER_REF,
    SCHEME,
    a_package,
    a_scheme,
)

STEPS = Contract.STEPS


def _told(session: Session) -> tuple[int, int]:
    """How many events and messages there are."""
    ending.write(session)
    events, messages = (
        session.exec(select(func.count()).select_from(table)).one() for table in (AuditEvent, OutboxMessage)
    )
    return events, messages


# States


def test_there_is_a_command_for_every_step() -> None:
    assert set(STEPS.names) == set(COMMANDS)


@pytest.mark.parametrize("state", ContractState)
def test_every_step_from_every_state(database: Database, state: ContractState) -> None:
    with database.transaction() as session:
        for step in STEPS.names:
            contract = a_contract_in(session, state)
            before = _told(session)

            if STEPS.allows(state, step):
                COMMANDS[step](session, contract, BROKER)
                expected, told = STEPS.step(state, step, contract.ref).target, (1, 1)
            else:
                with pytest.raises(NoSuchStep):
                    COMMANDS[step](session, contract, BROKER)
                expected, told = state, (0, 0)

            after = _told(session)
            stored = session.exec(select(Contract.state).where(Contract.id == contract.id)).one()
            assert (step, contract.state, stored) == (step, expected, expected)
            assert (step, after[0] - before[0], after[1] - before[1]) == (step, *told)


@pytest.mark.parametrize("role", Role)
def test_every_step_is_taken_by_its_movers_alone(database: Database, role: Role) -> None:
    is_provider = role is Role.PROVIDER
    actor = Actor(
        ref="USR-ANY",
        role=role,
        authority=None if is_provider or role is Role.CLOCK else "westshire",
        provider=PROVIDER_REF if is_provider else None,
    )
    with database.transaction() as session:
        for arrow in STEPS.steps:
            contract = a_contract_in(session, ContractState(arrow.source))

            if role in arrow.movers:
                COMMANDS[arrow.name](session, contract, actor)
            else:
                with pytest.raises(Forbidden):
                    COMMANDS[arrow.name](session, contract, actor)

            assert (arrow, contract.state) == (arrow, arrow.target if role in arrow.movers else arrow.source)


@pytest.mark.parametrize("actor", [NEIGHBOUR, OTHER_PROVIDER])
def test_a_foreign_contract_is_as_missing_as_one_that_never_was(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        for arrow in STEPS.steps:
            contract = a_contract_in(session, ContractState(arrow.source))

            with pytest.raises(NotFound):
                COMMANDS[arrow.name](session, contract, actor)
            with pytest.raises(NotFound):
                find_contract(session, contract.ref, actor=actor)

            assert find_contract(session, contract.ref, actor=PROVIDER).state is arrow.source
        with pytest.raises(NotFound):
            find_contract(session, "CON-0000-0000-0000", actor=actor)


@pytest.mark.parametrize(
    ("actor", "recipient"), [(PROVIDER, "authority:westshire"), (BROKER, f"provider:{PROVIDER_REF}")]
)
def test_the_other_side_is_told(database: Database, actor: Actor, recipient: str) -> None:
    with database.transaction() as session:
        contract = a_contract(session)

        COMMANDS["start"](session, contract, actor)

        ending.write(session)
        message = session.exec(select(OutboxMessage)).one()
        assert (message.recipient, message.kind, message.about) == (recipient, "contract_started", contract.ref)


@pytest.mark.parametrize("database_kind", ["sqlite"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(STEPS.names), max_size=8))
def test_any_run_of_steps_follows_the_table(database: Database, steps: list[str]) -> None:
    with database.transaction() as session:
        contract, expected = a_contract(session), ContractState.PENDING
        for step in steps:
            try:
                COMMANDS[step](session, contract, BROKER)
                expected = ContractState(STEPS.step(expected, step, contract.ref).target)
            except NoSuchStep:
                assert not STEPS.allows(expected, step)
            except StartCannotMove:
                assert contract.start_moves == 1
            assert contract.state is expected
        session.rollback()


# Agreeing


def test_a_contract_says_what_was_agreed(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)
        contract = a_contract(session, package, award_ref="AWD-1")
        ending.write(session)
        event = session.exec(select(AuditEvent).where(AuditEvent.stream == contract.ref)).one()

    assert contract.state is ContractState.PENDING
    assert (contract.authority, contract.scheme, contract.lot, contract.locality) == (
        "westshire",
        "westshire",
        "personal-care",
        "harbour",
    )
    assert (contract.card, contract.package_version, contract.starts_on) == (CARD.to_dict(), 1, AGREED_START)
    assert event.body == {
        "ref": contract.ref,
        "award": "AWD-1",
        "package": package.ref,
        "provider": PROVIDER_REF,
    }


def test_an_award_makes_one_contract_and_a_package_has_one_at_a_time(database: Database) -> None:
    with database.transaction() as session:
        package, other = a_package(session), a_package(session)
        first = a_contract(session, package, award_ref="AWD-1")

        with pytest.raises(AlreadyContracted, match=first.ref):
            a_contract(session, other, award_ref="AWD-1")
        with pytest.raises(AlreadyContracted, match=first.ref):
            a_contract(session, package, award_ref="AWD-2")


@pytest.mark.parametrize("state", [ContractState.FAILED_TO_START, ContractState.ENDED, ContractState.HANDED_BACK])
def test_what_is_over_makes_room_for_the_next(database: Database, state: ContractState) -> None:
    with database.transaction() as session:
        package = a_package(session)
        a_contract_in(session, state, package=package)

        assert a_contract(session, package).state is ContractState.PENDING


@pytest.mark.parametrize("actor", [NEIGHBOUR, OTHER_PROVIDER, Actor("USR-A", Role.AUDITOR, "westshire")])
def test_nobody_else_makes_a_contract(database: Database, actor: Actor) -> None:
    with database.transaction() as session:
        package = a_package(session)

        with pytest.raises((Forbidden, NotFound)):
            a_contract(session, package, actor=actor)


def test_of_four_confirmations_at_once_one_makes_the_contract(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)
    barrier = Barrier(4)

    def confirm(number: int) -> str:
        barrier.wait()
        try:
            with database.transaction() as session:
                a_contract(session, package, award_ref=f"AWD-{number}")
        except Conflict as conflict:
            return type(conflict).__name__
        return "made"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(confirm, range(4)))

    assert answers == ["AlreadyContracted"] * 3 + ["made"]


@pytest.mark.parametrize(
    "change",
    [
        "weekly_minutes = 0",
        "weekly_pence = -1",
        "start_moves = 2",
        "state = 'paused'",
        "state = 'active'",
        "last_day = '2026-03-09'",
        "suspended_on = '2026-03-09'",
    ],
)
def test_the_database_refuses_what_a_contract_can_not_be(database: Database, change: str) -> None:
    with database.transaction() as session:
        a_contract(session)

    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(text(f"UPDATE contract SET {change}"))


# Starting

FIRST_MOMENT_OF_TUESDAY = datetime(2026, 3, 31, 23, tzinfo=UTC)
"""Midnight in London an hour before midnight in Greenwich: summer time has begun."""


def test_a_first_visit_counts_by_the_calendar_on_the_wall(database: Database) -> None:
    tomorrow = date(2026, 4, 1)
    with database.transaction() as session:
        contract = a_contract(session)
        moment_before = FIRST_MOMENT_OF_TUESDAY - timedelta(microseconds=1)

        with pytest.raises(BadInput, match="still to come"):
            start(session, ENTROPY, contract, first_visit_on=tomorrow, actor=BROKER, now=moment_before)
        start(session, ENTROPY, contract, first_visit_on=tomorrow, actor=BROKER, now=FIRST_MOMENT_OF_TUESDAY)

    assert contract.started_on == tomorrow


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        (AGREED_START + timedelta(days=7), None),
        (AGREED_START + timedelta(days=8), "at most 7 days"),
        (AGREED_START - timedelta(days=7), None),
        (TODAY - timedelta(days=1), "past"),
        (AGREED_START, "that day already"),
    ],
)
def test_a_start_moves_within_the_schemes_days_and_not_into_the_past(
    database: Database, to: date, reason: str | None
) -> None:
    with database.transaction() as session:
        contract = a_contract(session)

        if reason is None:
            _move(session, contract, to)
        else:
            with pytest.raises(StartCannotMove, match=reason):
                _move(session, contract, to)

    assert (contract.starts_on, contract.start_moves) == ((AGREED_START, 0) if reason else (to, 1))
    assert contract.first_agreed_start == AGREED_START


def _move(session: Session, contract: Contract, to: date) -> None:
    move_start(session, ENTROPY, contract, starts_on=to, scheme=SCHEME, actor=PROVIDER, now=NOON)


def test_a_start_moves_once(database: Database) -> None:
    with database.transaction() as session:
        contract = a_contract(session)
        _move(session, contract, date(2026, 3, 11))

        with pytest.raises(StartCannotMove, match="moved before"):
            _move(session, contract, AGREED_START)


def test_a_scheme_may_let_no_start_move(database: Database) -> None:
    award = SCHEME.award.model_dump(mode="json") | {"start_moves_days": 0}
    with database.transaction() as session, pytest.raises(StartCannotMove, match="at most 0 days"):
        move_start(
            session,
            ENTROPY,
            a_contract(session),
            starts_on=AGREED_START + timedelta(days=1),
            scheme=a_scheme(award=award),
            actor=BROKER,
            now=NOON,
        )


def test_of_four_who_move_one_start_at_once_one_does(database: Database) -> None:
    with database.transaction() as session:
        ref = a_contract(session).ref
    barrier = Barrier(4)

    def move(day: int) -> str:
        with database.transaction() as session:
            contract = find_contract(session, ref, actor=PROVIDER)
            if not database.is_sqlite:  # whose writers have waited for each other already
                barrier.wait()
            try:
                _move(session, contract, date(2026, 3, day))
            except DpsError as refusal:
                return type(refusal).__name__
        return "moved"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(move, range(10, 14)))

    assert answers == ["StartCannotMove"] * 3 + ["moved"]


def test_of_two_who_start_from_the_same_look_one_does(database: Database) -> None:
    with database.transaction() as session:
        contract = a_contract(session)
        session.execute(text("UPDATE contract SET state = 'failed_to_start'"))

        with pytest.raises(StateChanged):
            COMMANDS["start"](session, contract, BROKER)


# Ending


def test_only_the_provider_can_be_blamed_for_one_reason() -> None:
    assert [reason for reason in FailureReason if reason.is_the_providers] == [FailureReason.PROVIDER_COULD_NOT]


def test_care_does_not_end_before_it_began_nor_in_the_future(database: Database) -> None:
    with database.transaction() as session:
        contract = a_contract_in(session, ContractState.ACTIVE)
        before, tomorrow = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
        by: dict[str, Any] = {"actor": BROKER, "now": NOON}

        for day, reason in ((before, "had not started"), (tomorrow, "still to come")):
            with pytest.raises(BadInput, match=reason):
                end(session, ENTROPY, contract, reason=EndReason.CARE_HOME, last_day=day, **by)
        with pytest.raises(BadInput, match="had not started"):
            hand_back(session, ENTROPY, contract, reason=HandBackReason.SAFETY, last_day=before, **by)
        with pytest.raises(BadInput, match="still to come"):
            suspend(session, ENTROPY, contract, reason=SuspensionReason.AWAY, from_day=tomorrow, **by)

        assert contract.state is ContractState.ACTIVE


def test_a_contract_may_be_handed_back_with_notice(database: Database) -> None:
    last_day = TODAY + timedelta(days=28)
    with database.transaction() as session:
        contract = a_contract_in(session, ContractState.SUSPENDED)

        hand_back(
            session,
            ENTROPY,
            contract,
            reason=HandBackReason.STAFFING,
            last_day=last_day,
            actor=PROVIDER,
            now=NOON,
        )
        ending.write(session)
        event = session.exec(select(AuditEvent).where(AuditEvent.kind == "contract.hand_back")).one()

    assert (contract.last_day, contract.suspended_on) == (last_day, None)
    assert event.body["reason"] == "staffing"
