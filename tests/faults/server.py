"""A PostgreSQL server that can be stopped hard and started again, keeps what it has committed, and may run out of disk.

Unlike the tests' own cluster it writes through to the disk, as a council's does.
"""

import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy.engine import URL

from tests.support.keeper import LOCALES, SUPERUSER, initialised, is_ready, owner_of_a_server, run_as, within_reach_of
from tests.support.postgres import NoPostgres, find_binaries

SETTINGS = {"listen_addresses": "", "max_connections": "120", "shared_buffers": "64MB", "timezone": "Europe/London"}
SMALL = {"min_wal_size": "32MB", "max_wal_size": "48MB", "wal_recycle": "off"}


class Server:
    """A server in a folder of its own, or in `folder`; a context manager."""

    def __init__(self, folder: Path | None = None) -> None:
        self._own = Path(tempfile.mkdtemp(prefix="dps-faults-", dir="/tmp"))
        self.folder = folder or self._own
        self._owner = owner_of_a_server()
        for place in {self._own, self.folder}:
            if self._owner is not None:
                shutil.chown(place, self._owner.pw_uid, self._owner.pw_gid)
        binaries = find_binaries()
        self._binaries = within_reach_of(self._owner, binaries, self._own) if self._owner else binaries
        self._process: subprocess.Popen[bytes] | None = None
        if not any(initialised(self._binaries, self._data, locale, self._owner) for locale in LOCALES):
            raise NoPostgres("no cluster could be made")
        self.restarts = -1

    @property
    def _data(self) -> Path:
        return self.folder / "cluster"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._own, ignore_errors=True)

    def start(self) -> None:
        settings = [word for name, value in (SETTINGS | SMALL).items() for word in ("-c", f"{name}={value}")]
        command = [f"{self._binaries}/postgres", "-D", f"{self._data}", "-k", f"{self.folder}", *settings]
        self._process = run_as(self._owner, command, self.folder)
        if not is_ready(self._process, self.folder):
            raise NoPostgres(f"it did not start: {(self.folder / 'log').read_text(errors='replace')[-800:]}")
        self.restarts += 1

    @property
    def pid(self) -> int:
        """Of the postmaster; its children serve the connections."""
        return self._process.pid if self._process is not None else 0

    def stop(self) -> None:
        """As when the machine is switched off: no checkpoint, every connection cut."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGQUIT)
            self._process.wait(60)
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def come_back(self) -> None:
        """What whoever watches a server does: start it where it ended by itself; wait where it recovers."""
        if self._process is None or self._process.poll() is not None or not is_ready(self._process, self.folder):
            self.start()

    def cut_connections(self) -> None:
        """End every connection but this one; the server stays."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as admin:
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")

    def create(self, name: str) -> str:
        """Make a database; its SQLAlchemy URL."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")
        return self._url(name).set(drivername="postgresql+psycopg").render_as_string(False)

    def address(self, name: str) -> str:
        """What libpq opens a database by."""
        return self._url(name).render_as_string(False)

    def _url(self, name: str) -> URL:
        return URL.create("postgresql", SUPERUSER, database=name, query={"host": str(self.folder)})
