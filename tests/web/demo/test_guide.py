"""What a visitor reads in the terminal: where to begin, and how long until something happens."""

from datetime import UTC, datetime, timedelta

from tests.web.served import Served
from web.demo.guide import closings_for, first_steps
from web.demo.visiting import Visitors
from web.security.accounts import Part

NOW = datetime(2019, 3, 4, 9, 30, tzinfo=UTC)
VISITORS = Visitors({part: f"{part}@example.org" for part in Part}, "words")


def told(*closings: datetime) -> str:
    return "\n".join(first_steps(site="http://here", visitors=VISITORS, closings=list(closings), now=NOW))


def test_the_way_names_who_signs_in_and_when_the_first_closing_comes_in_real_time() -> None:
    found = told(NOW + timedelta(hours=5, minutes=30), NOW + timedelta(hours=4))

    assert "Sign in as provider_user@example.org." in found
    assert "2 packages with time enough" in found
    assert "Monday 4 March 2019, 13:30 GMT or later" in found
    assert "in about 4 minutes of your time" in found


def test_a_closing_that_comes_too_soon_is_no_place_to_begin() -> None:
    found = told(NOW + timedelta(minutes=90), NOW + timedelta(hours=5, minutes=30))

    assert "1 package with time enough" in found
    assert "15:00 GMT or later" in found


def test_whole_areas_are_told_where_there_are_any_to_bid_for() -> None:
    closes_at = NOW + timedelta(hours=31, minutes=30)
    lines = first_steps(site="http://here", visitors=VISITORS, closings=[], now=NOW, areas_close=closes_at)

    assert "Whole areas are sought until Tuesday 5 March 2019, 17:00 GMT" in "\n".join(lines)
    assert "about 32 minutes from now" in "\n".join(lines)
    assert "Whole areas" not in told()


def test_with_nothing_open_the_way_still_says_how_to_open_something() -> None:
    found = told()

    assert "shows what it is asked for." in found
    assert "publish a draft" in found


def test_the_closings_are_those_of_the_packages_that_the_provider_is_asked_for(served: Served) -> None:
    world = served.world
    provider = world.provider("Asked").provider or ""
    world.referral()
    referral = world.referral()

    with world.database.reading() as session:
        found = closings_for(session, provider, world.now)

    assert found == [world.closes_at(referral)] * 2
