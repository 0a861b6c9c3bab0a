"""The long campaigns of acceptance lines 1, 2, 5 to 10: `make faults-long`. A table; exit 1 where a fault shows.

`--share 0.1` takes a tenth of the numbers, `--only kill storm` some of the campaigns, `--seed N` plays one seed of the
simulation again and tells its story. Everything runs on this machine, in databases of its own that are gone afterwards.
"""

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bidding.waypoints import Waypoint
from dps.kernel.database import Database
from dps.kernel.logs import configure
from dps.migrations import history
from dps.schemes.loader import preset
from dps.schemes.model import Scheme
from tests.bidding.histories import Worlds
from tests.faults import (
    canary,
    canary_person,
    full_disk,
    hostile,
    instants,
    racing,
    scripting,
    solving,
    storm,
    tampering,
)
from tests.faults.figures import Figure
from tests.faults.fleet import Processes
from tests.faults.instants import AUTUMN, SPRING, minutes_of
from tests.faults.killing import Council
from tests.faults.payloads import PAYLOADS
from tests.faults.server import Server
from tests.faults.simulation import simulate
from tests.faults.storm import Storm
from tests.support.postgres import Cluster, find_binaries
from tests.support.schema import PostgresqlSchema, SqliteSchema, create_tables
from tests.support.world import World
from tests.web.served import Served
from web.tables import metadata

KINDS = ("sqlite", "postgresql")


@dataclass
class Places:
    """Empty councils, one after another, each in a folder of its own."""

    folder: Path
    sqlite: SqliteSchema
    cluster: Cluster
    share: float
    _made: int = 0

    def number(self, full: int, least: int = 1) -> int:
        """So many of a full campaign's number."""
        return max(round(full * self.share), least)

    def empty(self) -> Path:
        self._made += 1
        made = self.folder / f"{self._made}"
        made.mkdir()
        return made

    @contextmanager
    def database(self, kind: str, folder: Path) -> Iterator[Database]:
        made = (
            self.sqlite.database(folder / "test.sqlite3")
            if kind == "sqlite"
            else PostgresqlSchema(self.cluster).database()
        )
        try:
            yield made
        finally:
            made.dispose()

    def world(self, kind: str, campaign: Callable[..., Figure], **numbers: Any) -> Figure:
        """Run a campaign that wants a world."""
        folder = self.empty()
        with self.database(kind, folder) as database:
            return campaign(World(database, folder), **numbers)

    def folder_and_world(self, kind: str, campaign: Callable[..., Figure], **numbers: Any) -> Figure:
        folder = self.empty()
        with self.database(kind, folder) as database:
            return campaign(World(database, folder), folder, **numbers)

    def council(self, kind: str, campaign: Callable[..., Figure], scheme: Scheme, **numbers: Any) -> Figure:
        """Run a campaign that wants a council under rules of its own, and its folder."""
        folder = self.empty()
        with self.database(kind, folder) as database, Served(database, folder, scheme) as council:
            return campaign(council, folder, **numbers)

    def scripted(self, kind: str, campaign: Callable[..., Figure], scheme: Scheme, **numbers: Any) -> Figure:
        """The same for a campaign that keeps no files."""
        return self.council(kind, lambda council, _folder, **given: campaign(council, **given), scheme, **numbers)

    def served(self, kind: str, campaign: Callable[..., Figure], **numbers: Any) -> Figure:
        folder = self.empty()
        with self.database(kind, folder) as database, Served(database, folder) as council:
            return campaign(council, **numbers)


def killed(world: World, folder: Path, rounds: int, random_kills: int, seed: int) -> Figure:
    """Each waypoint `rounds` times, then any statement."""
    council, chance = Council(world, folder), random.Random(seed)
    found = Figure(5, "SIGKILL at every waypoint and before any statement")
    missed = [waypoint for _ in range(rounds) for waypoint in Waypoint if not council.killed_at(waypoint)]
    at_waypoints = council.deaths
    while council.deaths - at_waypoints < random_kills:
        council.killed_before_some_statement(chance)
    found.faults = [*(f"nobody came to {waypoint}" for waypoint in missed), *council.faults()]
    found.faults += solving.replayed(world)
    found.counted = {"waypoints": len(Waypoint), "killed there": at_waypoints, "killed at random": random_kills}
    return found


def simulated(places: Places, first: int, seeds: int) -> Figure:
    """So many seeds; one that fails is printed with the command that plays it again."""
    worlds = Worlds(places.sqlite.database, places.empty(), copies=True)
    found = Figure(5, "deterministic simulation", {"seeds": seeds})
    steps = deaths = 0
    for seed in range(first, first + seeds):
        played = simulate(worlds, seed)
        steps, deaths = steps + len(played.trace), deaths + played.deaths
        if played.faults:
            found.faults.append(f"seed {seed}: {played.faults[:3]}; again: python -m tests.faults --seed {seed}")
    worlds.close()
    found.counted |= {"steps": steps, "deaths": deaths}
    return found


