"""Before a bid is handed in: what it may say for this round, and in words why it can't be submitted as it is.

Nothing is stored and nothing is locked; the same rules are asked again, under the locks, when the bid comes in.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlmodel import Session, col, select

from bidding.asking import asked_of, offer_card, standing_in
from bidding.bids.content import Asked, BidContent, problems, weekly_pence
from bidding.referrals import Referral
from bidding.rounds import Invitation, InvitationState, Round
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NoPrice, NotFound
from dps.kernel.money import RateCard
from dps.packages.costing import weekly_cost_pence
from dps.packages.packages import Package
from dps.schemes.model import Mode, Scheme, ScoredQuestion
from dps.schemes.stored import rules_by_hash
from matching.eligibility import words as spoken

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """What a bid for one round is read by. `published_card` is the price where no other can be offered."""

    questions: tuple[ScoredQuestion, ...]
    published_card: RateCard | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms(Entries):
    """What a bid for one round may say.

    `published_weekly_pence` is what the published price comes to a week. Pence per hour are per carer.
    """

    floor_pence_per_hour: int
    ceiling_pence_per_hour: int
    earliest_start: date | None
    latest_start: date | None
    published_weekly_pence: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a bid comes to, before it is sealed; None where its prices do not cover every visit."""

    problems: tuple[str, ...]
    weekly_pence: int | None
    weekly_minutes: int


def entries_of(session: Session, round_refs: Collection[str]) -> dict[str, Entries]:
    """How to read a bid for each of these rounds that there is, in one look.

    Whether a round is for whoever sends the bid is asked when it is handed in.
    """
    # Plain columns: a round's published part is long, and not asked for.
    query = select(Round.ref, Round.rule_hash, Round.mode, Round.lot).where(col(Round.ref).in_(set(round_refs)))
    found = {}
    for ref, rule_hash, mode, lot in session.exec(query).all():
        scheme = rules_by_hash(session, rule_hash)
        found[ref] = Entries(
            questions=scheme.evaluation.questions, published_card=_published_card(Mode(mode), lot, scheme)
        )
    return found


def _published_card(mode: Mode, lot: str, scheme: Scheme) -> RateCard | None:
    is_published = mode in (Mode.ACCEPTANCE_WINDOW, Mode.FIRST_ACCEPTANCE)
    return offer_card(scheme, lot) if is_published else None


def terms_of(session: Session, *, round_ref: str, actor: Actor, now: datetime) -> Terms:
    """What this provider may say for a round it is asked in; NotFound for any other."""
    return _of(terms_in(session, round_refs=[round_ref], actor=actor, now=now), round_ref)


def terms_in(session: Session, *, round_refs: Collection[str], actor: Actor, now: datetime) -> dict[str, Terms]:
    """The same for each of these rounds that it is asked in, in one look however many they are."""
    return {ref: _terms(one) for ref, one in _asked_in(session, round_refs, actor, now).items()}


def preview(session: Session, *, round_ref: str, content: BidContent, actor: Actor, now: datetime) -> Preview:
    """What the bid comes to, and every reason why it could not be submitted now, its bidder's standing among them."""
    (found,) = previews(session, bids=[((round_ref,), content)], actor=actor, now=now)
    return found


def previews(
    session: Session, *, bids: Sequence[tuple[Sequence[str], BidContent]], actor: Actor, now: datetime
) -> list[Preview]:
    """`preview` of each of these bids, in so many looks however many they are; NotFound for a round it is not asked in.

    A bid for several rounds is one for all of them: costs and hours are sums, each reason is given once.
    """
    asked = _asked_in(session, {ref for refs, _ in bids for ref in refs}, actor, now)
    barred = _barred(session, list(asked.values()), actor, now)
    return [_together([_preview(_of(asked, ref), _of(barred, ref), content) for ref in refs]) for refs, content in bids]


@dataclass(frozen=True, slots=True)
class _AskedIn:
    """A round that this provider is asked in, and what its package asks for as at the closing, when bids are judged.

    The rows are held so that rules which are asked about them do not read them again.
    """

    round_: Round
    referral: Referral
    package: Package
    scheme: Scheme
    asked: Asked


def _asked_in(session: Session, refs: Collection[str], actor: Actor, now: datetime) -> dict[str, _AskedIn]:
    """By reference, those of these rounds in which this provider is asked."""
    actor.needs("bid", Role.PROVIDER)
    query = (
        select(Round, Referral, Package)
        .join(Invitation, col(Invitation.round_id) == col(Round.id))
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .join(Package, col(Package.id) == col(Referral.package_id))
        .where(
            col(Round.ref).in_(set(refs)),
            Invitation.provider == actor.provider,
            col(Invitation.state) != InvitationState.WAITING,
        )
        .order_by(col(Round.id))
    )
    found = {}
    for round_, referral, package in session.exec(query).all():
        scheme = rules_by_hash(session, round_.rule_hash)
        # Who takes it at once is bound from today, and who bids from the closing on.
        at = round_.closes_at if round_.closing_id is not None else now
        asked = asked_of(package, scheme, at or now)
        found[round_.ref] = _AskedIn(round_, referral, package, scheme, asked)
    return found


def _terms(one: _AskedIn) -> Terms:
    card = _published_card(Mode(one.round_.mode), one.round_.lot, one.scheme)
    return Terms(
        floor_pence_per_hour=one.asked.envelope.floor_pence_per_hour,
        ceiling_pence_per_hour=one.asked.envelope.ceiling_pence_per_hour,
        earliest_start=one.asked.earliest_start,
        latest_start=one.asked.latest_start,
        questions=one.asked.questions,
        published_card=card,
        published_weekly_pence=weekly_cost_pence(card, one.asked.schedule) if card else None,
    )


def _barred(session: Session, asked: Sequence[_AskedIn], actor: Actor, now: datetime) -> dict[str, tuple[str, ...]]:
    """By round, what bars this provider from it for good, in the provider's words."""
    by_rules: dict[str, list[_AskedIn]] = {}
    for one in asked:
        by_rules.setdefault(one.round_.rule_hash, []).append(one)
    found: dict[str, tuple[str, ...]] = {}
    for those in by_rules.values():
        pairs = [(actor.provider or "", one.round_) for one in those]
        standing = standing_in(session, pairs, those[0].scheme, now)
        for provider, round_ in pairs:
            assessment = standing[provider, round_.id]
            found[round_.ref] = tuple(spoken.for_provider(assessment)) if assessment.reasons else ()
    return found


def _preview(one: _AskedIn, barred: tuple[str, ...], content: BidContent) -> Preview:
    try:
        cost = weekly_pence(content, one.asked.schedule)
    except NoPrice:
        cost = None
    return Preview(
        problems=barred + problems(content, one.asked),
        weekly_pence=cost,
        weekly_minutes=content.weekly_minutes or one.asked.schedule.weekly_minutes,
    )


def _together(parts: Sequence[Preview]) -> Preview:
    costs = [part.weekly_pence for part in parts]
    return Preview(
        problems=tuple(dict.fromkeys(words for part in parts for words in part.problems)),
        weekly_pence=None if None in costs else sum(cost for cost in costs if cost is not None),
        weekly_minutes=sum(part.weekly_minutes for part in parts),
    )


def _of(found: Mapping[str, Found], ref: str) -> Found:
    if ref not in found:
        raise NotFound(kind="round", ref=ref)
    return found[ref]
