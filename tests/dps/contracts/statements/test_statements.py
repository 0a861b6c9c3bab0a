"""Statements: made from what was recorded, agreed, paid once, and never twice for one day."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.outcomes import review_outcomes
from dps.contracts.payment.outcome_budget import ProvenException
from dps.contracts.reasons import FlexChange, FlexReason
from dps.contracts.reasons import SuspensionReason as Paused
from dps.contracts.statements.making import make_area_statement, make_statement
from dps.contracts.statements.moving import agree_statement, pay_statement, query_statement, withdraw_statement
from dps.contracts.statements.records import STEPS, Statement, StatementState, find_statement, statements_seen
from dps.contracts.tiers import place_in_tier
from dps.contracts.variations.flexing import FlexWanted, flex
from dps.contracts.variations.pausing import pause, resume
from dps.contracts.variations.rescheduling import increase
from dps.contracts.variations.uplifting import stated_already, uplift
from dps.kernel import ending
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import (
    BadInput,
    CannotState,
    Conflict,
    Forbidden,
    NeedsSecondPerson,
    NoSuchStep,
    NotFound,
    StatedAlready,
)
from dps.kernel.outbox import OutboxMessage
from dps.register.providers import register_provider
from tests.dps.contracts.cases import TODAY
from tests.dps.contracts.desk import DELIVERED, LONGER, Desk, morning, rules
from tests.dps.packages.cases import APPROVER, AUDITOR, BROKER, NEIGHBOUR, OTHER_PROVIDER, PROVIDER, PROVIDER_REF
from tests.support.race import race

COMMISSIONER = Actor(ref="USR-COMMISSIONER", role=Role.COMMISSIONER, authority="westshire")
WEEKLY_PENCE = 5 * 1050 + 2 * 1150
"""Seven half hours, at £21.00 on weekdays and £23.00 on the weekend."""


def made(desk: Desk, days: int = 7, *, start: int = 0, actor: Actor = BROKER) -> Statement:
    """The statement of so many days."""
    return desk.run(
        make_statement,
        contract_ref=desk.ref,
        scheme=desk.scheme,
        first_day=TODAY + timedelta(days=start),
        last_day=TODAY + timedelta(days=start + days - 1),
        actor=actor,
    )


def items(statement: Statement) -> list[tuple[str, int]]:
    return [(line["item"], line["pence"]) for line in statement.lines]


def test_a_week_of_visits_is_stated_with_its_working(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=7)
        desk.deliver(7)

        statement = made(desk)

        assert (statement.state, statement.pence, statement.chargeable_pence) == ("made", WEEKLY_PENCE, WEEKLY_PENCE)
        assert statement.lines[0]["about"] == f"week of {TODAY}"
        assert statement.lines[0]["working"] == [
            "5 weekday visits, 2 h 30 min at £21.00 an hour: £52.50",
            "2 weekend visits, 1 h 00 min at £23.00 an hour: £23.00",
        ]


def test_unrecorded_days_are_not_paid_and_short_visits_by_the_minute(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=7)
        desk.record(morning(TODAY, minutes=20), morning(TODAY + timedelta(days=1), minutes=50))

        assert made(desk).pence == 700 + 35 * 2100 // 60  # five minutes over the plan are the tolerance


def test_commissioned_hours_are_paid_without_a_record(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session, scheme=rules(payments=[{**DELIVERED, "model": "commissioned"}]))
        desk.after(days=7)

        assert items(made(desk)) == [("commissioned", WEEKLY_PENCE)]


def test_an_uplift_and_an_increase_reach_the_statement_from_their_day(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=1)
        thursday = TODAY + timedelta(days=3)
        desk.run(
            uplift, scheme=desk.scheme, lot="personal-care", basis_points=500, from_day=thursday, actor=COMMISSIONER
        )
        wanted = desk.week(LONGER, from_day=TODAY + timedelta(days=4))
        desk.run(increase, contract_ref=desk.ref, scheme=desk.scheme, wanted=wanted, actor=BROKER)
        desk.after(days=4)
        desk.deliver(4)
        desk.record(morning(TODAY + timedelta(days=4), minutes=60))

        # Three half hours at £21.00, one at £22.05, then an hour at £22.05.
        assert made(desk, 5).pence == 3150 + 3308  # 3307.5, rounded once with the rest of the week


def test_statements_that_an_uplift_comes_too_late_for_are_counted(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=7)
        statement = made(desk)

        def stated(from_day: date) -> int:
            request: dict[str, Any] = {"scheme": desk.scheme.key, "lot": "personal-care", "actor": COMMISSIONER}
            return stated_already(session, from_day=from_day, **request)

        assert (stated(TODAY + timedelta(days=6)), stated(TODAY + timedelta(days=7))) == (1, 0)
        desk.run(withdraw_statement, statement_ref=statement.ref, actor=BROKER)
        assert stated(TODAY) == 0
        with pytest.raises(Forbidden):
            stated_already(session, scheme=desk.scheme.key, lot="personal-care", from_day=TODAY, actor=BROKER)


def test_a_day_is_stated_once(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=14)
        first = made(desk)

        with pytest.raises(StatedAlready, match=first.ref):
            made(desk, start=6)
        desk.run(withdraw_statement, statement_ref=first.ref, actor=BROKER)
        second = made(desk, start=6)

        assert second.state is StatementState.MADE
        assert first.state is StatementState.WITHDRAWN


@pytest.mark.parametrize(
    ("start", "days", "refusal"),
    [(0, 8, BadInput), (-1, 3, CannotState), (3, -2, BadInput), (-400, 380, BadInput)],
)
def test_a_statement_is_of_past_days_of_care(
    database: Database, start: int, days: int, refusal: type[Exception]
) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=7)

        with pytest.raises(refusal):
            made(desk, days, start=start)


def test_a_lot_without_a_payment_is_not_stated(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session, scheme=rules(payments=[]))
        desk.after(days=7)

        with pytest.raises(CannotState, match="says nothing of how lot"):
            made(desk)


# Flexes, pauses, tiers, outcomes


def test_flexed_visits_are_paid_up_to_the_flex_and_not_charged(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        wanted = FlexWanted(
            from_day=TODAY,
            days=2,
            extra_minutes_a_day=60,
            group="older_people",
            begun_by="provider",
            reason=FlexReason.FALL,
            changed=FlexChange.MORE_VISITS,
        )
        desk.run(flex, contract_ref=desk.ref, scheme=desk.scheme, wanted=wanted, actor=PROVIDER)
        desk.after(days=3)
        desk.deliver(3)
        for n in range(3):
            day = TODAY + timedelta(days=n)
            desk.record(VisitRecord(visit_ref=f"X{n}", day=day, started=time(15), ended=time(16, 30)))

        statement = made(desk, 3)

        # 90 minutes came each day: 60 are the flex's, on two days; on the third nobody had planned any.
        assert items(statement) == [("visits", 3150), ("flex", 4200)]
        assert (statement.pence, statement.chargeable_pence) == (7350, 3150)


def test_the_retainer_is_stated_once_the_service_has_restarted(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.run(pause, contract_ref=desk.ref, scheme=desk.scheme, reason=Paused.HOSPITAL, from_day=TODAY, actor=BROKER)
        desk.after(days=14)
        desk.run(resume, contract_ref=desk.ref, scheme=desk.scheme, actor=BROKER)

        # Half of £73.50 a week for two weeks.
        assert items(made(desk, 14)) == [("retainer", 7350)]


def test_a_contract_in_a_tier_is_paid_its_weekly_price_from_its_day(database: Database) -> None:
    tiers = [{"key": "tier-3", "name": "Tier 3", "weekly_pence": 50_000}]
    with database.transaction() as session:
        desk = Desk(session, scheme=rules(payments=[{**DELIVERED, "model": "tiers", "weekly_prices": tiers}]))
        desk.after(days=7)
        desk.deliver(7)
        request: dict[str, Any] = {"contract_ref": desk.ref, "scheme": desk.scheme, "actor": BROKER}
        with pytest.raises(BadInput, match="tier-3"):
            desk.run(place_in_tier, **request, key="tier-9", from_day=TODAY)

        desk.run(place_in_tier, **request, key="tier-3", from_day=TODAY + timedelta(days=5))

        assert items(made(desk)) == [("tier", 14_286), ("visits", 5250)]  # two sevenths of £500.00
        with pytest.raises(Conflict):
            desk.run(place_in_tier, **request, key=None, from_day=TODAY + timedelta(days=5))
        with pytest.raises(BadInput, match="are stated: name a later day, or withdraw PAY-"):
            desk.run(place_in_tier, **request, key=None, from_day=TODAY + timedelta(days=6))
        desk.run(place_in_tier, **request, key=None, from_day=TODAY + timedelta(days=7))
        ending.write(session)
        messages = session.exec(select(OutboxMessage.kind).order_by(col(OutboxMessage.id))).all()
        assert messages.count("weekly_price_placed") == 2


ENABLEMENT: dict[str, Any] = {"lot": "enablement", "budget_pence": 60_000, "budget_weeks": 6}
OUTCOMES: dict[str, Any] = {"payments": [{"lots": ["enablement"], "model": "outcome_budget"}]}


@pytest.mark.parametrize(("met", "due"), [(3, 60_000), (2, 6 * WEEKLY_PENCE)])
def test_six_weeks_of_enablement_are_stated_after_their_review(database: Database, met: int, due: int) -> None:
    with database.transaction() as session:
        desk = Desk(session, scheme=rules(**OUTCOMES), **ENABLEMENT)
        desk.after(weeks=6)
        desk.deliver(42)
        with pytest.raises(CannotState, match="not been reviewed"):
            made(desk, 42)
        review: dict[str, Any] = {"contract_ref": desk.ref, "met": met, "agreed": 3}
        with pytest.raises(BadInput, match="the budget ran for 6 weeks, until"):
            desk.run(review_outcomes, **review, last_day=TODAY + timedelta(days=42), actor=BROKER)

        desk.run(review_outcomes, **review, last_day=TODAY + timedelta(days=41), actor=BROKER)

        assert items(made(desk, 42)) == [("budget", due)]


def test_an_exception_is_proven_to_an_approver(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session, scheme=rules(**OUTCOMES), **ENABLEMENT)
        desk.after(weeks=6)
        request: dict[str, Any] = {
            "contract_ref": desk.ref,
            "met": 0,
            "agreed": 3,
            "last_day": TODAY + timedelta(days=41),
            "exception": ProvenException.UNMET_EXCUSED,
        }
        with pytest.raises(Forbidden):
            desk.run(review_outcomes, **request, actor=BROKER)

        desk.run(review_outcomes, **request, actor=APPROVER)

        assert items(made(desk, 42)) == [("budget", 60_000)]
        with pytest.raises(Conflict):
            desk.run(review_outcomes, **request, actor=APPROVER)


def test_an_area_is_stated_for_its_provider(database: Database) -> None:
    officer = Actor("USR-OFFICER", Role.REGISTER_OFFICER, "westshire")
    capitated = {
        "lots": ["personal-care"],
        "model": "capitated",
        "tolerance_percent": 5,
        "area_budgets": {"harbour": 200_000_000},
    }
    with database.transaction() as session:
        desk = Desk(session, scheme=rules(payments=[capitated]))
        row = register_provider(session, desk.ports, name="Synthetic Oak", company_number=None, actor=officer)
        desk.after(days=365)
        request: dict[str, Any] = {
            "scheme": desk.scheme,
            "lot": "personal-care",
            "locality": "harbour",
            "provider": row.ref,
            "first_day": TODAY,
            "last_day": TODAY + timedelta(days=364),
            "actor": BROKER,
        }

        statement = desk.run(make_area_statement, **request, actual_pence=214_000_000)

        assert (statement.pence, statement.to_discussion_pence) == (200_000_000, 4_000_000)
        with pytest.raises(StatedAlready):
            desk.run(make_area_statement, **request, actual_pence=214_000_000)
        with pytest.raises(CannotState, match="no budget is set for hills"):
            desk.run(make_area_statement, **request | {"locality": "hills"}, actual_pence=1)
        with pytest.raises(CannotState, match="by area"):
            made(desk)


def test_an_areas_people_in_bands_are_counted_by_the_day(database: Database) -> None:
    bands = [{"key": "low", "name": "Low", "weekly_pence": 7000}]
    payment = {"lots": ["personal-care"], "model": "bands", "at_risk_percent": 10, "weekly_prices": bands}
    officer = Actor("USR-OFFICER", Role.REGISTER_OFFICER, "westshire")
    with database.transaction() as session:
        desk = Desk(session, scheme=rules(payments=[payment]))
        row = register_provider(session, desk.ports, name="Synthetic Oak", company_number=None, actor=officer)
        row.ref = PROVIDER_REF
        session.add(row)
        session.flush()
        desk.run(place_in_tier, contract_ref=desk.ref, scheme=desk.scheme, key="low", from_day=TODAY, actor=BROKER)
        desk.after(days=7)

        statement = desk.run(
            make_area_statement,
            scheme=desk.scheme,
            lot="personal-care",
            locality="harbour",
            provider=PROVIDER_REF,
            first_day=TODAY,
            last_day=TODAY + timedelta(days=6),
            performance_percent=50,
            actor=BROKER,
        )

        assert items(statement) == [("band", 6300), ("performance", 350)]


# Agreeing and paying

HANDS = {
    "agree": agree_statement,
    "query": query_statement,
    "withdraw": withdraw_statement,
    "pay": pay_statement,
}
PATHS: dict[StatementState, tuple[str, ...]] = {
    StatementState.MADE: (),
    StatementState.AGREED: ("agree",),
    StatementState.QUERIED: ("query",),
    StatementState.PAID: ("agree", "pay"),
    StatementState.WITHDRAWN: ("withdraw",),
}
WHO = {"agree": PROVIDER, "query": PROVIDER, "withdraw": BROKER, "pay": APPROVER}


@pytest.mark.parametrize("state", StatementState)
def test_every_step_from_every_state_by_its_movers_alone(database: Database, state: StatementState) -> None:
    assert set(STEPS.names) == set(HANDS)
    with database.transaction() as session:
        for step, move in HANDS.items():
            desk = Desk(session)
            desk.after(days=7)
            statement = made(desk)
            for before in PATHS[state]:
                desk.run(HANDS[before], statement_ref=statement.ref, actor=WHO[before])

            if STEPS.allows(state, step):
                wrong = BROKER if WHO[step] is not BROKER else PROVIDER
                with pytest.raises(Forbidden):
                    desk.run(move, statement_ref=statement.ref, actor=wrong)
                desk.run(move, statement_ref=statement.ref, actor=WHO[step])
                assert statement.state is STEPS.step(state, step, statement.ref).target
            else:
                with pytest.raises(NoSuchStep):
                    desk.run(move, statement_ref=statement.ref, actor=WHO[step])
                assert statement.state is state


def test_who_made_a_statement_does_not_pay_it(database: Database) -> None:
    both = Actor(BROKER.ref, Role.APPROVER, "westshire")
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=7)
        statement = made(desk)
        desk.run(agree_statement, statement_ref=statement.ref, actor=PROVIDER)

        with pytest.raises(NeedsSecondPerson):
            desk.run(pay_statement, statement_ref=statement.ref, actor=both)
        desk.run(pay_statement, statement_ref=statement.ref, actor=APPROVER)

        assert statement.paid_at == desk.clock.instant


def test_each_side_sees_its_own_statements(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=7)
        statement = made(desk)

        for actor in (PROVIDER, BROKER, AUDITOR):
            assert [one.ref for one in statements_seen(session, actor=actor)] == [statement.ref]
        for stranger in (OTHER_PROVIDER, NEIGHBOUR):
            assert statements_seen(session, actor=stranger) == []
            with pytest.raises(NotFound):
                find_statement(session, statement.ref, actor=stranger)
        assert statements_seen(session, actor=BROKER, state=StatementState.PAID) == []
        assert statements_seen(session, actor=BROKER, scheme="elsewhere") == []


def test_a_statements_lines_stay_as_they_were_made(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=7)
        desk.deliver(7)
        statement = made(desk)

    with database.reading() as session:
        stored = session.exec(select(Statement)).one()
        assert (stored.lines, stored.rule_hash) == (statement.lines, statement.rule_hash)
        assert sum(line["pence"] for line in stored.lines) == stored.pence


def test_of_four_who_state_one_week_at_once_one_does(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=7)

    def state() -> str:
        with database.transaction() as session:
            return make_statement(
                session,
                desk.ports,
                contract_ref=desk.ref,
                scheme=desk.scheme,
                first_day=TODAY,
                last_day=TODAY + timedelta(days=6),
                actor=BROKER,
            ).ref

    answers = race([state] * 4)

    assert sorted(type(answer).__name__ for answer in answers) == ["StatedAlready"] * 3 + ["str"]
