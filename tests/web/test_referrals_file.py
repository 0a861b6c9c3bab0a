"""A file of referrals: drafts from good rows, and every fault with its row and column."""

from datetime import date
from pathlib import Path

import pytest
from openpyxl import Workbook

from dps.kernel.errors import BadInput
from dps.packages.facts import Flag, FundingStream, LinkKind
from dps.packages.identity import AgeBand
from dps.packages.schedule import parse_schedule
from dps.schemes.model import Urgency
from tests.dps.packages.cases import PROVIDER_REF, SCHEME
from web.referrals_file import ReferralsFile, read_referrals

TODAY = date(2026, 3, 2)
GOOD = {
    "name": "Zebedee Quillfeather",
    "address": "3 Teasel Row",
    "postcode": "l6 1ab",
    "date_of_birth": "06/05/1941",
    "nhs_number": "943 476 5919",
    "phone": "01632 960123",
    "lot": "personal-care",
    "urgency": "standard",
    "funding": "council",
    "schedule": "Mon-Sun 07:30-09:30 30m personal_care; Mon-Sun 12:00-13:00 15m medication",
    "needs": "peg feeding, hoist",
    "flags": "none",
    "earliest_start": "2026-03-09",
    "latest_start": "16/03/2026",
    "pen_picture": "Likes the radio on.",
}


def _read(folder: Path, *rows: dict[str, str], postcodes: frozenset[str] | None = None) -> ReferralsFile:
    columns = list(dict.fromkeys(column for row in rows for column in row)) or list(GOOD)
    lines = [columns, *([row.get(column, "") for column in columns] for row in rows)]
    path = folder / "referrals.csv"
    path.write_text("\n".join(",".join(f'"{cell}"' for cell in line) for line in lines))
    known = postcodes or frozenset({"L6 1AB", "L7 2AA", "L8 1AA"})
    return read_referrals(
        path, SCHEME, authority="westshire", today=TODAY, exists=lambda postcode: postcode.canonical in known
    )


def _faults(read: ReferralsFile) -> list[tuple[int | None, str | None]]:
    return [(fault.row, fault.field) for fault in read.faults]


def test_a_good_row_becomes_a_draft(tmp_path: Path) -> None:
    read = _read(tmp_path, GOOD)

    (draft,) = read.drafts
    assert read.is_good
    assert (draft.row, draft.identity.name, draft.identity.nhs_number) == (2, "Zebedee Quillfeather", "9434765919")
    assert (draft.identity.postcode, draft.confidential.postcode) == ("L6 1AB", "L6 1AB")
    assert (draft.facts.sector, draft.facts.locality) == ("L6 1", "harbour")
    assert draft.facts.schedule == parse_schedule(GOOD["schedule"])
    assert draft.facts.needs == frozenset({"peg_feeding", "hoist"})
    assert draft.facts.flags == frozenset()
    assert (draft.facts.urgency, draft.facts.funding) == (Urgency.STANDARD, FundingStream.COUNCIL)
    assert (draft.facts.earliest_start, draft.facts.latest_start) == (date(2026, 3, 9), date(2026, 3, 16))
    assert draft.facts.age_band is AgeBand.FROM_75
    assert draft.free_text.pen_picture == "Likes the radio on."


def test_what_is_not_told_is_not_known_rather_than_none(tmp_path: Path) -> None:
    (draft,) = _read(
        tmp_path, {"name": "A", "postcode": "L6 1AB", "lot": "personal-care", "urgency": "Hospital discharge"}
    ).drafts

    facts = draft.facts
    assert facts.urgency is Urgency.DISCHARGE
    assert (facts.needs, facts.flags, facts.schedule, facts.age_band) == (None, None, None, AgeBand.UNKNOWN)


