"""What a visitor reads in the terminal: where to begin, and how long until something happens."""

from datetime import UTC, datetime, timedelta

from dps.kernel.actors import Actor
from tests.web.pages.test_portal import provider
from tests.web.served import Served
from web.demo.guide import closings_for, first_steps
from web.demo.visiting import Visitors
from web.security.accounts import Part

NOW = datetime(2019, 3, 4, 9, 30, tzinfo=UTC)
VISITORS = Visitors({part: f"{part}@example.org" for part in Part}, "words")


def told(*closings: datetime | None) -> str:
    lines = first_steps(site="http://here", visitors=VISITORS, closings=list(closings), now=NOW)
    return " ".join(" ".join(lines).split())


def test_the_way_names_who_signs_in_and_when_the_first_closing_comes_in_real_time() -> None:
    found = told(NOW + timedelta(hours=5, minutes=30), NOW + timedelta(hours=4), None)

    assert "Sign in as provider_user@example.org." in found
    assert "shows 3 open packages now, 2 with time enough" in found
    assert "Monday 4 March 2019, 13:30 GMT or later" in found
    assert "in about 4 minutes of your time" in found


def test_a_closing_that_comes_too_soon_is_no_place_to_begin() -> None:
    found = told(NOW + timedelta(minutes=90), NOW + timedelta(hours=5, minutes=30))

    assert "shows 2 open packages now, 1 with time enough" in found
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


def test_the_closings_are_those_that_the_first_page_counts_as_not_answered(served: Served) -> None:
    world = served.world
    asked = provider(served, "Asked")
    actor: Actor = asked.actor  # type: ignore[attr-defined]
    first, _, answered = (world.referral() for _ in range(3))
    world.bid(actor, answered, pence=1650)
    page = asked.open("/portal").text

    with world.database.reading() as session:
        found = closings_for(session, actor.provider or "", world.ports.keyring, world.now)

    assert found == [world.closes_at(first)] * 2
    assert "<strong>2</strong><span>open packages you have not answered" in page
