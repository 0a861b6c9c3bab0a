"""Scoring against examples computed by hand, and what must hold whatever is bid."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.bids.content import ExceptionalReason
from bidding.evaluation import FULL, Entry, Score, score_round, tie_order
from bidding.looking.debriefed import band_of
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.schemes.model import Envelope, Evaluation, EvaluationRule, PriceFormula, Tie
from tests.bidding.builders import QUESTION, START, asked, content, entry, per_hour

TIES = (Tie.EARLIER_START, Tie.EXISTING_PROVIDER, Tie.OWN_PREFERENCE, Tie.FEWER_HOURS_28_DAYS, Tie.LOT)
LOWEST = Evaluation(rule=EvaluationRule.LOWEST_PRICE)
ST_HELENS = Evaluation(
    rule=EvaluationRule.PRICE_QUALITY,
    price_weight=60,
    quality_weight=40,
    formula=PriceFormula.LOWEST_OVER_BID,
    rating_points=60,
    questions=(QUESTION,),
)


def quality(formula: PriceFormula, **facts: Any) -> Evaluation:
    """Price 70, rating 30."""
    return Evaluation(
        rule=EvaluationRule.PRICE_QUALITY,
        price_weight=70,
        quality_weight=30,
        formula=formula,
        rating_points=100,
        **facts,
    )


def scores(*entries: Entry, by: Evaluation) -> list[Score]:
    return list(score_round(entries, evaluation=by, ties=TIES))


# Each rule by hand


def test_the_lowest_price_ranks_first_and_nothing_else_counts() -> None:
    found = scores(entry("dear", 1700, rating_score=100), entry("cheap", 1600, rating_score=0), by=LOWEST)

    assert [(one.rank, one.weekly_pence) for one in found] == [(2, 5950), (1, 5600)]


def test_lowest_over_bid_by_hand() -> None:
    few, many = asked(questions=(QUESTION,)), (("continuity", "many"),)
    best = entry("a", rating_score=100, asked=few, content=content(1600, answers=(("continuity", "few"),)))
    good = entry("b", rating_score=80, asked=few, content=content(1500, answers=many))

    first, second = scores(best, good, by=ST_HELENS)

    # Price: 5,250 pence a week is the lowest, 5,600 gets 5250/5600 of 100. Quality: (60 x rating + 40 x answer) / 100.
    assert (first.price_points, first.quality_points) == (93_750, 100_000)
    assert (second.price_points, second.quality_points) == (100_000, 48_000)
    assert (first.total_points, second.total_points) == (96_250, 79_200)  # 60% of the price, 40% of the quality
    assert (first.rank, second.rank) == (1, 2)


def test_linear_in_the_envelope_by_hand() -> None:
    found = scores(
        *(entry(str(pence), pence) for pence in (1400, 1625, 2000)), by=quality(PriceFormula.LINEAR_IN_ENVELOPE)
    )

    assert [one.price_points for one in found] == [100_000, 62_500, 0]  # of £14 to £20 an hour, £16.25 leaves 375/600
    assert [one.total_points for one in found] == [94_000, 67_750, 24_000]


def test_linear_in_the_envelope_does_not_reach_beyond_it() -> None:
    reason = ExceptionalReason.TWO_CARERS
    found = scores(
        entry("low", content=content(1000, exceptional_reason=reason)),
        entry("high", content=content(3000, exceptional_reason=reason)),
        by=quality(PriceFormula.LINEAR_IN_ENVELOPE),
    )

    assert [one.price_points for one in found] == [FULL, 0]


def test_an_envelope_without_room_gives_everybody_the_full_price() -> None:
    only = asked(envelope=Envelope(floor_pence_per_hour=1600, ceiling_pence_per_hour=1600))

    [found] = scores(entry("a", 1600, asked=only), by=quality(PriceFormula.LINEAR_IN_ENVELOPE))

    assert found.price_points == FULL


def test_at_a_fixed_price_quality_alone_decides() -> None:
    found = scores(
        entry("a", 1600, rating_score=60), entry("b", 1600, rating_score=100), by=quality(PriceFormula.FIXED_PRICE)
    )

    assert [(one.price_points, one.total_points, one.rank) for one in found] == [
        (FULL, 88_000, 2),
        (FULL, 100_000, 1),
    ]


def test_the_ongoing_rate_is_compared_by_the_hour_over_the_packages_own_week() -> None:
    rule = Evaluation(rule=EvaluationRule.ONGOING_RATE)
    # Five weekdays and two weekend days: £15.50 with £18 at weekends is £16.21 an hour on average.
    weekend = entry("weekend", content=content(card=per_hour(1550, weekend=1800)))

    found = scores(weekend, entry("flat", 1620), by=rule)

    assert [one.rank for one in found] == [2, 1]


def test_two_free_bids_share_the_full_price() -> None:
    free = asked(envelope=Envelope(floor_pence_per_hour=0, ceiling_pence_per_hour=2000))

    found = scores(entry("a", 0, asked=free), entry("b", 1600, asked=free), by=ST_HELENS.model_copy(
        update={"questions": (), "low_below_mean_percent": 0, "low_below_next_percent": 0}
    ))  # fmt: skip

    assert [one.price_points for one in found] == [FULL, 0]


def test_quality_that_nobody_counts_is_nothing() -> None:
    [found] = scores(entry("a"), by=LOWEST)

    assert found.quality_points == 0


# Ranks and ties


def test_equal_bids_share_a_rank_and_the_next_one_is_counted_on() -> None:
    found = scores(entry("a", 1700), entry("b", 1600), entry("c", 1600), entry("d", 1800), by=LOWEST)

    assert [one.rank for one in found] == [3, 1, 1, 4]


def test_ties_stand_in_the_published_order_and_lower_is_better() -> None:
    early = tie_order(TIES, starts_on=START, is_existing_provider=False, preference=None, minutes_won_28_days=600)
    late_but_there = tie_order(
        TIES, starts_on=START + timedelta(days=1), is_existing_provider=True, preference=1, minutes_won_28_days=0
    )

    assert early < late_but_there
    assert len(early) == len(TIES) - 1  # the lot is drawn elsewhere


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"starts_on": START}, {"starts_on": START + timedelta(days=1)}),
        ({"is_existing_provider": True}, {"is_existing_provider": False}),
        ({"preference": 1}, {"preference": 2}),
        ({"preference": 99}, {"preference": None}),
        ({"minutes_won_28_days": 59}, {"minutes_won_28_days": 60}),
    ],
)
def test_each_tie_prefers_what_was_published(better: dict[str, Any], worse: dict[str, Any]) -> None:
    equal = {"starts_on": START, "is_existing_provider": False, "preference": None, "minutes_won_28_days": 0}

    assert tie_order(TIES, **{**equal, **better}) < tie_order(TIES, **{**equal, **worse})


def test_a_tie_that_is_not_published_is_not_asked() -> None:
    numbers = tie_order(
        (Tie.FEWER_HOURS_28_DAYS, Tie.LOT),
        starts_on=START,
        is_existing_provider=True,
        preference=1,
        minutes_won_28_days=30,
    )

    assert numbers == (30,)


# Invalid bids


def test_a_bid_that_is_not_valid_has_its_reasons_and_no_rank() -> None:
    late = entry("late", content=content(1600, starts_on=date(2019, 4, 1)))

    [found] = scores(late, by=LOWEST)

    assert (found.is_valid, found.rank, found.total_points, found.flags) == (False, None, 0, ())
    assert found.reasons == ("The person needs the first visit by 14 March 2019.",)
    assert found.weekly_pence == 5600


def test_a_bid_without_a_price_for_a_visit_is_not_valid_and_breaks_nothing() -> None:
    card = RateCard.by_length({45: {Band.WEEKDAY: 1200}})

    found = scores(entry("none", content=content(card=card)), entry("good"), by=ST_HELENS.model_copy(
        update={"questions": ()}
    ))  # fmt: skip

    assert [(one.is_valid, one.rank) for one in found] == [(False, None), (True, 1)]
    assert (found[0].weekly_pence, found[0].workings["lines"]) == (0, [])


PRICES = st.lists(st.integers(1400, 2000), min_size=1, max_size=6)
FORMULAS = st.sampled_from([PriceFormula.LOWEST_OVER_BID, PriceFormula.LINEAR_IN_ENVELOPE, PriceFormula.FIXED_PRICE])
RULES = st.sampled_from([EvaluationRule.LOWEST_PRICE, EvaluationRule.PRICE_QUALITY, EvaluationRule.ONGOING_RATE])


def any_rule(rule: EvaluationRule, formula: PriceFormula) -> Evaluation:
    return Evaluation(rule=rule, price_weight=70, quality_weight=30, formula=formula, rating_points=100)


@given(PRICES, RULES, FORMULAS, st.integers(1, 1399) | st.integers(2001, 9000))
def test_an_invalid_bid_changes_nobodys_score(
    prices: list[int], rule: EvaluationRule, formula: PriceFormula, outside: int
) -> None:
    by = any_rule(rule, formula)
    good = [entry(str(number), pence) for number, pence in enumerate(prices)]

    alone = scores(*good, by=by)
    beside = scores(entry("bad", outside), *good, by=by)

    assert beside[1:] == alone


# Whatever is bid


@given(PRICES, RULES, FORMULAS, st.integers(0, 5), st.integers(1, 300))
def test_who_asks_more_never_scores_more_nor_ranks_better(
    prices: list[int], rule: EvaluationRule, formula: PriceFormula, place: int, more: int
) -> None:
    by = any_rule(rule, formula)
    place %= len(prices)
    dearer = [min(pence + more, 2000) if number == place else pence for number, pence in enumerate(prices)]

    before = scores(*(entry(str(number), pence) for number, pence in enumerate(prices)), by=by)[place]
    after = scores(*(entry(str(number), pence) for number, pence in enumerate(dearer)), by=by)[place]

    assert after.price_points <= before.price_points
    assert after.total_points <= before.total_points
    assert (after.rank or 0) >= (before.rank or 0)


@given(st.lists(st.tuples(st.integers(1400, 2000), st.integers(0, 100)), min_size=1, max_size=6), FORMULAS)
def test_points_are_between_nought_and_full_and_the_order_of_the_bids_is_no_matter(
    bids: list[tuple[int, int]], formula: PriceFormula
) -> None:
    by = quality(formula)
    entries = [entry(str(number), pence, rating_score=score) for number, (pence, score) in enumerate(bids)]

    forwards, backwards = scores(*entries, by=by), scores(*reversed(entries), by=by)

    assert sorted(forwards, key=lambda one: one.bid) == sorted(backwards, key=lambda one: one.bid)
    assert all(0 <= points <= FULL for one in forwards for points in (one.price_points, one.quality_points))
    assert all(0 <= one.total_points <= FULL for one in forwards)
    assert min(one.rank or 0 for one in forwards) == 1


@given(st.integers(1, 9000), st.integers(0, 9000), st.integers(1, 2000))
def test_the_workings_add_up_to_the_weekly_cost(weekday: int, weekend: int, minutes: int) -> None:
    free = asked(envelope=Envelope(floor_pence_per_hour=0, ceiling_pence_per_hour=9000), other_minutes_allowed=True)
    bid = content(card=per_hour(weekday, weekend=weekend), weekly_minutes=minutes)

    [found] = scores(entry("a", asked=free, content=bid), by=LOWEST)

    exact = sum(Fraction(line["pence"]) for line in found.workings["lines"])
    scaled = exact * Fraction(found.workings["minutes"]["offered"], found.workings["minutes"]["asked"])
    assert found.weekly_pence == int(scaled + Fraction(1, 2))
    assert sum(line["carer_minutes"] for line in found.workings["lines"]) == 210


def test_the_workings_name_each_price_and_what_it_bought() -> None:
    [found] = scores(entry("a", content=content(card=per_hour(1600, weekend=1800))), by=LOWEST)

    assert found.workings["lines"] == [
        {"band": "weekend", "carer_minutes": 60, "price_pence": 1800, "pence": "1800"},
        {"band": "weekday", "carer_minutes": 150, "price_pence": 1600, "pence": "4000"},
    ]


# Flags: they decide nothing


def test_a_bid_well_below_the_mean_and_the_next_is_flagged() -> None:
    free = asked(envelope=Envelope(floor_pence_per_hour=0, ceiling_pence_per_hour=9000))
    found = scores(*(entry(str(pence), pence, asked=free) for pence in (1000, 1600, 1700)), by=LOWEST)

    assert [one.flags for one in found] == [("low_below_mean", "low_below_next"), (), ()]
    assert [one.rank for one in found] == [1, 2, 3]


@pytest.mark.parametrize(("pence", "is_flagged"), [(1360, True), (1361, False)])
def test_fifteen_percent_below_the_next_is_low(pence: int, is_flagged: bool) -> None:
    free = asked(envelope=Envelope(floor_pence_per_hour=0, ceiling_pence_per_hour=9000))

    lowest, _ = scores(entry("low", pence, asked=free), entry("next", 1600, asked=free), by=LOWEST)

    assert ("low_below_next" in lowest.flags) is is_flagged


@pytest.mark.parametrize(("pence", "is_flagged"), [(1600, True), (1602, False)])
def test_twenty_percent_below_the_mean_is_low(pence: int, is_flagged: bool) -> None:
    # With two others at £22 the mean of £16 and these is £20; the limit is £16 exactly.
    free = asked(envelope=Envelope(floor_pence_per_hour=0, ceiling_pence_per_hour=9000))

    lowest, *_ = scores(*(entry(str(n), p, asked=free) for n, p in enumerate((pence, 2200, 2200))), by=LOWEST)

    assert ("low_below_mean" in lowest.flags) is is_flagged


def test_one_bid_alone_is_compared_with_nobody() -> None:
    [found] = scores(entry("a", 1400), by=LOWEST)

    assert found.flags == ()


def test_an_exceptional_price_is_flagged_and_ranked() -> None:
    reason = ExceptionalReason.TWO_CARERS

    [found] = scores(entry("a", content=content(2500, exceptional_reason=reason)), by=LOWEST)

    assert (found.flags, found.rank, found.is_valid) == (("exceptional_price",), 1, True)


def test_a_price_by_the_week_is_compared_with_one_by_the_hour() -> None:
    week = content(card=RateCard.of(PriceBasis.PER_WEEK, {Band.WEEKDAY: 5500}))

    found = scores(entry("week", content=week), entry("hour", 1600), by=LOWEST)

    assert [(one.rank, one.weekly_pence) for one in found] == [(1, 5500), (2, 5600)]


# What a loser may know of the winner


@pytest.mark.parametrize(
    ("points", "band"),
    [(100_000, "95 or more"), (95_000, "95 or more"), (94_999, "85 to 95"), (70_000, "70 to 85"), (0, "below 70")],
)
def test_a_winners_points_are_told_as_a_band(points: int, band: str) -> None:
    assert band_of(points) == band
