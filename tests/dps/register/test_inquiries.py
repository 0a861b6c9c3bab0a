"""What officers ask applicants: one question at a time, while the application waits for its decision."""

import pytest
from sqlmodel import select

from dps.kernel import ending
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NeedsSecondPerson, NoSuchStep, NotFound
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.register import applications, desk, inquiries
from dps.register.interests import declare_interest
from tests.dps.register.builders import BROKER, OFFICER, WORCESTERSHIRE, a_provider, its_own
from tests.dps.register.test_applications import submitted

WHY = "Why do so many leave?"


def test_a_question_is_told_answered_once_and_stands_beside_the_application(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        application = submitted(session, ports, provider)
        own = its_own(provider)
        due = application.decide_by

        inquiries.inquire(session, ports, application, scheme=WORCESTERSHIRE, question=WHY, actor=OFFICER)
        waiting = inquiries.to_answer(session, actor=own)
        with pytest.raises(BadInput) as twice:
            inquiries.inquire(session, ports, application, scheme=WORCESTERSHIRE, question="And?", actor=OFFICER)
        inquiries.answer(session, ports, application, said="A large employer opened.\nIt is over.", actor=own)
        with pytest.raises(NotFound):
            inquiries.answer(session, ports, application, said="More.", actor=own)
        ending.write(session)
        told = session.exec(
            select(OutboxMessage.recipient, OutboxMessage.kind, OutboxMessage.about).where(
                OutboxMessage.kind != "application_to_decide"
            )
        ).all()
        facts = session.exec(select(AuditEvent.body).where(AuditEvent.stream == application.ref)).all()

        assert list(waiting) == [application.ref]
        assert twice.value.field == "question"
        assert [tuple(one) for one in told] == [(f"provider:{provider.ref}", "application_inquired", application.ref)]
        ((one),) = inquiries.inquiries_of(session, application)
        assert (one.question, one.answer) == (WHY, "A large employer opened.\nIt is over.")
        assert list(inquiries.to_answer(session, actor=own)) == []
        assert application.decide_by == due
        assert WHY not in str(facts)
        assert "employer" not in str(facts)


def test_the_list_of_what_waits_says_how_often_it_was_asked_and_answered(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider, other = a_provider(session, ports), a_provider(session, ports, name="Alder Care")
        application = submitted(session, ports, provider)
        submitted(session, ports, other)
        for number in range(2):
            inquiries.inquire(session, ports, application, scheme=WORCESTERSHIRE, question=WHY, actor=OFFICER)
            if not number:
                inquiries.answer(session, ports, application, said="So it is.", actor=its_own(provider))

        found = desk.to_decide(session, [WORCESTERSHIRE.key], actor=OFFICER)

        assert [(name, asked, answered) for _, name, asked, answered in found] == [
            (provider.name, 2, 1),
            ("Alder Care", 0, 0),
        ]


def test_nothing_is_asked_or_answered_once_it_is_decided(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        application = submitted(session, ports, provider)
        inquiries.inquire(session, ports, application, scheme=WORCESTERSHIRE, question=WHY, actor=OFFICER)
        applications.refuse(session, ports, application, scheme=WORCESTERSHIRE, because="No.", actor=OFFICER)

        with pytest.raises(NoSuchStep):
            inquiries.answer(session, ports, application, said="Because.", actor=its_own(provider))
        with pytest.raises(NoSuchStep):
            inquiries.inquire(session, ports, application, scheme=WORCESTERSHIRE, question="And?", actor=OFFICER)
        assert list(inquiries.to_answer(session, actor=its_own(provider))) == []


@pytest.mark.parametrize(
    ("actor", "refusal"),
    [
        (BROKER, Forbidden),
        (Actor(ref="USR-KENT", role=Role.REGISTER_OFFICER, authority="kent"), NotFound),
        (Actor(ref="USR-TIED", role=Role.REGISTER_OFFICER, authority=OFFICER.authority), NeedsSecondPerson),
    ],
)
def test_only_an_officer_of_the_scheme_without_a_tie_asks(
    database: Database, ports: Ports, actor: Actor, refusal: type[Exception]
) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        application = submitted(session, ports, provider)
        if refusal is NeedsSecondPerson:
            declare_interest(session, ports, provider=provider.ref, actor=actor)

        with pytest.raises(refusal):
            inquiries.inquire(session, ports, application, scheme=WORCESTERSHIRE, question=WHY, actor=actor)


def test_only_the_applicant_answers_and_says_something(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        application = submitted(session, ports, provider)
        inquiries.inquire(session, ports, application, scheme=WORCESTERSHIRE, question=WHY, actor=OFFICER)
        stranger = its_own(a_provider(session, ports, name="Alder Care"))

        for actor, said, refusal in (
            (stranger, "Ours.", NotFound),
            (OFFICER, "Its.", Forbidden),
            (its_own(provider), " \n", BadInput),
        ):
            with pytest.raises(refusal):
                inquiries.answer(session, ports, application, said=said, actor=actor)
