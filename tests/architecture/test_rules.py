"""The house's rules over every source file, and each rule shown to bite."""

import re
import tomllib

import pytest

from tests.architecture import rules
from tests.architecture.rules import PACKAGES, ROOT, RULES, Rule, Source, source_files

LOCKS = ["requirements.lock", "requirements-dev.lock"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_source_keeps_the_rule(rule: Rule) -> None:
    faults = [f"{source.path}:{line}: {words}" for source in source_files() for line, words in rule(source)]

    assert not faults, "\n".join(faults)


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (rules.only_the_clock_reads_the_time, "bidding/rounds.py", "now = datetime.now(UTC)"),
        (rules.only_the_clock_reads_the_time, "bidding/rounds.py", "now = datetime.datetime.utcnow()"),
        (rules.only_the_clock_reads_the_time, "bidding/rounds.py", "day = date.today()"),
        (rules.only_the_clock_reads_the_time, "bidding/rounds.py", "now = time.time()"),
        (rules.only_the_clock_reads_the_time, "bidding/rounds.py", "from time import time"),
        (rules.only_the_clock_reads_the_time, "bidding/rounds.py", "where = func.now()"),
        (rules.only_the_clock_reads_the_time, "bidding/rounds.py", "q = 'closes_at < CURRENT_TIMESTAMP'"),
        (rules.only_entropy_draws, "bidding/awards.py", "import random"),
        (rules.only_entropy_draws, "bidding/awards.py", "from secrets import token_hex"),
        (rules.only_entropy_draws, "bidding/awards.py", "from uuid import uuid4"),
        (rules.only_entropy_draws, "bidding/awards.py", "ref = uuid.uuid4()"),
        (rules.only_entropy_draws, "bidding/awards.py", "draws = numpy.random.default_rng()"),
        (rules.only_advance_moves_a_state, "bidding/awards.py", "award.state = AwardState.OFFERED"),
        (rules.only_advance_moves_a_state, "bidding/awards.py", "setattr(award, 'state', 'offered')"),
        (rules.only_advance_moves_a_state, "bidding/awards.py", "update(Award).where(x).values(state='offered')"),
        (rules.names_say_what_is_inside, "bidding/utils.py", ""),
        (rules.names_say_what_is_inside, "web/common/pages.py", ""),
        (
            rules.tables_read_their_own_annotations,
            "bidding/bids.py",
            "from __future__ import annotations\nclass Bid(SQLModel, table=True): ...",
        ),
    ],
)
def test_the_rule_bites(rule: Rule, path: str, text: str) -> None:
    assert list(rule(Source(path, text)))


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (rules.only_the_clock_reads_the_time, rules.CLOCK, "now = datetime.now(UTC)"),
        (rules.only_the_clock_reads_the_time, "web/worker.py", "'''Never datetime('now').'''\nt = time.monotonic()"),
        (rules.only_entropy_draws, rules.ENTROPY, "import secrets"),
        (rules.only_entropy_draws, "matching/allocation/model.py", "draws = numpy.random.default_rng(7)"),
        (rules.only_advance_moves_a_state, rules.STATES, "update(table).values(state=target)"),
        (rules.only_advance_moves_a_state, "bidding/awards.py", "Award(state=S.OFFERED)\nif award.state == x: ..."),
        (rules.only_advance_moves_a_state, "bidding/awards.py", "insert(Award).values(state='proposed')"),
    ],
)
def test_the_rule_lets_the_lawful_pass(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(Source(path, text)))


def test_the_product_never_mentions_the_shared_folder() -> None:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()]

    mentions = [path for path in files if "__pycache__" not in path.parts and b"../shared" in path.read_bytes()]

    assert not mentions


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_carries_no_address(lock: str) -> None:
    assert "://" not in (ROOT / lock).read_text()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_version_and_a_hash(lock: str) -> None:
    text = re.sub(r"(?m)^\s*#.*\n", "", (ROOT / lock).read_text()).replace("\\\n", " ")

    lax = [line for line in text.splitlines() if not re.match(r"[a-z0-9._-]+(\[.+\])?==\S+ .*--hash=sha256:", line)]

    assert not lax


def test_the_locks_agree_and_hold_every_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]

    runtime, everything = (_pins(lock) for lock in LOCKS)

    assert runtime.items() <= everything.items()
    assert _names([*project["dependencies"], *extras["build"]]) <= runtime.keys()
    assert _names(extras["dev"]) <= everything.keys()


def test_every_folder_of_tests_is_a_package() -> None:
    """A folder `tests/…/dps` that is none would shadow the package `dps`."""
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}

    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([a-z0-9._-]+)(?:\[.+\])?==(\S+)", (ROOT / lock).read_text()))


def _names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}
