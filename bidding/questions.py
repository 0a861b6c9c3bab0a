"""Questions about a package before its round closes: asked by one who was invited, answered to all invited at once.

Nobody learns who asked: not the others, not the broker who answers. Before an answer goes out the broker may put the
question in other words, because its own may name who asked. Question and answer may speak of the person, so both are
kept under the person's key (law 7). An answer that changes what is asked for is an amendment, and made as one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlmodel import Field, Session, SQLModel, col, func, select

from bidding.referrals import Referral
from bidding.rounds import (
    InvitationState,
    Round,
    RoundState,
    current_round,
    invitation_of,
    invitations_of,
)
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import id_column, link_column, ref_column, state_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.errors import NotFound, Refused, TooLate
from dps.kernel.keys import Keyring
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.packages.remarks import Remark, said, words_of, write_remark

LONGEST = 1_000
MOST_UNANSWERED = 5
"""Of one provider about one package: more is a flood, not a question."""

_ASKED, _SHOWN, _ANSWER = "question", "question_shown", "answer"


class QuestionState(StrEnum):
    ASKED = "asked"
    ANSWERED = "answered"


class Question(SQLModel, table=True):
    """One question; its words are remarks about it. `asked_by` is a provider, shown to nobody."""

    __tablename__ = "question"
    STEPS: ClassVar[StateTable] = StateTable(
        "question",
        QuestionState.ASKED,
        (QuestionState.ASKED, "answer", QuestionState.ANSWERED, (Role.BROKER,)),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    referral_id: int = link_column("referral.id")
    round_id: int = link_column("round.id", index=False)
    asked_by: str = Field(max_length=24)
    state: QuestionState = state_column(QuestionState, index=False)
    asked_at: datetime = utc_column()
    answered_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return self.ref


def ask(session: Session, ports: Ports, *, round_ref: str, words: str, actor: Actor) -> str:
    """Ask about the package of an open round; returns the question's reference. TooLate once the round has closed."""
    actor.needs("ask a question", Role.PROVIDER)
    written = said(words, what="question", longest=LONGEST)
    found = session.exec(select(Round).where(Round.ref == round_ref)).first()
    if found is None or actor.provider is None:
        raise NotFound(kind="round", ref=round_ref)
    invitation_of(session, found.id, actor.provider)
    round_ = locked_one(session, Round, found.id, shared=True)
    # The invitation's lock parts two questions of one provider, so that they are counted one after the other.
    invitation_of(session, round_.id, actor.provider, lock=True)
    now = ports.clock.read(session)
    if round_.state is not RoundState.PUBLISHED or (round_.closes_at is not None and now >= round_.closes_at):
        raise TooLate(closes_at=round_.closes_at or now, now=now)
    _refuse_flood(session, round_.referral_id, actor.provider)
    referral = session.get(Referral, round_.referral_id)
    assert referral is not None
    question = Question(
        ref=new_reference(Kind.QUESTION, ports.entropy),
        referral_id=round_.referral_id,
        round_id=round_.id or 0,
        asked_by=actor.provider,
        state=QuestionState.ASKED,
        asked_at=now,
    )
    session.add(question)
    session.flush()
    facts = _write(session, ports, referral, question, _ASKED, written, actor, now)
    audit.append(session, question.stream, "question.ask", actor, now, {"referral": referral.ref, **facts})
    recipient = f"authority:{referral.authority}"
    post(session, ports.entropy, recipient=recipient, kind="question_asked", about=referral.ref, now=now)
    return question.ref


def answer(session: Session, ports: Ports, *, question_ref: str, shown: str, words: str, actor: Actor) -> None:
    """Answer to everybody invited, in one transaction; `shown` is the question as the others read it."""
    actor.needs("answer a question", Role.BROKER)
    as_shown = said(shown, what="question", longest=LONGEST)
    written = said(words, what="answer", longest=LONGEST)
    question, referral = _known(session, question_ref, actor)
    now = ports.clock.read(session)
    facts = _write(session, ports, referral, question, _SHOWN, as_shown, actor, now)
    told = _write(session, ports, referral, question, _ANSWER, written, actor, now)
    both = {"referral": referral.ref, "shown": facts["remark"], "answer": told["remark"], **told}
    advance(session, question, "answer", actor, now, answered_at=now, facts=both)
    round_ = current_round(session, referral.id)
    if round_ is None or round_.state is not RoundState.PUBLISHED:
        return
    for invitation in invitations_of(session, round_.id):
        if invitation.state in (InvitationState.INVITED, InvitationState.DECLINED, InvitationState.ACCEPTED):
            recipient = f"provider:{invitation.provider}"
            post(session, ports.entropy, recipient=recipient, kind="question_answered", about=round_.ref, now=now)


# Queries


