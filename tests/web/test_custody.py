"""`dps custody`: keys made apart from everything, a rehearsal, and refusals in words."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from dps.schemes.loader import preset
from dps.schemes.stored import publish_rules
from tests.web.served import dps
from web.assembly import opened
from web.commands.speaking import OPERATOR


def test_a_key_is_made_without_an_installation_and_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "mine.age"

    made = dps("custody", "make-key", "--out", str(file))
    again = dps("custody", "make-key", "--out", str(file))

    assert re.search(r"registered: age1[0-9a-z]{58}", made.stdout)
    assert file.read_text().startswith("AGE-SECRET-KEY-")
    assert oct(file.stat().st_mode)[-3:] == "600"
    assert (again.exit_code, "exists" in again.stderr) == (1, True)


def test_custodians_are_registered_and_listed_and_a_scheme_without_them_rehearses_nothing(
    installed: Path, tmp_path: Path
) -> None:
    key = dps("custody", "make-key", "--out", str(tmp_path / "mine.age")).stdout.split()[-1]
    scheme = ("--scheme", "st-helens")
    assert "No custodian is registered" in dps("custody", "list", *scheme).stdout

    made = dps("custody", "register", *scheme, "--holder", "Monitoring officer", "--recipient", key)
    (listed,) = json.loads(dps("custody", "list", *scheme, "--json").stdout)
    rehearsed = dps("custody", "rehearsal", "begin", *scheme, "--folder", str(tmp_path / "rehearsal"))
    withdrawn = dps("custody", "withdraw", *scheme, "--custodian", listed["custodian"])

    assert made.stdout.startswith("CSD-")
    assert (listed["holder"], listed["recipient"], listed["rehearsed_at"]) == ("Monitoring officer", key, None)
    assert (rehearsed.exit_code, "asks for no custodians" in rehearsed.stderr) == (2, True)
    assert withdrawn.exit_code == 0
    assert "withdrawn" in dps("custody", "list", *scheme).stdout


def test_a_rehearsal_opens_with_two_of_three_keys_and_says_at_each_step_what_comes_next(
    installed: Path, tmp_path: Path
) -> None:
    scheme, folder = ("--scheme", "worcestershire"), tmp_path / "rehearsal"
    # In the term of its paper, which is over.
    with opened() as installation, installation.database.transaction() as session:
        publish_rules(session, preset("worcestershire"), OPERATOR, datetime(2018, 1, 8, tzinfo=UTC))
    refs: list[str] = []
    for post in ("Monitoring officer", "Chief finance officer", "Head of audit"):
        key = dps("custody", "make-key", "--out", str(tmp_path / f"{len(refs)}.age")).stdout.split()[-1]
        made = dps("custody", "register", *scheme, "--holder", post, "--recipient", key)
        refs.append(made.stdout.partition(":")[0])
    begun = dps("custody", "rehearsal", "begin", *scheme, "--folder", str(folder))
    assert f"dps custody rehearsal finish {folder / 'kept.json'}" in begun.stdout
    back = [tmp_path / f"back-{number}.json" for number in (0, 1)]

    for number, out in enumerate(back):
        given, mine = folder / f"{refs[number]}.json", tmp_path / f"{number}.age"
        said = dps("custody", "release", str(given), "--key", str(mine), "--out", str(out)).stdout
        assert "dps custody rehearsal finish" in said
    one = dps("custody", "rehearsal", "finish", str(folder / "kept.json"), str(back[0]))
    both = dps("custody", "rehearsal", "finish", str(folder / "kept.json"), *map(str, back))

    assert (one.exit_code, "too few shares" in one.stderr) == (1, True)
    assert (both.exit_code, both.stdout.splitlines()[-1]) == (0, "It opens.")
    listed = dps("custody", "list", *scheme).stdout
    assert (listed.count("rehearsed on "), listed.count("never rehearsed")) == (2, 1)


def test_what_is_no_file_of_a_custodian_is_refused(installed: Path, tmp_path: Path) -> None:
    file, out = tmp_path / "nonsense", tmp_path / "out"
    file.write_text("nonsense")

    for command in (("release", str(file), "--key", str(file), "--out", str(out)), ("hand-in", str(file))):
        refused = dps("custody", *command)
        assert refused.exit_code == 2
        assert "none of the files that custodians are handed" in refused.stderr
    assert not out.exists()
