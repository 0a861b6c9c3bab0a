"""Recording deliveries: each once, none half, and none where the contract says otherwise."""

from datetime import date, time, timedelta

import pytest
from sqlmodel import Session, func, select

from dps.contracts.contracts import hand_back
from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.deliveries.records import Delivery
from dps.contracts.payment.visits import VisitOutcome
from dps.contracts.reasons import HandBackReason
from dps.contracts.reasons import SuspensionReason as Paused
from dps.contracts.statements.making import make_statement
from dps.contracts.statements.moving import withdraw_statement
from dps.contracts.variations.pausing import pause, resume
from dps.kernel import ending
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, NotFound
from dps.packages.schedule import parse_schedule
from tests.dps.contracts.cases import TODAY
from tests.dps.contracts.desk import Desk, morning
from tests.dps.packages.cases import BROKER, ENTROPY, NEIGHBOUR, OTHER_PROVIDER, PROVIDER


def stored(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Delivery)).one()


def test_records_are_kept_with_what_is_odd_and_the_trail_counts_them(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)

        done = desk.record(
            morning(TODAY),
            VisitRecord(visit_ref="extra", day=TODAY, started=time(15), ended=time(15, 20)),
        )

        assert (done.new, done.known, done.oddities) == (2, 0, {"unplanned": 1})
        first, extra = session.exec(select(Delivery).order_by(Delivery.id)).all()  # type: ignore[arg-type]
        assert (first.line, first.planned_minutes, first.delivered_minutes) == (0, 30, 30)
        assert (extra.line, extra.planned_minutes, extra.oddities) == (None, 0, ["unplanned"])
        ending.write(session)
        (event,) = session.exec(select(AuditEvent).where(AuditEvent.kind == "contract.deliveries")).all()
        assert event.body == {"ref": desk.ref, "new": 2, "known": 0, "oddities": {"unplanned": 1}}


