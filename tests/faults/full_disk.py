"""A database whose disk fills up: what was acknowledged is there, what was not is said to be, and all goes on after.

The disk is a small tmpfs that is filled to its last byte beside the database: SQLite's file and log, a PostgreSQL's
data, or what it logs before it commits, without which it stops altogether.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dps.kernel.database import Database
from dps.schemes.model import Urgency
from tests.faults import checker
from tests.faults.dying import Logged
from tests.faults.figures import Figure
from tests.faults.history import DONE, UNKNOWN, Operation, lines
from tests.faults.killing import CRISIS_WINDOW, address_of
from tests.faults.server import Server
from tests.support.schema import create_tables
from tests.web.served import Caller, Served

KINDS = ("sqlite", "postgresql", "log")
_MEGABYTES = {"sqlite": 24, "postgresql": 160, "log": 160}
_LEFT_BYTES = {"sqlite": 200_000, "postgresql": 0, "log": 0}
"""What is left free: enough for a few bids on SQLite. PostgreSQL's last pages have room of their own."""
MOST_BIDS = 400
REFUSALS = 3


class NoMount(Exception):
    """This process may not mount a file system."""


class SmallDisk:
    """A file system of so many megabytes in a folder of its own, which others may enter; a context manager."""

    def __init__(self, megabytes: int) -> None:
        # Not below a test's own folder: Linux allows 107 bytes for a socket's path, and the server is another user.
        self.folder = Path(tempfile.mkdtemp(prefix="dps-faults-", dir="/tmp"))
        options = f"size={megabytes}m,mode=0755"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "dps-faults", str(self.folder)], capture_output=True, check=False
        )
        if mounted.returncode:
            self.folder.rmdir()
            raise NoMount(mounted.stderr.decode().strip())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # At once, whoever still holds a file there, or makes one anew in what lay beneath.
        subprocess.run(["umount", "-l", str(self.folder)], check=True)
        shutil.rmtree(self.folder)

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"

    def fill(self, left: int = 0) -> None:
        """Take every byte but `left`."""
        with self._ballast.open("ab", buffering=0) as file, suppress(OSError):
            for size in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass
        with self._ballast.open("r+b") as file:
            file.truncate(max(self._ballast.stat().st_size - left, 0))

    def free(self) -> None:
        self._ballast.unlink()


def can_mount() -> bool:
    """Whether this process may; a container's root often may not."""
    try:
        with SmallDisk(1):
            return True
    except (NoMount, FileNotFoundError):
        return False


def campaign(folder: Path, kind: str) -> Figure:
    """Fill the disk under a council, have it bid, give the space back, have it go on."""
    with SmallDisk(_MEGABYTES[kind]) as disk, _council_on(disk, kind, folder) as (council, server):
        return _Filling(council, disk, server, kind, folder / "carried").figure()


@contextmanager
def _council_on(disk: SmallDisk, kind: str, folder: Path) -> Iterator[tuple[Served, Server | None]]:
    with ExitStack() as ends:
        server = None
        if kind == "sqlite":
            database = Database(f"sqlite:///{disk.folder / 'council.sqlite3'}")
        else:
            server = ends.enter_context(Server(disk.folder))
            database = Database(server.create("council"))
        ends.callback(database.dispose)
        create_tables(database)
        yield ends.enter_context(Served(database, folder)), server


class _Filling:
    """One council before, while and after its disk is full."""

    def __init__(self, council: Served, disk: SmallDisk, server: Server | None, kind: str, carried: Path) -> None:
        council.world.timetable.postman, self.carried = Logged(carried), carried
        self.council, self.disk, self.server, self.kind = council, disk, server, kind
        self.found = Figure(9, f"full disk: {kind}")
        self.history: list[Operation] = []
        self.acknowledged: list[tuple[Caller, str, Any, Any]] = []
        self.unanswered: list[tuple[Caller, str, Any]] = []
        self.statuses: dict[int, int] = {}

    def figure(self) -> Figure:
        council, world = self.council, self.council.world
        callers = [council.provider(f"Synthetic {name}") for name in ("Oak", "Elm", "Ash")]
        referral = world.referral(urgency=Urgency.CRISIS)
        first = council.bid_body(referral, 1500)
        self.disk.fill(_LEFT_BYTES[self.kind])
        if self.kind == "log":
            self._end_the_log()
        refusals = 0
        for number in range(MOST_BIDS):
            card = {**first["bid"]["card"], "prices": {"weekday": 1500 + number % 400}}
            body = {**first, "bid": {**first["bid"], "card": card}}
            refusals = 0 if self._bid(callers[number % len(callers)], f"bid {number}", body) else refusals + 1
            if refusals == (1 if self.kind == "log" else REFUSALS):
                break
        else:
            self.found.faults.append(f"{MOST_BIDS} bids found room on a full disk")
        for bell in (world.timetable.sweep, world.timetable.carry_messages, world.timetable.sign_checkpoint):
            # As a worker's: what fails is rung again.
            with suppress(DBAPIError, ExceptionGroup):
                bell()
        self.disk.free()
        if self.server is not None:
            self.server.come_back()
        for caller, key, body in self.unanswered:
            if not self._bid(caller, key, body, again=True):
                self.found.faults.append(f"{key} found no room when there was some again")
        self._ask_again()
        world.close(referral)
        return self._judged()

    def _bid(self, caller: Caller, key: str, body: Any, *, again: bool = False) -> bool:
        """Whether it was acknowledged. What else is said must be 503, in the words that say what to do."""
        answer = caller.post("/api/bids", body, key=key)
        self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
        is_taken = answer.status_code == 201
        if not is_taken and (answer.status_code != 503 or "same Idempotency-Key" not in answer.json()["detail"]):
            self.found.faults.append(f"{key} was answered {answer.status_code}: {answer.text[:200]}")
        if not is_taken and not again:
            self.unanswered.append((caller, key, body))
        said = answer.json() if is_taken else None
        if is_taken:
            self.acknowledged.append((caller, key, body, said))
        self.history.append(Operation(key, "bid", {"key": key}, 0.0, 0.0, DONE if is_taken else UNKNOWN, said))
        return is_taken

    def _ask_again(self) -> None:
        """Who asks again what was acknowledged reads the same receipt."""
        for caller, key, body, receipt in self.acknowledged:
            if caller.post("/api/bids", body, key=key).json() != receipt:
                self.found.faults.append(f"{key} got another receipt when it was asked again")

    def _end_the_log(self) -> None:
        """The next record needs a new file of the log, for which there is no room."""
        with self.council.world.database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("SELECT pg_switch_wal()"))

    def _judged(self) -> Figure:
        world = self.council.world
        while world.timetable.carry_messages():
            pass
        carried = [line["carried"] for line in lines(self.carried)]
        evidence = checker.gathered(address_of(world), carried)
        self.found.faults += checker.faults(
            evidence, self.history, least_window=CRISIS_WINDOW, now=world.now, crashes=1
        )
        self.found.faults += world.faults()
        acknowledged = sum(one.outcome == DONE for one in self.history)
        self.found.counted = {
            "bids acknowledged": acknowledged,
            "refused with 503": self.statuses.get(503, 0),
            "asked again": len(self.unanswered),
        }
        return self.found