def stormed(places: Places, night: datetime, seconds: float) -> Figure:
    """Two web processes and four workers on a server that restarts every 5 to 40 s; any of them is killed meanwhile.

    The council's time runs six hundred times faster, through a night in which the clocks change; mail goes for hours.
    """
    folder = places.empty()
    with ExitStack() as ends:
        server = ends.enter_context(Server())
        database = Database(server.create("storm"))
        ends.callback(database.dispose)
        history.migrate(database, metadata)
        create_tables(database)
        world = World(database, folder)
        url = database.url.render_as_string(hide_password=False)

        def restart(_fleet: Any, _chance: Any) -> str:
            server.restart()
            return "restarts"

        def cut(_fleet: Any, _chance: Any) -> str:
            server.cut_connections()
            return "connections cut"

        blown = Storm(world, folder, lambda mail: Processes(folder, url, mail), seed=int(seconds), night=night)
        breakages = [restart, cut, storm.kill, storm.kill, storm.mail_away(6.0, 40.0), storm.clock_steps(world)]
        found = blown.blow(seconds, breakages, every=(5.0, 13.0))
    found.what = f"2 web processes, 4 workers, PostgreSQL; all breaks, from {night:%d %B}"
    return found


def campaigns(places: Places) -> dict[str, list[Callable[[], Figure]]]:
    """What is run, by the name that `--only` takes."""
    number = places.number

    def each(
        where: Callable[..., Figure], campaign: Callable[..., Figure], **numbers: Any
    ) -> list[Callable[[], Figure]]:
        return [partial(_named, kind, partial(where, kind, campaign, **numbers)) for kind in KINDS]

    nights = [
        one
        for night in (SPRING, AUTUMN)
        for one in each(
            places.served, instants.verdicts, night=night, minutes=minutes_of(night)[:: max(round(1 / places.share), 1)]
        )
    ]
    return {
        "instants": nights,
        "bidders": each(places.world, instants.racing, bidders=number(200, 20), threads=32, seconds=6.0),
        "overdue": each(places.folder_and_world, instants.overdue, closings=number(300, 10)),
        "kill": each(places.folder_and_world, killed, rounds=number(3), random_kills=number(200, 5), seed=7),
        "races": [
            *each(places.served, racing.brokers_on_one_award, times=number(500, 5)),
            *each(places.world, racing.approvers_of_one_award, times=number(500, 5)),
            *each(places.folder_and_world, racing.sweeps, deadlines=number(1_000, 10), workers=2),
            *each(places.folder_and_world, racing.sweeps, deadlines=number(2_000, 10), workers=4),
        ],
        "hours": [
            *each(places.world, racing.hours, providers=100, threads=16, each=40),
            *each(places.world, racing.suspended_a_moment_before, times=number(200, 10)),
        ],
        "posts": each(places.served, racing.identical_posts, times=number(200, 10)),
        "simulation": [partial(simulated, places, 0, number(2_000, 20))],
        "storm": [partial(stormed, places, night, number(1_800, 60) / 2) for night in (SPRING, AUTUMN)],
        "disk": [partial(full_disk.campaign, places.empty(), kind) for kind in full_disk.KINDS],
        "hostile": each(places.council, hostile.campaign, scheme=preset("st-helens")),
        "canary": [
            *each(
                places.council,
                canary.prices,
                scheme=canary.dear_scheme(),
                attempts=100,
                guessed_to=number(10_000, 2_000),
                is_sampled=False,
            ),
            *each(places.council, canary_person.a_life, scheme=canary_person.telling_scheme(), is_sampled=False),
        ],
        "tampering": each(places.world, tampering.of_a_council, times=number(2_000, 100)),
        "scripts": [
            partial(
                places.scripted, "sqlite", scripting.scripts, scheme=canary_person.telling_scheme(), payloads=PAYLOADS
            )
        ],
        "solver": [
            partial(solving.orders, number(20, 4), number(100, 10)),
            partial(solving.days_in_other_orders, number(5, 2), number(100, 2)),
            partial(solving.hung, number(10, 2)),
        ],
    }


def _named(kind: str, campaign: Callable[[], Figure]) -> Figure:
    found = campaign()
    found.what = f"{found.what}, {'SQLite' if kind == 'sqlite' else 'PostgreSQL'}"
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--share", type=float, default=1.0, help="how much of each campaign's numbers (1.0)")
    parser.add_argument("--only", nargs="+", default=[], help="some campaigns by name")
    parser.add_argument("--seed", type=int, help="play one seed of the simulation again, and tell its story")
    asked = parser.parse_args(arguments)
    configure("error")
    with tempfile.TemporaryDirectory(prefix="dps-faults-") as made, Cluster(find_binaries()) as cluster:
        folder = Path(made)
        (folder / "schema").mkdir()
        places = Places(folder, SqliteSchema(folder / "schema"), cluster, asked.share)
        if asked.seed is not None:
            return _told(places, asked.seed)
        known = campaigns(places)
        if unknown := set(asked.only) - known.keys():
            parser.error(f"no campaign {', '.join(sorted(unknown))}: there are {', '.join(known)}")
        print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
        print("| line | campaign | counted | faults | seconds |\n|---|---|---|---|---|", flush=True)
        passed = [_run(one) for name, group in known.items() if not asked.only or name in asked.only for one in group]
    return 0 if all(passed) else 1


def _run(campaign: Callable[[], Figure]) -> bool:
    """Run it, print its row and at once what it found; whether that was nothing."""
    began = time.monotonic()
    found = campaign()
    row = (found.line, found.what, found.words, len(found.faults), f"{time.monotonic() - began:.0f}")
    print(f"| {' | '.join(map(str, row))} |", flush=True)
    for fault in found.faults:
        print(f"{found.what}: {fault}", file=sys.stderr, flush=True)
    return not found.faults


def _told(places: Places, seed: int) -> int:
    worlds = Worlds(places.sqlite.database, places.empty(), copies=True)
    played = simulate(worlds, seed)
    worlds.close()
    print("\n".join([*played.trace, "", *played.faults, f"{len(played.faults)} faults, digest {played.digest}"]))
    return 1 if played.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
