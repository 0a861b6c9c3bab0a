"""Quality recognition: each provider's published score with its history and appeal.

A score is published for a period and never rewritten. Under appeal it does not count: the one before does, so that
nobody loses by asking. What a commissioner corrects is counted anew and published as another score.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.quality.evidence import Evidence, evidence
from dps.contracts.quality.formula import score
from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, json_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NeedsSecondPerson, NotFound, RuleNotMet
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.register.interests import refuse_tied
from dps.register.membership import Membership, MembershipState
from dps.schemes.loader import rule_hash
from dps.schemes.model import Scheme
from dps.schemes.quality import Recognition


class ScoreState(StrEnum):
    PUBLISHED = "published"
    APPEALED = "appealed"
    CONFIRMED = "confirmed"
    CORRECTED = "corrected"


_S = ScoreState

STEPS = StateTable(
    "quality score",
    _S.PUBLISHED,
    (_S.PUBLISHED, "appeal", _S.APPEALED, (Role.PROVIDER,)),
    (_S.APPEALED, "confirm", _S.CONFIRMED, (Role.COMMISSIONER,)),
    (_S.APPEALED, "correct", _S.CORRECTED, (Role.COMMISSIONER,)),
)

COUNTING = (_S.PUBLISHED, _S.CONFIRMED)


class AppealReason(StrEnum):
    """What a provider says is wrong; words would name people."""

    OUTCOMES = "outcomes"
    VISIT_RECORDS = "visit_records"
    COMPLAINT_NOT_OURS = "complaint_not_ours"
    HAND_BACK_NOT_OURS = "hand_back_not_ours"


class QualityScore(SQLModel, table=True):
    """One provider's score for `first_day` to `last_day`, with its counts and parts, by the rules of `rule_hash`."""

    __tablename__ = "quality_score"
    __table_args__ = (
        CheckConstraint("score BETWEEN 0 AND 100", name="score_of_100"),
        Index("ix_quality_score_scheme", "scheme", "provider"),
    )

    STEPS: ClassVar[StateTable] = STEPS

    id: int | None = id_column()
    ref: str = ref_column()
    scheme: str = Field(max_length=40)
    provider: str = Field(max_length=24)
    authority: str = Field(max_length=40)
    state: ScoreState = state_column(ScoreState, index=False)
    first_day: date = day_column()
    last_day: date = day_column()
    score: int = whole_column()
    counts: Any = json_column()
    parts: Any = json_column()
    rule_hash: str = Field(max_length=64)
    published_at: datetime = utc_column()
    published_by: str = Field(max_length=64)
    appeal_reason: str | None = Field(default=None, max_length=40)

    @property
    def stream(self) -> str:
        return self.ref


def publish_scores(
    session: Session, ports: Ports, *, scheme: Scheme, last_day: date, actor: Actor
) -> list[QualityScore]:
    """Score every member of the scheme for the weeks up to `last_day`, which is past; who was scored to it is left out.

    Each provider is told its score and how it came about.
    """
    actor.needs("publish quality scores", Role.COMMISSIONER)
    rule = _rule(scheme)
    _refuse_stranger(scheme, actor)
    now = ports.clock.read(session)
    if last_day >= now.astimezone(LONDON).date():
        raise BadInput("a score is of days that are past", field="last_day")
    known = {one.provider for one in _history(session, scheme.key) if one.last_day == last_day}
    counted = _counts(session, scheme, rule, last_day, now)
    return [
        _publish(session, ports, scheme, provider, counted.get(provider, Evidence()), last_day, actor, now)
        for provider in _members(session, scheme.key)
        if provider not in known
    ]


def appeal(
    session: Session, ports: Ports, *, score_ref: str, scheme: Scheme, reason: AppealReason, actor: Actor
) -> QualityScore:
    """The provider appeals in time: the score before counts until a commissioner has looked."""
    row = _locked(session, score_ref, scheme, actor)
    now = ports.clock.read(session)
    row.STEPS.step(row.state, "appeal", row.ref)
    until = appeal_until(scheme, row)
    if now >= until:
        raise RuleNotMet(reason=f"This score could be appealed until {until.astimezone(LONDON):%d %B %Y}.")
    advance(session, row, "appeal", actor, now, appeal_reason=reason.value, facts={"reason": reason})
    _tell(session, ports, f"authority:{row.authority}", "score_appealed", row, now)
    return row


def decide_appeal(
    session: Session, ports: Ports, *, score_ref: str, scheme: Scheme, is_right: bool, actor: Actor
) -> QualityScore:
    """A commissioner who did not publish the score confirms it, or has it counted again from what is on record now."""
    row = _locked(session, score_ref, scheme, actor)
    refuse_tied(session, actor, row.provider, "decide this appeal")
    if actor.ref == row.published_by:
        raise NeedsSecondPerson(actor=actor.ref, step="decide this appeal")
    now = ports.clock.read(session)
    if not is_right:
        advance(session, row, "confirm", actor, now)
        _tell(session, ports, f"provider:{row.provider}", "score_confirmed", row, now)
        return row
    advance(session, row, "correct", actor, now)
    counted = _counts(session, scheme, _rule(scheme), row.last_day, now).get(row.provider, Evidence())
    return _publish(session, ports, scheme, row.provider, counted, row.last_day, actor, now)


