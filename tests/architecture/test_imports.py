"""The import contracts of pyproject.toml hold, and each is shown to bite on a copy with planted faults."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.rules import PACKAGES, ROOT

FLOORS = "Floors: web -> bidding -> matching -> dps"
LIBRARY = "matching is a library: no storage, no web, no clock"
KERNEL = "The kernel stands below every other room of dps"
SEALED = "Sealed bids are opened by the worker alone"

PLANTED = {
    "dps/looks_up.py": "import matching",
    "matching/looks_up.py": "from bidding import rounds",
    "bidding/looks_up.py": "def lazily() -> None:\n    import web",
    "matching/stores.py": "import sqlmodel",
    "matching/stores_through_the_kernel.py": "from dps.kernel import states",
    "dps/kernel/looks_up.py": "import dps.places",
    "dps/a_room_nobody_declared.py": "",
    "bidding/sealing/opening.py": "",
    "bidding/passes_on.py": "import bidding.sealing.opening",
    "web/desk/peeps.py": "from bidding.sealing import opening",
    "web/peeps.py": "import bidding.passes_on",
    "web/worker.py": "import bidding.sealing.opening",
}


def test_the_contracts_are_kept() -> None:
    linted = _lint(ROOT)

    assert linted.returncode == 0, linted.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy with every fault of `PLANTED`."""
    copy = tmp_path_factory.mktemp("planted")
    for folder in (*PACKAGES, "tests/architecture"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    for file in ("pyproject.toml", "tests/__init__.py"):
        shutil.copy(ROOT / file, copy / file)
    for path, text in PLANTED.items():
        _plant(copy, path, text)
    linted = _lint(copy)
    assert linted.returncode == 1, linted.stderr
    return linted.stdout


@pytest.mark.parametrize("contract", [FLOORS, LIBRARY, KERNEL, SEALED])
def test_a_planted_fault_breaks_its_contract(report: str, contract: str) -> None:
    assert f"{contract} BROKEN" in report


@pytest.mark.parametrize(
    "fault",
    [
        "dps.looks_up -> matching",
        "matching.looks_up -> bidding",
        "bidding.looks_up -> web",
        "matching.stores -> sqlmodel",
        "matching.stores_through_the_kernel -> dps.kernel.states",
        "dps.kernel.looks_up -> dps.places",
        "a_room_nobody_declared",
        "bidding.passes_on may not reach bidding.sealing.opening",
        "web.desk.peeps may not reach bidding.sealing.opening",
        "web.peeps may not reach bidding.sealing.opening: web.peeps -> bidding.passes_on -> bidding.sealing.opening",
    ],
)
def test_a_planted_fault_is_named(report: str, fault: str) -> None:
    assert fault in report


def test_the_worker_may_open(report: str) -> None:
    assert "web.worker may not reach" not in report


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    wide = {**os.environ, "COLUMNS": "200"}  # where lines are not folded
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=wide, capture_output=True, text=True, check=False
    )


def _plant(folder: Path, path: str, text: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    for package in file.relative_to(folder).parents:
        if package != Path("."):
            (folder / package / "__init__.py").touch()
    file.write_text(text)
