"""What the machine can do at best: two plain inserts to a commit, by pgbench and by the bare drivers."""

import re
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg

from tests.support.postgres import find_binaries

_TABLES = "CREATE TABLE plain_{n} (id INTEGER {key}, body {bytes})"
_SCRIPT = """INSERT INTO plain_1 (body) VALUES (decode(repeat('ab', 4400), 'hex'));
INSERT INTO plain_2 (body) VALUES (decode(repeat('ab', 400), 'hex'));
"""
_BID, _EVENT = bytes(4400), bytes(400)


def pgbench(folder: Path, database: str, user: str, *, clients: int, seconds: float) -> float | None:
    """Commits a second by PostgreSQL's own benchmark; None where it is not installed."""
    program = find_binaries() / "pgbench"
    if not program.exists():
        return None
    script = folder / "two-inserts.sql"
    script.write_text("BEGIN;\n" + _SCRIPT + "COMMIT;\n")
    command = [
        str(program), "--no-vacuum", f"--client={clients}", "--jobs=2", f"--time={max(round(seconds), 1)}",
        f"--file={script}", f"--host={folder}", f"--username={user}", database,
    ]  # fmt: skip
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    found = re.search(r"tps = ([\d.]+)", said)
    return float(found[1]) if found else None


def make_plain_tables(address: str | Path) -> None:
    """The two tables that the peers write to."""
    if isinstance(address, Path):
        with closing(_lite(address)) as lite:
            for n in (1, 2):
                lite.execute(_TABLES.format(n=n, key="PRIMARY KEY", bytes="BLOB"))
        return
    with psycopg.connect(address) as server:
        for n in (1, 2):
            server.execute(_TABLES.format(n=n, key="GENERATED ALWAYS AS IDENTITY PRIMARY KEY", bytes="BYTEA"))


def bare_driver(address: str | Path, *, connections: int, seconds: float) -> float:
    """Commits a second by a loop over the driver, a thread to each connection."""
    counted, until = [0] * connections, time.monotonic() + seconds

    def loop(number: int) -> None:
        with closing(_lite(address) if isinstance(address, Path) else psycopg.connect(address)) as opened:
            insert = _inserter(opened)
            while time.monotonic() < until:
                insert()
                counted[number] += 1

    threads = [threading.Thread(target=loop, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counted) / seconds


def _lite(path: Path) -> sqlite3.Connection:
    lite = sqlite3.connect(path, isolation_level=None, timeout=60, check_same_thread=False)
    lite.execute("PRAGMA journal_mode=WAL")
    lite.execute("PRAGMA synchronous=FULL")
    return lite


def _inserter(opened: "sqlite3.Connection | psycopg.Connection[tuple[object, ...]]") -> Callable[[], None]:
    if isinstance(opened, sqlite3.Connection):
        lite = opened

        def write() -> None:
            lite.execute("BEGIN IMMEDIATE")
            lite.execute("INSERT INTO plain_1 (body) VALUES (?)", (_BID,))
            lite.execute("INSERT INTO plain_2 (body) VALUES (?)", (_EVENT,))
            lite.execute("COMMIT")

        return write
    server = opened

    def insert() -> None:
        server.execute("INSERT INTO plain_1 (body) VALUES (%s)", (_BID,))
        server.execute("INSERT INTO plain_2 (body) VALUES (%s)", (_EVENT,))
        server.commit()

    return insert
