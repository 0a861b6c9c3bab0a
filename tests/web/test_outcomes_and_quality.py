"""`dps outcomes` and `dps quality`: from a review to what the council reports, and from its records to a score."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from dps.kernel.actors import Actor, Role
from dps.kernel.clock import DatabaseClock
from dps.kernel.database import Database
from dps.schemes.loader import preset
from dps.schemes.published import standing_scheme
from dps.schemes.quality import FollowUp, Indicator, IndicatorKey
from dps.schemes.stored import publish_rules
from tests.web.served import dps
from tests.web.test_deliveries_and_statements import contract, delivered, rows

__all__ = ["contract"]

HERE = ("--scheme", "st-helens")


@pytest.fixture
def measured(installed: Path, database_url: str) -> None:
    """The installed council's rules with a follow-up, indicators and a quality score."""
    more: dict[str, Any] = {
        "follow_ups": (FollowUp(key="a-week", name="A week", lots=("personal-care",), since="start", days=7),),
        "indicators": (
            Indicator(key=IndicatorKey.OUTCOMES_MET, target_percent=80),
            Indicator(key=IndicatorKey.INDEPENDENT, follow_up="a-week"),
            Indicator(key=IndicatorKey.SATISFIED, follow_up="a-week", target_percent=90),
            Indicator(key=IndicatorKey.VISITS_ON_TIME),
            Indicator(key=IndicatorKey.COMPLAINTS_UPHELD),
            Indicator(key=IndicatorKey.SPEND),
        ),
        "recognition": preset("kingston").recognition,
        "enablement": preset("cornwall").enablement,
    }
    database = Database(database_url)
    with database.transaction() as session:
        scheme = standing_scheme(session, "st-helens").model_copy(update=more)
        actor = Actor("commissioner-1", Role.COMMISSIONER, "st-helens")
        publish_rules(session, scheme, actor, DatabaseClock().read(session))
    database.dispose()


def test_a_councils_figures_from_its_records(
    installed: Path, database_url: str, contract: tuple[str, date], measured: None
) -> None:
    ref, first = contract
    week = first + timedelta(days=6)
    assert delivered(installed, rows(ref, first), "--write").exit_code == 0
    reviewed = dps("outcomes", "review", ref, "--met", "2", "--agreed", "3", "--until", str(week))
    review = reviewed.stdout.split(":")[0]
    assert dps("outcomes", "answer", review, "--contests").stdout == f"{review}: contested.\n"
    own = dps("outcomes", "settle", review, "--met", "3", "--by", "command-line")
    assert (own.exit_code, "somebody else" in own.stderr) == (1, True)
    assert dps("outcomes", "settle", review, "--met", "3", "--by", "approver-2").exit_code == 0
    assert dps("outcomes", "due", *HERE, "--on", str(week)).stdout == "Nobody is due.\n"
    due = json.loads(dps("outcomes", "due", *HERE, "--on", str(first + timedelta(days=8)), "--json").stdout)
    assert [(one["contract"], one["point"]) for one in due] == [(ref, "a-week")]
    found = ("--whereabouts", "home_with_care", "--satisfaction", "5")
    assert dps("outcomes", "follow-up", ref, "--point", "a-week", *found).exit_code == 0
    about = ("--kind", "complaint", "--topic", "late_visits", "--on", str(week))
    complaint = dps("outcomes", "concern", ref, *about).stdout.split(":")[0]
    assert dps("outcomes", "close-concern", complaint, "--authority", "st-helens", "--upheld").exit_code == 0

    period = ("--from", str(first), "--until", str(first + timedelta(days=10)))
    figures = json.loads(dps("outcomes", "report", *HERE, *period, "--json").stdout)

    assert [(one["key"], one["number"], one["of"], one["is_reached"]) for one in figures] == [
        ("outcomes_met", 3, 3, True),
        ("independent", 1, 1, None),
        ("satisfied", 1, 1, True),
        ("visits_on_time", 7, 7, None),
        ("complaints_upheld", 1, None, None),
        ("spend", 0, None, None),
    ]
    assert (
        "outcomes met                              3 of 3, 100%  target 80%: reached"
        in dps("outcomes", "report", *HERE, *period).stdout
    )


def test_scores_are_published_once_for_a_day_and_who_fails_nothing_is_given_no_notice(
    installed: Path, contract: tuple[str, date], measured: None
) -> None:
    yesterday = str(contract[1] + timedelta(days=9))

    published = json.loads(dps("quality", "publish", *HERE, "--until", yesterday, "--json").stdout)
    again = dps("quality", "publish", *HERE, "--until", yesterday)

    assert {one["score"] for one in published} <= {70}  # nobody on the register has served three contracts
    assert again.stdout == "No score.\n"
    assert dps("quality", "failing", *HERE).exit_code == 0
    for one in published[:1]:
        notice = dps("quality", "notice", *HERE, "--provider", one["provider"])
        assert (notice.exit_code, "0 of its last 0 requests failed" in notice.stderr) == (1, True)


def test_a_contract_that_is_not_there_is_said(installed: Path) -> None:
    result = dps("outcomes", "review", "CON-0000-0000-0000", "--met", "1", "--agreed", "1", "--until", "2026-01-01")

    assert (result.exit_code, result.stderr.strip()) == (2, "There is no contract CON-0000-0000-0000.")
