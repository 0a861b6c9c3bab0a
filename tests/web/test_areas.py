"""`dps areas`: from the command line to the room behind it, and its refusals in words."""

import json
from pathlib import Path

import pytest

from tests.web.served import dps

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])
WHEN = ("--from", "2018-01-01", "--until", "2018-01-07")
REFUSED = {
    ("seek", "--scheme", "st-helens", "--key", "x", "--locality", "y", "--from", "2018-01-01"): "area contract",
    ("show", "TDR-0"): "TDR-0",
    ("offer", "TDR-0"): "TDR-0",
    ("cancel", "TDR-0"): "TDR-0",
    ("end", "LET-0", "--last-day", "2018-01-01"): "LET-0",
    ("state", "LET-0", *WHEN): "LET-0",
    ("state", "LET-0", *WHEN, "--unit", "nights"): "nights",
    ("state", "LET-0", *WHEN, "--unit", "a=1", "--unit", "a=2"): "a=2",
}


def test_where_nothing_is_let_it_says_so_and_what_is_not_there_is_named_in_one_line(installed: Path) -> None:
    assert "No area is sought or let" in dps("areas", "list").stdout
    assert json.loads(dps("areas", "list", "--json").stdout) == {"tenders": [], "area_contracts": []}
    for arguments, words in REFUSED.items():
        refused = dps("areas", *arguments)

        assert refused.exit_code != 0
        assert words in refused.stderr, arguments
        assert "Traceback" not in refused.stderr
