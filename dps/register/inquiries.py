"""What an officer asks an applicant before it decides, and what the applicant answers: one question at a time.

The council's clock runs on meanwhile, and an officer may decide without an answer. What is asked and answered stands
with the application for good.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import id_column, link_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.ports import Ports
from dps.register.applications import Application, ApplicationState
from dps.register.interests import refuse_tied
from dps.register.officers import needs_officer
from dps.register.providers import Provider, locked_provider
from dps.register.texts import words
from dps.schemes.model import Scheme


class Inquiry(SQLModel, table=True):
    """One question about an application, and its answer once there is one. Of an application at most one waits."""

    __tablename__ = "application_inquiry"
    __table_args__ = (
        Index(
            "uq_application_inquiry_waits",
            "application_id",
            unique=True,
            sqlite_where=text("answered_at IS NULL"),
            postgresql_where=text("answered_at IS NULL"),
        ),
    )

    id: int | None = id_column()
    application_id: int = link_column("application.id")
    question: str
    asked_at: datetime = utc_column()
    asked_by: str = Field(max_length=64)
    answer: str | None = Field(default=None)
    answered_at: datetime | None = utc_column(nullable=True)
    answered_by: str | None = Field(default=None, max_length=64)


def inquire(
    session: Session, ports: Ports, application: Application, *, scheme: Scheme, question: str, actor: Actor
) -> Inquiry:
    """Ask the applicant something; it is told. Refused while an earlier question waits, and once it is decided."""
    needs_officer(actor, scheme, "ask about an application")
    refuse_tied(session, actor, application.provider_ref, "ask about an application")
    asked = words(question, "question", "write what you want to know")
    now = _locked_undecided(session, ports, application)
    if _waiting(session, application) is not None:
        raise BadInput("the last question is not answered yet: wait for it, or decide without", field="question")
    inquiry = Inquiry(application_id=application.id or 0, question=asked, asked_at=now, asked_by=actor.ref)
    session.add(inquiry)
    session.flush()
    audit.append(session, application.stream, "application.inquire", actor, now, {"provider": application.provider_ref})
    outbox.post(
        session,
        ports.entropy,
        recipient=f"provider:{application.provider_ref}",
        kind="application_inquired",
        about=application.ref,
        now=now,
    )
    return inquiry


def answer(session: Session, ports: Ports, application: Application, *, said: str, actor: Actor) -> None:
    """The applicant answers the question that waits; what was answered is not changed any more."""
    actor.needs("answer about an application", Role.PROVIDER)
    actor.sees("application", application.ref, provider=application.provider_ref)
    answered = words(said, "answer", "write your answer")
    now = _locked_undecided(session, ports, application)
    inquiry = _waiting(session, application)
    if inquiry is None:
        raise NotFound(kind="question about application", ref=application.ref)
    inquiry.answer, inquiry.answered_at, inquiry.answered_by = answered, now, actor.ref
    session.flush()
    audit.append(session, application.stream, "application.answer", actor, now, {"provider": application.provider_ref})


# Queries


def inquiries_of(session: Session, application: Application) -> Sequence[Inquiry]:
    """What was asked about an application, for whoever may see it; the first first."""
    query = select(Inquiry).where(Inquiry.application_id == application.id).order_by(col(Inquiry.id))
    return session.exec(query).all()


def to_answer(session: Session, *, actor: Actor) -> Sequence[str]:
    """The undecided applications of the actor's provider about which a council waits for an answer."""
    actor.needs("see its applications", Role.PROVIDER)
    query = (
        select(Application.ref)
        .join(Inquiry, col(Inquiry.application_id) == col(Application.id))
        .join(Provider, col(Provider.id) == col(Application.provider_id))
        .where(
            Provider.ref == actor.provider,
            Application.state == ApplicationState.SUBMITTED,
            col(Inquiry.answered_at).is_(None),
        )
        .order_by(col(Application.id))
    )
    return session.exec(query).all()


def _locked_undecided(session: Session, ports: Ports, application: Application) -> datetime:
    """Provider and application locked, in this order; refused unless it waits for a decision. The clock after it."""
    locked_provider(session, application.provider_id)
    locked_one(session, Application, application.id)
    Application.STEPS.step(application.state, "refuse", application.ref)
    return ports.clock.read(session)


def _waiting(session: Session, application: Application) -> Inquiry | None:
    query = select(Inquiry).where(Inquiry.application_id == application.id, col(Inquiry.answered_at).is_(None))
    return session.exec(query).first()
