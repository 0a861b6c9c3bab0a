"""The web process that is measured: `dps serve --without-worker`, or the same with another way to take a bid in."""

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from litestar import Litestar, post
from litestar.concurrency import sync_to_thread

from bidding.bids.intake import Intake
from bidding.bids.submitting import submit_in
from dps.kernel.database import Database
from dps.kernel.errors import AnsweredMeanwhile
from dps.kernel.ports import Ports
from dps.kernel.settings import read_settings
from tests.faults.fleet import SECRET
from tests.faults.mailing import free_port
from web import assembly
from web.listening import listen

_SPAWNED = get_context("spawn")


class Alone(Intake):
    """One transaction for each request, which is how a web application with an ORM is usually written."""

    def __init__(self, database: Database, ports: Ports) -> None:
        super().__init__(database, ports)
        self._request = database, ports

    def submit(self, **request: Any) -> dict[str, Any]:
        try:
            return submit_in(*self._request, **request)
        except AnsweredMeanwhile:
            return submit_in(*self._request, **request)

    async def submitted(self, **request: Any) -> dict[str, Any]:
        return await sync_to_thread(self.submit, **request)


@dataclass
class Web:
    """A web process on a council's database; a context manager. `way` is `together`, `alone` or `empty`."""

    way: str
    url: str
    folder: Path
    port: int = field(default_factory=free_port)
    _process: SpawnProcess = field(init=False)

    def __enter__(self) -> "Web":
        environment = {
            "DPS_DEMO": "1",
            "DPS_CLOCK": "accelerated",
            "DPS_SECRET": SECRET,
            "DPS_DATABASE_URL": self.url,
            "DPS_KEYS_DIR": str(self.folder / "keys"),
            "DPS_IDENTITIES_DIR": os.devnull,
            "DPS_PORT": str(self.port),
            "DPS_LOG_LEVEL": "error",
        }
        self._process = _SPAWNED.Process(target=_serve, args=(self.way, environment), daemon=True)
        self._process.start()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with suppress(httpx.TransportError):
                if httpx.post(f"http://127.0.0.1:{self.port}/empty").status_code < 500:
                    return self
            time.sleep(0.1)
        raise TimeoutError("the web process never answered")

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.join()

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join(15)
        self.kill()


def _serve(way: str, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    settings = read_settings()
    if way == "empty":
        uvicorn.run(Litestar([_empty], openapi_config=None), port=settings.port, log_level="error", access_log=False)
        return
    if way == "alone":
        # In this process alone: it is there to be measured.
        vars(assembly)["Intake"] = Alone
    listen(settings)


@post("/empty", sync_to_thread=True)
def _empty() -> dict[str, str]:
    """The framework's own share: a request is routed, a thread answers it."""
    return {}
