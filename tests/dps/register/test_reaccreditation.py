"""A newer register as a pure rule: who left, what closed, whose rating changed."""

from dps.register.reaccreditation import Changes, Held, Rerated, compare
from dps.schemes.model import Rating

GOOD, POOR = Rating.GOOD, Rating.REQUIRES_IMPROVEMENT
ELM_1, ELM_2 = Held("PRV-ELM", "Elm", "1-1", GOOD), Held("PRV-ELM", "Elm", "1-2", GOOD)
OAK = Held("PRV-OAK", "Oak", "1-3", GOOD)


def test_a_register_that_says_the_same_changes_nothing_and_newcomers_are_not_its_business() -> None:
    stated = {"1-1": GOOD, "1-2": GOOD, "1-3": GOOD, "1-9": POOR}

    assert compare([ELM_1, ELM_2, OAK], stated) == Changes((), (), ())


def test_who_stands_in_no_row_left_and_one_location_that_is_missing_closed() -> None:
    changes = compare([ELM_1, ELM_2, OAK], {"1-2": GOOD})

    assert (changes.left, changes.closed) == (("PRV-OAK",), ("1-1",))


def test_a_rating_that_changed_is_told_with_both() -> None:
    changes = compare([ELM_1, OAK], {"1-1": POOR, "1-3": GOOD})

    assert changes.rerated == (Rerated("1-1", GOOD, POOR),)
