"""Bids for an area are ranked by the scheme's formula on the evaluated year, and equal ones parted by the lot."""

from dataclasses import replace

from bidding.tenders.content import AreaBid
from bidding.tenders.scoring import AreaEntry, AreaScore, score_area
from dps.schemes.loader import preset

KINGSTON = preset("kingston")
RATES, OUTCOMES = KINGSTON.area_contract("two-rates"), KINGSTON.area_contract("outcomes")
CHEAP = AreaBid(rates=(("home-care", 1_600), ("reablement", 1_800)))
DEAR = AreaBid(rates=(("home-care", 2_000), ("reablement", 2_250)))


def an_entry(bid: str, content: AreaBid, *, lot: int = 1, rating: int = 80) -> AreaEntry:
    return AreaEntry(bid, f"PRV-{bid}", content, rating_score=rating, recognition_score=70, lot=lot)


def scored(*entries: AreaEntry) -> dict[str, AreaScore]:
    return {one.bid: one for one in score_area(entries, KINGSTON, RATES, "new-malden")}


def test_price_and_quality_are_weighed_as_they_are_for_packages() -> None:
    scores = scored(an_entry("A", CHEAP), an_entry("B", DEAR))

    assert (scores["A"].price_points, scores["B"].price_points) == (100_000, 80_000)
    assert scores["A"].quality_points == (60 * 80 + 40 * 70) * 100_000 // (100 * 100)
    assert scores["A"].total_points == scores["A"].price_points * 60 // 100 + scores["A"].quality_points * 40 // 100
    assert (scores["A"].rank, scores["A"].place, scores["B"].rank, scores["B"].place) == (1, 1, 2, 2)


def test_a_better_provider_may_cost_more() -> None:
    scores = scored(an_entry("A", CHEAP, rating=40), an_entry("B", DEAR, rating=100))

    assert scores["B"].place == 1


def test_a_price_far_below_the_others_is_flagged() -> None:
    assert scored(an_entry("A", CHEAP), an_entry("B", DEAR))["A"].flags == ("low_below_next",)


def test_equal_bids_share_a_rank_and_the_lot_parts_them_whatever_their_order() -> None:
    one, other = an_entry("A", CHEAP, lot=9), an_entry("B", CHEAP, lot=3)

    for entries in ((one, other), (other, one)):
        scores = scored(*entries)
        assert (scores["A"].rank, scores["B"].rank) == (1, 1)
        assert (scores["A"].place, scores["B"].place) == (2, 1)


def test_an_invalid_bid_has_its_reasons_and_moves_nobody_else() -> None:
    free = an_entry("C", AreaBid(rates=(("home-care", 0), ("reablement", 0))))
    barred = replace(an_entry("D", AreaBid(rates=(("home-care", 1), ("reablement", 1)))), barred=("Suspended.",))

    scores = scored(an_entry("A", CHEAP), free, barred)

    assert len(scores["C"].reasons) == 2
    assert scores["D"].reasons == ("Suspended.",)
    assert (scores["C"].rank, scores["C"].place, scores["C"].is_valid) == (None, None, False)
    assert scores["A"] == scored(an_entry("A", CHEAP))["A"]


def test_more_promised_is_more_quality_and_the_price_stays_what_it_is() -> None:
    least = {goal.key: goal.least_percent for goal in OUTCOMES.targets}
    bids = [
        AreaBid(yearly_pence=190_000_000, targets=tuple(sorted((least | more).items())))
        for more in ({}, {"at-home": 100})
    ]
    entries = [an_entry(name, content) for name, content in zip("AB", bids, strict=True)]

    little, much = score_area(entries, KINGSTON, OUTCOMES, "kingston-town")

    assert (little.promised_score, much.promised_score) == (0, 40)
    assert much.quality_points - little.quality_points == round(50 * 40 * 1_000 / 150)
    assert (much.place, little.price_points, much.price_points) == (1, 100_000, 100_000)


def test_a_score_is_read_back_as_it_was_written() -> None:
    score = scored(an_entry("A", CHEAP))["A"]

    assert AreaScore.from_dict(score.to_dict()) == score
