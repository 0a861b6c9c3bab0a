"""Reading a council's own ONSPD or NSPL file: any year's columns, and one clear error for the first fault."""

import zipfile
from pathlib import Path

import pytest

from dps.kernel.errors import BadDirectory
from dps.places import onspd
from dps.places.editions import Unit
from dps.places.positions import Grid

OLD = "pcd,pcd2,pcds,dointr,doterm,oslaua,usertype,oseast1m,osnrth1m,osgrdind,lat,long"
NEW = "pcd7,pcd8,pcds,dointr,doterm,usrtypind,east1m,north1m,gridind,lad26cd,lat,long"


def old(code: str, *, doterm: str = "", lad: str = "E08000012", east: str = "336121", north: str = "0391213",
        grid: str = "1", lat: str = "53.4") -> str:  # fmt: skip
    return f"{code},{code},{code},198001,{doterm},{lad},0,{east},{north},{grid},{lat},-2.9"


def written(folder: Path, *rows: str, header: str = OLD, name: str = "ONSPD_NOV_2025_UK.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def test_both_layouts_of_the_real_columns_say_the_same(shared_data: Path) -> None:
    folder = shared_data / "postcodes" / "layout_fixtures"

    new = onspd.read(folder / "nspl_aug2026_layout_partial.csv")
    before = onspd.read(folder / "onspd_pre2025_layout_partial.csv")

    assert new.units == before.units
    assert len(new.units) == 254
    assert (new.source, new.vintage, new.knows_liveness) == ("NSPL", "2026-08", True)
    assert (before.source, before.vintage) == ("ONSPD", "2022-03 or later")
    known = {unit.postcode: unit for unit in new.units}
    assert known["CT10 1AA"] == Unit("CT10 1AA", "E07000114", 639359, 167955, Grid.BRITISH, True, None)
    assert (known["CT10 1AW"].live, known["CT10 1AW"].terminated) == (False, "2021-10")
    assert known["TR24 0PW"].lad_code == "E06000053"
    for code in ("JE2 3AB", "GIR 0AA"):
        assert (known[code].easting, known[code].northing, known[code].grid) == (None, None, Grid.NONE)


def test_old_and_new_names_of_the_columns_are_read(tmp_path: Path) -> None:
    before = onspd.read(written(tmp_path, old("L6 1AB")))
    new = onspd.read(
        written(tmp_path, "L6 1AB,L6  1AB,L6 1AB,198001,,0,336121,391213,1,E08000012,53.4,-2.9", header=NEW)
    )

    assert before.units == new.units == [Unit("L6 1AB", "E08000012", 336121, 391213, Grid.BRITISH, True, None)]


def test_the_widths_of_seven_and_eight_are_read_where_the_spaced_code_is_missing(tmp_path: Path) -> None:
    path = written(tmp_path, "L6  1AB,,E08000012,336121,391213", header="PCD,doterm,laua,oseast1m,osnrth1m")

    assert [unit.postcode for unit in onspd.read(path).units] == ["L6 1AB"]


def test_a_position_that_is_not_there_is_none(tmp_path: Path) -> None:
    rows = (
        old("L6 1AB", lat="99.999999"),
        old("L6 1AD", grid="9"),
        old("L6 1AE", east="", north=""),
        old("L6 1AF", east="", north="", grid="9", lat="99.999999"),
    )

    units = onspd.read(written(tmp_path, *rows)).units

    assert {(unit.easting, unit.northing, unit.grid) for unit in units} == {(None, None, Grid.NONE)}


def test_northern_ireland_is_flagged_as_irish_grid(tmp_path: Path) -> None:
    (unit,) = onspd.read(written(tmp_path, old("BT1 5GS", lad="N09000003", east="333832", north="374014"))).units

    assert unit.grid is Grid.IRISH


def test_only_the_districts_asked_for_are_kept(tmp_path: Path) -> None:
    path = written(tmp_path, old("L6 1AB"), old("L61 1AB"), old("L7 1AB"))

    edition = onspd.read(path, ["L6"])

    assert [unit.postcode for unit in edition.units] == ["L6 1AB"]
    with pytest.raises(BadDirectory, match=r"ONSPD_NOV_2025_UK\.csv: knows no postcode of L8"):
        onspd.read(path, ["L6", "L8"])


def test_codes_of_abolished_districts_are_left_out_and_counted(tmp_path: Path) -> None:
    edition = onspd.read(written(tmp_path, old("NPT 1AA"), old("W1X 1AA"), old("L6 1AB")))

    assert ([unit.postcode for unit in edition.units], edition.left_out) == (["L6 1AB"], 2)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (old("L6 1A"), "row 3, pcds: 'L6 1A' is no postcode"),
        (old("L6 1AB", east="33612x"), "row 3, oseast1m: '33612x' is not a whole number of metres below 700000"),
        (old("L6 1AB", north=""), "row 3, osnrth1m: '' is not a whole number of metres below 1300000"),
        (old("L6 1AB", north="1300000"), "row 3, osnrth1m: '1300000' is not"),
        (old("BT1 5GS", east="533832"), "row 3, oseast1m: '533832' is not a whole number of metres below 400000"),
        (old("L6 1AB", doterm="202113"), "row 3, doterm: '202113' is no month such as 201906"),
        (old("L6 1AB", doterm="197912"), "row 3, doterm: it ended before it began"),
        (old("L6 1AB", lad="Liverpool"), "row 3, oslaua: 'Liverpool' is no council code"),
        (old("L6 1AB", lat="north"), "row 3, lat: 'north' is no latitude"),
        (old("L6 1AA"), "row 3, pcds: L6 1AA stands in the file twice"),
        ("L6 1AB,L6 1AB", "row 3: has 2 columns where the header has 12: is the file complete?"),
        ('"L6 1AB', "row 3: is no CSV text from about here on"),
    ],
)
def test_the_first_fault_is_named_by_file_row_and_column(tmp_path: Path, row: str, words: str) -> None:
    path = written(tmp_path, old("L6 1AA"), row, old("L6 1A"))

    with pytest.raises(BadDirectory) as refusal:
        onspd.read(path)

    assert str(refusal.value).startswith(f"ONSPD_NOV_2025_UK.csv, {words}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "row 1: has no column pcds or pcd7"),
        (b"pcds,doterm,oseast1m,osnrth1m\n", "row 1: has no column lad25cd or oslaua or laua"),
        (OLD.encode() + b"\n", "holds no postcode"),
        (OLD.encode() + b"\nL6 1AA,\xff\xfe", "is no CSV text"),
        (b"\x89PNG\r\n\x1a\n", "is no CSV text"),
    ],
)
def test_what_is_no_directory_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "directory.csv"
    path.write_bytes(content)

    with pytest.raises(BadDirectory, match=words):
        onspd.read(path)


