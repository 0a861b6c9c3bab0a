"""The import contracts of pyproject.toml hold, and each is shown to bite on a copy with a planted fault."""

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


def test_the_contracts_are_kept() -> None:
    linted = _lint(ROOT)

    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("contract", "planted"),
    [
        (FLOORS, {"dps/planted.py": "import matching"}),
        (FLOORS, {"matching/planted.py": "from bidding import rounds"}),
        (FLOORS, {"bidding/planted.py": "def lazily() -> None:\n    import web"}),
        (LIBRARY, {"matching/planted.py": "import sqlmodel"}),
        (LIBRARY, {"matching/planted.py": "from dps.kernel import states"}),
        (KERNEL, {"dps/kernel/planted.py": "import dps.places"}),
        (KERNEL, {"dps/a_room_nobody_declared.py": ""}),
        (SEALED, {"web/desk/planted.py": "from bidding.sealing.opening import planted"}),
        (
            SEALED,
            {"bidding/planted.py": "import bidding.sealing.opening.planted", "web/app.py": "import bidding.planted"},
        ),
    ],
)
def test_a_planted_fault_breaks_its_contract(tmp_path: Path, contract: str, planted: dict[str, str]) -> None:
    for folder in (*PACKAGES, "tests/architecture"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "*.nb?"))
    for file in ("pyproject.toml", "tests/__init__.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    for path, text in {"bidding/sealing/opening/planted.py": "", **planted}.items():
        _plant(tmp_path, path, text)

    linted = _lint(tmp_path)

    assert linted.returncode == 1, linted.stderr
    assert f"{contract} BROKEN" in linted.stdout


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)


def _plant(folder: Path, path: str, text: str) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    for package in file.relative_to(folder).parents:
        if package != Path("."):
            (folder / package / "__init__.py").touch()
    file.write_text(text)
