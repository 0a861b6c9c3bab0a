"""The files of `dps allocate`: read strictly, written whole."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dps.kernel.errors import BadInput
from matching.allocation import Bid, Mode, Policy, Previous, solve
from matching.allocation.files import Paths, read_instance
from matching.allocation.written import write_awards
from tests.matching.allocation.markets import SEED
from web.allocate import allocate

GOOD = {
    "packages.csv": "package,locality,weekly_minutes,priority,unplaced_pence\nP0,L6 1,600,1,90000\nP1,L6 1,300,4,\n",
    "providers.csv": "provider,capacity_minutes,max_packages\nV,600,\nW,,2\n",
    "localities.csv": "provider,locality,capacity_minutes,committed_minutes,block_minutes,entry_pence\n"
    "V,L6 1,600,0,0,50\n",
    "bids.csv": "bid,provider,packages,weekly_minutes,weekly_pence,quality,start_delay_days,preference,excludes\n"
    "B0,V,P0,,20000,80,1,1,\nB1,V,P1,,10000,,,2,B0\nB2,W,P1,,11000,70,,,\nS,W,P0 P1,900,29000,,,,\n",
    "policy.toml": '[coverage]\nprice_pence = 25000\ntargets = { "L6 1" = 2 }\n',
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in GOOD.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def _paths(folder: Path) -> Paths:
    return Paths(
        folder / "packages.csv",
        folder / "providers.csv",
        folder / "bids.csv",
        folder / "localities.csv",
        folder / "policy.toml",
    )


def _arguments(folder: Path) -> list[str]:
    names = {"packages": "csv", "providers": "csv", "bids": "csv", "localities": "csv", "policy": "toml"}
    return [part for name, kind in names.items() for part in (f"--{name}", str(folder / f"{name}.{kind}"))]


def _run(arguments: list[str]) -> tuple[int, str, str]:
    app = typer.Typer()
    app.command()(allocate)
    ran = CliRunner().invoke(app, arguments)
    return ran.exit_code, ran.stdout, ran.stderr


def test_good_files_become_the_instance_they_say(folder: Path) -> None:
    instance = read_instance(_paths(folder))

    assert instance.packages[0].unplaced_pence == 90_000
    assert instance.packages[1].unplaced_pence == 30_000 + 20_000
    assert instance.providers[1].capacity_minutes is None
    assert instance.bids[1] == Bid("B1", "V", ("P1",), 10_000, preference=2, excludes=("B0",), tie=(0, 1, 2))
    assert instance.bids[3].packages == ("P0", "P1")
    assert instance.policy == Policy(coverage_pence=25_000, targets={"L6 1": 2})


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("packages.csv", "P1,", "P0,", "row 3, package: P0 is there already, in row 2"),
        ("packages.csv", "600", "6e2", "row 2, weekly_minutes: '6e2' is not a whole number"),
        ("packages.csv", "600", "0", "row 2, weekly_minutes: 0 is outside 1 to 100000"),
        ("packages.csv", ",1,90000", ",5,90000", "row 2, priority: 5 is outside 1 to 4"),
        ("packages.csv", "P0,L6 1,", "P0,,", "row 2, locality: is empty"),
        ("packages.csv", "P0,", "P 0,", "row 2, package: 'P 0' holds a space"),
        ("packages.csv", "90000", "-1", "row 2, unplaced_pence: -1 is outside"),
        ("packages.csv", "90000", "9" * 19, "row 2, unplaced_pence"),
        ("packages.csv", ",90000", "", "row 2: has 4 cells under 5 columns"),
        ("packages.csv", "priority", "priorty", "row 1, priority: this column is missing"),
        ("packages.csv", "unplaced_pence", "unplaced", "row 1, unplaced: no such column"),
        ("packages.csv", "unplaced_pence", "priority", "row 1, priority: this column is there twice"),
        ("packages.csv", GOOD["packages.csv"], "", "is empty"),
        ("packages.csv", "P0", '"P0', "row"),
        ("providers.csv", "V,600", "V,-1", "row 2, capacity_minutes: -1 is outside"),
        ("localities.csv", "V,L6 1", "X,L6 1", "row 2, provider: no provider X"),
        ("bids.csv", "B0,V,P0", "B0,X,P0", "row 2, provider: no provider X"),
        ("bids.csv", "B0,V,P0", "B0,V,P9", "row 2, packages: no package P9"),
        ("bids.csv", "B0,V,P0", "B0,V,", "row 2, packages: names no package"),
        ("bids.csv", "P0 P1", "P0 P0", "row 5, packages: names a package twice"),
        ("bids.csv", "B1,", "B0,", "row 3, bid: B0 is there already, in row 2"),
        ("bids.csv", "20000", "", "row 2, weekly_pence: '' is not a whole number"),
        ("bids.csv", "20000,80", "20000,101", "row 2, quality: 101 is outside 0 to 100"),
        ("bids.csv", ",B0\n", ",B9\n", "row 3, excludes: no bid B9"),
        ("bids.csv", ",B0\n", ",B2\n", "row 3, excludes: B2 is not another bid of V"),
        ("policy.toml", "price_pence", "price", "coverage.price: no such key"),
        ("policy.toml", "[coverage]", "[cover]", "cover: no such key"),
        ("policy.toml", "25000", "25.5", "coverage.price_pence"),
        ("policy.toml", "25000", "-1", "coverage.price_pence: -1 is outside"),
        ("packages.csv", "P1", "=P1", "package: '=P1' begins like a formula"),
        ("policy.toml", "[coverage]", "coverage", "is not TOML"),
        ("policy.toml", "[coverage]", "[caps]\nlocality_share = 1.5\n[coverage]", "is not a share: above 0"),
        ("policy.toml", "[coverage]", "[caps]\nlocality_share = nan\n[coverage]", "is not a share: above 0"),
        ("policy.toml", "[coverage]", 'objective = ["coverage"]\n[coverage]', "objective: an order without"),
        (
            "policy.toml",
            "[coverage]",
            "mode = 'joint'\n[quality]\nweight = 40\n[coverage]",
            "quality.weight: a relative",
        ),
    ],
)
def test_every_fault_names_file_row_column_and_reason(folder: Path, name: str, old: str, new: str, words: str) -> None:
    (folder / name).write_text(GOOD[name].replace(old, new, 1))

    code, printed, said = _run([*_arguments(folder), "--out", str(folder / "awards.csv")])

    assert code == 2
    assert printed == ""
    assert name in said
    assert words in " ".join(said.split())
    assert not (folder / "awards.csv").exists()


def test_a_missing_or_binary_file_is_told_in_words(folder: Path) -> None:
    (folder / "bids.csv").unlink()
    (folder / "providers.csv").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(BadInput, match=r"providers\.csv: is not UTF-8 text"):
        read_instance(_paths(folder))
    (folder / "providers.csv").write_text(GOOD["providers.csv"])
    with pytest.raises(BadInput, match=r"bids\.csv: can't be read: No such file"):
        read_instance(_paths(folder))


def test_the_command_prints_json_and_writes_the_same_awards(folder: Path) -> None:
    out = folder / "awards.csv"

    code, printed, _ = _run([*_arguments(folder), "--out", str(out), "--seed", "7", "--json"])

    answer = json.loads(printed)
    assert code == 0
    assert answer["status"] == "optimal"
    assert answer["objective_pence"] == answer["bound_pence"] == 20_000 + 50 + 11_000
    assert (answer["placed"], answer["unplaced"], answer["gap"]) == (2, 0, 0.0)
    assert answer["referee"]["feasible"] is True
    assert out.read_text().splitlines()[0] == "package,provider,bid,weekly_pence,reason"
    assert [row.split(",")[:4] for row in out.read_text().splitlines()[1:]] == [
        [award["package"], award["provider"], award["bid"], str(award["weekly_pence"])] for award in answer["awards"]
    ]


@pytest.mark.slow
def test_an_earlier_awards_file_is_what_stability_keeps(folder: Path) -> None:
    policy = "[stability]\nprice_pence = 10000\n"
    (folder / "policy.toml").write_text(policy)
    (folder / "awards.csv").write_text("package,provider,bid,weekly_pence,reason\nP1,W,B2,11000,before\n")

    code, printed, _ = _run([*_arguments(folder), "--previous", str(folder / "awards.csv"), "--json"])

    answer = json.loads(printed)
    assert code == 0
    assert answer["changes"] == 0
    assert read_instance(Paths(**{**_as_dict(_paths(folder)), "previous": folder / "awards.csv"})).previous == (
        Previous("P1", "W"),
    )


def _as_dict(paths: Paths) -> dict[str, Path]:
    return {name: getattr(paths, name) for name in ("packages", "providers", "bids", "localities", "policy")}


def test_a_weight_for_quality_ranks_the_bids_of_each_package(folder: Path) -> None:
    (folder / "policy.toml").write_text("[quality]\nweight = 60\n")
    (folder / "bids.csv").write_text(
        "bid,provider,packages,weekly_pence,quality\nB0,V,P0,20000,50\nB1,W,P0,25000,90\nB2,V,P1,10000,60\n"
    )

    instance = read_instance(_paths(folder))

    assert instance.policy.mode is Mode.PER_PACKAGE
    assert {bid.ref: bid.rank for bid in instance.bids} == {"B0": 2, "B1": 1, "B2": 1}


def test_a_folder_that_is_not_there_leaves_nothing_behind(folder: Path) -> None:
    result = solve(read_instance(_paths(folder)), lot_seed=SEED, in_process=True)

    with pytest.raises(BadInput, match="can't be written"):
        write_awards(result, folder / "nowhere" / "awards.csv")


def test_a_frontier_is_told_in_words_as_json_and_as_a_picture(folder: Path) -> None:
    picture = folder / "coverage.svg"

    told = _run([*_arguments(folder), "--frontier", "coverage", "--picture", str(picture)])
    answered = _run([*_arguments(folder), "--frontier", "priority", "--json"])

    assert told[0] == answered[0] == 0
    assert "providers missing" in told[1]
    assert picture.read_text().startswith("<svg")
    assert json.loads(answered[1])["against"] == "priority"


def test_the_reasons_are_told_with_both_ends_of_the_other_awards_price(folder: Path) -> None:
    (folder / "policy.toml").write_text("")
    (folder / "bids.csv").write_text("bid,provider,packages,weekly_pence\nB0,V,P0,20000\nB1,V,P1,9000\nB2,W,P1,11000\n")

    code, printed, _ = _run([*_arguments(folder), "--explain"])
    answer = json.loads(_run([*_arguments(folder), "--explain", "--json"])[1])

    assert code == 0
    assert "P0: B0 stood first alone and was awarded." in printed
    assert "P1: B1 stood first alone; B2 was awarded, because its provider has no free hours left for it." in printed
    assert "V: 1 package, 10.0 hours, 1 more but for its own limits; an hour more would be worth £" in printed
    assert [one["awarded"] for one in answer["explanation"]["packages"]] == ["B0", "B2"]
    (folder / "policy.toml").write_text("[quality]\nweight = 60\n")
    assert "leave it away" in _run([*_arguments(folder), "--explain"])[2]


def test_after_a_decline_little_changes_and_the_answer_that_starts_afresh_stands_beside(folder: Path) -> None:
    (folder / "bids.csv").write_text("bid,provider,packages,weekly_pence\nB0,V,P0,20000\nB1,V,P1,9000\nB2,W,P1,11000\n")
    earlier, out = folder / "earlier.csv", folder / "awards.csv"
    earlier.write_text("package,provider\nP0,V\nP1,W\n")
    again = [*_arguments(folder), "--previous", str(earlier), "--declined", "B2"]

    code, printed, _ = _run([*again, "--out", str(out)])
    answer = json.loads(_run([*again, "--json"])[1])

    assert code == 0
    assert "Changed: 1 package." in printed
    assert "P1: W → nobody; W no longer bids for it" in printed
    assert "Started afresh, for comparison: 1 placed, 1 not, " in printed
    assert [(one["package"], one["before"], one["after"]) for one in answer["changes"]] == [("P1", "W", "")]
    assert answer["cold"]["placed"] == answer["steady"]["placed"] == 1
    assert [row.split(",")[:2] for row in out.read_text().splitlines()[1:]] == [["P0", "V"]]


def test_a_caseload_is_placed_without_who_leaves_and_near_whom_people_know(folder: Path) -> None:
    known = folder / "known.csv"
    known.write_text("package,provider\nP1,W\n")
    asked = [*_arguments(folder), "--leaving", "V", "--known", str(known)]

    code, printed, _ = _run(asked)
    answer = json.loads(_run([*asked, "--json"])[1])

    assert code == 0
    assert "With a provider they know: P1." in printed
    assert {award["provider"] for award in answer["awards"]} == {"W"}
    assert (answer["kept"], answer["strange"]) == (["P1"], [])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--picture", "x.svg"], "add --frontier"),
        (["--declined", "B0"], "add --previous"),
        (["--known", "x.csv"], "add --leaving"),
        (["--leaving", "V", "--frontier", "share"], "one at a time"),
        (["--frontier", "share", "--out", "awards.csv"], "a frontier awards nothing"),
        (["--frontier", "beauty"], "beauty"),
    ],
)
def test_options_that_do_not_go_together_are_refused_and_nothing_is_written(
    folder: Path, more: list[str], words: str
) -> None:
    code, _, told = _run([*_arguments(folder), *more])

    assert code == 2
    assert words in told
    assert not (Path.cwd() / "x.svg").exists()
