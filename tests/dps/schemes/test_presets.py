"""The nine presets: what the councils' public papers say, real places, and a demonstration inside each term."""

import csv
from collections import Counter
from datetime import date, time, timedelta
from itertools import chain
from pathlib import Path

import pytest

from dps.kernel.calendar import LONDON
from dps.kernel.windows import ElapsedHours
from dps.places.localities import LocalityMap
from dps.schemes.loader import preset, presets
from dps.schemes.model import AllocationMode, EvaluationRule, LegalBasis, Mode, Reach, Scheme, Urgency
from tests.dps.schemes.files import text_of

COMPETING = ("cornwall", "knowsley-sefton", "liverpool", "st-helens", "wirral", "worcestershire")
EVERY = (*COMPETING, "halton", "kent-flex", "kingston")
POLYGONS = {
    "cornwall": "cornwall",
    "kent-flex": "kent_thanet_dover",
    "kingston": "kingston",
    "worcestershire": "worcestershire",
}
"""The files of shared boundaries; all others are of the Liverpool City Region."""
ISLES_OF_SCILLY = {"TR21", "TR22", "TR23", "TR24", "TR25"}
LARGE_USERS = {
    *("L69", "L70", "L71", "L72", "L74", "L75", "WA88", "WR99", "WV98", "DY12 9"),
    *("CH25", "CH26", "CH27", "CH28", "CH29", "CH31", "CH32"),
}
"""Where only large users and post boxes have postcodes."""
LEAST_SHARED_BOUNDARY_M = 400
"""What counts as lying side by side: a corner does not."""


def test_the_nine_councils_are_there() -> None:
    assert set(EVERY) == set(presets())


@pytest.mark.parametrize("key", presets())
def test_a_preset_is_named_by_its_file_and_marks_what_is_assumed(key: str) -> None:
    scheme = preset(key)

    assert scheme.key == key
    assert scheme.assumed
    assert "# assumed" in text_of(key)


@pytest.mark.parametrize("key", presets())
def test_a_demonstration_starts_on_a_monday_morning_of_five_working_days_within_the_term(key: str) -> None:
    scheme = preset(key)
    assert scheme.demo is not None
    starts = scheme.demo.starts_at.astimezone(LONDON)

    assert (starts.weekday(), starts.time()) == (0, time(8))
    assert all(scheme.is_in_term(starts.date() + timedelta(days=n)) for n in range(7))
    assert scheme.calendar().working_days_between(starts.date() - timedelta(days=1), starts.date() + timedelta(4)) == 5


@pytest.mark.parametrize("key", COMPETING)
def test_standard_rounds_share_the_closings_at_eleven_and_three_and_urgent_ones_close_alone(key: str) -> None:
    scheme = preset(key)
    sealed = [stage for ladder in scheme.ladders for stage in ladder.stages if stage.mode is Mode.SEALED_BID]

    assert scheme.closings.times == (time(11), time(15))
    assert any(stage.closing == "published" for stage in sealed)
    for urgency in (Urgency.URGENT, Urgency.DISCHARGE, Urgency.CRISIS):
        stages = chain.from_iterable(scheme.ladder(lot.key, urgency).stages for lot in scheme.lots)
        assert all(stage.closing == "own" for stage in stages)


def test_liverpool_gives_its_preferred_providers_five_elapsed_hours_and_then_also_asks_the_approved() -> None:
    scheme = preset("liverpool")

    first, second, *later = scheme.ladder("personal-care", Urgency.STANDARD).stages

    assert (first.lists, first.reach, first.mode) == (("preferred",), Reach.LOCALITY, Mode.ACCEPTANCE_WINDOW)
    assert first.window == ElapsedHours(5)
    assert (second.lists, second.mode, second.keeps_earlier) == (("approved",), Mode.SEALED_BID, True)
    assert [stage.reach for stage in later] == [Reach.NEIGHBOURS, Reach.SCHEME]
    crisis = scheme.ladder("personal-care", Urgency.CRISIS)
    assert {stage.mode for stage in crisis.stages} == {Mode.FIRST_ACCEPTANCE}
    assert scheme.allocation.mode is AllocationMode.JOINT
    assert all(value is not None for value in scheme.allocation.terms.model_dump().values())


