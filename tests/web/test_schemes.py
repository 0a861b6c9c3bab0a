"""`dps schemes`: what it prints, as words and as JSON, and how it ends on bad input."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bidding.worked_example import worked_example
from dps.schemes.loader import load, preset, presets, rule_hash
from dps.schemes.rulebook import rulebook
from tests.dps.schemes.files import text_of, with_changes
from web.schemes import app


def dps_schemes(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def test_list_names_every_preset() -> None:
    words, rows = dps_schemes("list"), json.loads(dps_schemes("list", "--json").stdout)

    assert [line.split()[0] for line in words.stdout.splitlines()] == list(presets())
    assert [(row["key"], row["rule_hash"]) for row in rows] == [(key, rule_hash(preset(key))) for key in presets()]


def test_check_passes_presets_and_sound_files(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(text_of("cornwall"))

    ended = dps_schemes("check", "liverpool", str(file), "--json")

    assert ended.exit_code == 0
    assert [answer["ok"] for answer in json.loads(ended.stdout)] == [True, True]


def test_check_names_every_fault_and_ends_with_2(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(with_changes("liverpool", {"price_weight = 70": "price_weight = 60", "restart = ": "restrat = "}))

    words, answered = dps_schemes("check", str(file)), dps_schemes("check", str(file), "--json")

    assert (words.exit_code, answered.exit_code) == (2, 2)
    assert "ours.toml: evaluation.price_weight: price_weight and quality_weight make 90, not 100" in words.stderr
    (answer,) = json.loads(answered.stdout)
    assert {fault["key"] for fault in answer["faults"]} == {
        "unfilled.restrat",
        "unfilled.restart",
        "evaluation.price_weight",
    }


def test_show_prints_every_key_that_the_file_could_hold(tmp_path: Path) -> None:
    shown = json.loads(dps_schemes("show", "st-helens", "--json").stdout)

    fingerprint = shown.pop("rule_hash")

    assert shown == preset("st-helens").model_dump(mode="json")
    assert fingerprint == rule_hash(preset("st-helens"))
    assert "1. approved: approved in locality, sealed_bid, 4 working hours" in dps_schemes("show", "st-helens").stdout


def test_publish_prints_the_rulebook_or_writes_it(tmp_path: Path) -> None:
    file = tmp_path / "rulebook.md"

    printed, written = dps_schemes("publish", "liverpool"), dps_schemes("publish", "liverpool", "--out", str(file))

    assert printed.stdout == file.read_text() == published("liverpool")
    assert rule_hash(preset("liverpool"))[:12] in written.stdout
    answer = json.loads(dps_schemes("publish", "liverpool", "--json").stdout)
    assert answer == {
        "key": "liverpool",
        "rule_hash": rule_hash(preset("liverpool")),
        "rulebook": rulebook(preset("liverpool")),
        "example": worked_example(preset("liverpool")),
    }


def published(key: str) -> str:
    """The rulebook and the example below it."""
    return f"{rulebook(preset(key))}\n{worked_example(preset(key))}"


def test_a_file_of_ones_own_is_shown_and_published(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(with_changes("liverpool", {'window = "5h"': 'window = "6h"'}))

    assert "acceptance_window, 6 hours" in dps_schemes("show", str(file)).stdout
    assert dps_schemes("publish", str(file)).stdout.startswith(rulebook(load(file)))


@pytest.mark.parametrize("command", ["check", "show", "publish"])
@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        ("livrpool", "did you mean 'liverpool'"),
        ("ours", "is named by its path, such as ./ours.toml"),
        ("nowhere/at-all.toml", "at-all.toml: can't be read"),
    ],
)
def test_bad_input_ends_with_2_and_one_line(command: str, scheme: str, words: str) -> None:
    ended = dps_schemes(command, scheme)

    assert ended.exit_code == 2
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not ended.stdout


def test_a_rulebook_that_can_not_be_written_ends_with_2(tmp_path: Path) -> None:
    ended = dps_schemes("publish", "liverpool", "--out", str(tmp_path / "no" / "rulebook.md"))

    assert ended.exit_code == 2
    assert "No such file or directory" in ended.stderr
