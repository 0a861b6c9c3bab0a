"""Blocks of hours as pages: bought and ended by a commissioner, seen by the desk, and by their provider alone."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from dps.contracts.statements.records import Statement, StatementState
from dps.kernel.database import Database
from dps.register.blocks import Block
from tests.scenarios.serving import Care
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.pages.office.block_statements import unstated
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])

PILOT = "pershore-upton"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "worcestershire") as served:
        yield served


def seated(served: Served, part: Part, *, provider: str | None = None) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, part, provider=provider))
    return browser


def bought(commissioner: Browser, whose: str | None, **other: str) -> str:
    path = "/office/blocks/new/worcestershire"
    commissioner.open(path)
    typed = {"provider": whose or "", "lot": "home-care", "locality": PILOT, "hours": "7", "price": "105.00"}
    return commissioner.send(path, **typed | other).text


def cells(text: str) -> list[str]:
    """The figures of the table: paid, used and unused in a week."""
    return re.findall(r'<td class="govuk-table__cell govuk-table__cell--numeric">(.*?)</td>', text)


@SQLITE
def test_a_block_is_bought_used_and_ended_and_its_unused_hours_are_seen_on_both_sides(council: Served) -> None:
    world = council.world
    oak = world.provider("Synthetic Oak", localities=[PILOT], hours=0)
    commissioner, broker = seated(council, Part.COMMISSIONER), seated(council, Part.BROKER)
    own = seated(council, Part.PROVIDER_USER, provider=oak.provider)
    assert "No block of hours was bought yet" in commissioner.open("/office/blocks").text
    assert "No council buys hours from you" in own.open("/portal/blocks").text

    bought(commissioner, oak.provider)
    (block,) = world.rows(Block)
    assert (block.weekly_minutes, block.weekly_pence) == (420, 105_00)
    referral = world.referral(locality=PILOT)
    offered = own.open(f"/portal/offers/{world.award(referral).ref}").text
    care = Care(world, referral, oak)
    served = [own.open(f"/portal/contracts/{care.ref}").text, broker.open(f"/desk/contracts/{care.ref}").text]

    assert all(
        f"out of your block {block.ref}" in page or f"out of block {block.ref}" in page for page in (offered, *served)
    )
    for page in (broker.open("/office/blocks").text, own.open("/portal/blocks").text):
        assert cells(page) == ["7 hours<br>£105.00", "3 hours 30 minutes", "3 hours 30 minutes"]
    assert f"/office/blocks/{block.ref}/end" not in broker.page.text
    commissioner.open(f"/office/blocks/{block.ref}/end")
    refused = commissioner.send(f"/office/blocks/{block.ref}/end")
    assert (refused.status_code, "210 minutes a week" in refused.text) == (400, True)


@SQLITE
def test_a_block_that_serves_nobody_ends_today(council: Served) -> None:
    oak = council.world.provider("Synthetic Oak", localities=[PILOT])
    commissioner = seated(council, Part.COMMISSIONER)
    bought(commissioner, oak.provider)
    (block,) = council.world.rows(Block)

    commissioner.open(f"/office/blocks/{block.ref}/end")
    ended = commissioner.send(f"/office/blocks/{block.ref}/end").text

    assert "Ended" in ended
    assert cells(ended)[2] == "0 hours"
    (block,) = council.world.rows(Block)
    assert block.last_day == council.world.now.date()
    assert "It ended on" in commissioner.open(f"/office/blocks/{block.ref}/end").text


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"provider": ""}, "Choose a provider"),
        ({"hours": ""}, "Say how many hours a week"),
        ({"hours": "some"}, "Write whole hours"),
        ({"price": "0"}, "A block has a price"),
        ({"from_day": "2017-01-01"}, "A block begins today or later"),
    ],
)
@SQLITE
def test_what_is_missing_or_wrong_is_said_at_its_field_and_nothing_is_bought(
    council: Served, typed: dict[str, str], words: str
) -> None:
    oak = council.world.provider("Synthetic Oak", localities=[PILOT])
    commissioner = seated(council, Part.COMMISSIONER)

    said = bought(commissioner, oak.provider, **typed)

    assert commissioner.page.status_code == 400
    assert words in said
    assert council.world.rows(Block) == []


@SQLITE
def test_another_councils_block_is_not_there_and_no_other_provider_sees_it(council: Served) -> None:
    oak, elm = (council.world.provider(f"Synthetic {name}", localities=[PILOT]) for name in ("Oak", "Elm"))
    bought(seated(council, Part.COMMISSIONER), oak.provider)
    (block,) = council.world.rows(Block)
    stranger = Browser(council)
    stranger.sign_in(an_account(council, Part.COMMISSIONER, authority="another-council"))
    other = seated(council, Part.PROVIDER_USER, provider=elm.provider)

    assert stranger.open(f"/office/blocks/{block.ref}/end").status_code == 404
    assert block.ref not in stranger.open("/office/blocks").text
    assert block.ref not in other.open("/portal/blocks").text


@SQLITE
def test_where_the_rules_buy_no_blocks_the_page_says_so(served: Served) -> None:
    commissioner = seated(served, Part.COMMISSIONER)

    said = commissioner.open("/office/blocks").text

    assert "rules buy no blocks of hours" in said
    assert "Buy a block" not in said


@SQLITE
def test_a_block_s_past_days_are_stated_by_a_broker_and_seen_by_whoever_pays_for_it(council: Served) -> None:
    world = council.world
    oak = world.provider("Synthetic Oak", localities=[PILOT])
    commissioner, broker = seated(council, Part.COMMISSIONER), seated(council, Part.BROKER)
    bought(commissioner, oak.provider)
    (block,) = world.rows(Block)
    path = f"/office/blocks/{block.ref}/statements"
    too_soon = broker.open(path).text
    listed = broker.open("/office/blocks").text
    world.step(days=7)
    broker.open(path)

    ahead = broker.send(path, last_day=world.now.date().isoformat())
    broker.open(path)
    made = broker.send(path)
    again = broker.post(path, first_day=block.from_day.isoformat(), last_day=block.from_day.isoformat())
    seen = commissioner.open(path).text

    assert "No day of it is past and unstated." in too_soon
    assert path in listed
    assert (ahead.status_code, "A statement is of days that are past" in ahead.text) == (400, True)
    assert "£105.00" in made.text
    assert made.url.path.startswith("/desk/statements/PAY-")
    assert (again.status_code, 'href="#first_day"' in again.text) == (400, True)
    (statement,) = world.rows(Statement)
    assert (statement.block, statement.first_day, statement.pence) == (block.ref, block.from_day, 105_00)
    assert statement.ref in seen
    assert f'action="{path}"' not in seen


def a_statement(first: int, last: int, state: StatementState = StatementState.MADE) -> Statement:
    return Statement(first_day=date(2018, 1, first), last_day=date(2018, 1, last), state=state)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("stated", "days"),
    [
        ([], (1, 19)),
        ([a_statement(1, 7)], (8, 19)),
        ([a_statement(10, 12), a_statement(1, 7)], (8, 9)),
        ([a_statement(1, 19)], None),
        ([a_statement(1, 19, StatementState.WITHDRAWN)], (1, 19)),
    ],
)
def test_a_form_begins_with_the_first_days_that_nothing_covers(
    stated: list[Statement], days: tuple[int, int] | None
) -> None:
    block = Block(from_day=date(2018, 1, 1))  # type: ignore[call-arg]

    found = unstated(block, stated, date(2018, 1, 20))

    assert (None if found is None else (found[0].day, found[1].day)) == days
