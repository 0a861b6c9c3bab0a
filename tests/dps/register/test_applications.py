"""Applications, from the draft to the decision."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from dps.kernel import ending
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import (
    AdmissionClosed,
    BadInput,
    DocumentsMissing,
    Forbidden,
    NeedsSecondPerson,
    NoSuchStep,
    NotFound,
    RuleNotMet,
)
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.register import applications, membership
from dps.register.applications import Application, ApplicationState
from dps.register.interests import declare_interest
from dps.register.providers import Provider
from dps.schemes.model import ListShape, Scheme
from tests.dps.register.builders import (
    BROKER,
    HERE,
    LIST,
    LOT,
    NOON,
    OFFICER,
    ST_HELENS,
    THERE,
    WORCESTERSHIRE,
    a_member,
    a_provider,
    good_documents,
    id_of,
    its_own,
    step,
    walk,
)
from tests.dps.register.test_shapes import shaped

ANSWERS: dict[str, Any] = {"staff-turnover": 34, "travel-time-paid": True, "staff-pay": "All above the living wage."}


def a_draft(
    session: Session, ports: Ports, provider: Provider, *, scheme: Scheme = WORCESTERSHIRE, **facts: Any
) -> Application:
    asked: dict[str, Any] = {"lots": [LOT], "localities": [HERE, THERE], "answers": ANSWERS} | facts
    return applications.draft(
        session, ports, provider_id=id_of(provider), scheme=scheme, actor=its_own(provider), **asked
    )


def submitted(session: Session, ports: Ports, provider: Provider) -> Application:
    application = a_draft(session, ports, provider)
    applications.submit(session, ports, application, scheme=WORCESTERSHIRE, actor=its_own(provider))
    return application


def test_a_submitted_application_has_flags_and_a_day_by_which_it_is_decided(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        application = submitted(session, ports, a_provider(session, ports))

        assert application.state is ApplicationState.SUBMITTED
        assert application.flags == [["staff-turnover", 34]]
        assert application.decide_by == datetime(2018, 3, 28, 16, tzinfo=UTC)


def test_an_application_is_overdue_from_the_end_of_its_clock(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        application = submitted(session, ports, a_provider(session, ports))
        assert application.decide_by is not None

        tick = timedelta(microseconds=1)
        overdue = [application.is_overdue(application.decide_by + shift) for shift in (-tick, 0 * tick)]

        assert overdue == [False, True]
        assert list(applications.awaiting_decision(session, WORCESTERSHIRE.key)) == [application]


def test_approval_makes_a_membership_of_every_list_lot_and_locality(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        good_documents(session, ports, provider)
        application = submitted(session, ports, provider)

        made = applications.approve(session, ports, application, scheme=WORCESTERSHIRE, lists=[LIST], actor=OFFICER)
        ending.write(session)
        told = session.exec(select(OutboxMessage.recipient, OutboxMessage.kind, OutboxMessage.about)).all()
        to_decide = (f"authority:{WORCESTERSHIRE.authorities[0].key}", "application_to_decide", application.ref)

        assert {(one.list_key, one.lot, one.locality) for one in made} == {(LIST, LOT, HERE), (LIST, LOT, THERE)}
        assert (application.state, application.decided_by) == (ApplicationState.APPROVED, OFFICER.ref)
        approved = (f"provider:{provider.ref}", "application.approved", application.ref)
        assert [tuple(one) for one in told] == [to_decide, approved]


def test_approval_leaves_a_place_that_is_held_as_it_is(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        good_documents(session, ports, provider)
        a_member(session, ports, provider, localities=[HERE])

        made = applications.approve(
            session, ports, submitted(session, ports, provider), scheme=WORCESTERSHIRE, lists=[LIST], actor=OFFICER
        )

        assert [one.locality for one in made] == [THERE]


def test_nobody_is_admitted_before_the_documents_are_good(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        application = submitted(session, ports, provider)

        with pytest.raises(DocumentsMissing) as refused:
            applications.approve(session, ports, application, scheme=WORCESTERSHIRE, lists=[LIST], actor=OFFICER)

        assert refused.value.kinds == "employers_liability_insurance, public_liability_insurance"
        assert application.state is ApplicationState.SUBMITTED


def test_a_refusal_needs_a_reason_and_keeps_it(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        application = submitted(session, ports, a_provider(session, ports))

        with pytest.raises(BadInput):
            applications.refuse(session, ports, application, scheme=WORCESTERSHIRE, because=" ", actor=OFFICER)
        applications.refuse(
            session, ports, application, scheme=WORCESTERSHIRE, because="Turnover of 34 %.", actor=OFFICER
        )

        assert (application.state, application.reason) == (ApplicationState.REFUSED, "Turnover of 34 %.")


def test_applications_wait_for_the_quarter_and_the_refusal_says_when(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        lot, place = ST_HELENS.lots[0].key, ST_HELENS.localities[0].key
        answers = {question.key: True for question in ST_HELENS.admission.questions}
        application = a_draft(
            session, ports, provider, scheme=ST_HELENS, lots=[lot], localities=[place], answers=answers
        )

        with pytest.raises(AdmissionClosed) as refused:
            applications.submit(session, ports, application, scheme=ST_HELENS, actor=its_own(provider))
        step(ports, refused.value.opens_at - NOON)
        applications.submit(session, ports, application, scheme=ST_HELENS, actor=its_own(provider))

        assert application.submitted_at == refused.value.opens_at == datetime(2018, 3, 31, 23, tzinfo=UTC)


def test_a_draft_is_revised_until_it_is_submitted(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        own = its_own(provider)
        application = a_draft(session, ports, provider, answers={})
        anew = {"lots": [LOT], "localities": [THERE], "answers": ANSWERS}

        with pytest.raises(BadInput):
            applications.submit(session, ports, application, scheme=WORCESTERSHIRE, actor=own)
        applications.revise(session, ports, application, scheme=WORCESTERSHIRE, actor=own, **anew)  # type: ignore[arg-type]
        applications.submit(session, ports, application, scheme=WORCESTERSHIRE, actor=own)
        with pytest.raises(NoSuchStep):
            applications.revise(session, ports, application, scheme=WORCESTERSHIRE, actor=own, **anew)  # type: ignore[arg-type]

        assert application.localities == [THERE]


@pytest.mark.parametrize(
    ("field", "keys"),
    [("lots", []), ("lots", ["no-such-lot"]), ("localities", []), ("localities", ["atlantis"])],
)
def test_an_application_names_lots_and_localities_of_the_scheme(
    database: Database, ports: Ports, field: str, keys: list[str]
) -> None:
    with database.transaction() as session, pytest.raises(BadInput) as refused:
        a_draft(session, ports, a_provider(session, ports), scheme=WORCESTERSHIRE, **{field: keys})

    assert refused.value.field == field


def test_only_an_officer_of_the_schemes_authorities_decides(database: Database, ports: Ports) -> None:
    foreign = Actor(ref="USR-KENT", role=Role.REGISTER_OFFICER, authority="kent")
    with database.transaction() as session:
        provider = a_provider(session, ports)
        good_documents(session, ports, provider)
        application = submitted(session, ports, provider)

        for actor, refusal in ((BROKER, Forbidden), (its_own(provider), Forbidden), (foreign, NotFound)):
            with pytest.raises(refusal):
                applications.approve(session, ports, application, scheme=WORCESTERSHIRE, lists=[LIST], actor=actor)
        with pytest.raises(NotFound):
            applications.withdraw(session, ports, application, scheme=WORCESTERSHIRE, actor=foreign)

        assert application.state is ApplicationState.SUBMITTED


def test_the_rules_of_another_scheme_do_not_decide(database: Database, ports: Ports) -> None:
    somebody = Actor(ref="USR-ALL", role=Role.REGISTER_OFFICER)
    with database.transaction() as session:
        application = submitted(session, ports, a_provider(session, ports))

        with pytest.raises(NotFound):
            applications.refuse(session, ports, application, scheme=ST_HELENS, because="No.", actor=somebody)


def test_a_stranger_neither_sees_nor_moves_an_application(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        application = submitted(session, ports, a_provider(session, ports))
        stranger = its_own(a_provider(session, ports, name="Alder Care"))

        with pytest.raises(NotFound):
            applications.application_of(session, application.ref, stranger)
        with pytest.raises(NotFound):
            applications.withdraw(session, ports, application, scheme=WORCESTERSHIRE, actor=stranger)


def test_two_officers_decide_once(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        good_documents(session, ports, provider)
        application = submitted(session, ports, provider)
        applications.approve(session, ports, application, scheme=WORCESTERSHIRE, lists=[LIST], actor=OFFICER)

        with pytest.raises(NoSuchStep):
            applications.refuse(session, ports, application, scheme=WORCESTERSHIRE, because="No.", actor=OFFICER)
        ending.write(session)
        kinds = session.exec(select(AuditEvent.kind).where(AuditEvent.stream == application.ref)).all()

        assert kinds == ["application.draft", "application.submit", "application.approve"]


def test_what_waits_for_its_decision_is_not_handed_in_again(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        own, first = its_own(provider), submitted(session, ports, provider)
        less = a_draft(session, ports, provider, localities=[HERE])
        more = a_draft(session, ports, provider, localities=[place.key for place in WORCESTERSHIRE.localities[:3]])

        applications.submit(session, ports, more, scheme=WORCESTERSHIRE, actor=own)
        with pytest.raises(RuleNotMet, match=f"{first.ref} asks for all of this"):
            applications.submit(session, ports, less, scheme=WORCESTERSHIRE, actor=own)
        for one in (first, more):
            applications.withdraw(session, ports, one, scheme=WORCESTERSHIRE, actor=own)
        applications.submit(session, ports, less, scheme=WORCESTERSHIRE, actor=own)

        assert less.state is ApplicationState.SUBMITTED


@pytest.mark.parametrize("state", list(ApplicationState))
@pytest.mark.parametrize("name", Application.STEPS.names)
def test_every_step_of_an_application_leads_where_its_table_says(
    database: Database, ports: Ports, state: ApplicationState, name: str
) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        application = Application(
            ref="APP-1",
            provider_id=id_of(provider),
            provider_ref=provider.ref,
            scheme=WORCESTERSHIRE.key,
            state=state,
            lots=[LOT],
            localities=[HERE],
            answers={},
            flags=[],
            drafted_at=NOON,
        )

        walked, said = walk(session, application, name)

        assert walked == said


def test_approval_leaves_out_what_is_turned_down_and_keeps_each_reason(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        good_documents(session, ports, provider)
        application = submitted(session, ports, provider)

        made = applications.approve(
            session,
            ports,
            application,
            scheme=WORCESTERSHIRE,
            lists=[LIST],
            turned_down={(LIST, THERE): "Nobody of its staff lives there."},
            actor=OFFICER,
        )
        ending.write(session)
        facts = session.exec(select(AuditEvent.body).where(AuditEvent.kind == "application.approve")).one()

        assert {one.locality for one in made} == {HERE}
        assert application.turned_down == [[LIST, THERE, "Nobody of its staff lives there."]]
        assert "Nobody of its staff" not in str(facts)


@pytest.mark.parametrize(
    ("turned_down", "field"),
    [
        ({(LIST, HERE): "No.", (LIST, THERE): "No."}, "lists"),
        ({(LIST, HERE): " "}, "reason"),
        ({(LIST, "elsewhere"): "No."}, "turned_down"),
        ({("no-list", HERE): "No."}, "turned_down"),
    ],
)
def test_what_is_turned_down_is_asked_for_has_a_reason_and_leaves_something(
    database: Database, ports: Ports, turned_down: dict[tuple[str, str], str], field: str
) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        good_documents(session, ports, provider)
        application = submitted(session, ports, provider)

        with pytest.raises(BadInput) as refused:
            applications.approve(
                session, ports, application, scheme=WORCESTERSHIRE, lists=[LIST], turned_down=turned_down, actor=OFFICER
            )

    assert refused.value.field == field


def test_an_officer_with_a_tie_to_the_applicant_neither_approves_nor_refuses(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        good_documents(session, ports, provider)
        application = submitted(session, ports, provider)
        declare_interest(session, ports, provider=provider.ref, actor=OFFICER)

        with pytest.raises(NeedsSecondPerson):
            applications.approve(session, ports, application, scheme=WORCESTERSHIRE, lists=[LIST], actor=OFFICER)
        with pytest.raises(NeedsSecondPerson):
            applications.refuse(session, ports, application, scheme=WORCESTERSHIRE, because="No.", actor=OFFICER)


def test_an_application_that_breaks_a_shape_stays_as_it_was_handed_in(database: Database, ports: Ports) -> None:
    scheme = shaped(ListShape.SINGLE)
    with database.transaction() as session:
        holder, applicant = a_provider(session, ports, name="Holder"), a_provider(session, ports)
        membership.admit(
            session,
            ports,
            provider_id=id_of(holder),
            scheme=scheme,
            lists=["first"],
            lots=[lot.key for lot in scheme.lots],
            localities=[place.key for place in scheme.localities],
            actor=OFFICER,
        )
        good_documents(session, ports, applicant)
        application = submitted(session, ports, applicant)

        with pytest.raises(RuleNotMet):
            applications.approve(session, ports, application, scheme=scheme, lists=["first"], actor=OFFICER)

        assert application.state is ApplicationState.SUBMITTED
        assert application.decided_at is None
