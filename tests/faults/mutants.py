"""Thirteen faults, planted one at a time in a copy of the source: each must turn the tests named with it red.

`make mutants` runs them. A fault is anchored on code text that must stand exactly once in its file, so that code which
moved is an error here and not a fault that nobody plants. Only red counts: a copy whose tests can't even be collected
proves nothing, and before any fault is planted the same tests must be green in the same copy. Source: acceptance.md 16.
"""

import ast
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RED, GREEN = 1, 0
_BUILT = ("matching/**/*.nbi", "matching/**/*.nbc", "web/static/**/*")
"""What is built and not committed: copied with its times, by which the compiler's cache knows its sources."""


class Moved(Exception):
    """An anchor does not stand exactly once in its file; the message says which."""


@dataclass(frozen=True, slots=True)
class Change:
    """In one file, this text for that."""

    file: str
    anchor: str
    planted: str

    def apply(self, root: Path) -> str:
        """The file's text with the fault in it; `Moved` where the anchor is not there once."""
        text = (root / self.file).read_text()
        if text.count(self.anchor) != 1:
            raise Moved(f"{self.file} holds {self.anchor!r} {text.count(self.anchor)} times, not once")
        return text.replace(self.anchor, self.planted)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: what is wrong then, where it is planted, and which tests must turn red."""

    name: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]


def _one(name: str, file: str, anchor: str, planted: str, *tests: str) -> Mutant:
    return Mutant(name, (Change(file, anchor, planted),), tests)


_RACES = "tests/faults/test_races.py::test_"
_INSTANTS = "tests/faults/test_instants.py::test_"
MUTANTS = (
    _one(
        "no row lock",
        "dps/kernel/database.py",
        "    return query.with_for_update(read=shared, key_share=not shared).execution_options(populate_existing=True)",
        "    return query.execution_options(populate_existing=True)",
        f"{_RACES}parallel_awards_never_promise_more_hours_than_there_are[postgresql]",
        f"{_RACES}no_approval_is_overwritten_by_another[postgresql]",
    ),
    _one(
        "no IMMEDIATE",
        "dps/kernel/database.py",
        'driver.execute("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")',
        'driver.execute("BEGIN DEFERRED")',
        f"{_RACES}no_approval_is_overwritten_by_another[sqlite]",
    ),
    _one(
        "machine clock in SQL",
        "bidding/closings.py",
        """col(Closing.closes_at) <= sa.bindparam("now")""",
        "col(Closing.closes_at) <= sa.func.now()",
        "tests/bidding/test_closings.py::test_due_is_what_has_come_the_earliest_instant_first",
        "tests/architecture/test_rules.py",
    ),
    _one(
        "<= for <",
        "bidding/bids/handing_in.py",
        "        if now >= closing.closes_at or round_.state is not RoundState.PUBLISHED:",
        "        if now > closing.closes_at or round_.state is not RoundState.PUBLISHED:",
        f"{_INSTANTS}no_way_in_gives_a_wrong_verdict_on_the_nights_when_the_clocks_change[sqlite-night0-numbers0]",
    ),
    Mutant(
        "string times",
        (
            Change(
                "dps/kernel/columns.py",
                'BigInteger() if dialect.name == "sqlite" else DateTime(timezone=True)',
                'Text() if dialect.name == "sqlite" else DateTime(timezone=True)',
            ),
            Change(
                "dps/kernel/columns.py",
                '(instant - _EPOCH) // _MICROSECOND if dialect.name == "sqlite" else instant',
                'instant.isoformat(" ") if dialect.name == "sqlite" else instant',
            ),
            Change(
                "dps/kernel/columns.py",
                "return _EPOCH + int(value) * _MICROSECOND",
                "return datetime.fromisoformat(value)",
            ),
        ),
        (
            "tests/dps/kernel/test_columns.py::test_on_sqlite_an_instant_is_a_whole_number_because_texts_do_not_sort_"
            "as_instants_do",
            "tests/faults/test_checker.py",
        ),
    ),
    _one(
        "skipped outbox",
        "bidding/awards/offering.py",
        'post(session, ports.entropy, recipient=f"provider:{award.provider}", kind=kind, about=award.ref, now=now)\n',
        "del kind\n",
        "tests/faults/test_checker.py",
    ),
    _one(
        "no re-check of eligibility",
        "bidding/awards/offering.py",
        "causes = _causes(session, together, now) or _reserve(session, together, now)",
        "causes = _reserve(session, together, now)",
        f"{_RACES}who_was_suspended_a_moment_before_is_offered_nothing",
    ),
    _one(
        "no padding",
        "bidding/sealing/seal.py",
        " + content + bytes(size - needed)\n",
        " + content\n",
        "tests/bidding/sealing/test_seal.py",
    ),
    _one(
        "session not renewed",
        "web/security/sessions.py",
        "    token = new_token()\n    assert account.id is not None\n",
        "    token = hashlib.sha256(account.ref.encode()).hexdigest()\n    assert account.id is not None\n"
        "    session.execute(delete(SignedIn).where(col(SignedIn.token_sha256) == _sha256(token)))\n",
        "tests/web/pages/test_signing_in.py::test_a_session_that_was_planted_is_never_adopted",
    ),
    _one(
        "no escaping",
        "web/pages/rendering.py",
        '        loader=PackageLoader("web.pages"),\n        autoescape=True,',
        '        loader=PackageLoader("web.pages"),\n        autoescape=False,',
        "tests/web/pages/test_portal.py::test_what_is_typed_comes_back_as_text",
    ),
    _one(
        "no tie-break",
        "matching/allocation/lots.py",
        '    return int.from_bytes(digest[:8], "big") >> (64 - LOT_BITS)',
        '    return int.from_bytes(digest[:8], "big") >> 64',
        "tests/matching/allocation/test_row_order.py::test_rows_that_say_the_same_are_told_apart_by_lot_and_never_by_place",
    ),
    _one(
        "award in two transactions",
        "bidding/allocation/runs.py",
        "    ports.reached(Waypoint.AWARDS_PROPOSED)\n",
        '    session.flush()\n    session.connection().exec_driver_sql("COMMIT")\n'
        '    if session.get_bind().dialect.name == "sqlite":\n'
        '        session.connection().exec_driver_sql("BEGIN IMMEDIATE")\n'
        "    ports.reached(Waypoint.AWARDS_PROPOSED)\n",
        "tests/faults/test_kill.py::test_whoever_is_killed_at_a_waypoint_leaves_nothing_lost_doubled_or_early",
    ),
    _one(
        "window in wall hours",
        "dps/kernel/windows.py",
        "        return in_utc(start) + self.length\n",
        "        return in_utc(start.astimezone(calendar.zone) + self.length)\n",
        f"{_INSTANTS}no_way_in_gives_a_wrong_verdict_on_the_nights_when_the_clocks_change[sqlite-night0-numbers0]",
    ),
)


def planted(mutant: Mutant, root: Path) -> dict[str, str]:
    """Each changed file's text with the fault in it. `Moved`, or SyntaxError where it is no Python any more."""
    texts: dict[str, str] = {}
    for change in mutant.changes:
        before = texts.get(change.file)
        if before is None:
            texts[change.file] = change.apply(root)
        else:
            if before.count(change.anchor) != 1:
                raise Moved(f"{change.file} holds {change.anchor!r} {before.count(change.anchor)} times, not once")
            texts[change.file] = before.replace(change.anchor, change.planted)
    for text in texts.values():
        ast.parse(text)
    return texts