def test_a_spreadsheet_reads_like_the_text_that_it_shows(tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    cells = GOOD | {"date_of_birth": date(1941, 5, 6), "nhs_number": 9434765919, "lot": "enablement"}
    cells |= {"budget": 1250.1, "budget_weeks": 6, "other_minutes_allowed": True, "flags": "Smoker, time-critical"}
    sheet.append(list(cells))
    sheet.append(list(cells.values()))
    workbook.save(tmp_path / "referrals.xlsx")

    read = read_referrals(tmp_path / "referrals.xlsx", SCHEME, authority="westshire", today=TODAY)

    assert read.faults == ()
    (draft,) = read.drafts
    assert (draft.facts.budget_pence, draft.facts.budget_weeks) == (125_010, 6)
    assert draft.facts.flags == frozenset({Flag.SMOKER, Flag.TIME_CRITICAL})
    assert draft.facts.other_minutes_allowed
    assert (draft.identity.date_of_birth, draft.identity.nhs_number) == (date(1941, 5, 6), "9434765919")


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("name", "", "needed"),
        ("postcode", "", "needed"),
        ("lot", " ", "needed"),
        ("postcode", "L6", "only the first half"),
        ("postcode", "M1 1AA", "no locality"),
        ("postcode", "L6 1ZZ", "the directory knows no postcode"),
        ("date_of_birth", "1941", "no day"),
        ("date_of_birth", "31/02/1941", "no day"),
        ("date_of_birth", "03/03/2026", "past"),
        ("nhs_number", "943 476 5918", "slip"),
        ("lot", "live-in", "no lot"),
        ("urgency", "soon", "none of standard"),
        ("schedule", "Mon 09:00-08:00 30m personal_care", "exchanged"),
        ("schedule", "Mon 09:00-10:00 20m personal_care", "least is 30"),
        ("needs", "Mrs Quill!", "no need"),
        ("flags", "ghosts", "none of smoker"),
        ("budget", "100.00", "sets no budget"),
        ("budget", "100.5", "no amount"),
        ("budget_weeks", "six", "whole number"),
        ("latest_start", "2026-03-08", "before the earliest"),
        ("preferred_provider", "Acme Care", "no reference"),
        ("other_minutes_allowed", "maybe", "neither yes nor no"),
        ("pen_picture", "A" * 4001, "at most"),
        ("linked_as", "household", "needs both"),
        ("group", "one", "needs both"),
    ],
)
def test_each_fault_is_named_with_its_row_and_column(tmp_path: Path, column: str, cell: str, reason: str) -> None:
    read = _read(tmp_path, GOOD, GOOD | {"nhs_number": "", column: cell})

    faults = [fault for fault in read.faults if fault.row == 3 and reason in str(fault)]
    assert len(faults) == 1
    assert faults[0].file == "referrals.csv"
    assert faults[0].field in (column, "group" if column == "linked_as" else "linked_as")


def test_all_faults_are_reported_at_once(tmp_path: Path) -> None:
    bad = GOOD | {"name": "", "postcode": "L6", "urgency": "soon", "needs": "hoist"}

    read = _read(tmp_path, bad, GOOD, GOOD | {"nhs_number": "1", "earliest_start": "x"})

    assert _faults(read) == [(2, "name"), (2, "postcode"), (2, "urgency"), (4, "nhs_number"), (4, "earliest_start")]
    assert not read.is_good


def test_a_file_without_rows_is_a_fault(tmp_path: Path) -> None:
    assert [str(fault) for fault in _read(tmp_path).faults] == ["referrals.csv: the file names no referral"]


def test_a_file_without_a_needed_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="missing"):
        _read(tmp_path, {"name": "A", "postcode": "L6 1AB", "lot": "personal-care"})


def test_a_telephone_number_that_lost_its_zero_is_refused(tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    cells = GOOD | {"phone": 1632960123}
    sheet.append(list(cells))
    sheet.append(list(cells.values()))
    workbook.save(tmp_path / "referrals.xlsx")

    read = read_referrals(tmp_path / "referrals.xlsx", SCHEME, authority="westshire", today=TODAY)

    assert _faults(read) == [(2, "phone")]


OTHER = {"name": "Perpetua Oakenshaw", "nhs_number": "401 023 2137"}
SPLIT = GOOD | {"group": "one", "linked_as": "split_package"}
HOME = GOOD | {"group": "one", "linked_as": "household"}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([SPLIT, SPLIT], None),
        ([HOME, HOME | OTHER], None),
        ([SPLIT], "has one row"),
        ([SPLIT, HOME], "two ways"),
        ([SPLIT, SPLIT | OTHER], "one person"),
        ([HOME, HOME], "different people"),
        ([HOME, HOME | OTHER | {"postcode": "L7 2AA"}], "one place"),
    ],
)
def test_linked_rows_belong_together(tmp_path: Path, rows: list[dict[str, str]], reason: str | None) -> None:
    read = _read(tmp_path, *rows)

    if reason is None:
        assert read.faults == ()
        assert {draft.linked_as for draft in read.drafts} == {LinkKind(rows[0]["linked_as"])}
    else:
        assert _faults(read) == [(number, "group") for number in range(2, 2 + len(rows))]
        assert all(reason in str(fault) for fault in read.faults)


def test_rows_of_one_person_agree_on_who_that_is(tmp_path: Path) -> None:
    same = _read(tmp_path, GOOD, GOOD | {"schedule": "Mon 18:00-19:00 30m personal_care"})
    otherwise = _read(tmp_path, GOOD, GOOD | {"phone": "01632 960999"})

    assert (same.faults, len(same.people), len(same.drafts)) == ((), 1, 2)
    assert _faults(otherwise) == [(3, "nhs_number")]


def test_a_provider_is_read_in_any_of_its_forms(tmp_path: Path) -> None:
    (draft,) = _read(tmp_path, GOOD | {"existing_provider": PROVIDER_REF.lower().replace("-", " ")}).drafts

    assert draft.facts.existing_provider == PROVIDER_REF
