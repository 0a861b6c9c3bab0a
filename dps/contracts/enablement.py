"""A provider that consistently fails the outcomes of requests with a budget is asked for no more of them, for a while.

The scheme says what consistent failure is. The register's officer gives notice; the provider may challenge it, which
holds it off until a commissioner, another person, decides. What keeps the provider out is a suspension of the register
for the lots with a budget, from the notice's end on, so that nothing needs a rule of its own to honour it.
Source: Cornwall's bidders' paper, 2017.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.answers import Found, OutcomeAnswer, found
from dps.contracts.contracts import Contract
from dps.contracts.outcomes import OutcomeReview
from dps.kernel import audit, outbox
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import id_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import find_all, locked_one
from dps.kernel.errors import Conflict, NeedsSecondPerson, NotFound, RuleNotMet
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.packages.packages import Package
from dps.register.interests import refuse_tied
from dps.register.officers import needs_officer
from dps.register.providers import Provider, locked_provider
from dps.register.suspensions import RunningContracts, Suspension, SuspensionScope, lift, suspend, suspension_of
from dps.schemes.model import Scheme
from dps.schemes.quality import Enablement

_ENGINE = Actor(ref=CLOCK.ref, role=Role.REGISTER_OFFICER)
"""Imposes and lifts what another's decision about a bar entails."""


class ChallengeReason(StrEnum):
    """Why a provider challenges its notice; words would name people."""

    OUTCOMES_WERE_MET = "outcomes_were_met"
    NEEDS_CHANGED = "needs_changed"
    PERSON_AWAY = "person_away"
    RECORDS_ARE_WRONG = "records_are_wrong"


class BarState(StrEnum):
    NOTICED = "noticed"
    CHALLENGED = "challenged"
    UPHELD = "upheld"
    WITHDRAWN = "withdrawn"


_S = BarState

STEPS = StateTable(
    "enablement bar",
    _S.NOTICED,
    (_S.NOTICED, "challenge", _S.CHALLENGED, (Role.PROVIDER,)),
    (_S.NOTICED, "withdraw", _S.WITHDRAWN, (Role.REGISTER_OFFICER,)),
    (_S.CHALLENGED, "uphold", _S.UPHELD, (Role.COMMISSIONER,)),
    (_S.CHALLENGED, "withdraw", _S.WITHDRAWN, (Role.COMMISSIONER,)),
)


class EnablementBar(SQLModel, table=True):
    """One notice. `failed` of `of` requests were failed when it was given; `suspension` is what it imposed last."""

    __tablename__ = "enablement_bar"

    STEPS: ClassVar[StateTable] = STEPS

    id: int | None = id_column()
    ref: str = ref_column()
    provider_id: int = link_column("provider.id")
    provider: str = Field(max_length=24)
    authority: str = Field(max_length=40)
    scheme: str = Field(max_length=40)
    state: BarState = state_column(BarState, index=False)
    failed: int = whole_column()
    of: int = whole_column()
    noticed_at: datetime = utc_column()
    noticed_by: str = Field(max_length=64)
    challenge_by: datetime = utc_column()
    reason: str | None = Field(default=None, max_length=40)
    suspension: str = Field(max_length=24)

    @property
    def stream(self) -> str:
        return self.ref


@dataclass(frozen=True, slots=True)
class Record:
    """How a provider did on its last requests with a budget, the latest first."""

    provider: str
    requests: tuple[Found, ...]

    @property
    def failed(self) -> int:
        return sum(one.is_failure for one in self.requests)


def fails_consistently(rule: Enablement, record: Record) -> bool:
    """Whether so many of the last requests failed; fewer requests than the rule looks at can be enough."""
    return record.failed >= rule.failures


def records(session: Session, scheme: Scheme, *, today: date) -> list[Record]:
    """Each provider's last requests, as many as the rule looks at: the standing findings, in order of provider.

    Those reviewed until a provider's last notice do not count again.
    """
    rule = _rule(scheme)
    query = (
        select(Contract.provider, OutcomeReview, OutcomeAnswer)
        .join(OutcomeReview, col(OutcomeReview.contract_id) == col(Contract.id))
        .join(Package, col(Package.id) == col(Contract.package_id))
        .join(OutcomeAnswer, col(OutcomeAnswer.review_id) == col(OutcomeReview.id), isouter=True)
        .where(Contract.scheme == scheme.key, col(Package.budget_pence).is_not(None))
        .order_by(col(OutcomeReview.last_day).desc(), col(OutcomeReview.id).desc())
    )
    since = _last_barred(session, scheme)
    by_provider: dict[str, dict[int, Found]] = {}
    for provider, review, answer in session.exec(query):
        one = found(review, answer, scheme)
        if not one.stands_on(today) or (provider in since and review.reviewed_at <= since[provider]):
            continue
        # Of several reviews of one contract the latest counts, which comes first.
        by_provider.setdefault(provider, {}).setdefault(review.contract_id, one)
    return [
        Record(provider, tuple(requests.values())[: rule.of_last]) for provider, requests in sorted(by_provider.items())
    ]


