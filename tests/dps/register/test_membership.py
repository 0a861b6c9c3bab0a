"""Membership and suspension: who stands where, at which instant; the end is the clock's, removal is final."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from dps.kernel import ending
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NoSuchStep, NotAdmitted, NotFound
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.register import suspensions
from dps.register.membership import Membership, MembershipState
from dps.register.providers import Provider
from dps.register.shapes import Place
from dps.register.standing import standing
from dps.register.suspensions import RunningContracts, SuspensionScope, SuspensionState
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
    removed,
    states,
    suspended,
    walk,
)

ACTIVE, SUSPENDED, REMOVED = MembershipState
DAY = timedelta(days=1)


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
        first, second = (suspended(session, ports, provider, scope=scope) for scope in list(SuspensionScope)[:2])

        after = []
        for one in (first, second):
            suspensions.lift(session, ports, one, scheme=WORCESTERSHIRE, because="Mended.", actor=OFFICER)
            after.append((states(session, provider, NOON)[HERE], recorded(session, provider)))

        assert after == [(SUSPENDED, [SUSPENDED]), (ACTIVE, [ACTIVE])]
        with pytest.raises(NoSuchStep):
            suspensions.lift(session, ports, first, scheme=WORCESTERSHIRE, because="Again.", actor=OFFICER)


def test_an_officer_says_the_same_once_and_what_differs_beside_it(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider, localities=[HERE, THERE])
        first = suspended(session, ports, provider, localities=[HERE], ends_at=NOON + 9 * DAY)

        for end in (NOON + 9 * DAY, NOON + 2 * DAY):
            with pytest.raises(BadInput, match=f"{first.ref} says all of this already"):
                suspended(session, ports, provider, localities=[HERE], ends_at=end)
        others: list[dict[str, object]] = [
            {"localities": [HERE, THERE]},
            {"localities": [HERE], "ends_at": None},
            {"localities": [HERE], "scope": SuspensionScope.ALL},
            {"localities": [HERE], "running_contracts": RunningContracts.TRANSFER},
        ]
        beside = [suspended(session, ports, provider, **{"ends_at": NOON + 9 * DAY, **other}) for other in others]
        for one in (first, beside[1]):
            suspensions.lift(session, ports, one, scheme=WORCESTERSHIRE, because="Mended.", actor=OFFICER)
        again = suspended(session, ports, provider, localities=[HERE], ends_at=NOON + 9 * DAY)

        assert len({first.ref, again.ref, *(one.ref for one in beside)}) == 6


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

        ending.write(session)
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

        walked, said = walk(session, row, name)

        assert walked == said


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