def test_a_file_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadDirectory, match=r"nowhere.csv: can't be read: No such file"):
        onspd.read(tmp_path / "nowhere.csv")


def test_the_zip_as_published_is_read(tmp_path: Path) -> None:
    plain = written(tmp_path, old("L6 1AB"), name="other.csv")
    path = tmp_path / "download.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(plain, "Data/NSPL21_FEB_2024_UK.csv")
        archive.writestr("Data/multi_csv/NSPL21_FEB_2024_UK_AB.csv", "")

    edition = onspd.read(path)

    assert (edition.source, edition.vintage, len(edition.units)) == ("NSPL", "2024-02", 1)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("Data/ONSPD_FEB_2024_UK.csv", "")
    with pytest.raises(BadDirectory, match="the ZIP should hold one file"):
        onspd.read(path)


def test_a_cut_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ONSPD_FEB_2024_UK.csv", "\n".join((OLD, *(old("L6 1AB") for _ in range(500)))))
    whole = path.read_bytes()
    path.write_bytes(whole[:60] + b"\0" * 200 + whole[260:])

    with pytest.raises(BadDirectory, match="can't be read"):
        onspd.read(path)


def test_the_vintage_can_be_told_and_the_hash_is_the_files(tmp_path: Path) -> None:
    path = written(tmp_path, old("L6 1AB", doterm="202203"), name="mine.csv")

    edition, told = onspd.read(path), onspd.read(path, vintage="2023-05")

    assert (edition.source, edition.vintage, told.vintage) == ("file", "2022-03 or later", "2023-05")
    assert edition.sha256 == told.sha256
    path.write_text(path.read_text() + old("L6 1AD"), encoding="utf-8")
    assert onspd.read(path).sha256 != edition.sha256


def test_progress_is_told_in_bytes(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = written(tmp_path, old("L6 1AB"))

    onspd.read(path, progress=lambda done, total: told.append((done, total)))

    assert told == [(path.stat().st_size, path.stat().st_size)]
