"""Putting an installation together: settings become a database, a clock, entropy and the shared keys.

Every process that works on the database begins here. What is put together can seal a bid and cannot open one: the
identities are read by the worker alone (law 2).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from bidding.bids.intake import Intake
from dps.kernel.clock import AcceleratedClock, Clock, DatabaseClock
from dps.kernel.database import Database
from dps.kernel.entropy import SystemEntropy
from dps.kernel.errors import Misconfigured
from dps.kernel.keys import load_keyring
from dps.kernel.ports import Ports
from dps.kernel.settings import Settings, read_settings
from dps.migrations.history import refuse_outdated


@dataclass(frozen=True)
class Installation:
    """What a process works with."""

    settings: Settings
    database: Database
    ports: Ports
    intake: Intake = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "intake", Intake(self.database, self.ports))


def release() -> str:
    """This program's version."""
    try:
        return version("dps")
    except PackageNotFoundError:
        # Run from a checkout that was never installed.
        return "unreleased"


def clock_of(settings: Settings) -> Clock:
    """The database's clock; the demonstration may run on an accelerated one."""
    return AcceleratedClock() if settings.clock == "accelerated" else DatabaseClock()


def assemble(settings: Settings) -> Installation:
    """Put the parts together; Misconfigured where keys are missing or the database has another release's shape.

    Whoever calls this disposes of the database; `opened` does it by itself.
    """
    ports = Ports(clock=clock_of(settings), entropy=SystemEntropy(), keyring=load_keyring(settings.keys_dir))
    database = Database(settings.database_url)
    try:
        refuse_outdated(database)
        _refuse_stopped_clock(database, ports.clock)
    except BaseException:
        database.dispose()
        raise
    return Installation(settings=settings, database=database, ports=ports)


def _refuse_stopped_clock(database: Database, clock: Clock) -> None:
    with database.reading() as session:
        try:
            clock.read(session)
        except LookupError:
            raise Misconfigured(reason="DPS_CLOCK=accelerated: only `dps demo` starts such a clock.") from None


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Installation]:
    """An installation by the environment's settings, its database let go of at the end."""
    installation = assemble(settings or read_settings())
    try:
        yield installation
    finally:
        installation.database.dispose()
