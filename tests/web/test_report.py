"""`dps report` and the auditor's API: the same register, the same package."""

import json
from pathlib import Path

from dps.kernel.actors import Role
from tests.web.served import Served, dps

MONTH = "?scheme=st-helens&first=2018-06-01&last=2018-06-30&prefix=ocds-a1b2c3"


def test_an_auditor_reads_the_open_data_over_http_and_nobody_else_does(served: Served) -> None:
    auditor, broker = served.caller(Role.AUDITOR), served.broker()

    answer = auditor.get(f"/api/audit/ocds{MONTH}")

    assert answer.json()["releases"][0]["ocid"] == "ocds-a1b2c3-st-helens"
    assert answer.json()["uri"].endswith(MONTH)
    assert broker.get(f"/api/audit/ocds{MONTH}").status_code == 403
    assert auditor.get(f"/api/audit/ocds{MONTH.replace('-30', '-29')}").status_code == 422


def test_the_command_line_writes_register_and_package(installed: Path) -> None:
    package = installed / "awards.json"
    days, months = ["--from", "2026-01-01", "--until", "2026-01-31"], ["--from", "2026-01", "--until", "2026-02"]

    listed = dps("report", "awards", "--scheme", "st-helens", *days)
    written = dps(
        "report", "ocds", "--scheme", "st-helens", *months, "--prefix", "ocds-a1b2c3", "--uri", "https://c.example/x",
        "--out", str(package),
    )  # fmt: skip
    refused = dps(
        "report", "ocds", "--scheme", "st-helens", *months, "--prefix", "ours", "--uri", "https://c.example/x"
    )

    assert "0 awards, £0.00 a week." in listed.output
    assert written.exit_code == 0, written.output
    assert json.loads(package.read_bytes())["releases"][0]["id"] == "st-helens-20260101-20260228"
    assert (refused.exit_code, "ocds-a1b2c3" in refused.output) == (2, True)


def test_the_law_s_clocks_are_listed_and_a_recorded_notice_stops_one(installed: Path) -> None:
    before = dps("report", "clocks", "--scheme", "st-helens", "--json")
    recorded = dps(
        "report", "notice", "--scheme", "st-helens", "--clock", "tiers", "--number", "N-1", "--published-on",
        "2020-01-01",
    )  # fmt: skip
    refused = dps(
        "report", "notice", "--scheme", "st-helens", "--clock", "term", "--number", "N-1", "--published-on",
        "2020-01-01",
    )  # fmt: skip

    assert [row["clock"] for row in json.loads(before.output)] == ["tiers", "term"]
    assert "tiers of st-helens: published on 2020-01-01 under N-1." in recorded.output
    assert (refused.exit_code, "no notice stops" in refused.output) == (2, True)


def test_the_lists_to_be_published_are_printed_and_written(installed: Path, tmp_path: Path) -> None:
    printed = dps("report", "lists", "--scheme", "st-helens")
    written = dps("report", "lists", "--scheme", "st-helens", "--out", str(tmp_path / "lists.xlsx"))

    assert (printed.exit_code, printed.output) == (0, "Nobody is on a list of st-helens yet.\n")
    assert (written.exit_code, (tmp_path / "lists.xlsx").exists()) == (0, True)


def test_a_commissioner_reads_the_clocks_over_http_and_a_broker_does_not(served: Served) -> None:
    seen = served.caller(Role.COMMISSIONER).get("/api/schemes/st-helens/clocks")

    assert {"clock", "limit", "is_overdue", "words"} <= set(seen.json()[0])
    assert served.broker().get("/api/schemes/st-helens/clocks").status_code == 403
    assert served.caller(Role.COMMISSIONER).get("/api/schemes/nowhere/clocks").status_code == 404
