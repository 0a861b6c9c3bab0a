"""The co-review: the provider agrees to what the council found of the outcomes, or contests it; an approver settles.

Unanswered findings stand once the scheme's days are over: the clock decides, nothing is recorded for it. Where the
scheme has no such days a finding stands at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import CheckConstraint, and_
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import Contract
from dps.contracts.outcomes import OutcomeReview, reviews_of
from dps.contracts.payment.outcome_budget import ProvenException
from dps.contracts.telling import tell_council, tell_provider
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import id_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, Conflict, NeedsSecondPerson, NotFound, RuleNotMet
from dps.kernel.ports import Ports
from dps.kernel.states import StateTable, advance
from dps.register.providers import Provider
from dps.schemes.model import Scheme


class AnswerState(StrEnum):
    AGREED = "agreed"
    CONTESTED = "contested"
    SETTLED = "settled"


_S = AnswerState

STEPS = StateTable(
    "outcome answer",
    _S.CONTESTED,
    (_S.CONTESTED, "agree", _S.AGREED, (Role.PROVIDER,)),
    (_S.CONTESTED, "settle", _S.SETTLED, (Role.APPROVER,)),
)


class OutcomeAnswer(SQLModel, table=True):
    """The provider's answer to one review, under the review's reference; agreement is born `agreed`.

    `met` and `exception` are what was settled; the review itself is never rewritten.
    """

    __tablename__ = "outcome_answer"
    __table_args__ = (CheckConstraint("(met IS NOT NULL) = (state = 'settled')", name="met_when_settled"),)

    STEPS: ClassVar[StateTable] = STEPS

    id: int | None = id_column()
    ref: str = ref_column()
    review_id: int = link_column("outcome_review.id", unique=True)
    state: AnswerState = state_column(AnswerState, index=False)
    answered_at: datetime = utc_column()
    answered_by: str = Field(max_length=64)
    met: int | None = whole_column(nullable=True)
    exception: str | None = Field(default=None, max_length=40)

    @property
    def stream(self) -> str:
        return self.ref


@dataclass(frozen=True, slots=True)
class Found:
    """What a review comes to: as the council found it, or as it was settled. `stands_from` None: it is contested."""

    ref: str
    last_day: date
    met: int
    agreed: int
    exception: ProvenException
    stands_from: date | None

    @property
    def are_met(self) -> bool:
        return self.met == self.agreed

    @property
    def is_failure(self) -> bool:
        """Not met, and not excused."""
        return not self.are_met and self.exception is not ProvenException.UNMET_EXCUSED

    def stands_on(self, day: date) -> bool:
        return self.stands_from is not None and self.stands_from <= day


def answer_review(
    session: Session, ports: Ports, *, review_ref: str, scheme: Scheme, agrees: bool, actor: Actor
) -> OutcomeAnswer:
    """The provider agrees to a review, or contests it within the scheme's days; who contested may still agree."""
    actor.needs("answer a review of outcomes", Role.PROVIDER)
    review, contract = _found(session, review_ref, actor)
    now = ports.clock.read(session)
    known = _answer(session, review)
    if known is not None:
        if not agrees:
            raise Conflict(review=review.ref)
        advance(session, known, "agree", actor, now, answered_at=now)
        return known
    if not agrees and now.astimezone(LONDON).date() >= _unanswered_from(review, scheme):
        raise RuleNotMet(reason="The days to contest this review are over: it stands.")
    answer = OutcomeAnswer(
        ref=review.ref,
        review_id=review.id or 0,
        state=_S.AGREED if agrees else _S.CONTESTED,
        answered_at=now,
        answered_by=actor.ref,
    )
    session.add(answer)
    session.flush()
    said = "agreed" if agrees else "contested"
    audit.append(session, answer.stream, f"outcome_answer.{said}", actor, now, {"contract": contract.ref})
    tell_council(session, ports, contract, f"outcomes_{said}", review.ref, now)
    return answer


def settle_review(
    session: Session,
    ports: Ports,
    *,
    review_ref: str,
    met: int,
    actor: Actor,
    exception: ProvenException = ProvenException.NONE,
) -> OutcomeAnswer:
    """An approver who did not make the review settles what the provider contests."""
    review, contract = _found(session, review_ref, actor)
    answer = _answer(session, review)
    if answer is None:
        raise RuleNotMet(reason="The provider has not contested this review.")
    if actor.ref == review.reviewed_by:
        raise NeedsSecondPerson(actor=actor.ref, step="settle this review")
    if not 0 <= met <= review.agreed:
        raise BadInput(f"{met} of {review.agreed} outcomes can't be met", field="met")
    now = ports.clock.read(session)
    facts = {"met": met, "exception": exception}
    advance(session, answer, "settle", actor, now, facts=facts, met=met, exception=exception.value)
    tell_provider(session, ports, contract, "outcomes_settled", review.ref, now)
    return answer


