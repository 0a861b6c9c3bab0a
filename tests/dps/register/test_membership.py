"""Membership and suspension: who stands where, at which instant; the end is the clock's, removal is final."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NoSuchStep, NotAdmitted, NotFound
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.register import membership, suspensions
from dps.register.membership import Membership, MembershipState, Place
from dps.register.providers import Provider
from dps.register.standing import standing
from dps.register.suspensions import RunningContracts, Suspension, SuspensionScope, SuspensionState
from tests.dps.register.builders import (
    BROKER,
    HERE,
    LIST,
    LOT,
    NOON,
    OFFICER,
    THERE,
    WORCESTERSHIRE,
    a_member,
    a_provider,
    all_at_once,
    good_documents,
    id_of,
    step,
)

ACTIVE, SUSPENDED, REMOVED = MembershipState
DAY = timedelta(days=1)


def suspended(session: Session, ports: Ports, provider: Provider, **facts: Any) -> Suspension:
    decision: dict[str, Any] = {
        "scope": SuspensionScope.NEW_WORK,
        "running_contracts": RunningContracts.CONTINUE,
        "because": "Two missed visits in a week.",
        "actor": OFFICER,
    }
    return suspensions.suspend(session, ports, provider_id=id_of(provider), scheme=WORCESTERSHIRE, **(decision | facts))


def removed(session: Session, ports: Ports, provider: Provider, **facts: Any) -> None:
    decision: dict[str, Any] = {"because": "Registration cancelled.", "actor": OFFICER}
    membership.remove(session, ports, provider_id=id_of(provider), scheme=WORCESTERSHIRE, **(decision | facts))


def states(session: Session, provider: Provider, at: datetime) -> dict[str, MembershipState]:
    """The state in each locality, as standing derives it at `at`."""
    [found] = standing(session, WORCESTERSHIRE.key, at, providers=[id_of(provider)])
    return {one.place[2]: one.state for one in found.memberships}


def recorded(session: Session, provider: Provider) -> list[MembershipState]:
    query = select(Membership).where(Membership.provider_id == id_of(provider)).order_by(col(Membership.id))
    return [one.state for one in session.exec(query)]


def test_a_suspension_begins_and_ends_with_the_clock_not_with_a_sweep(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        suspended(session, ports, provider, starts_at=NOON + DAY, ends_at=NOON + 3 * DAY)

        tick = timedelta(microseconds=1)
        instants = [NOON, NOON + DAY - tick, NOON + DAY, NOON + 3 * DAY - tick, NOON + 3 * DAY]

        assert [states(session, provider, at)[HERE] for at in instants] == [
            ACTIVE,
            ACTIVE,
            SUSPENDED,
            SUSPENDED,
            ACTIVE,
        ]
        assert recorded(session, provider) == [ACTIVE]


def test_a_sweep_records_what_is_already_true_and_only_once(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        suspended(session, ports, provider, starts_at=NOON + DAY, ends_at=NOON + 3 * DAY)
        history = []
        for at in (NOON, NOON + DAY, NOON + DAY, NOON + 3 * DAY, NOON + 3 * DAY):
            due = suspensions.not_yet_recorded(session, at)
            changed = sum(
                suspensions.record_suspensions(session, provider_id=id_, scheme_key=key, actor=CLOCK, now=at)
                for id_, key in due
            )
            history.append((len(due), changed, recorded(session, provider)[0]))

    assert history == [(0, 0, ACTIVE), (1, 1, SUSPENDED), (0, 0, SUSPENDED), (1, 1, ACTIVE), (0, 0, ACTIVE)]


def test_a_suspension_covers_the_localities_it_names(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider, localities=[HERE, THERE])

        suspended(session, ports, provider, localities=[THERE])

        assert states(session, provider, NOON) == {HERE: ACTIVE, THERE: SUSPENDED}


def test_a_suspension_covers_a_membership_made_later(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider, localities=[HERE])
        suspended(session, ports, provider)

        a_member(session, ports, provider, localities=[THERE])

        assert states(session, provider, NOON) == {HERE: SUSPENDED, THERE: SUSPENDED}


def test_lifting_ends_one_suspension_and_leaves_another(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        first, second = (suspended(session, ports, provider) for _ in range(2))

        after = []
        for one in (first, second):
            suspensions.lift(session, ports, one, scheme=WORCESTERSHIRE, because="Mended.", actor=OFFICER)
            after.append((states(session, provider, NOON)[HERE], recorded(session, provider)))

        assert after == [(SUSPENDED, [SUSPENDED]), (ACTIVE, [ACTIVE])]
        with pytest.raises(NoSuchStep):
            suspensions.lift(session, ports, first, scheme=WORCESTERSHIRE, because="Again.", actor=OFFICER)


def test_the_widest_of_several_suspensions_is_the_one_that_counts(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        for scope in (SuspensionScope.NEW_WORK, SuspensionScope.ALL, SuspensionScope.RESTARTS_AND_INCREASES):
            suspended(session, ports, provider, scope=scope)

        [found] = standing(session, WORCESTERSHIRE.key, NOON)

        biting = found.memberships[0].suspension
        assert biting is not None
        assert biting.scope is SuspensionScope.ALL


def test_an_expired_document_suspends_by_itself(database: Database, ports: Ports) -> None:
    required = WORCESTERSHIRE.admission.documents
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        good_documents(session, ports, provider, expires_on=NOON.date())
        place: Place = (LIST, LOT, HERE)

        verdicts = [standing(session, WORCESTERSHIRE.key, at)[0].state_of(place, required) for at in (NOON, NOON + DAY)]

        assert verdicts == [ACTIVE, SUSPENDED]
        assert recorded(session, provider) == [ACTIVE]


def test_removal_is_final_and_a_new_admission_is_a_new_row(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        [old] = a_member(session, ports, provider)
        removed(session, ports, provider)
        gone = states(session, provider, NOON)

        [new] = a_member(session, ports, provider)

        assert gone == {HERE: REMOVED}
        assert old.ref != new.ref
        assert (recorded(session, provider), states(session, provider, NOON)) == ([REMOVED, ACTIVE], {HERE: ACTIVE})
        with pytest.raises(NoSuchStep):
            advance(session, old, "reinstate", OFFICER, NOON)


def test_removal_takes_what_it_names_and_refuses_nothing_at_all(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider, localities=[HERE, THERE])

        removed(session, ports, provider, localities=[THERE])
        with pytest.raises(NotAdmitted):
            removed(session, ports, provider, localities=[THERE])

        assert states(session, provider, NOON) == {HERE: ACTIVE, THERE: REMOVED}


def test_the_database_holds_one_place_once(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        [held] = a_member(session, ports, provider)
        twin = Membership(**{**held.model_dump(exclude={"id"}), "ref": "MEM-TWIN"})

        session.add(twin)
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()


@pytest.mark.parametrize(
    ("fact", "value"),
    [
        ("starts_at", NOON - timedelta(microseconds=1)),
        ("ends_at", NOON),
        ("because", ""),
        ("lots", ["no-such-lot"]),
        ("localities", ["atlantis"]),
    ],
)
def test_a_suspension_that_makes_no_sense_is_refused(
    database: Database, ports: Ports, fact: str, value: object
) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)

        with pytest.raises(BadInput):
            suspended(session, ports, provider, **{fact: value})


def test_who_holds_no_place_there_is_not_suspended(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider, localities=[HERE])

        with pytest.raises(NotAdmitted):
            suspended(session, ports, provider, localities=[THERE])


def test_only_an_officer_of_the_scheme_suspends_lifts_and_removes(database: Database, ports: Ports) -> None:
    foreign = Actor(ref="USR-KENT", role=Role.REGISTER_OFFICER, authority="kent")
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        standing_one = suspended(session, ports, provider)

        for actor, refusal in ((BROKER, Forbidden), (foreign, NotFound)):
            with pytest.raises(refusal):
                suspended(session, ports, provider, actor=actor)
            with pytest.raises(refusal):
                removed(session, ports, provider, actor=actor)
            with pytest.raises(refusal):
                suspensions.lift(session, ports, standing_one, scheme=WORCESTERSHIRE, because="No.", actor=actor)


def test_the_provider_is_told_and_the_trail_knows_no_reason(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        suspended(session, ports, provider, because="Mrs Ash was left alone.")
        removed(session, ports, provider, because="Mrs Ash was left alone.")

        told = session.exec(select(OutboxMessage.kind).order_by(col(OutboxMessage.id))).all()
        trail = session.exec(select(AuditEvent).where(AuditEvent.stream == provider.ref)).all()

        assert told == ["suspension.imposed", "membership.removed"]
        assert [one.kind for one in trail][2:] == ["suspension.impose", "membership.suspend", "membership.remove"]
        assert "Ash" not in repr([one.body for one in trail])


@pytest.mark.parametrize("state", list(MembershipState))
@pytest.mark.parametrize("name", Membership.STEPS.names)
def test_every_step_of_a_membership_leads_where_its_table_says(
    database: Database, ports: Ports, state: MembershipState, name: str
) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        row = Membership(
            ref="MEM-1",
            provider_id=id_of(provider),
            provider_ref=provider.ref,
            scheme=WORCESTERSHIRE.key,
            list_key=LIST,
            lot=LOT,
            locality=HERE,
            state=state,
            admitted_at=NOON,
        )
        session.add(row)

        if Membership.STEPS.allows(state, name):
            advance(session, row, name, OFFICER, NOON)
            assert row.state is Membership.STEPS.step(state, name, row.ref).target
        else:
            with pytest.raises(NoSuchStep):
                advance(session, row, name, OFFICER, NOON)
            assert row.state is state


@pytest.mark.parametrize("state", list(SuspensionState))
def test_a_suspension_is_lifted_once(database: Database, ports: Ports, state: SuspensionState) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        one = suspended(session, ports, provider)
        if state is SuspensionState.LIFTED:
            advance(session, one, "lift", OFFICER, NOON)
            with pytest.raises(NoSuchStep):
                advance(session, one, "lift", OFFICER, NOON)
        else:
            advance(session, one, "lift", OFFICER, NOON)

        assert one.state is SuspensionState.LIFTED


def test_sixteen_officers_admit_one_provider_once(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)

    def race(_: int) -> None:
        with database.transaction() as session:
            a_member(session, ports, provider, localities=[HERE, THERE])

    failed = all_at_once(16, race)

    with database.reading() as session:
        assert (failed, recorded(session, provider)) == ([], [ACTIVE, ACTIVE])


class MembershipStory(RuleBasedStateMachine):
    """One provider through any history of admissions, suspensions, ends and removals, against a model in plain sets."""

    session: Session
    ports: Ports

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, str] = {}
        self.suspensions: list[tuple[Suspension, set[str], datetime, datetime | None]] = []
        self.lifted: dict[str, datetime] = {}

    @initialize()
    def join(self) -> None:
        self.provider = a_provider(self.session, self.ports)

    @property
    def now(self) -> datetime:
        return self.ports.clock.read(self.session)

    @rule(place=st.sampled_from([HERE, THERE]))
    def admit(self, place: str) -> None:
        made = a_member(self.session, self.ports, self.provider, localities=[place])
        assert len(made) == (self.held.get(place) != "held")
        self.held[place] = "held"

    @rule(places=st.sets(st.sampled_from([HERE, THERE])), wait=st.integers(0, 2), days=st.none() | st.integers(1, 3))
    def suspend(self, places: set[str], wait: int, days: int | None) -> None:
        covered = {place for place, state in self.held.items() if state == "held" and (not places or place in places)}
        starts = self.now + wait * DAY
        ends = None if days is None else starts + days * DAY
        facts = {"localities": sorted(places), "starts_at": starts, "ends_at": ends}
        if not covered:
            with pytest.raises(NotAdmitted):
                suspended(self.session, self.ports, self.provider, **facts)
            return
        one = suspended(self.session, self.ports, self.provider, **facts)
        self.suspensions.append((one, places or {HERE, THERE}, starts, ends))

    @precondition(lambda self: any(one.ref not in self.lifted for one, *_ in self.suspensions))
    @rule(number=st.integers(0, 9))
    def lift(self, number: int) -> None:
        standing_ones = [one for one, *_ in self.suspensions if one.ref not in self.lifted]
        one = standing_ones[number % len(standing_ones)]
        suspensions.lift(self.session, self.ports, one, scheme=WORCESTERSHIRE, because="Mended.", actor=OFFICER)
        self.lifted[one.ref] = self.now

    @rule(place=st.sampled_from([HERE, THERE]))
    def remove(self, place: str) -> None:
        if self.held.get(place) != "held":
            with pytest.raises(NotAdmitted):
                removed(self.session, self.ports, self.provider, localities=[place])
            return
        removed(self.session, self.ports, self.provider, localities=[place])
        self.held[place] = "removed"

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        step(self.ports, timedelta(hours=hours))

    @rule()
    def sweep(self) -> None:
        for provider_id, scheme_key in suspensions.not_yet_recorded(self.session, self.now):
            suspensions.record_suspensions(
                self.session, provider_id=provider_id, scheme_key=scheme_key, actor=CLOCK, now=self.now
            )
        rows = membership.held_by(self.session, id_of(self.provider), WORCESTERSHIRE.key)
        assert {one.locality: one.state for one in rows} == {
            place: state for place, state in self._expected().items() if state is not REMOVED
        }

    @invariant()
    def standing_says_what_happened(self) -> None:
        assert states(self.session, self.provider, self.now) == self._expected()

    def _expected(self) -> dict[str, MembershipState]:
        return {
            place: REMOVED if state == "removed" else SUSPENDED if self._is_suspended(place) else ACTIVE
            for place, state in self.held.items()
        }

    def _is_suspended(self, place: str) -> bool:
        return any(
            place in places and starts <= self.now and (ends is None or self.now < ends) and one.ref not in self.lifted
            for one, places, starts, ends in self.suspensions
        )


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_no_history_makes_a_removed_or_suspended_member_active(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        story = type("Story", (MembershipStory,), {"session": session, "ports": ports})
        run_state_machine_as_test(
            story,
            settings=settings(
                max_examples=20, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
            ),
        )