def appeal_until(scheme: Scheme, row: QualityScore) -> datetime:
    """Until when, not included, its provider may appeal."""
    return row.published_at + timedelta(days=_rule(scheme).appeal_days)


def score_of(session: Session, ref: str, *, actor: Actor, scheme: str | None = None) -> QualityScore:
    """One score, of this scheme where one is named; NotFound for another provider."""
    row = session.exec(select(QualityScore).where(QualityScore.ref == ref)).first()
    if row is None or scheme not in (None, row.scheme):
        raise NotFound(kind="score", ref=ref)
    actor.sees("score", ref, provider=row.provider)
    return row


def scores_in_force(
    session: Session, scheme: str, *, at: datetime, providers: Collection[str] | None = None
) -> dict[str, int]:
    """By provider the score that counts at `at`: the latest that is neither under appeal nor corrected."""
    named: dict[str, Any] = {"scheme": scheme, "at": at}
    query = _IN_FORCE
    if providers is not None:
        query, named = _IN_FORCE_OF_SOME, named | {"providers": list(providers)}
    # In order of publication: the last one stays.
    return {provider: int(points) for provider, points in session.execute(query, named)}


def score_or_usual(scheme: Scheme, scores: Mapping[str, int], provider: str) -> int:
    """A provider's score, or what one without evidence scores; 0 where the scheme scores nobody."""
    return scores.get(provider, scheme.recognition.without_evidence) if scheme.recognition else 0


def history(session: Session, *, scheme: str, actor: Actor, provider: str | None = None) -> Sequence[QualityScore]:
    """Every score published, the first one first: the council's of all providers, a provider's own alone."""
    rows = _history(session, scheme)
    only = actor.provider if actor.role is Role.PROVIDER else provider
    return [row for row in rows if only is None or row.provider == only]


_PLAIN = (
    sa.select(col(QualityScore.provider), col(QualityScore.score))
    .where(
        col(QualityScore.scheme) == sa.bindparam("scheme"),
        col(QualityScore.state).in_(COUNTING),
        col(QualityScore.published_at) <= sa.bindparam("at", type_=QualityScore.__table__.c.published_at.type),  # type: ignore[attr-defined]
    )
    .order_by(col(QualityScore.last_day), col(QualityScore.id))
)
_IN_FORCE = _PLAIN
_IN_FORCE_OF_SOME = _PLAIN.where(col(QualityScore.provider).in_(sa.bindparam("providers", expanding=True)))


def _rule(scheme: Scheme) -> Recognition:
    if scheme.recognition is None:
        raise RuleNotMet(reason=f"{scheme.name} recognises no quality ([recognition]).")
    return scheme.recognition


def _refuse_stranger(scheme: Scheme, actor: Actor) -> None:
    if actor.authority is not None and actor.authority not in {body.key for body in scheme.authorities}:
        raise NotFound(kind="scheme", ref=scheme.key)


def _counts(session: Session, scheme: Scheme, rule: Recognition, last_day: date, now: datetime) -> dict[str, Evidence]:
    today = now.astimezone(LONDON).date()
    return evidence(session, scheme, first=_first_day(rule, last_day), last=last_day, as_of=today)


def _first_day(rule: Recognition, last_day: date) -> date:
    return last_day - timedelta(weeks=rule.weeks) + timedelta(days=1)


def _publish(
    session: Session,
    ports: Ports,
    scheme: Scheme,
    provider: str,
    counts: Evidence,
    last_day: date,
    actor: Actor,
    now: datetime,
) -> QualityScore:
    rule = _rule(scheme)
    scored = score(rule, counts)
    row = QualityScore(
        ref=new_reference(Kind.SCORE, ports.entropy),
        scheme=scheme.key,
        provider=provider,
        authority=actor.authority or scheme.authorities[0].key,
        state=_S.PUBLISHED,
        first_day=_first_day(rule, last_day),
        last_day=last_day,
        score=scored.score,
        counts=counts.counts(),
        parts=[part.to_dict() for part in scored.parts],
        rule_hash=rule_hash(scheme),
        published_at=now,
        published_by=actor.ref,
    )
    session.add(row)
    session.flush()
    facts = {"provider": provider, "score": row.score, "last_day": last_day.isoformat(), "rule_hash": row.rule_hash}
    audit.append(session, row.stream, "quality_score.published", actor, now, facts)
    _tell(session, ports, f"provider:{provider}", "score_published", row, now)
    return row


def _members(session: Session, scheme: str) -> list[str]:
    query = select(Membership.provider_ref).where(
        Membership.scheme == scheme, Membership.state != MembershipState.REMOVED
    )
    return list(session.exec(query.distinct().order_by(col(Membership.provider_ref))))


def _history(session: Session, scheme: str) -> Sequence[QualityScore]:
    return session.exec(select(QualityScore).where(QualityScore.scheme == scheme).order_by(col(QualityScore.id))).all()


def _locked(session: Session, ref: str, scheme: Scheme, actor: Actor) -> QualityScore:
    known = score_of(session, ref, scheme=scheme.key, actor=actor)
    _refuse_stranger(scheme, actor)
    return locked_one(session, QualityScore, known.id)


def _tell(session: Session, ports: Ports, recipient: str, kind: str, row: QualityScore, now: datetime) -> None:
    outbox.post(session, ports.entropy, recipient=recipient, kind=kind, about=row.ref, now=now)
