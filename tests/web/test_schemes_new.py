"""`dps schemes diff` and `dps schemes new`."""

import json
from pathlib import Path

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
    for wrong in ("comes with the engine", "lower-case letters", "a day is written as", "from 0 to 100"):
        assert wrong in said.output


def test_an_existing_file_is_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "ours.toml"
    out.write_text("mine")

    said = CliRunner().invoke(app, ["new", str(out)], input=NEW)

    assert said.exit_code != 0
    assert out.read_text() == "mine"


def test_what_can_not_be_a_scheme_is_not_written(tmp_path: Path) -> None:
    out = tmp_path / "ours.toml"

    said = CliRunner().invoke(app, ["new", str(out)], input=NEW.replace("E06000017", "Rutland"))

    assert (said.exit_code, out.exists()) == (2, False)
    assert "authorities[0].lads[0]" in said.output
