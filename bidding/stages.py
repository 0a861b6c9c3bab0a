"""Opening a stage: assess everybody, store the answers, invite who is eligible, start the window.

The window starts now, when the invitations are committed, however late the sweep was that got here (law 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from bidding.asking import need_of
from bidding.closings import Closing, closing_for
from bidding.custody import custody_of, holders_of
from bidding.first_visit import move_passed_start
from bidding.in_play import usage
from bidding.inviting import invite, store_report
from bidding.referrals import Referral
from bidding.rounds import Invitation, Round, RoundState
from bidding.standing import candidates
from dps.kernel.actors import CLOCK
from dps.kernel.calendar import LONDON
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.kernel.windows import next_closing
from dps.packages.crowd import Grain, crowd_of
from dps.packages.packages import Package, free_text_of
from dps.packages.publication import published_part
from dps.schemes.model import Mode, Scheme, Stage
from dps.schemes.stored import rules_by_hash
from matching.eligibility import Assessment, assess_all

BLOCK_STAGE = "block-hours"
"""The key of a round in which unused hours of blocks are offered; no stage of a ladder has it."""
_CLOSES_TOGETHER = (Mode.SEALED_BID, Mode.ACCEPTANCE_WINDOW)


@dataclass(frozen=True, slots=True)
class _Plan:
    """When a stage ends, and with which others."""

    closes_at: datetime | None
    closing: Closing | None


def open_stage(
    session: Session, ports: Ports, referral: Referral, *, stage_no: int, predecessor: Round | None, now: datetime
) -> Round:
    """Make the round of this stage and invite. Where nobody is eligible the round is decided at once, as exhausted.

    Where it closes after the last day on which the first visit was wanted, other days are asked for (`first_visit`).
    """
    assert referral.rule_hash is not None
    scheme = rules_by_hash(session, referral.rule_hash)
    stage = referral.stages[stage_no]
    move_passed_start(session, ports, referral, now, by=ends_at(stage, scheme, now))
    package = session.get(Package, referral.package_id)
    assert package is not None
    assessments = _assess(session, referral, package, scheme, stage_no, now)
    invited = [assessment.provider for assessment in assessments if assessment.eligible]
    plan = _plan(session, ports, scheme, referral, package, stage, now) if invited else _Plan(None, None)
    round_ = Round(
        ref=new_reference(Kind.ROUND, ports.entropy),
        referral_id=referral.id or 0,
        closing_id=plan.closing.id if plan.closing else None,
        predecessor_id=predecessor.id if predecessor else None,
        cycle=referral.cycle,
        stage_no=stage_no,
        attempt=attempt_of(session, referral, stage_no),
        stage_key=stage.key,
        mode=stage.mode,
        scheme=scheme.key,
        rule_hash=referral.rule_hash,
        lot=package.lot,
        locality=package.locality,
        version=referral.version,
        state=RoundState.PLANNED,
        opens_at=now,
        closes_at=plan.closes_at,
        published_part=published_part_of(session, package, scheme, now),
    )
    session.add(round_)
    session.flush()
    store_report(session, round_, assessments, len(invited), now)
    if not invited:
        facts = {"outcome": "exhausted", "cause": "nobody was eligible", "referral": referral.ref}
        advance(session, round_, "skip", CLOCK, now, outcome="exhausted", facts=facts)
        return round_
    published = {
        "referral": referral.ref,
        "stage": stage.key,
        "closes_at": plan.closes_at.isoformat() if plan.closes_at else None,
        "closing": plan.closing.ref if plan.closing else None,
        "invited": len(invited),
    }
    advance(session, round_, "publish", CLOCK, now, facts=published)
    invite(session, ports, round_, package, scheme, stage, invited, now)
    return round_


def open_direct_round(session: Session, ports: Ports, referral: Referral, before: Round, now: datetime) -> Round:
    """A round without a competition, for an award that goes round it: the stage where the search stood is its place."""
    round_ = Round(
        ref=new_reference(Kind.ROUND, ports.entropy),
        referral_id=referral.id or 0,
        predecessor_id=before.id,
        cycle=referral.cycle,
        stage_no=before.stage_no,
        attempt=attempt_of(session, referral, before.stage_no),
        stage_key=before.stage_key,
        mode=Mode.DIRECT_AWARD,
        scheme=before.scheme,
        rule_hash=before.rule_hash,
        lot=before.lot,
        locality=before.locality,
        version=referral.version,
        state=RoundState.PLANNED,
        opens_at=now,
        published_part=before.published_part,
    )
    session.add(round_)
    session.flush()
    advance(session, round_, "publish", CLOCK, now, facts={"referral": referral.ref, "stage": round_.stage_key})
    return round_


def open_block_round(
    session: Session,
    ports: Ports,
    referral: Referral,
    package: Package,
    scheme: Scheme,
    stage_no: int,
    predecessor: Round | None,
    now: datetime,
) -> Round:
    """A round before this stage of the ladder, in which unused hours of blocks are offered."""
    assert referral.rule_hash is not None
    round_ = Round(
        ref=new_reference(Kind.ROUND, ports.entropy),
        referral_id=referral.id or 0,
        predecessor_id=predecessor.id if predecessor else None,
        cycle=referral.cycle,
        stage_no=stage_no,
        attempt=attempt_of(session, referral, stage_no),
        stage_key=BLOCK_STAGE,
        mode=Mode.DIRECT_AWARD,
        scheme=scheme.key,
        rule_hash=referral.rule_hash,
        lot=package.lot,
        locality=package.locality,
        version=referral.version,
        state=RoundState.PLANNED,
        opens_at=now,
        published_part=published_part_of(session, package, scheme, now),
    )
    session.add(round_)
    session.flush()
    advance(session, round_, "publish", CLOCK, now, facts={"referral": referral.ref, "stage": BLOCK_STAGE})
    return round_


def attempt_of(session: Session, referral: Referral, stage_no: int) -> int:
    """A stage that is asked again in the same cycle (after a hold, a direct award) is another attempt."""
    query = select(func.max(Round.attempt)).where(
        Round.referral_id == referral.id, Round.cycle == referral.cycle, Round.stage_no == stage_no
    )
    return (session.exec(query).one() or 0) + 1


def _assess(
    session: Session, referral: Referral, package: Package, scheme: Scheme, stage_no: int, now: datetime
) -> Sequence[Assessment]:
    need = need_of(session, referral, package, scheme, stage_no, now)
    if not referral.stages[stage_no].keeps_earlier:
        need = replace(need, asked_before=_asked_before(session, referral, stage_no))
    everybody = candidates(
        session,
        scheme,
        authority=referral.authority,
        at=now,
        lots=[package.lot],
        localities=sorted(need.reach),
        in_play=usage(session, scheme.key),
        start_week=package.latest_start,
    )
    return assess_all([need], everybody).by_need(need.ref)


def _asked_before(session: Session, referral: Referral, stage_no: int) -> frozenset[str]:
    """Who was called at an earlier stage of this cycle; whoever's turn never came was not asked."""
    query = (
        select(Invitation.provider)
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .where(
            Round.referral_id == referral.id,
            Round.cycle == referral.cycle,
            col(Round.stage_no) < stage_no,
            col(Invitation.invited_at).is_not(None),
        )
    )
    return frozenset(session.exec(query))