def give_notice(session: Session, ports: Ports, *, provider_id: int, scheme: Scheme, actor: Actor) -> EnablementBar:
    """Tell a provider that fails consistently that it will be asked for no more such requests; RuleNotMet otherwise."""
    needs_officer(actor, scheme, "give notice to a failing provider")
    rule = _rule(scheme)
    provider = locked_provider(session, provider_id)
    refuse_tied(session, actor, provider.ref, "give notice to a failing provider")
    now = ports.clock.read(session)
    if _open_bar(session, provider, scheme) is not None:
        raise Conflict(provider=provider.ref)
    today = now.astimezone(LONDON).date()
    record = next((one for one in records(session, scheme, today=today) if one.provider == provider.ref), None)
    failed, of = (record.failed, len(record.requests)) if record else (0, 0)
    if record is None or not fails_consistently(rule, record):
        raise RuleNotMet(
            reason=f"{failed} of its last {of} requests failed: the rule is {rule.failures} of {rule.of_last}."
        )
    starts_at = now + timedelta(days=rule.notice_days)
    bar = EnablementBar(
        ref=new_reference(Kind.BAR, ports.entropy),
        provider_id=provider_id,
        provider=provider.ref,
        authority=actor.authority or scheme.authorities[0].key,
        scheme=scheme.key,
        state=_S.NOTICED,
        failed=failed,
        of=of,
        noticed_at=now,
        noticed_by=actor.ref,
        challenge_by=now + timedelta(days=rule.challenge_days),
        suspension=_impose(session, ports, provider_id, scheme, rule, starts_at, starts_at=starts_at),
    )
    session.add(bar)
    session.flush()
    facts = {"provider": provider.ref, "failed": failed, "of": of, "suspension": bar.suspension}
    audit.append(session, bar.stream, "enablement_bar.notice", actor, now, facts)
    _tell(session, ports, f"provider:{bar.provider}", "enablement_notice", bar, now)
    return bar


def challenge(
    session: Session, ports: Ports, *, bar_ref: str, scheme: Scheme, reason: ChallengeReason, actor: Actor
) -> EnablementBar:
    """The provider challenges its notice in time: it is held off until a commissioner decides."""
    bar = _locked(session, bar_ref, scheme, actor)
    now = ports.clock.read(session)
    bar.STEPS.step(bar.state, "challenge", bar.ref)
    if now >= bar.challenge_by:
        raise RuleNotMet(reason=f"The notice could be challenged until {bar.challenge_by:%d %B %Y}.")
    advance(session, bar, "challenge", actor, now, reason=reason.value, facts={"reason": reason})
    _lift(session, ports, bar, scheme)
    _tell(session, ports, f"authority:{bar.authority}", "enablement_challenged", bar, now)
    return bar


def uphold(session: Session, ports: Ports, *, bar_ref: str, scheme: Scheme, actor: Actor) -> EnablementBar:
    """A commissioner who did not give the notice finds it right: the provider is out from now on."""
    bar = _locked(session, bar_ref, scheme, actor)
    refuse_tied(session, actor, bar.provider, "decide this challenge")
    if actor.ref == bar.noticed_by:
        raise NeedsSecondPerson(actor=actor.ref, step="decide this challenge")
    now = ports.clock.read(session)
    bar.STEPS.step(bar.state, "uphold", bar.ref)
    suspension = _impose(session, ports, bar.provider_id, scheme, _rule(scheme), now, starts_at=None)
    advance(session, bar, "uphold", actor, now, suspension=suspension)
    _tell(session, ports, f"provider:{bar.provider}", "enablement_upheld", bar, now)
    return bar


def withdraw_notice(session: Session, ports: Ports, *, bar_ref: str, scheme: Scheme, actor: Actor) -> EnablementBar:
    """The notice comes to nothing: its officer takes it back, or a commissioner finds the challenge right."""
    bar = _locked(session, bar_ref, scheme, actor)
    refuse_tied(session, actor, bar.provider, "withdraw this notice")
    if bar.state is _S.CHALLENGED and actor.ref == bar.noticed_by:
        raise NeedsSecondPerson(actor=actor.ref, step="decide this challenge")
    now = ports.clock.read(session)
    was_noticed = bar.state is _S.NOTICED
    advance(session, bar, "withdraw", actor, now)
    if was_noticed:
        _lift(session, ports, bar, scheme)
    _tell(session, ports, f"provider:{bar.provider}", "enablement_notice_withdrawn", bar, now)
    return bar


