"""`dps deliveries workbook` and back: what a provider fills in is recorded, what it leaves empty is not."""

import io
import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from sqlmodel import select

from dps.contracts.contracts import Contract
from dps.contracts.deliveries.expected import ExpectedVisit
from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.deliveries.records import Delivery
from dps.kernel.database import Database
from dps.kernel.entropy import SystemEntropy
from dps.kernel.errors import BadInput
from dps.kernel.references import Kind, new_reference
from dps.register.providers import Provider
from tests.web.served import dps
from tests.web.test_deliveries_and_statements import contract, counted
from web.deliveries_file import COLUMNS, read_deliveries
from web.deliveries_workbook import EXPLAINED, workbook

__all__ = ["contract"]

DAY = date(2019, 3, 4)
CONTRACT = new_reference(Kind.CONTRACT, SystemEntropy())
ASKED = [ExpectedVisit(CONTRACT, f"WBK-{DAY}-{n}", DAY, time(7 + n)) for n in (1, 2, 3)]
BEGUN = 5
"""The column in which `started` stands."""


def opened(content: bytes) -> Workbook:
    return load_workbook(io.BytesIO(content))


def test_it_explains_each_column_that_is_read_and_holds_texts_only() -> None:
    book = opened(workbook([ExpectedVisit("=1+1", f"WBK-{DAY}-1", DAY, time(8))]))

    assert book.sheetnames == ["Visits", "Columns"]
    assert set(EXPLAINED) == set(COLUMNS)
    header, row = book["Visits"].iter_rows()
    assert [cell.value for cell in header] == list(EXPLAINED)
    assert [cell.value for cell in row][:4] == ["=1+1", "WBK-2019-03-04-1", "2019-03-04", "08:00"]
    assert [cell.value for cell in row][4:] in ([], [None] * 4)
    assert {cell.data_type for line in book["Visits"].iter_rows() for cell in line if cell.value} == {"s"}
    assert [line[0].value for line in book["Columns"].iter_rows()][:8] == list(EXPLAINED)


def test_more_visits_than_are_read_back_are_refused() -> None:
    with pytest.raises(BadInput, match="take fewer days"):
        workbook(ASKED[:1] * 5_000)


def test_rows_filled_in_are_read_others_left_out_and_half_of_one_is_a_fault(tmp_path: Path) -> None:
    book = opened(workbook(ASKED))
    rows = book["Visits"]
    rows.cell(2, BEGUN, time(8, 5))
    rows.cell(2, BEGUN + 1, "08:35")
    rows.cell(3, BEGUN + 2, 2)
    book.save(tmp_path / "filled.xlsx")

    found = read_deliveries(tmp_path / "filled.xlsx")

    (draft,) = found.drafts
    assert (draft.row, draft.contract) == (2, CONTRACT)
    assert draft.record == VisitRecord(
        visit_ref=f"WBK-{DAY}-1", day=DAY, planned_start=time(8), started=time(8, 5), ended=time(8, 35)
    )
    (fault,) = found.faults
    assert (fault.facts["row"], fault.facts["field"]) == (3, "started")


def test_from_the_workbook_to_records(
    installed: Path, tmp_path: Path, database_url: str, contract: tuple[str, date]
) -> None:
    ref, first = contract
    whose, other = registered(database_url, ref)
    file = tmp_path / "march.xlsx"
    period = ("--scheme", "st-helens", "--from", str(first), "--until", str(first + timedelta(days=2)))

    none = dps("deliveries", "workbook", str(file), "--provider", other, *period)
    asked = dps("deliveries", "workbook", str(file), "--provider", whose, *period)

    assert none.stdout.startswith("0 visits of 0 contracts"), none.output
    assert asked.stdout.startswith("3 visits of 1 contracts"), asked.output
    book = load_workbook(file)
    rows = book["Visits"]
    rows.cell(2, BEGUN, "08:00")
    rows.cell(2, BEGUN + 1, "08:30")
    rows.cell(4, BEGUN + 3, "missed")
    book.save(file)
    said = ("import", "deliveries", str(file), "--scheme", "st-helens", "--json")
    foreign = dps(*said, "--provider", other, "--write")
    assert (foreign.exit_code, json.loads(foreign.stdout)["faults"][0]["column"]) == (2, "contract"), foreign.output
    assert counted(database_url) == 0
    written = dps(*said, "--provider", whose, "--write")
    again = dps(*said, "--provider", whose, "--write")
    assert (json.loads(written.stdout)["new"], json.loads(again.stdout)["known"]) == (2, 2), written.output
    left = dps("deliveries", "workbook", str(file), "--provider", whose, *period)
    assert left.stdout.startswith("1 visits of 1 contracts"), left.output
    database = Database(database_url)
    with database.reading() as session:
        names = session.exec(select(Delivery.visit_ref).order_by(Delivery.visit_ref)).all()
    database.dispose()
    assert [name[:14] for name in names] == [f"WBK-{first}", f"WBK-{first + timedelta(days=2)}"]


def test_a_name_that_is_no_xlsx_is_refused(installed: Path, tmp_path: Path) -> None:
    period = ("--scheme", "st-helens", "--from", "2019-03-04", "--until", "2019-03-10")

    refused = dps("deliveries", "workbook", str(tmp_path / "march.csv"), "--provider", "PRV", *period)

    assert (refused.exit_code, "ends in .xlsx" in refused.output) == (2, True)


def registered(url: str, ref: str) -> tuple[str, str]:
    """The contract's provider and another, both on the register."""
    other = new_reference(Kind.PROVIDER, SystemEntropy())
    database = Database(url)
    with database.transaction() as session:
        whose = session.exec(select(Contract.provider).where(Contract.ref == ref)).one()
        for provider in (whose, other):
            session.add(
                Provider(
                    ref=provider, name="Ember Home Care", registered_at=datetime.now(UTC), skills=[], accepted_flags=[]
                )
            )
    database.dispose()
    return whose, other