def test_what_is_sent_twice_is_recorded_once(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.record(morning(TODAY))

        again = desk.record(morning(TODAY))

        assert (again.new, again.known, stored(session)) == (0, 1, 1)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (morning(TODAY, minutes=25), "before, and otherwise"),
        (morning(TODAY, visit_ref="another"), "recorded already"),
        (morning(TODAY - timedelta(days=1)), "had not started"),
        (morning(TODAY + timedelta(days=1)), "still to come"),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_of_its_file_is_kept(
    database: Database, record: VisitRecord, words: str
) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.record(morning(TODAY))
    good = VisitRecord(visit_ref="good", day=TODAY, started=time(15), ended=time(16))

    with pytest.raises(BadInput, match=words):
        _in_a_transaction_of_their_own(database, desk, good, record)

    with database.reading() as session:
        assert stored(session) == 1


def _in_a_transaction_of_their_own(database: Database, desk: Desk, *records: VisitRecord) -> None:
    with database.transaction() as session:
        desk.session = session
        desk.record(*records)


def test_nothing_is_recorded_while_the_service_is_paused_or_over(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=3)
        desk.run(
            pause,
            contract_ref=desk.ref,
            scheme=desk.scheme,
            reason=Paused.HOSPITAL,
            from_day=TODAY + timedelta(days=1),
            actor=BROKER,
        )
        with pytest.raises(BadInput, match="paused since"):
            desk.record(morning(TODAY + timedelta(days=2)))
        desk.run(resume, contract_ref=desk.ref, scheme=desk.scheme, actor=BROKER)
        with pytest.raises(BadInput, match="were paused"):
            desk.record(morning(TODAY + timedelta(days=2)))

        desk.record(morning(TODAY), morning(TODAY + timedelta(days=3)))

        now = desk.clock.instant
        last = TODAY + timedelta(days=3)
        hand_back(
            session,
            ENTROPY,
            desk.contract,
            reason=HandBackReason.STAFFING,
            last_day=last,
            actor=PROVIDER,
            now=now,
        )
        desk.after(days=2)
        with pytest.raises(BadInput, match="last day was"):
            desk.record(morning(TODAY + timedelta(days=4)))


def test_a_stated_day_takes_no_more_records_until_its_statement_is_withdrawn(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=2)
        statement = desk.run(
            make_statement,
            contract_ref=desk.ref,
            scheme=desk.scheme,
            first_day=TODAY,
            last_day=TODAY + timedelta(days=1),
            actor=BROKER,
        )
        with pytest.raises(BadInput, match=f"statement {statement.ref} covers"):
            desk.record(morning(TODAY))

        desk.run(withdraw_statement, statement_ref=statement.ref, actor=BROKER)

        assert desk.record(morning(TODAY)).new == 1


def test_another_providers_contract_takes_none(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)

        for stranger in (OTHER_PROVIDER, NEIGHBOUR):
            with pytest.raises(NotFound):
                desk.record(morning(TODAY), actor=stranger)


def test_a_missed_visit_is_kept_as_missed(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        missed = VisitRecord(visit_ref="V", day=date(2026, 3, 2), outcome=VisitOutcome.MISSED, planned_start=time(8))

        assert desk.record(missed).oddities == {"missed": 1}
        row = session.exec(select(Delivery)).one()
        assert (row.outcome, row.delivered_minutes, row.started_at) == (VisitOutcome.MISSED, 0, None)


CLOSE = "Mon-Sun 08:00-08:15 15m medication; Mon-Sun 08:10-08:40 30m personal_care"


def visits(session: Session) -> dict[str, tuple[int | None, int, list[str]]]:
    rows = session.exec(select(Delivery).order_by(Delivery.id)).all()  # type: ignore[arg-type]
    return {row.visit_ref: (row.line, row.planned_minutes, row.oddities) for row in rows}


def test_a_second_file_of_a_day_lets_what_the_first_left_move_on(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session, schedule=parse_schedule(CLOSE))
        first = VisitRecord(visit_ref="A", day=TODAY, started=time(8, 6), ended=time(8, 21))
        second = VisitRecord(visit_ref="B", day=TODAY, started=time(8, 35), ended=time(9, 5))
        desk.record(first)
        assert visits(session) == {"A": (1, 30, ["short"])}  # its beginning is nearer to the second visit's

        done = desk.record(second)

        assert visits(session) == {"A": (0, 15, []), "B": (1, 30, [])}
        assert (done.new, done.moved) == (1, 1)
        ending.write(session)
        events = session.exec(select(AuditEvent).where(AuditEvent.kind == "contract.deliveries")).all()
        assert [event.body.get("moved") for event in events] == [None, 1]


def test_two_records_change_places_when_a_third_comes(database: Database) -> None:
    three = "Mon-Sun 08:00-09:00 15m medication; Mon-Sun 08:20-09:20 30m personal_care; Mon-Sun 08:40-09:40 45m meal"
    with database.transaction() as session:
        desk = Desk(session, schedule=parse_schedule(three))
        late = [
            VisitRecord(visit_ref=f"V{minute}", day=TODAY, started=time(8, minute), ended=time(9, minute))
            for minute in (42, 25)
        ]
        desk.record(*late)
        assert {ref: line for ref, (line, _, _) in visits(session).items()} == {"V42": 2, "V25": 1}

        desk.record(VisitRecord(visit_ref="V39", day=TODAY, started=time(9, 39), ended=time(9, 59)))

        assert {ref: line for ref, (line, _, _) in visits(session).items()} == {"V42": 1, "V25": 0, "V39": 2}


def test_what_was_kept_before_it_could_be_matched_anew_stays_where_it_is(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session, schedule=parse_schedule(CLOSE))
        desk.record(VisitRecord(visit_ref="A", day=TODAY, started=time(8, 6), ended=time(8, 21)))
        row = session.exec(select(Delivery)).one()
        row.told = None

        with pytest.raises(BadInput, match="recorded already"):
            desk.record(VisitRecord(visit_ref="B", day=TODAY, started=time(8, 35), ended=time(9, 5)))