def bars(session: Session, *, scheme: str, actor: Actor) -> Sequence[EnablementBar]:
    """The scheme's notices, the first one first; a provider's own alone."""
    query = select(EnablementBar).where(EnablementBar.scheme == scheme)
    if actor.role is Role.PROVIDER:
        query = query.where(EnablementBar.provider == actor.provider)
    return session.exec(query.order_by(col(EnablementBar.id))).all()


def notices_to_challenge(session: Session, *, actor: Actor, now: datetime) -> Sequence[EnablementBar]:
    """The notices of the actor's provider that it may still challenge, the first to stand first."""
    actor.needs("challenge a notice", Role.PROVIDER)
    query = select(EnablementBar).where(
        EnablementBar.provider == actor.provider,
        EnablementBar.state == _S.NOTICED,
        col(EnablementBar.challenge_by) > now,
    )
    return session.exec(query.order_by(col(EnablementBar.challenge_by), col(EnablementBar.id))).all()


def kept_from(session: Session, seen: Sequence[EnablementBar]) -> dict[str, tuple[datetime, datetime | None]]:
    """By notice: from when until when its provider gets no request with a budget; one that keeps nobody is left out."""
    biting = {bar.suspension: bar.ref for bar in seen if bar.state in (_S.NOTICED, _S.UPHELD)}
    imposed = find_all(session, Suspension, ref=set(biting)) if biting else ()
    return {biting[one.ref]: (one.starts_at, one.ends_at) for one in imposed}


def bar_of(session: Session, ref: str, *, actor: Actor, scheme: str | None = None) -> EnablementBar:
    """One notice, of this scheme where one is named; NotFound for another provider."""
    known = session.exec(select(EnablementBar).where(EnablementBar.ref == ref)).first()
    if known is None or scheme not in (None, known.scheme):
        raise NotFound(kind="notice", ref=ref)
    actor.sees("notice", ref, provider=known.provider)
    return known


def _rule(scheme: Scheme) -> Enablement:
    if scheme.enablement is None:
        raise RuleNotMet(reason=f"{scheme.name} says nothing of failing consistently ([enablement]).")
    return scheme.enablement


def _last_barred(session: Session, scheme: Scheme) -> dict[str, datetime]:
    """When each provider was given the last notice that was not withdrawn."""
    query = select(EnablementBar).where(EnablementBar.scheme == scheme.key, EnablementBar.state != _S.WITHDRAWN)
    return {bar.provider: bar.noticed_at for bar in session.exec(query.order_by(col(EnablementBar.id)))}


def _open_bar(session: Session, provider: Provider, scheme: Scheme) -> EnablementBar | None:
    """A notice that is not decided: one more would say the same twice."""
    query = select(EnablementBar).where(
        EnablementBar.provider_id == provider.id,
        EnablementBar.scheme == scheme.key,
        EnablementBar.state == _S.CHALLENGED,
    )
    return session.exec(query.order_by(col(EnablementBar.id))).first()


def _locked(session: Session, ref: str, scheme: Scheme, actor: Actor) -> EnablementBar:
    known = bar_of(session, ref, scheme=scheme.key, actor=actor)
    if actor.authority is not None and actor.authority not in {body.key for body in scheme.authorities}:
        raise NotFound(kind="notice", ref=ref)
    locked_provider(session, known.provider_id)
    return locked_one(session, EnablementBar, known.id)


def _impose(
    session: Session,
    ports: Ports,
    provider_id: int,
    scheme: Scheme,
    rule: Enablement,
    counted_from: datetime,
    *,
    starts_at: datetime | None,
) -> str:
    """`starts_at` None is at once: the register reads the clock again, later than `counted_from` was read."""
    imposed = suspend(
        session,
        ports,
        provider_id=provider_id,
        scheme=scheme,
        scope=SuspensionScope.NEW_WORK,
        running_contracts=RunningContracts.CONTINUE,
        because="Consistently failed the outcomes of requests with a budget.",
        lots=[lot.key for lot in scheme.lots if lot.sets_budget],
        starts_at=starts_at,
        ends_at=counted_from + timedelta(weeks=rule.weeks),
        actor=_ENGINE,
    )
    return imposed.ref


def _lift(session: Session, ports: Ports, bar: EnablementBar, scheme: Scheme) -> None:
    imposed = suspension_of(session, bar.suspension, _ENGINE)
    lift(session, ports, imposed, scheme=scheme, because="The notice no longer stands.", actor=_ENGINE)


def _tell(session: Session, ports: Ports, recipient: str, kind: str, bar: EnablementBar, now: datetime) -> None:
    outbox.post(session, ports.entropy, recipient=recipient, kind=kind, about=bar.ref, now=now)
