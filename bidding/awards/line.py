"""Who is next in line in a round, and how many people must approve an award. Rules, and the query that feeds them."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from bidding.asking import offer_card, package_of
from bidding.awards.records import LIVE, Award, Source, tried_providers
from bidding.bids.content import BidContent
from bidding.bids.records import Bid, BidRound, BidState, OpenedBid, ScoredBid
from bidding.block_hours import is_block_round, with_room
from bidding.closings import Closing
from bidding.first_visit import days_left
from bidding.rounds import InvitationState, Round, invitations_of
from dps.kernel.calendar import LONDON
from dps.kernel.money import RateCard
from dps.packages.costing import weekly_cost_pence
from dps.schemes.model import Award as AwardRules
from dps.schemes.model import Mode, Scheme
from matching.allocation.lots import lot


@dataclass(frozen=True, slots=True)
class InLine:
    """One provider that may be offered a package now, at this price."""

    provider: str
    weekly_pence: int
    weekly_minutes: int
    card: RateCard
    starts_on: date
    bid_id: int | None = None
    bundle: str | None = None
    needs_person: bool = False
    already_accepted: bool = False


def approvals_needed(rules: AwardRules, *, weekly_pence: int, needs_person: bool, source: Source) -> int:
    """How many people of the council must say yes before the offer goes out: none, one or two.

    Nobody is needed up to the scheme's automatic limit; two above its second-person limit and for an override. What
    goes round the competition, or outside the envelope, always needs a person.
    """
    second_above = rules.second_person_above_pence
    if source is Source.OVERRIDE or (second_above is not None and weekly_pence > second_above):
        return 2
    round_the_competition = source in (Source.DIRECT_AWARD, Source.OPEN_LIST)
    automatic = rules.automatic_to_pence is not None and weekly_pence <= rules.automatic_to_pence
    return 0 if automatic and not needs_person and not round_the_competition else 1


def next_in_line(session: Session, round_: Round, scheme: Scheme, now: datetime) -> InLine | None:
    """The best-placed provider of this round that has not been tried, whose bid still stands; None where none is."""
    if round_.mode == Mode.RANKED_OFFER:
        return _next_ranked(session, round_, scheme, now)
    if round_.mode in (Mode.SEALED_BID, Mode.ACCEPTANCE_WINDOW):
        return _next_scored(session, round_, now)
    if is_block_round(round_):
        return _next_with_room(session, round_, scheme, now)
    return None


def _next_with_room(session: Session, round_: Round, scheme: Scheme, now: datetime) -> InLine | None:
    """Unused hours of a block, which are paid already: nothing more is due for them."""
    tried = tried_providers(session, round_.id)
    for block in with_room(session, package_of(session, round_), scheme, now):
        if block.provider not in tried:
            return replace(at_published_rate(session, round_, scheme, block.provider, now), weekly_pence=0)
    return None


def _next_ranked(session: Session, round_: Round, scheme: Scheme, now: datetime) -> InLine | None:
    tried = tried_providers(session, round_.id)
    waiting = (InvitationState.WAITING, InvitationState.INVITED)
    for invitation in invitations_of(session, round_.id):
        if invitation.state in waiting and invitation.provider not in tried:
            return at_published_rate(session, round_, scheme, invitation.provider, now)
    return None


def at_published_rate(session: Session, round_: Round, scheme: Scheme, provider: str, now: datetime) -> InLine:
    """An offer at the lot's published rate, on the package's own schedule, from the first day that is left."""
    package = package_of(session, round_)
    facts = package.facts
    today = now.astimezone(LONDON).date()
    start = next((day for day in days_left(facts.earliest_start, facts.latest_start, today) if day), None)
    assert facts.schedule is not None
    assert facts.weekly_minutes is not None
    assert start is not None
    card = offer_card(scheme, round_.lot)
    return InLine(
        provider=provider,
        weekly_pence=weekly_cost_pence(card, facts.schedule),
        weekly_minutes=facts.weekly_minutes,
        card=card,
        starts_on=start,
    )


def _next_scored(session: Session, round_: Round, now: datetime) -> InLine | None:
    for scored, bid in standing_bids(session, round_, now):
        return in_line(session, round_, scored, bid)
    return None


def standing_bids(session: Session, round_: Round, now: datetime) -> list[tuple[ScoredBid, Bid]]:
    """The reserves: valid bids that still stand, in order of rank, then the published ties, then the closing's lot.

    Left out are those of providers that were tried, bundles, and what its bidder wants no more beside what it has.
    """
    closing = session.get(Closing, round_.closing_id)
    tried = tried_providers(session, round_.id)
    query = (
        select(ScoredBid, Bid, OpenedBid)
        .join(Bid, col(Bid.id) == col(ScoredBid.bid_id))
        .join(OpenedBid, col(OpenedBid.bid_id) == col(Bid.id))
        .where(
            ScoredBid.round_id == round_.id,
            col(ScoredBid.is_valid).is_(True),
            col(Bid.state) == BidState.OPENED,
            col(Bid.valid_until) > now,
        )
    )
    found = [
        (scored, bid)
        for scored, bid, opened in session.exec(query).all()
        if bid.provider not in tried
        and not _is_bundle(session, bid)
        and not _is_excluded(session, round_, bid, BidContent.from_dict(opened.content))
    ]
    seed = closing.lot_seed if closing and closing.lot_seed else ""
    return sorted(found, key=lambda pair: (pair[0].rank or 0, list(pair[0].ties), lot_number(seed, pair[1])))


def _is_excluded(session: Session, round_: Round, bid: Bid, content: BidContent) -> bool:
    """Either this or that: whether its bidder holds an award that this bid is not wanted beside."""
    query = (
        select(Round.ref, OpenedBid)
        .join(Award, col(Award.round_id) == col(Round.id))
        .join(Bid, col(Bid.id) == col(Award.bid_id))
        .join(OpenedBid, col(OpenedBid.bid_id) == col(Bid.id))
        .where(
            Award.provider == bid.provider,
            Bid.closing_id == bid.closing_id,
            col(Award.state).in_(LIVE),
            col(Award.ended_at).is_(None),
        )
    )
    return any(
        held in content.not_with or round_.ref in BidContent.from_dict(other.content).not_with
        for held, other in session.exec(query)
    )


def lot_number(seed: str, bid: Bid) -> int:
    """The lot that the allocation drew for this bid: of its closing's seed and its own commitment, chosen by nobody."""
    return lot(bytes.fromhex(seed), "bid", bid.commitment)


def _is_bundle(session: Session, bid: Bid) -> bool:
    return len(session.exec(select(BidRound.id).where(BidRound.bid_id == bid.id).limit(2)).all()) > 1


def in_line(
    session: Session, round_: Round, scored: ScoredBid, bid: Bid, *, is_bundle: bool = False, counted: bool = True
) -> InLine:
    """What an opened and scored bid offers for one round; a run that was not counted waits for a person."""
    opened: Any = session.exec(select(OpenedBid.content).where(OpenedBid.bid_id == bid.id)).one()
    content = BidContent.from_dict(opened)
    return InLine(
        provider=bid.provider,
        weekly_pence=scored.weekly_pence,
        weekly_minutes=scored.weekly_minutes,
        card=content.card,
        starts_on=content.starts_on,
        bid_id=bid.id,
        bundle=bid.ref if is_bundle else None,
        needs_person="exceptional_price" in scored.flags or not counted,
        already_accepted=round_.mode == Mode.ACCEPTANCE_WINDOW,
    )