@dataclass(frozen=True, slots=True)
class SeenQuestion:
    """A question as somebody may read it; words are None once the person is erased."""

    ref: str
    asked_at: datetime
    answered_at: datetime | None
    question: str | None
    answer: str | None
    is_own: bool


def questions_of_round(session: Session, keyring: Keyring, *, round_ref: str, actor: Actor) -> list[SeenQuestion]:
    """To a provider that was invited: what was answered about this package, and its own that waits."""
    round_ = session.exec(select(Round).where(Round.ref == round_ref)).first()
    if round_ is None or actor.provider is None:
        raise NotFound(kind="round", ref=round_ref)
    invitation_of(session, round_.id, actor.provider)
    return [
        _seen(row, _words(keyring, person, words), is_own=row.asked_by == actor.provider)
        for row, person, words in _with_words(session, round_.referral_id)
        if row.state is QuestionState.ANSWERED or row.asked_by == actor.provider
    ]


def questions_of_referral(session: Session, keyring: Keyring, *, referral_ref: str, actor: Actor) -> list[SeenQuestion]:
    """To a broker: every question about this referral, those that wait first; never who asked."""
    referral = session.exec(select(Referral).where(Referral.ref == referral_ref)).first()
    if referral is None:
        raise NotFound(kind="referral", ref=referral_ref)
    actor.sees("referral", referral_ref, authority=referral.authority)
    found = [
        _seen(row, _words(keyring, person, words), is_own=False)
        for row, person, words in _with_words(session, referral.id or 0)
    ]
    return sorted(found, key=lambda one: (one.answered_at is not None, one.asked_at, one.ref))


def waiting_about(session: Session, referral_ref: str) -> int:
    """How many questions about this referral nobody has answered."""
    query = (
        select(func.count())
        .join(Referral, col(Referral.id) == col(Question.referral_id))
        .where(Referral.ref == referral_ref, Question.state == QuestionState.ASKED)
    )
    return session.exec(query.select_from(Question)).one()


def referral_of_question(session: Session, question_ref: str, actor: Actor) -> str:
    """The referral that a question is about, to its own authority."""
    return _known(session, question_ref, actor)[1].ref


def _words(keyring: Keyring, person: Person, words: Sequence[Remark]) -> dict[str, str | None]:
    """What was written, by step."""
    return {remark.step: words_of(keyring, person, remark) for remark in words}


def _seen(row: Question, words: Mapping[str, str | None], *, is_own: bool) -> SeenQuestion:
    asked = words.get(_SHOWN if row.state is QuestionState.ANSWERED else _ASKED)
    return SeenQuestion(
        ref=row.ref,
        asked_at=row.asked_at,
        answered_at=row.answered_at,
        question=asked,
        answer=words.get(_ANSWER),
        is_own=is_own,
    )


def _with_words(session: Session, referral_id: int) -> list[tuple[Question, Person, list[Remark]]]:
    query = (
        select(Question, Person, Remark)
        .join(Referral, col(Referral.id) == col(Question.referral_id))
        .join(Package, col(Package.id) == col(Referral.package_id))
        .join(Person, col(Person.id) == col(Package.person_id))
        .join(Remark, col(Remark.about) == col(Question.ref))
        .where(Question.referral_id == referral_id)
        .order_by(col(Question.id), col(Remark.id))
    )
    found: dict[int, tuple[Question, Person, list[Remark]]] = {}
    for question, person, remark in session.exec(query):
        found.setdefault(question.id or 0, (question, person, []))[2].append(remark)
    return list(found.values())


def _known(session: Session, ref: str, actor: Actor) -> tuple[Question, Referral]:
    found = session.exec(
        select(Question, Referral)
        .join(Referral, col(Referral.id) == col(Question.referral_id))
        .where(Question.ref == ref)
    ).first()
    if found is None:
        raise NotFound(kind="question", ref=ref)
    actor.sees("question", ref, authority=found[1].authority)
    return found


def _refuse_flood(session: Session, referral_id: int, provider: str) -> None:
    waiting = select(func.count()).where(
        Question.referral_id == referral_id, Question.asked_by == provider, Question.state == QuestionState.ASKED
    )
    if session.exec(waiting).one() >= MOST_UNANSWERED:
        raise Refused(reason=f"{MOST_UNANSWERED} of your questions about this package wait for an answer")


def _write(
    session: Session,
    ports: Ports,
    referral: Referral,
    question: Question,
    step: str,
    words: str,
    actor: Actor,
    now: datetime,
) -> dict[str, str]:
    package = session.get(Package, referral.package_id)
    assert package is not None
    remark = write_remark(
        session,
        ports.keyring,
        ports.entropy,
        package,
        about=question.ref,
        step=step,
        words=words,
        actor=actor,
        now=now,
    )
    return remark.facts
