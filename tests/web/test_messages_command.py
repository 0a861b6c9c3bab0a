"""`dps messages` and `dps webhooks`."""

import json
from pathlib import Path

import pytest

from tests.web.served import dps

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@SQLITE
def test_what_did_not_arrive_is_listed_and_what_is_no_letter_is_not_sent_again(installed: Path) -> None:
    none = dps("messages", "undelivered")
    unknown = dps("messages", "again", "MSG-0000-0000-0000")

    assert (none.exit_code, none.stdout.strip()) == (0, "Everything that was tried has arrived.")
    assert unknown.exit_code == 2
    assert "There is no letter" in unknown.stderr


@SQLITE
def test_a_webhook_is_added_listed_and_ended(installed: Path) -> None:
    ours = ("--authority", "st-helens")
    added = json.loads(dps("webhooks", "add", "https://care.example.org/hook", *ours, "--json").stdout)
    listed = json.loads(dps("webhooks", "list", *ours, "--json").stdout)
    ended = dps("webhooks", "end", added["webhook"], *ours)
    afterwards = json.loads(dps("webhooks", "list", *ours, "--json").stdout)
    refused = dps("webhooks", "add", "http://care.example.org/hook", *ours)

    assert added["secret"].startswith("whsec_")
    assert listed == [{"webhook": added["webhook"], "url": "https://care.example.org/hook", "kinds": []}]
    assert (ended.exit_code, afterwards) == (0, [])
    assert (refused.exit_code, "https://" in refused.stderr) == (2, True)
