"""`dps allocate` as a council calls it: a county as CSV files, solved to a limit and written."""

import csv
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from matching.allocation import Instance
from tests.benchmarks.allocation.market import market

LOOK_S = 0.25
ROOT = Path(__file__).parents[3]


def allocate_county(limit_s: float) -> tuple[float, float, str]:
    """Seconds from the call to its end, and its own gap and memory (the larger of its two processes) in words."""
    with tempfile.TemporaryDirectory() as folder:
        _write(market("county", 2101, 0.95), Path(folder))
        named = [f"--{name}={folder}/{name}.csv" for name in ("packages", "providers", "bids", "localities")]
        (Path(folder) / "policy.toml").write_text("[coverage]\nprice_pence = 25000\ndefault_target = 3\n")
        began = time.monotonic()
        out = (f"--policy={folder}/policy.toml", f"--time-limit={limit_s:g}", f"--out={folder}/awards.csv", "--json")
        run = subprocess.Popen(
            (sys.executable, "-m", "web.cli", "allocate", *named, *out),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        peak = [0]
        watch = threading.Thread(target=_watch, args=(run.pid, peak), daemon=True)
        watch.start()
        told, _ = run.communicate()
        seconds = time.monotonic() - began
        answer = json.loads(told)
        rows = len((Path(folder) / "awards.csv").read_text().splitlines()) - 1
    return seconds, 0.0, f"{rows:,} awards written, gap {answer['gap']:.2%}, {peak[0]} MiB in the larger process"


def _watch(parent: int, peak: list[int]) -> None:
    """The most that the process or a child of it has held."""
    while (Path("/proc") / str(parent)).exists():
        children = Path(f"/proc/{parent}/task/{parent}/children")
        known = children.read_text().split() if children.exists() else []
        peak[0] = max(peak[0], *(_held_mib(int(pid)) for pid in (str(parent), *known)))
        time.sleep(LOOK_S)


def _held_mib(pid: int) -> int:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // (1 << 20)


def _write(instance: Instance, folder: Path) -> None:
    _table(
        folder / "packages.csv",
        ("package", "locality", "weekly_minutes", "priority", "unplaced_pence"),
        ((one.ref, one.locality, one.weekly_minutes, one.priority, one.price_unplaced) for one in instance.packages),
    )
    _table(
        folder / "providers.csv",
        ("provider", "capacity_minutes"),
        ((one.ref, one.capacity_minutes) for one in instance.providers),
    )
    _table(
        folder / "bids.csv",
        ("bid", "provider", "packages", "weekly_pence"),
        ((one.ref, one.provider, " ".join(one.packages), one.weekly_pence) for one in instance.bids),
    )
    columns = ("capacity_minutes", "committed_minutes", "block_minutes", "entry_pence")
    _table(
        folder / "localities.csv",
        ("provider", "locality", *columns),
        ((one.provider, one.locality, *(getattr(one, name) for name in columns)) for one in instance.localities),
    )


def _table(file: Path, head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(head)
        writer.writerows(rows)
