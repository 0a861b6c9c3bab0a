"""`dps schemes diff` and `dps schemes new`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dps.schemes.loader import load
from web.schemes import MOST_LINES, app

NEW = "\n".join(
    (
        *("Rutland County Council", "halton", "Rutland", "rutland", "", "yesterday", "2026-04-01", ""),
        *("", "Oakham, Uppingham", "LE15", "PE99Z", "PE9", "E06000017", "", "", "140", "30", ""),
    )
)


def test_two_councils_are_compared_in_words() -> None:
    said = CliRunner().invoke(app, ["diff", "cornwall", "halton"])

    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    assert "How it is paid" in lines
    assert any(line.startswith("  cornwall: A paused service restarts") for line in lines)
    assert any(line.endswith("more (--all)") for line in lines)
    full = CliRunner().invoke(app, ["diff", "cornwall", "halton", "--all"])
    assert len(full.stdout.splitlines()) > len(lines) > MOST_LINES


def test_the_same_rules_are_said_to_be_the_same() -> None:
    said = CliRunner().invoke(app, ["diff", "wirral", "wirral"])

    assert said.stdout == "wirral and wirral have the same rules.\n"
    assert json.loads(CliRunner().invoke(app, ["diff", "wirral", "wirral", "--json"]).stdout) == []


def test_an_unknown_scheme_ends_with_one_line() -> None:
    said = CliRunner().invoke(app, ["diff", "cornwall", "cornwal"])

    assert (said.exit_code, "did you mean 'cornwall'" in said.output) == (2, True)


def test_a_commissioner_is_asked_again_until_the_answer_can_be_read_and_the_file_is_sound(tmp_path: Path) -> None:
    out = tmp_path / "rutland.toml"

    said = CliRunner().invoke(app, ["new", str(out)], input=NEW)

    assert said.exit_code == 0, said.output
    scheme = load(out)
    assert (scheme.key, scheme.term.starts.isoformat(), str(scheme.term.ends)) == (
        "rutland",
        "2026-04-01",
        "2030-04-01",
    )
    assert [locality.districts for locality in scheme.localities] == [("LE15",), ("PE9",)]
    assert scheme.evaluation.quality_weight == 30
    for wrong in ("comes with the engine", "lower-case letters", "write one as 2026-04-01", "from 0 to 100"):
        assert wrong in said.output


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "ours.toml"
    out.write_text("mine")

    said = CliRunner().invoke(app, ["new", str(out)], input=NEW)

    assert said.exit_code != 0
    assert out.read_text() == "mine"


def test_what_makes_no_scheme_is_asked_once_more_and_an_answer_is_kept_by_enter(tmp_path: Path) -> None:
    out = tmp_path / "ours.toml"
    kept = "\n" * 8 + "PE9" + "\n" * 6

    said = CliRunner().invoke(app, ["new", str(out)], input=NEW.replace("PE99Z\nPE9", "PE99Z\nLE15") + kept)

    assert said.exit_code == 0, said.output
    assert "Nothing is written yet" in said.output
    assert [locality.districts for locality in load(out).localities] == [("LE15",), ("PE9",)]
    assert load(out).evaluation.quality_weight == 30


def test_an_empty_answer_is_asked_again_with_a_word(tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["new", str(tmp_path / "ours.toml")], input="\n")

    assert "this needs an answer" in said.output
    assert not (tmp_path / "ours.toml").exists()


@pytest.mark.parametrize(
    ("wrong", "right", "word"),
    [
        ("Oakham, oakham!", "Oakham, Uppingham", "too much alike"),
        ("Rutland", "E06000017", "no district code"),
        ("framework", "", "is none of these"),
    ],
)
def test_what_one_answer_can_not_be_is_said_at_once(wrong: str, right: str, word: str, tmp_path: Path) -> None:
    typed = NEW.replace(f"\n{right}\n", f"\n{wrong}\n{right}\n", 1)

    said = CliRunner().invoke(app, ["new", str(tmp_path / "ours.toml")], input=typed)

    assert said.exit_code == 0, said.output
    assert word in said.output


def test_a_locality_keeps_its_name(tmp_path: Path) -> None:
    out = tmp_path / "ours.toml"

    CliRunner().invoke(app, ["new", str(out)], input=NEW.replace("Oakham, Upp", "Oakham & St Mary's, Upp"))

    assert load(out).localities[0].name == "Oakham & St Mary's"