def findings(session: Session, contract: Contract, scheme: Scheme) -> list[Found]:
    """What each of the contract's reviews comes to, in the order of their days."""
    reviews = reviews_of(session, contract)
    answers = _answers(session, reviews)
    return [found(review, answers.get(review.id or 0), scheme) for review in reviews]


def found(review: OutcomeReview, answer: OutcomeAnswer | None, scheme: Scheme) -> Found:
    """A review and its answer, put together."""
    met, exception = review.met, review.exception
    stands_from: date | None = _unanswered_from(review, scheme)
    if answer is not None:
        stands_from = None if answer.state is _S.CONTESTED else answer.answered_at.astimezone(LONDON).date()
        if answer.met is not None:
            met, exception = answer.met, ProvenException(answer.exception or ProvenException.NONE)
    return Found(review.ref, review.last_day, met, review.agreed, exception, stands_from)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A review that waits for its provider: what was found stands from `stands_from` on."""

    review: str
    contract: str
    stands_from: date


def reviews_to_answer(session: Session, schemes: Iterable[Scheme], *, actor: Actor, today: date) -> list[Unanswered]:
    """Reviews of the actor's provider that nobody answered and that it may still contest, the first to stand first."""
    actor.needs("answer reviews of outcomes", Role.PROVIDER)
    rules = {one.key: one for one in schemes if one.enablement is not None}
    if not rules:
        return []
    days = max((one.enablement.answer_days for one in rules.values() if one.enablement), default=0)
    since = datetime.combine(today - timedelta(days=days + 1), time(0), tzinfo=LONDON)
    theirs = and_(
        col(Contract.id) == col(OutcomeReview.contract_id),
        col(Contract.provider) == actor.provider,
        col(Contract.scheme).in_(rules),
    )
    # Joined from without, reviews are looked for first, by their own index; else SQLite begins with all that a provider
    # ever served, for these few days.
    query = (
        select(OutcomeReview, Contract)
        .outerjoin(Contract, theirs)
        .outerjoin(OutcomeAnswer, col(OutcomeAnswer.review_id) == col(OutcomeReview.id))
        .where(col(OutcomeReview.reviewed_at) >= since, col(OutcomeAnswer.id).is_(None))
        .order_by(col(OutcomeReview.reviewed_at), col(OutcomeReview.id))
    )
    waiting = [
        Unanswered(review.ref, contract.ref, _unanswered_from(review, rules[contract.scheme]))
        for review, contract in session.exec(query)
        if contract is not None
    ]
    return sorted((one for one in waiting if today < one.stands_from), key=lambda one: (one.stands_from, one.review))


def contested_reviews(session: Session, *, actor: Actor) -> list[tuple[OutcomeReview, Contract, str]]:
    """What providers contest of the actor's authority, with the provider's name: the first contested first."""
    actor.needs("look at contested reviews", Role.BROKER, Role.APPROVER)
    query = (
        select(OutcomeReview, Contract, Provider.name)
        .join(OutcomeAnswer, col(OutcomeAnswer.review_id) == col(OutcomeReview.id))
        .join(Contract, col(Contract.id) == col(OutcomeReview.contract_id))
        .join(Provider, col(Provider.ref) == col(Contract.provider))
        .where(Contract.authority == actor.authority, col(OutcomeAnswer.state) == _S.CONTESTED)
        .order_by(col(OutcomeAnswer.answered_at), col(OutcomeAnswer.id))
    )
    return list(session.exec(query).all())


def contract_of_review(session: Session, ref: str, *, actor: Actor) -> Contract:
    """The contract that a review is about; NotFound for another provider or authority."""
    return _known(session, ref, actor)[1]


def _unanswered_from(review: OutcomeReview, scheme: Scheme) -> date:
    """From which day a review stands that nobody answered."""
    days = scheme.enablement.answer_days if scheme.enablement else 0
    return review.reviewed_at.astimezone(LONDON).date() + timedelta(days=days)


def _found(session: Session, ref: str, actor: Actor) -> tuple[OutcomeReview, Contract]:
    """The review and its contract, which is locked; NotFound for another provider or authority."""
    review, contract = _known(session, ref, actor)
    return review, locked_one(session, Contract, contract.id)


def _known(session: Session, ref: str, actor: Actor) -> tuple[OutcomeReview, Contract]:
    review = session.exec(select(OutcomeReview).where(OutcomeReview.ref == ref)).first()
    contract = session.get(Contract, review.contract_id) if review else None
    if review is None or contract is None:
        raise NotFound(kind="review", ref=ref)
    actor.sees("review", ref, authority=contract.authority, provider=contract.provider)
    return review, contract


def _answer(session: Session, review: OutcomeReview) -> OutcomeAnswer | None:
    return session.exec(select(OutcomeAnswer).where(OutcomeAnswer.review_id == review.id)).first()


def _answers(session: Session, reviews: Sequence[OutcomeReview]) -> dict[int, OutcomeAnswer]:
    query = select(OutcomeAnswer).where(col(OutcomeAnswer.review_id).in_([review.id for review in reviews]))
    return {answer.review_id: answer for answer in session.exec(query.order_by(col(OutcomeAnswer.id)))}
