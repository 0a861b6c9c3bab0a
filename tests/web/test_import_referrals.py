"""`dps import referrals`: tried first, written whole or not at all, published if asked."""

import json
from pathlib import Path

from sqlmodel import func, select
from typer.testing import Result

from bidding.referrals import Referral
from dps.kernel.database import Database
from dps.packages.packages import Package
from dps.packages.persons import Person
from tests.web.served import dps

HEADER = (
    "name,postcode,lot,urgency,date_of_birth,schedule,needs,flags,earliest_start,latest_start,funding,group,linked_as\n"
)
GOOD = (
    'Synthetic Person 1,WA10 1AA,personal-care,standard,1940-05-06,"Mon-Sun 07:30-09:30 30m personal_care",'
    "none,none,2030-03-07,2030-03-14,council,,\n"
)
OTHER = GOOD.replace("Synthetic Person 1", "Synthetic Person 2")


def imported(installed: Path, text: str, *options: str) -> Result:
    (installed / "referrals.csv").write_text(text, encoding="utf-8")
    return dps("import", "referrals", str(installed / "referrals.csv"), "--scheme", "st-helens", *options)


def counted(url: str) -> tuple[int, int, int]:
    """How many persons, packages and referrals there are."""
    database = Database(url)
    with database.reading() as session:
        counts = tuple(
            session.exec(select(func.count()).select_from(table)).one() for table in (Person, Package, Referral)
        )
    database.dispose()
    return counts  # type: ignore[return-value]


def test_a_trial_writes_nothing_and_says_what_it_would(installed: Path, database_url: str) -> None:
    result = imported(installed, HEADER + GOOD + OTHER)

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "Referrals: 2, of 2 people, would be drafted.",
        "Nothing was written: --write writes it.",
    ]
    assert counted(database_url) == (0, 0, 0)


def test_drafts_are_written_when_asked(installed: Path, database_url: str) -> None:
    result = imported(installed, HEADER + GOOD + OTHER, "--write", "--json")

    answer = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert answer["written"] is True
    assert sorted(answer["referrals"]) == ["2", "3"]
    assert counted(database_url) == (2, 2, 2)


def test_one_fault_keeps_the_whole_file_out_and_is_named_with_row_and_column(
    installed: Path, database_url: str
) -> None:
    result = imported(installed, HEADER + GOOD + OTHER.replace("WA10 1AA", "M1 1AA"), "--write")

    assert result.exit_code == 2
    assert "referrals.csv, row 3, postcode: M1 1AA lies in no locality" in result.stderr
    assert "Nothing was written: 1 fault." in result.stderr
    assert counted(database_url) == (0, 0, 0)


def test_what_is_ready_is_published_and_what_is_not_says_why(installed: Path, database_url: str) -> None:
    result = imported(installed, HEADER + GOOD + OTHER.replace("2030-03-14", ""), "--write", "--publish", "--json")

    answer = json.loads(result.stdout)
    assert result.exit_code == 1, result.output
    assert answer["published"] == 1, answer
    assert [row["row"] for row in answer["not_ready"]] == [3]
    database = Database(database_url)
    with database.reading() as session:
        states = sorted(str(state) for state in session.exec(select(Referral.state)))
    database.dispose()
    assert states == ["draft", "unfilled"]


def test_a_split_package_is_linked(installed: Path, database_url: str) -> None:
    linked = GOOD.replace(",council,,", ",council,one,split_package")

    result = imported(installed, HEADER + linked + linked, "--write")

    assert result.exit_code == 0, result.output
    assert counted(database_url) == (1, 2, 2)
    database = Database(database_url)
    with database.reading() as session:
        groups = set(session.exec(select(Package.linked_group)))
    database.dispose()
    assert len(groups) == 1
    assert None not in groups
