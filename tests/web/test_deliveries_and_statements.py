"""`dps import deliveries` and `dps statements`: from the call monitoring's file to a paid statement."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import func, select
from typer.testing import Result

from dps.contracts.contracts import create_contract, start
from dps.contracts.deliveries.records import Delivery
from dps.kernel.actors import Actor, Role
from dps.kernel.clock import DatabaseClock
from dps.kernel.database import Database
from dps.kernel.entropy import SystemEntropy
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.references import Kind, new_reference
from dps.packages.packages import Package
from tests.web.served import dps
from tests.web.test_import_referrals import GOOD, HEADER, imported

HEAD = "contract,visit,day,outcome,planned_start,started,ended,carers\n"
BROKER = Actor("broker-1", Role.BROKER, "st-helens")


@pytest.fixture
def contract(installed: Path, database_url: str) -> tuple[str, date]:
    """A contract for half an hour every morning at £18.00, under way for ten days; its reference and first day."""
    assert imported(installed, HEADER + GOOD, "--write").exit_code == 0
    database = Database(database_url)
    entropy = SystemEntropy()
    with database.transaction() as session:
        now = DatabaseClock().read(session)
        first = now.astimezone(UTC).date() - timedelta(days=10)
        made = create_contract(
            session,
            entropy,
            package=session.exec(select(Package)).one(),
            award_ref=new_reference(Kind.AWARD, entropy),
            provider=new_reference(Kind.PROVIDER, entropy),
            weekly_minutes=210,
            weekly_pence=6300,
            card=RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1800}),
            starts_on=first,
            actor=BROKER,
            now=now,
        )
        start(session, entropy, made, first_visit_on=first, actor=BROKER, now=now)
    database.dispose()
    return made.ref, first


def rows(ref: str, first: date, count: int = 7) -> str:
    days = (first + timedelta(days=n) for n in range(count))
    return "".join(f"{ref},V-{day},{day},done,08:00,08:02,08:32,1\n" for day in days)


def delivered(installed: Path, text: str, *options: str) -> Result:
    (installed / "calls.csv").write_text(HEAD + text, encoding="utf-8")
    return dps("import", "deliveries", str(installed / "calls.csv"), "--scheme", "st-helens", *options)


def counted(url: str) -> int:
    database = Database(url)
    with database.reading() as session:
        count = session.exec(select(func.count()).select_from(Delivery)).one()
    database.dispose()
    return count


def test_from_the_monitorings_file_to_a_paid_statement(
    installed: Path, database_url: str, contract: tuple[str, date]
) -> None:
    ref, first = contract
    tried = delivered(installed, rows(ref, first))
    assert (tried.exit_code, counted(database_url)) == (0, 0), tried.output
    assert "7 visits of 1 contracts would be recorded; 0 were known." in tried.stdout

    written = delivered(installed, rows(ref, first), "--write", "--json")
    again = delivered(installed, rows(ref, first), "--write", "--json")

    assert (json.loads(written.stdout)["new"], json.loads(again.stdout)["known"], counted(database_url)) == (7, 7, 7)
    period = ("--scheme", "st-helens", "--from", str(first), "--until", str(first + timedelta(days=6)))
    made = json.loads(dps("statements", "make", *period, "--by", "broker-1", "--json").stdout)["made"]
    (statement,) = made
    assert statement["pence"] == 6300
    assert dps("statements", "make", *period).stdout.splitlines() == ["0 statements made, £0.00."]
    assert dps("statements", "pay", statement["ref"], "--by", "approver-2").exit_code == 1  # not agreed yet
    assert dps("statements", "agree", statement["ref"]).exit_code == 0
    own = dps("statements", "pay", statement["ref"], "--by", "broker-1")
    assert (own.exit_code, "somebody else must pay" in own.output) == (1, True)

    paid = dps("statements", "pay", statement["ref"], "--by", "approver-2")

    assert paid.exit_code == 0, paid.output
    assert paid.stdout.splitlines()[0].startswith(f"{statement['ref']}, paid")
    assert "due £63.00, of which chargeable £63.00" in paid.stdout
    listed = dps("statements", "list", "--state", "paid")
    assert "1 statements, £63.00." in listed.stdout
    assert json.loads(dps("statements", "show", statement["ref"], "--json").stdout)["state"] == "paid"


@pytest.mark.parametrize(
    ("line", "column", "words"),
    [
        ("{ref},X,{day},done,,08:00,,1", "ended", "a visit that was done has an end"),
        ("{ref},X,{day},done,,8am,08:30,1", "started", "no time of day"),
        ("{ref},X,someday,done,,08:00,08:30,1", "day", "no day"),
        ("{ref},,{day},done,,08:00,08:30,1", "visit", "empty"),
        ("CON-7,X,{day},done,,08:00,08:30,1", "contract", "no reference"),
        ("{other},X,{day},done,,08:00,08:30,1", "contract", "There is no contract"),
        ("{ref},X,{before},done,,08:00,08:30,1", "day", "had not started"),
        ("{ref},X,{day},late,,08:00,08:30,1", "outcome", "none of done"),
        ("{ref},X,{day},done,08:00,08:00,08:30,1", "visit", "recorded already"),
    ],
)
def test_one_bad_row_is_named_and_nothing_of_the_file_is_written(
    installed: Path, database_url: str, contract: tuple[str, date], line: str, column: str, words: str
) -> None:
    ref, first = contract
    other = new_reference(Kind.CONTRACT, SystemEntropy())
    bad = line.format(ref=ref, day=first, before=first - timedelta(days=1), other=other)

    result = delivered(installed, f"{rows(ref, first, 2)}{bad}\n", "--write")

    assert result.exit_code == 2
    (fault, nothing) = result.stderr.strip().splitlines()[-2:]
    assert fault.startswith(f"calls.csv, row 4, {column}: ")
    assert words in fault
    assert nothing == "Nothing was written: 1 fault."
    assert counted(database_url) == 0


def test_odd_visits_are_counted_in_words(installed: Path, contract: tuple[str, date]) -> None:
    ref, first = contract
    text = f"{ref},A,{first},done,,15:00,15:30,1\n{ref},B,{first},missed,08:00,,,1\n"

    result = delivered(installed, text, "--write")

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "2 visits of 1 contracts are recorded; 0 were known.",
        "  1 missed",
        "  1 unplanned",
    ]


def test_a_period_that_can_not_be_stated_says_why(contract: tuple[str, date]) -> None:
    ref, first = contract
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)

    result = dps("statements", "make", "--scheme", "st-helens", "--from", str(first), "--until", str(tomorrow))
    alone = dps(
        *("statements", "make", "--scheme", "st-helens", "--contract", ref),
        *("--from", str(first - timedelta(days=40)), "--until", str(first - timedelta(days=30))),
    )

    assert (result.exit_code, "days that are past" in result.output) == (1, True)
    assert (alone.exit_code, "was not served then" in alone.output) == (2, True)
