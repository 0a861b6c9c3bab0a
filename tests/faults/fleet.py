"""What answers and what works while a storm goes on: threads of this process, or two web processes and four workers.

The processes run what `dps serve --without-worker` and `dps work` run, forked from one that has loaded everything, so
that another stands in the place of one that was killed within a second.
"""

import os
import random
import signal
import socket
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

from bidding.timetable import Timetable
from dps.kernel.outbox import OutboxMessage
from dps.kernel.settings import read_settings
from tests.faults.history import append, lines

_FORKED = get_context("forkserver")
SECRET = "made-up-for-tests-made-up-for-tests"


class Fleet(Protocol):
    """Whoever serves a council in a storm."""

    clients: Sequence[Any]
    kills: int

    def stop_mail(self) -> None: ...
    def start_mail(self) -> None: ...
    def kill_one(self, chance: random.Random) -> None: ...
    def end(self) -> None: ...
    def carried(self) -> list[str]: ...


@dataclass
class Posts:
    """A postman whose log is on the disk, and who can be told that the mail server is away."""

    path: Path
    is_away: bool = False

    def carry(self, message: OutboxMessage) -> None:
        if self.is_away:
            raise ConnectionRefusedError("synthetic: the mail server is away")
        append(self.path, {"carried": message.ref})


@dataclass
class Threads:
    """Workers as threads, each ringing on; `clients` are applications of this process."""

    clients: Sequence[Any]
    timetable: Timetable
    folder: Path
    workers: int = 2
    kills: int = 0
    posts: Posts = field(init=False)
    _ended: threading.Event = field(init=False, default_factory=threading.Event)
    _running: list[threading.Thread] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.posts = Posts(self.folder / "carried")
        self.timetable.postman = self.posts
        for _ in range(self.workers):
            self._running.append(threading.Thread(target=self._work, args=(replace(self.timetable),)))
            self._running[-1].start()

    def _work(self, timetable: Timetable) -> None:
        bells: tuple[Callable[[], Any], ...] = (
            timetable.sweep,
            timetable.carry_messages,
            timetable.sign_checkpoint,
        )
        while not self._ended.wait(0.1):
            for bell in bells:
                # As a worker's bell: what fails is rung again.
                with suppress(Exception):
                    bell()

    def stop_mail(self) -> None:
        self.posts.is_away = True

    def start_mail(self) -> None:
        self.posts.is_away = False

    def kill_one(self, chance: random.Random) -> None:
        """A thread can't be killed."""

    def end(self) -> None:
        self._ended.set()
        for thread in self._running:
            thread.join()

    def carried(self) -> list[str]:
        return [line["carried"] for line in lines(self.folder / "carried")]


@dataclass
class Processes:
    """Two web processes and four workers on one database; any of them is killed, and another takes its place."""

    folder: Path
    url: str
    webs: int = 2
    workers: int = 4
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
        for client in self.clients:
            _answers(client)

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    def _begin(self, name: str) -> None:
        kind, number = name.split()
        environment = {
            "DPS_DEMO": "1",
            "DPS_CLOCK": "accelerated",
            "DPS_SECRET": SECRET,
            "DPS_DATABASE_URL": self.url,
            "DPS_KEYS_DIR": str(self.folder / "keys"),
            "DPS_IDENTITIES_DIR": os.devnull if kind == "web" else str(self.folder / "identities"),
            "DPS_SPOOL_DIR": str(self.spool),
            "DPS_NOTES_DIR": str(self.folder / "notes"),
            "DPS_OPENS_AFTER_S": "0",
            "DPS_PORT": str(self._ports[int(number)]) if kind == "web" else "0",
            "DPS_LOG_LEVEL": "error",
        }
        log = str(self.folder / f"log-{kind}-{number}")
        process = _FORKED.Process(target=_serve if kind == "web" else _work, args=(environment, log))
        process.start()
        self._running[name] = process

    def kill_one(self, chance: random.Random) -> None:
        """SIGKILL any one of them; another is begun in its place."""
        name = chance.choice(sorted(self._running))
        self._running[name].kill()
        self._running[name].join()
        self.kills += 1
        self._begin(name)

    def stop_mail(self) -> None:
        """A file stands where the spool's folder should be: nothing can be handed over."""
        self.spool.mkdir(exist_ok=True)
        self.spool.rename(self.folder / "spool-kept")
        self.spool.touch()

    def start_mail(self) -> None:
        self.spool.unlink()
        (self.folder / "spool-kept").rename(self.spool)

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
        return [path.stem for path in self.spool.glob("*.eml")]


def _serve(environment: Mapping[str, str], log: str) -> None:
    from web.listening import listen

    _speak_to(log)
    os.environ.update(environment)
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


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _answers(client: httpx.Client, patience_s: float = 120.0) -> None:
    """Wait until this web process answers."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if client.get("/health").status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise TimeoutError("a web process never answered")
