"""The synthetic market of a demonstration, at its usual size and many times that."""

import pytest

from dps.kernel.calendar import LONDON
from dps.register import shapes
from dps.schemes.loader import canonical, from_canonical, preset, presets
from dps.schemes.model import Scheme
from web.demo.market import Market, Place, draw, draw_year, twins


@pytest.mark.parametrize("key", ["liverpool", "st-helens", "knowsley-sefton"])
def test_twins_are_councils_of_their_own_under_the_same_rules(key: str) -> None:
    scheme = preset(key)

    councils = twins(scheme, 3)

    assert councils[0] is scheme
    assert len({council.key for council in councils}) == 3
    assert len({authority.key for council in councils for authority in council.authorities}) == 3 * len(
        scheme.authorities
    )
    for council in councils:
        assert council.localities == scheme.localities
        assert council.ladders == scheme.ladders
        assert from_canonical(canonical(council)).authorities == council.authorities


def test_a_demonstration_of_the_usual_size_plays_the_scheme_as_it_is_published() -> None:
    scheme = preset("liverpool")

    assert twins(scheme, 1) == (scheme,)


def somewhere(scheme: Scheme) -> tuple[dict[str, list[Place]], dict[str, tuple[float, float]]]:
    """One home in each locality, and all of them in one place."""
    homes = {
        locality.key: [Place(f"L{number} 1AA", f"L{number} 1", locality.key, None)]
        for number, locality in enumerate(scheme.localities)
    }
    return homes, dict.fromkeys(homes, (0.0, 0.0))


def drawn_for(scheme: Scheme, number: int = 1) -> Market:
    homes, centres = somewhere(scheme)
    return draw(scheme, homes, centres, seed=7, number=number)


def drawn(scheme_number: int) -> Market:
    return drawn_for(twins(preset("liverpool"), scheme_number)[-1], scheme_number)


def test_no_two_people_or_providers_of_twins_bear_the_same_name_and_each_twin_has_a_market_of_its_own() -> None:
    first, second = drawn(1), drawn(2)

    assert not {need.number for need in first.needs} & {need.number for need in second.needs}
    assert not {one.name for one in first.providers} & {one.name for one in second.providers}
    assert len(first.needs) == len(second.needs)
    assert [need.arrives_at for need in first.needs] != [need.arrives_at for need in second.needs]


@pytest.mark.parametrize("key", presets())
def test_everybody_stands_on_the_list_that_is_asked_last_and_somebody_on_every_list(key: str) -> None:
    scheme = preset(key)
    asked = {name for ladder in scheme.ladders for stage in ladder.stages for name in stage.lists}

    held = [one.lists for one in drawn_for(scheme).providers]

    assert all(scheme.ladders[0].stages[-1].lists[-1] in lists for lists in held if lists)
    assert {name for lists in held for name in lists} == asked


def test_the_first_week_of_a_year_is_the_demonstration_s_and_each_later_week_begins_at_the_same_hour_on_the_wall() -> (
    None
):
    scheme = preset("liverpool")
    assert scheme.demo is not None
    homes, centres = somewhere(scheme)

    week = draw(scheme, homes, centres, seed=7)
    year = draw_year(scheme, homes, centres, seed=7, weeks=30)

    assert year.providers == week.providers
    assert year.needs[: len(week.needs)] == week.needs
    assert [need.number for need in year.needs] == list(range(1, 30 * scheme.demo.referrals + 1))
    assert {need.arrives_at.astimezone(LONDON).hour for need in year.needs} <= set(range(8, 18))


@pytest.mark.parametrize("key", presets())
def test_a_synthetic_register_keeps_the_shape_of_every_list(key: str) -> None:
    market = drawn_for(preset(key))
    taken: dict[shapes.Place, list[str]] = {}
    for one in market.providers:
        asked = [(name, lot, where) for name, places in one.places for lot in one.lots for where in places]

        assert shapes.against_admission(market.scheme, asked=asked, own=[], taken=taken) == []
        for place in asked:
            taken.setdefault(place, []).append(one.name)
    for listed in market.scheme.lists:
        if listed.seats == 1:  # no lot of any area is left without its provider
            held = [place for place in taken if place[0] == listed.key]
            assert len(held) == len(market.scheme.lots) * len(market.scheme.localities)


def test_haltons_register_is_a_lead_with_two_agencies_whose_hours_it_declares() -> None:
    market = drawn_for(preset("halton"))
    assert market.lead is not None

    lead, *agencies = sorted(market.providers, key=lambda one: not one.places)

    assert lead is market.providers[market.lead]
    assert [one.places for one in agencies] == [(), ()]
    assert lead.minutes >= sum(one.minutes for one in agencies)
