"""What answers and what works while a storm goes on: threads of this process, or two web processes and four workers.

The processes run what `dps serve --without-worker` and `dps work` run, forked from one that has loaded everything, so
that another stands in the place of one that was killed within a second.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Protocol

import httpx
import psycopg

from bidding.timetable import Timetable
from dps.kernel.settings import read_settings
from tests.faults.mailing import MailHouse, free_port
from tests.faults.surroundings import Counted
from tests.support.world import World

_FORKED = get_context("forkserver")
SECRET = "made-up-for-tests-made-up-for-tests"
PATIENCE = "TEST_PATIENCE_S"


class Fleet(Protocol):
    """Whoever serves a council in a storm."""

    clients: Sequence[Any]
    kills: int
    mail: MailHouse

    def kill_one(self, chance: random.Random) -> None: ...
    def end(self) -> None: ...
    def carried(self) -> list[str]: ...


@dataclass
class Threads:
    """Workers as threads, each ringing on; `clients` are applications of this process."""

    clients: Sequence[Any]
    world: World
    mail: MailHouse
    workers: int = 2
    kills: int = 0
    _postman: Counted = field(init=False)
    _ended: threading.Event = field(init=False, default_factory=threading.Event)
    _running: list[threading.Thread] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        timetable = self.world.timetable
        timetable.postman = self._postman = Counted(timetable.postman)
        for _ in range(self.workers):
            self._running.append(threading.Thread(target=self._work, args=(replace(timetable),)))
            self._running[-1].start()

    def _work(self, timetable: Timetable) -> None:
        bells: tuple[Callable[[], Any], ...] = (
            timetable.sweep,
            timetable.carry_messages,
            self.mail.letters_of(self.world).make,
            timetable.sign_checkpoint,
        )
        while not self._ended.wait(0.1):
            for bell in bells:
                # As a worker's bell: what fails is rung again.
                with suppress(Exception):
                    bell()

    def kill_one(self, chance: random.Random) -> None:
        """A thread can't be killed."""

    def end(self) -> None:
        self._ended.set()
        for thread in self._running:
            thread.join()

    def carried(self) -> list[str]:
        return self._postman.carried


@dataclass
class Processes:
    """Two web processes and four workers on one database; any of them is killed, and another takes its place."""

    folder: Path
    url: str
    mail: MailHouse
    webs: int = 2
    workers: int = 4
    patience_s: float | None = None
    """How long a web process waits for what comes slowly, where it is not to be as long as in life."""
    kills: int = 0
    clients: Sequence[httpx.Client] = field(init=False)
    _running: dict[str, ForkServerProcess] = field(init=False, default_factory=dict)
    _ports: list[int] = field(init=False)

    def __post_init__(self) -> None:
        _FORKED.set_forkserver_preload(["tests.faults.fleet", "web.worker", "web.app", "web.listening", "web.tables"])
        self._ports = [free_port() for _ in range(self.webs)]
        limits = httpx.Limits(max_keepalive_connections=0)
        self.clients = [
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, limits=limits, follow_redirects=True)
            for port in self._ports
        ]
        for name in [*(f"web {number}" for number in range(self.webs)), *(f"work {n}" for n in range(self.workers))]:
            self._begin(name)
        for number, client in enumerate(self.clients):
            _answers(client, self._running[f"web {number}"])

    def _begin(self, name: str) -> None:
        kind, number = name.split()
        environment = {
            "DPS_DEMO": "1",
            "DPS_CLOCK": "accelerated",
            "DPS_SECRET": SECRET,
            "DPS_DATABASE_URL": self.url,
            "DPS_KEYS_DIR": str(self.folder / "keys"),
            "DPS_IDENTITIES_DIR": os.devnull if kind == "web" else str(self.folder / "identities"),
            "DPS_NOTES_DIR": str(self.folder / "notes"),
            "DPS_OPENS_AFTER_S": "0",
            "DPS_PORT": str(self._ports[int(number)]) if kind == "web" else "0",
            "DPS_LOG_LEVEL": "error",
            **self.mail.environment,
            **({} if self.patience_s is None else {PATIENCE: str(self.patience_s)}),
        }
        log = str(self.folder / f"log-{kind}-{number}")
        process = _FORKED.Process(target=_serve if kind == "web" else _work, args=(environment, log))
        process.start()
        self._running[name] = process

    @property
    def port(self) -> int:
        """Of the first web process."""
        return self._ports[0]

    @property
    def pid(self) -> int | None:
        """Of the first web process."""
        return self._running["web 0"].pid

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL any one of them; another is begun in its place."""
        name = chance.choice(sorted(self._running))
        self._running[name].kill()
        self._running[name].join()
        self.kills += 1
        self._begin(name)

    def end(self) -> None:
        """By SIGTERM, as in life; whoever has not ended after half a minute is killed."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.join(30)
            process.kill()
            process.join()
        for client in self.clients:
            client.close()

    def carried(self) -> list[str]:
        """The lines of the feed: written where a message leaves the outbox, and nowhere else."""
        address = self.url.replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(address) as server:
            found = server.execute("SELECT ref FROM change JOIN outbox_message ON outbox_message.id = message_id")
            return [ref for (ref,) in found]


def _serve(environment: Mapping[str, str], log: str) -> None:
    from web.listening import listen
    from web.patience import PatientProtocol

    _speak_to(log)
    os.environ.update(environment)
    if PATIENCE in environment:
        PatientProtocol.head_s = PatientProtocol.body_s = float(environment[PATIENCE])
    listen(read_settings())


def _work(environment: Mapping[str, str], log: str) -> None:
    from dps.kernel.logs import configure
    from web.worker import run

    _speak_to(log)
    os.environ.update(environment)
    settings = read_settings()
    configure(settings.log_level)
    run(settings)


def _speak_to(log: str) -> None:
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(file, stream)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _answers(client: httpx.Client, process: ForkServerProcess, patience_s: float = 120.0) -> None:
    """Wait until this web process answers."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until and process.is_alive():
        with suppress(httpx.TransportError):
            if client.get("/health").status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise TimeoutError("a web process never answered")
