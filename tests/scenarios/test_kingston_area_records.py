"""An area contract is paid for the hours that the records of visits show; only what nobody records is told.

Source: Kingston's paper asks for rates by element; that records come first is assumed.
"""

import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bidding.monthly.facts import month_facts
from bidding.monthly.figures import month_of
from dps.contracts.area_contracts import AreaContractRow
from dps.contracts.statements.moving import withdraw_statement
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NotFound
from dps.register.capacity import declare
from tests.scenarios.serving import Care, items, on_sqlite, paid
from tests.scenarios.test_kingston_areas import CHEAP, DEAR, MALDEN, Competition, stated
from tests.support.world import World
from web.packing import pack_area

AUDITOR = Actor(ref="auditor-1", role=Role.AUDITOR)
WEEK = 7


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "kingston")


@pytest.fixture
def oak(council: World) -> Actor:
    return council.provider("Synthetic Oak", localities=[MALDEN], lists=["area-provider"])


@pytest.fixture
def row(council: World, oak: Actor) -> AreaContractRow:
    """Home care at £16.00 and reablement at £18.00 an hour, won against a dearer bid."""
    elm = council.provider("Synthetic Elm", lists=["approved"])
    return Competition(council, "two-rates", MALDEN).let(oak, (oak, CHEAP), (elm, DEAR))


def served(council: World, oak: Actor) -> Care:
    """Somebody in the area whom the contract's provider serves at home."""
    council.publish_lists()
    council.run(
        declare,
        provider_id=council.row_of(oak).id or 0,
        authority=council.authority,
        minutes=6_000,
        expires_at=council.now + timedelta(days=60),
        actor=oak,
    )
    return Care(council, council.referral(locality=MALDEN, lot="personal-care"), oak)


def test_recorded_hours_are_paid_at_the_rate_bid_and_the_rest_is_told(
    council: World, oak: Actor, row: AreaContractRow
) -> None:
    care = served(council, oak)
    council.step(days=WEEK)
    care.mornings(WEEK, minutes=29)

    with pytest.raises(BadInput, match="Home care is read from the records of visits"):
        stated(council, row, care.first, WEEK, units={"home-care": 4, "reablement": 10})
    statement = paid(council, stated(council, row, care.first, WEEK, units={"reablement": 10}), oak)

    assert items(statement) == [("element", 10 * 1_800), ("element", 54_13)]
    working = "Home care: 3 h 23 min in 7 recorded visits at £16.00: £54.13 and 1/3 p, to the nearest penny £54.13"
    assert statement.lines[1]["working"] == [working]


@on_sqlite
def test_nothing_is_recorded_for_a_stated_day_until_the_statement_is_withdrawn(
    council: World, oak: Actor, row: AreaContractRow
) -> None:
    care = served(council, oak)
    council.step(days=WEEK)
    care.mornings(3)
    made = stated(council, row, care.first, WEEK)
    assert items(made) == [("element", 3 * 800)]

    with pytest.raises(BadInput, match=f"statement {made.ref} covers this day"):
        care.mornings(1, start=3)
    council.run(withdraw_statement, statement_ref=made.ref, actor=council.broker)
    care.mornings(1, start=3)

    assert items(stated(council, row, care.first, WEEK)) == [("element", 4 * 800)]


def packed(council: World, row: AreaContractRow, actor: Actor = AUDITOR) -> tuple[dict[str, bytes], list[Any]]:
    with council.database.reading() as session:
        content, claims = pack_area(
            session, area_contract_ref=row.ref, actor=actor, public_keys=council.ports.keyring.public_keys
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}, claims


def test_an_auditor_takes_the_whole_story_away_and_each_claim_holds(
    council: World, oak: Actor, row: AreaContractRow
) -> None:
    care = served(council, oak)
    council.step(days=WEEK)
    care.mornings(WEEK)
    made = stated(council, row, care.first, WEEK, units={"reablement": 2})
    council.timetable.sign_checkpoint()

    files, claims = packed(council, row)

    assert [claim.words for claim in claims if not claim.holds] == []
    story = json.loads(files["story.json"])
    (one,) = story["statements"]
    assert (one["ref"], one["pence"], one["reckoned_pence"]) == (made.ref, made.pence, made.pence)
    assert [score["yearly_pence"] for score in story["evaluation"]] == [
        score["yearly_pence"] for score in story["evaluated_again"]
    ]
    assert len([name for name in files if name.endswith(".receipt.json")]) == 2
    page = files["story.html"].decode()
    assert row.ref in page
    assert "does not hold" not in page
    assert "<script" not in page
    assert packed(council, row)[0] == files


@pytest.mark.parametrize(
    ("change", "claim"),
    [
        ("UPDATE area_contract SET terms = replace(terms, '1600', '1700')", "The contract says what was bid."),
        ("UPDATE tender SET scores = replace(scores, '\"rank\":1', '\"rank\":2')", "The evaluation, worked out again"),
        ("UPDATE statement SET pence = pence + 1", "What is paid follows"),
        ("UPDATE delivery SET delivered_minutes = 29", "What is paid follows"),
    ],
)
@on_sqlite
def test_what_was_changed_afterwards_does_not_hold(
    council: World, oak: Actor, row: AreaContractRow, change: str, claim: str
) -> None:
    care = served(council, oak)
    council.step(days=WEEK)
    care.mornings(WEEK)
    stated(council, row, care.first, WEEK)
    with council.database.transaction() as session:
        session.connection().exec_driver_sql(change)

    _, claims = packed(council, row)

    assert claim in [one.words[: len(claim)] for one in claims if not one.holds]


@on_sqlite
def test_the_story_is_for_auditors_of_its_authority(council: World, row: AreaContractRow) -> None:
    with pytest.raises(Forbidden):
        packed(council, row, council.broker)
    with pytest.raises(NotFound):
        packed(council, row, Actor(ref="auditor-2", role=Role.AUDITOR, authority="merton"))


def test_the_months_report_names_each_area_contract_with_what_it_came_to(
    council: World, oak: Actor, row: AreaContractRow
) -> None:
    first = council.now.date() - timedelta(days=14)
    paid(council, stated(council, row, first, 7, units={"home-care": 100}), oak)
    stated(council, row, first + timedelta(days=7), 3, units={"home-care": 50})
    withdrawn = stated(council, row, first + timedelta(days=10), 2, units={"home-care": 1})
    council.run(withdraw_statement, statement_ref=withdrawn.ref, actor=council.broker)
    council.step(minutes=1)
    with council.database.reading() as session:
        counted = session.connection().execute(
            text(
                "SELECT sum(pence), sum(CASE WHEN state = 'paid' THEN pence ELSE 0 END), sum(to_discussion_pence)"
                " FROM statement WHERE state <> 'withdrawn' AND area_contract = :ref"
            ),
            {"ref": row.ref},
        )
        oracle = [int(number) for number in counted.one()]
        facts = month_facts(
            session,
            scheme=council.scheme,
            first=first,
            last=council.now.date(),
            actor=council.commissioner,
            now=council.now,
        )
        before = month_facts(
            session,
            scheme=council.scheme,
            first=row.from_day - timedelta(days=10),
            last=row.from_day - timedelta(days=1),
            actor=council.commissioner,
            now=council.now,
        )

    (area,) = month_of(facts).areas

    assert [area.stated_pence, area.paid_pence, area.to_discussion_pence] == oracle == [150 * 1_600, 100 * 1_600, 0]
    assert (area.contract, area.provider, area.key, area.locality) == (row.ref, oak.provider, "two-rates", MALDEN)
    assert area.yearly_pence == row.evaluated_pence
    assert before.areas == ()