def test_st_helens_competes_for_each_package_admits_quarterly_and_then_crosses_the_border() -> None:
    scheme = preset("st-helens")

    stages = scheme.ladder("personal-care", Urgency.STANDARD).stages

    assert [(stage.mode, stage.reach) for stage in stages] == [
        (Mode.SEALED_BID, Reach.LOCALITY),
        (Mode.SEALED_BID, Reach.BORDER),
    ]
    assert scheme.admission.opening == "quarterly"
    assert scheme.allocation.mode is AllocationMode.PER_PACKAGE
    assert scheme.evaluation.rule is EvaluationRule.PRICE_QUALITY
    assert scheme.ladder("end-of-life", Urgency.STANDARD).stages[0].lists == ("end-of-life-contract",)


def test_cornwall_compares_the_ongoing_rate_after_a_budget_of_six_weeks_package_by_package() -> None:
    scheme = preset("cornwall")

    assert scheme.legal_basis is LegalBasis.PCR2015_DPS
    assert scheme.evaluation.rule is EvaluationRule.ONGOING_RATE
    assert scheme.allocation.mode is AllocationMode.PER_PACKAGE
    assert (scheme.lot("enablement").sets_budget, scheme.lot("enablement").budget_weeks) == (True, 6)
    assert [authority.key for authority in scheme.authorities] == ["cornwall", "nhs-kernow"]


def test_worcestershire_buys_half_hours_flags_turnover_over_a_fifth_and_asks_no_base() -> None:
    scheme = preset("worcestershire")
    visits = scheme.lot("home-care").visits
    turnover = next(one for one in scheme.admission.questions if one.key == "staff-turnover")

    assert (visits.least_minutes, visits.shorter_tasks) == (30, {"medication": 15})
    assert (turnover.kind, turnover.flag_above) == ("percent", 20)
    assert not scheme.admission.base_asked
    assert scheme.term.starts == date(2017, 4, 1)
    assert scheme.allocation.mode is AllocationMode.JOINT


def test_knowsley_and_sefton_buy_together() -> None:
    scheme = preset("knowsley-sefton")

    assert [authority.key for authority in scheme.authorities] == ["knowsley", "sefton"]
    assert scheme.term.starts == date(2018, 8, 1)
    assert scheme.allocation.mode is AllocationMode.JOINT


def test_kent_flexes_for_seven_days_round_the_clock_and_three_thousand_pounds() -> None:
    scheme = preset("kent-flex")
    flex = scheme.variations.flex

    assert flex is not None
    assert (flex.most_hours_a_day, flex.most_days, flex.weekly_limit_pence) == (24, 7, 3_000_00)
    assert (scheme.term.starts, scheme.term.ends) == (date(2013, 8, 1), date(2014, 8, 1))
    assert len(scheme.admission.documents) == 6
    assert {one.circumstance for one in flex.exclusions} == {
        *("enablement", "supporting_independence", "better_homes", "extra_care_housing", "direct_payment"),
        *("privately_funded", "learning_disability", "mental_health"),
    }


def test_kingston_has_one_provider_for_each_area_with_its_neighbours_as_cover() -> None:
    area, cover, borough = preset("kingston").ladder("personal-care", Urgency.STANDARD).stages

    assert (area.lists, area.reach, area.mode) == (("area-provider",), Reach.LOCALITY, Mode.RANKED_OFFER)
    assert (cover.lists, cover.reach, cover.keeps_earlier) == (("area-provider",), Reach.NEIGHBOURS, False)
    assert (borough.reach, borough.mode) == (Reach.SCHEME, Mode.SEALED_BID)


