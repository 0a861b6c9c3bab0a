"""Before a bid is handed in: what it may say for this round, and in words why it can't be submitted as it is.

Nothing is stored and nothing is locked; the same rules are asked again, under the locks, when the bid comes in.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from bidding.asking import asked_of, assess_standing, offer_card, package_of
from bidding.bids.content import Asked, BidContent, problems, weekly_pence
from bidding.rounds import Round, invitation_of, round_of
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NoPrice, NotFound
from dps.kernel.money import RateCard
from dps.packages.costing import weekly_cost_pence
from dps.schemes.model import Mode, Scheme, ScoredQuestion
from dps.schemes.stored import rules_by_hash
from matching.eligibility import words as spoken


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
    round_, asked = _asked(session, round_ref, actor, now)
    card = _published_card(Mode(round_.mode), round_.lot, rules_by_hash(session, round_.rule_hash))
    return Terms(
        floor_pence_per_hour=asked.envelope.floor_pence_per_hour,
        ceiling_pence_per_hour=asked.envelope.ceiling_pence_per_hour,
        earliest_start=asked.earliest_start,
        latest_start=asked.latest_start,
        questions=asked.questions,
        published_card=card,
        published_weekly_pence=weekly_cost_pence(card, asked.schedule) if card else None,
    )


def preview_bundle(
    session: Session, *, round_refs: Sequence[str], content: BidContent, actor: Actor, now: datetime
) -> Preview:
    """`preview` of one bid for these rounds together: costs and hours are sums, each reason is given once."""
    parts = [preview(session, round_ref=ref, content=content, actor=actor, now=now) for ref in round_refs]
    costs = [part.weekly_pence for part in parts]
    return Preview(
        problems=tuple(dict.fromkeys(words for part in parts for words in part.problems)),
        weekly_pence=None if None in costs else sum(cost for cost in costs if cost is not None),
        weekly_minutes=sum(part.weekly_minutes for part in parts),
    )


def preview(session: Session, *, round_ref: str, content: BidContent, actor: Actor, now: datetime) -> Preview:
    """What the bid comes to, and every reason why it could not be submitted now, its bidder's standing among them."""
    round_, asked = _asked(session, round_ref, actor, now)
    assert actor.provider is not None
    standing = assess_standing(session, round_, rules_by_hash(session, round_.rule_hash), actor.provider, now)
    barred = tuple(spoken.for_provider(standing)) if standing.reasons else ()
    try:
        cost = weekly_pence(content, asked.schedule)
    except NoPrice:
        cost = None
    return Preview(
        problems=barred + problems(content, asked),
        weekly_pence=cost,
        weekly_minutes=content.weekly_minutes or asked.schedule.weekly_minutes,
    )


def _asked(session: Session, ref: str, actor: Actor, now: datetime) -> tuple[Round, Asked]:
    """A round this provider is asked in, and what its package asks for as at the closing, when bids are evaluated."""
    actor.needs("bid", Role.PROVIDER)
    round_ = round_of(session, ref)
    if actor.provider is None:
        raise NotFound(kind="round", ref=ref)
    invitation_of(session, round_.id, actor.provider)
    scheme = rules_by_hash(session, round_.rule_hash)
    return round_, asked_of(package_of(session, round_), scheme, round_.closes_at or now)