def copied(folder: Path) -> Path:
    """This work tree, with what is not committed yet and what was built."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    built = [str(path.relative_to(ROOT)) for pattern in _BUILT for path in ROOT.glob(pattern) if path.is_file()]
    for name in {*listed, *built}:
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run(tests: Sequence[str], root: Path) -> tuple[int, str]:
    """pytest's exit code for these tests of a copy, its own modules first on the path, and its last words."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    return ended.returncode, "\n".join(ended.stdout.splitlines()[-15:])


def main(names: Sequence[str]) -> int:
    """Plant each named fault, or all; print which tests turned red. 0 where every fault was caught."""
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    with tempfile.TemporaryDirectory(prefix="dps-mutants-") as folder:
        root = copied(Path(folder))
        tests = sorted({test for mutant in chosen for test in mutant.tests})
        code, words = run(tests, root)
        if code != GREEN:
            print(f"without any fault the tests end with {code}: nothing is proved\n{words}")
            return 2
        survived = [mutant.name for mutant in chosen if not _is_caught(mutant, root)]
    print(f"{len(chosen) - len(survived)} of {len(chosen)} planted faults turn the tests red")
    return 1 if survived else 0


def _is_caught(mutant: Mutant, root: Path) -> bool:
    """Whether each of the tests named with a fault turns red by itself."""
    before = {change.file: (root / change.file).read_bytes() for change in mutant.changes}
    for file, text in planted(mutant, root).items():
        (root / file).write_text(text)
    began = time.monotonic()
    codes = {test: run([test], root)[0] for test in mutant.tests}
    for file, content in before.items():
        (root / file).write_bytes(content)
    is_caught = all(code == RED for code in codes.values())
    for test, code in codes.items():
        word = {RED: "red", GREEN: "GREEN"}.get(code, f"ERROR {code}")
        print(f"{mutant.name:28} {word:8} {time.monotonic() - began:5.0f} s  {test}", flush=True)
    return is_caught


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
