"""The application over a `World`, spoken to as other systems speak to it: over HTTP with an API key, or as `dps`."""

from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient
from pydantic import SecretStr
from typer.testing import CliRunner, Result

from bidding.bids.content import BidContent
from dps.kernel.actors import Actor, Role
from dps.kernel.clock import Clock, SteppedClock
from dps.kernel.database import Database
from dps.kernel.settings import Settings
from dps.schemes.model import Scheme
from tests.support.world import World
from web.app import create_app, state_over
from web.assembly import Installation
from web.cli import app
from web.security.api_keys import create

ADMINISTRATOR = Actor("test-administrator", Role.ADMINISTRATOR)


def dps(*arguments: str) -> Result:
    """Run a command line in this process."""
    return CliRunner().invoke(app, list(arguments))


_IDLE: dict[bool, list[Litestar]] = {True: [], False: []}
"""Applications that nobody uses now, in demonstrations and outside them: to put one together takes half a second."""


def lent(installation: Installation, wall: Clock) -> Litestar:
    """An application that serves this installation and knows nothing of another; to be `given_back`."""
    idle = _IDLE[installation.settings.demo]
    if not idle:
        return create_app(installation, wall=wall)
    app = idle.pop()
    app.state.update(state_over(installation, wall))
    return app


def given_back(app: Litestar) -> None:
    """Nobody speaks to this application any more: it may serve another council."""
    _IDLE[app.state.installation.settings.demo].append(app)


class Caller:
    """Somebody with an API key, or with none."""

    def __init__(self, client: TestClient[Litestar], key: str | None, account: str = "") -> None:
        self.account = account
        self.key = key
        self._client = client
        self._writes = 0

    def get(self, path: str) -> Response:
        return self._client.get(path, headers=self._headers())

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Response:
        """Write, under a key of its own unless one is given."""
        self._writes += 1
        headers = self._headers() | {"Idempotency-Key": key or f"write {self._writes}"}
        return self._client.post(path, headers=headers, json=body)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}


class Served:
    """A council with an application before it."""

    def __init__(
        self, database: Database, folder: Path, scheme: Scheme | str = "st-helens", *, demo: bool = True
    ) -> None:
        self.world = World(database, folder, scheme)
        secret = SecretStr("made-up-for-tests-made-up-for-tests")
        settings = Settings(demo=demo, secret=secret, notes_dir=folder / "notes")
        self.installation = Installation(settings, database, self.world.ports)
        self.wall = SteppedClock(self.world.clock.instant)
        """Real time, in which people's sessions run: it stands still while the council's clock is moved."""
        self.app = self._lent = lent(self.installation, self.wall)
        self.base_url = "http://testserver.local" if demo else "https://testserver.local"
        self.client: TestClient[Litestar] = TestClient(self.app)

    def __enter__(self) -> Self:
        self.client.__enter__()
        return self

    def beside(self, database: Database) -> TestClient[Litestar]:
        """Another process's application, on a connection of its own to the same council's database."""
        return TestClient(create_app(replace(self.installation, database=database), wall=self.wall))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.__exit__(kind, value, trace)
        self._lent.state.notes.end()
        given_back(self._lent)

    def caller(
        self, role: Role, *, provider: str | None = None, authority: str | None = None, days: int = 30
    ) -> Caller:
        """Somebody new in this role; an office role works for the world's authority unless told otherwise."""
        if authority is None and role not in (Role.PROVIDER, Role.AUDITOR, Role.ADMINISTRATOR):
            authority = self.world.authority
        with self.world.database.transaction() as session:
            row, key = create(
                session,
                self.world.ports.entropy,
                label="a test",
                role=role,
                authority=authority,
                provider=provider,
                days=days,
                by=ADMINISTRATOR,
                now=self.world.now,
            )
        return Caller(self.client, key, row.account)

    def provider(self, name: str = "Provider", **more: Any) -> Caller:
        """A new provider of the world, and its system's key."""
        actor = self.world.provider(name, **more)
        caller = self.caller(Role.PROVIDER, provider=actor.provider)
        caller.provider = actor.provider  # type: ignore[attr-defined]
        return caller

    def broker(self) -> Caller:
        return self.caller(Role.BROKER)

    @property
    def anonymous(self) -> Caller:
        return Caller(self.client, None)

    def bid_body(self, referral: str, pence: int) -> dict[str, Any]:
        """A valid body of a bid for the referral's open round."""
        content: BidContent = self.world.content(referral, pence)
        return {"rounds": [self.world.round(referral).ref], "bid": content.to_dict()}
