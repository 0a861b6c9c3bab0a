"""What differs between two schemes, in words."""

import pytest

from dps.schemes.differences import differences
from dps.schemes.loader import load, preset, presets
from tests.dps.schemes.files import with_changes


@pytest.mark.parametrize("key", presets())
def test_a_scheme_does_not_differ_from_itself(key: str) -> None:
    assert differences(preset(key), preset(key)) == []


def test_one_changed_window_is_one_sentence_on_each_side() -> None:
    changed = load(with_changes("liverpool", {'window = "5h"': 'window = "6h"'}))

    (part,) = differences(preset("liverpool"), changed)

    assert part.heading.startswith("Who is asked, in which order")
    ((before,), (after,)) = part.first, part.second
    assert "closes 5 hours after it opens" in before
    assert "closes 6 hours after it opens" in after


def test_a_row_of_a_table_is_told_in_words() -> None:
    moved = load(with_changes("halton", {'name = "Runcorn"': 'name = "Runcorn | West"'}))

    (part,) = differences(preset("halton"), moved)

    assert part.heading == "Localities"
    ((before,), (after,)) = part.first, part.second
    assert before.startswith("Locality Runcorn (`runcorn`): postcode districts and sectors WA7, ")
    assert after.startswith("Locality Runcorn \\| West (`runcorn`): postcode districts and sectors WA7, ")
    assert before.endswith("; live from the start.")


def test_a_part_that_only_one_scheme_has_is_said_from_its_side() -> None:
    with_retainer = {part.heading: part for part in differences(preset("cornwall"), preset("halton"))}

    changes = with_retainer["How a contract may change"]
    assert any("within 4 weeks" in line for line in changes.first)
    assert not any("within 4 weeks" in line for line in changes.second)
    assert with_retainer["Lot: Supportive lifestyles (`supportive-lifestyles`)"].second == ()


def test_the_other_way_round_the_sides_are_exchanged() -> None:
    one, other = preset("wirral"), preset("kent-flex")

    there = {part.heading: (part.first, part.second) for part in differences(one, other)}
    back = {part.heading: (part.second, part.first) for part in differences(other, one)}

    assert there == back


def test_a_name_and_a_colour_are_no_rules() -> None:
    renamed = preset("halton").model_copy(update={"name": "Another", "colour": "#000000"})

    assert differences(preset("halton"), renamed) == []