def _plan(
    session: Session, ports: Ports, scheme: Scheme, referral: Referral, package: Package, stage: Stage, now: datetime
) -> _Plan:
    """Rounds that close together get their closing; a ranked offer ends with its last answer, not at an instant."""
    assert referral.rule_hash is not None
    closes_at = ends_at(stage, scheme, now)
    if closes_at is None or stage.mode not in _CLOSES_TOGETHER:
        return _Plan(closes_at, None)
    rule = custody_of(package, scheme, stage.mode, closes_at.astimezone(LONDON).date())
    closing = closing_for(
        session,
        ports,
        scheme=scheme.key,
        rule_hash=referral.rule_hash,
        mode=stage.mode,
        closes_at=closes_at,
        # What custodians open waits for them: it closes alone, so that nobody else waits too.
        published=stage.closing == "published" and rule is None,
        now=now,
        holders=holders_of(session, scheme, rule),
        needed=rule.needed if rule else 0,
    )
    return _Plan(closes_at, closing)


def ends_at(stage: Stage, scheme: Scheme, now: datetime) -> datetime | None:
    """When a stage that is opened now closes; None where one is asked after another."""
    if stage.mode is Mode.RANKED_OFFER:
        return None
    if stage.closing == "published":
        return next_closing(now, scheme.closings.times, scheme.calendar(), stage.window)
    return stage.window.end(now, scheme.calendar())


def published_part_of(session: Session, package: Package, scheme: Scheme, now: datetime) -> dict[str, Any]:
    """What providers see of a package, but for the confirmed words: those stay under the person's key (`shown`)."""
    query = (
        select(Round.published_part)
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .where(Referral.package_id == package.id)
        .order_by(col(Round.id))
    )
    earlier = session.exec(query).all()
    return published_part(package, scheme=scheme, crowd=crowd_of(session, package, now=now), earlier=earlier)


def shown(session: Session, ports: Ports, round_: Round) -> dict[str, Any]:
    """The published part as an invited provider reads it now; once the person is erased the words are gone."""
    referral = session.get(Referral, round_.referral_id)
    package = session.get(Package, referral.package_id) if referral else None
    part = dict(round_.published_part)
    if package is None or package.free_text is None or package.free_text_confirmed_by is None:
        return part
    if part["grain"] == Grain.LEAST:
        return part
    words = free_text_of(session, ports.keyring, package)
    return part | {"pen_picture": words.pen_picture, "outcomes": list(words.outcomes)}
