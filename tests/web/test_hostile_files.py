"""Hostile files cost a child's two seconds and 150 MB at most, and this process nothing (line 13)."""

import io
import signal
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from dps.kernel.errors import BadInput
from tests.web.hostile_files import BOMBS, FORMULAS, a_workbook, with_formulas
from web.sheets import read_sheet
from web.unpacking import MORE_MEMORY_BYTES, PROCESSOR_S
from web.workbooks import text_cell

_AND_SAY_WHAT_IT_TOOK = """
import atexit, re, resource, sys
from pathlib import Path
from web import unpacking
def say():
    used = resource.getrusage(resource.RUSAGE_SELF)
    held = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
    sys.stderr.write(f"took {used.ru_utime + used.ru_stime} {held}")
atexit.register(say)
unpacking.main(sys.argv[1])
"""
"""The program itself, that says at its end how many seconds of a processor and how much memory it had at most."""


@dataclass(frozen=True)
class Cost:
    """What reading one file took; None where the process was ended by its limits."""

    seconds: float
    most_bytes: int


def cost_of(content: bytes, kind: str) -> Cost | None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", _AND_SAY_WHAT_IT_TOOK, kind], input=content, capture_output=True, check=False
    )
    told = done.stderr.decode().rpartition("took ")[2].split()
    return Cost(float(told[0]), int(told[1]) * 1024) if done.returncode == 0 else None


@pytest.fixture(scope="module")
def usual() -> Cost:
    found = cost_of(a_workbook(["name"], ["A"]), "xlsx")
    assert found is not None
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_hostile_file_is_refused_or_harmless_within_its_limits(name: str, usual: Cost, tmp_path: Path) -> None:
    content = BOMBS[name]()
    (tmp_path / name).write_bytes(content)

    cost = cost_of(content, name.rpartition(".")[2])
    with pytest.raises(BadInput) as refused:
        read_sheet(tmp_path / name, columns=["name"], required=["name", "missing"])

    assert refused.value.facts["file"] == name
    if cost is not None:
        assert cost.seconds - usual.seconds <= PROCESSOR_S
        assert cost.most_bytes - usual.most_bytes <= MORE_MEMORY_BYTES


@pytest.mark.slow
def test_more_memory_or_time_than_the_limits_is_not_to_be_had(tmp_path: Path) -> None:
    def child(then: str) -> subprocess.CompletedProcess[bytes]:
        code = f"from web import unpacking; unpacking.limit()\n{then}"
        return subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=False)

    assert child("held = bytearray(100 * 1024 ** 2)").returncode == 0
    assert b"MemoryError" in child("held = bytearray(160 * 1024 ** 2)").stderr
    assert child("while True: pass").returncode == -signal.SIGXCPU
    assert child(f"with open({str(tmp_path / 'written')!r}, 'w') as file: file.write('x')").returncode != 0


def test_a_child_that_takes_too_much_is_ended_and_the_reason_said(tmp_path: Path) -> None:
    path = tmp_path / "often.xlsx"
    path.write_bytes(BOMBS["one text named often.xlsx"]())

    with pytest.raises(BadInput, match=r"more memory or time|more than 8 MB of text"):
        read_sheet(path, columns=["name"], required=["name"])


def test_what_the_child_is_given_holds_no_setting_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, str] = {}
    run = subprocess.run

    def watched(*arguments: object, **more: object) -> object:
        given.update(more["env"])  # type: ignore[call-overload]
        return run(*arguments, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(subprocess, "run", watched)
    monkeypatch.setenv("DPS_SECRET", "made-up-for-tests-made-up-for-tests")
    (tmp_path / "one.csv").write_text("name\nA\n")

    read_sheet(tmp_path / "one.csv", columns=["name"], required=["name"])

    assert given.keys() == {"PYTHONPATH", "PYTHONUTF8"}


def test_a_formula_is_what_it_last_came_to_and_a_day_is_a_day(tmp_path: Path) -> None:
    path = tmp_path / "formulas.xlsx"
    path.write_bytes(with_formulas())

    rows = read_sheet(path, columns=["name", "first_day"], required=["name"]).rows

    assert [row.cells["name"] for row in rows] == ["", ""]
    assert [str(row.cells["first_day"])[:10] for row in rows] == ["1900-02-28", "2026-03-09"]


def test_no_text_of_an_export_is_a_live_formula() -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("texts")
    for words in FORMULAS:
        sheet.append([text_cell(sheet, words)])
    kept = io.BytesIO()
    book.save(kept)

    rows = [row[0] for row in load_workbook(io.BytesIO(kept.getvalue())).worksheets[0].iter_rows()]

    assert [cell.data_type for cell in rows] == ["s"] * len(FORMULAS)
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(kept.getvalue())).read("xl/worksheets/sheet1.xml")
