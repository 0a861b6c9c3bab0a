"""Who must approve, who is next in line, and how equal bids are parted."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.awards.line import approvals_needed, lot_number, next_in_line, standing_bids
from bidding.awards.records import Source
from bidding.bids.content import ExceptionalReason
from bidding.bids.records import Bid, ScoredBid
from bidding.closings import Closing
from bidding.rounds import Round
from dps.schemes.loader import preset
from dps.schemes.model import Award as AwardRules
from tests.support.world import World

RULES = preset("st-helens").award
NO_LIMITS = RULES.model_copy(update={"automatic_to_pence": None, "second_person_above_pence": None})
COMPETED = [Source.ALLOCATION, Source.RESERVE, Source.RANKED_OFFER, Source.FIRST_ACCEPTANCE]


def needed(pence: int, *, source: Source = Source.ALLOCATION, person: bool = False, rules: AwardRules = RULES) -> int:
    return approvals_needed(rules, weekly_pence=pence, needs_person=person, source=source)


@pytest.mark.parametrize("source", COMPETED)
@pytest.mark.parametrize(("pence", "people"), [(0, 0), (40_000, 0), (40_001, 1), (100_000, 1), (100_001, 2)])
def test_limits_are_weekly_pence_and_belong_to_the_lower_number_of_people(
    source: Source, pence: int, people: int
) -> None:
    assert needed(pence, source=source) == people


@pytest.mark.parametrize("source", [Source.DIRECT_AWARD, Source.OPEN_LIST])
@pytest.mark.parametrize(("pence", "people"), [(1, 1), (100_000, 1), (100_001, 2)])
def test_what_goes_round_the_competition_always_needs_somebody(source: Source, pence: int, people: int) -> None:
    assert needed(pence, source=source) == people


@pytest.mark.parametrize("pence", [1, 100_001])
def test_an_override_needs_two(pence: int) -> None:
    assert needed(pence, source=Source.OVERRIDE) == 2
    assert needed(pence, source=Source.OVERRIDE, rules=NO_LIMITS) == 2


def test_an_exceptional_price_needs_somebody_even_below_the_automatic_limit() -> None:
    assert needed(1, person=True) == 1


def test_without_an_automatic_limit_a_person_approves_every_award() -> None:
    assert needed(1, rules=NO_LIMITS) == 1
    assert needed(10**9, rules=NO_LIMITS) == 1


@given(st.integers(0, 200_000), st.integers(0, 200_000), st.sampled_from(Source), st.booleans())
def test_a_dearer_award_never_needs_fewer_people(one: int, other: int, source: Source, person: bool) -> None:
    cheap, dear = sorted((one, other))

    assert needed(cheap, source=source, person=person) <= needed(dear, source=source, person=person)


# The reserves


def scored(world: World, referral: str) -> dict[str, ScoredBid]:
    return {row.provider: row for row in world.rows(ScoredBid, ScoredBid.round_id == world.round(referral).id)}


def in_order(world: World, round_: Round) -> list[str]:
    with world.database.reading() as session:
        return [bid.provider for _, bid in standing_bids(session, round_, world.now)]


def test_reserves_stand_by_rank_then_ties_then_lot_until_their_day(world: World) -> None:
    names = ("Ash", "Elm", "Fir", "Oak", "Yew")
    ash, elm, fir, oak, yew = (world.provider(f"Synthetic {name}") for name in names)
    referral = world.referral()
    start = date.fromisoformat(world.round(referral).published_part["earliest_start"])
    world.bid(ash, referral, pence=1500)
    world.bid(elm, referral, pence=1600, starts_on=start + timedelta(days=1))
    world.bid(fir, referral, pence=1600)
    world.bid(oak, referral, pence=1600)
    world.bid(yew, referral, pence=3000, exceptional_reason=ExceptionalReason.SKILLS)
    world.close(referral)

    round_, (closing,) = world.round(referral), world.rows(Closing)
    lots = {bid.provider: lot_number(closing.lot_seed or "", bid) for bid in world.rows(Bid)}
    equal = sorted((fir.provider or "", oak.provider or ""), key=lambda provider: lots[provider])
    assert world.award(referral).provider == ash.provider
    assert in_order(world, round_) == [*equal, elm.provider, yew.provider]
    ranks = {provider: row.rank for provider, row in scored(world, referral).items()}
    assert [ranks[actor.provider or ""] for actor in (ash, elm, fir, oak, yew)] == [1, 2, 2, 2, 5]
    with world.database.reading() as session:
        last = world.rows(Bid)[0].valid_until
        microsecond = timedelta(microseconds=1)
        assert next_in_line(session, round_, world.scheme, last - microsecond) is not None
        assert next_in_line(session, round_, world.scheme, last) is None


def test_equal_bids_are_drawn_once_for_the_award_and_for_every_reserve(world: World) -> None:
    providers = [world.provider(f"Synthetic {name}") for name in ("Ash", "Elm", "Fir", "Oak")]
    referral = world.referral()
    for provider in providers:
        world.bid(provider, referral, pence=1600)
    world.close(referral)

    (closing,) = world.rows(Closing)
    drawn = sorted(world.rows(Bid), key=lambda bid: lot_number(closing.lot_seed or "", bid))
    assert [world.award(referral).provider, *in_order(world, world.round(referral))] == [bid.provider for bid in drawn]