def test_halton_asks_its_one_provider_and_nobody_else() -> None:
    for urgency in Urgency:
        (stage,) = preset("halton").ladder("personal-care", urgency).stages
        assert (stage.lists, stage.mode) == (("lead",), Mode.RANKED_OFFER)


def test_wirral_buys_four_strands_and_trusts_assessors() -> None:
    scheme = preset("wirral")

    assert [lot.key for lot in scheme.lots] == ["domiciliary-care", "reablement", "chc", "enhanced-care"]
    assert scheme.variations.reduction is not None
    assert scheme.term.starts == date(2019, 4, 1)


def test_every_lot_of_every_preset_is_paid_for() -> None:
    for key in presets():
        assert [lot.key for lot in preset(key).lots if preset(key).payment(lot.key) is None] == []


def test_cornwall_has_no_isles_of_scilly() -> None:
    districts = chain.from_iterable(locality.districts for locality in preset("cornwall").localities)

    assert not ISLES_OF_SCILLY & set(districts)


@pytest.mark.parametrize("key", EVERY)
def test_every_sector_with_homes_of_the_council_is_in_a_locality(key: str, shared_data: Path) -> None:
    scheme = preset(key)
    own, whole = _units(scheme, shared_data)
    taken = {sector for sector in own if own[sector] >= 3 and own[sector] >= whole[sector] / 20}

    left_out = taken - _homes(scheme, own).keys()

    assert all(sector.partition(" ")[0] in LARGE_USERS or sector in LARGE_USERS for sector in left_out)


@pytest.mark.parametrize("key", EVERY)
def test_every_place_of_a_locality_has_homes_of_the_council(key: str, shared_data: Path) -> None:
    scheme = preset(key)
    own, _ = _units(scheme, shared_data)

    for locality in scheme.localities:
        assert all(own[sector] >= 3 for sector in locality.sectors)
        for district in locality.districts:
            assert sum(units for sector, units in own.items() if sector.partition(" ")[0] == district)


@pytest.mark.parametrize("key", EVERY)
def test_neighbours_are_the_localities_that_lie_side_by_side(key: str, shared_data: Path) -> None:
    scheme = preset(key)
    home = _homes(scheme, _units(scheme, shared_data)[0])
    shared: Counter[frozenset[str]] = Counter()
    file = shared_data / "polygons" / f"adjacency_{POLYGONS.get(key, 'liverpool_city_region')}.csv"
    for row in csv.DictReader(file.read_text().splitlines()):
        one, other = home.get(row["sector_a"]), home.get(row["sector_b"])
        if one and other and one != other:
            shared[frozenset((one, other))] += int(row["shared_boundary_m"])

    beside = {pair for pair, metres in shared.items() if metres >= LEAST_SHARED_BOUNDARY_M}

    stated = {frozenset((one.key, other)) for one in scheme.localities for other in one.neighbours}
    assert stated == beside


def _units(scheme: Scheme, shared_data: Path) -> tuple[dict[str, int], dict[str, int]]:
    """Postcodes by sector: those of the scheme's authorities, and all."""
    lads = {lad for authority in scheme.authorities for lad in authority.lads}
    own: dict[str, int] = {}
    whole: dict[str, int] = {}
    for row in csv.DictReader((shared_data / "postcodes" / "gb_postcode_sectors.csv").read_text().splitlines()):
        parts = {lad: int(units) for lad, units in (part.split(":") for part in row["lads_all"].split(";") if part)}
        own[row["sector"]] = sum(parts.get(lad, 0) for lad in lads)
        whole[row["sector"]] = sum(parts.values())
    return own, whole


def _homes(scheme: Scheme, sectors: dict[str, int]) -> dict[str, str]:
    """The locality of each sector that has one."""
    homes = LocalityMap(scheme.localities)
    return {sector: key for sector in sectors if (key := homes.of(sector)) is not None}
