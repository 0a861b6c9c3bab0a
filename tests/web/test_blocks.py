"""`dps blocks`: from the command line to the room behind it, and its refusals in words."""

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.web.served import dps


def test_a_scheme_without_blocks_says_so(installed: Path) -> None:
    assert "No block of hours is agreed" in dps("blocks", "list", "--scheme", "st-helens").stdout
    assert json.loads(dps("blocks", "list", "--scheme", "st-helens", "--json").stdout) == []

    today = str(datetime.now(UTC).date())
    where = ("--lot", "personal-care", "--locality", "town-centre", "--hours", "7", "--weekly-pence", "10500")
    refused = dps("blocks", "agree", "--scheme", "st-helens", "--provider", "PRV-1", *where, "--from", today)

    assert refused.exit_code != 0
    assert "Traceback" not in refused.stderr


def test_a_block_that_is_not_there_is_named(installed: Path) -> None:
    for command in (("end", "--scheme", "st-helens"), ("state", "--from", "2018-01-01", "--until", "2018-01-07")):
        refused = dps("blocks", command[0], "HRS-0", *command[1:])

        assert refused.exit_code != 0
        assert "HRS-0" in refused.stderr


def test_what_a_block_saves_is_said_for_the_tiers_of_a_scheme() -> None:
    request = ("blocks", "saving", "--scheme", "worcestershire", "--lot", "home-care")

    assert "£300.00 a week less" in dps(*request, "--before", "tier-4", "--after", "tier-3").stdout
    assert "£300.00 a week more" in dps(*request, "--before", "tier-3", "--after", "tier-4").stdout
    unknown = dps(*request, "--before", "tier-9", "--after", "tier-3")
    assert "tier-1, tier-2, tier-3, tier-4" in unknown.stderr
