"""A council whose workers are killed one after another, and what must hold afterwards.

The clock is stepped: whoever takes over comes a minute after the death, which is the time that recovery may take.
"""

import random
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bidding.waypoints import Waypoint
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import DpsError
from dps.schemes.model import Urgency
from tests.faults import checker, dying
from tests.faults.dying import Logged, Task
from tests.faults.history import Recorder, lines, read
from tests.support.world import World

RECOVERY = timedelta(seconds=60)
CRISIS_WINDOW = timedelta(minutes=90)
BY_PROVIDERS = {Waypoint.AWARD_ENDED: "decline", Waypoint.CONTRACT_MADE: "confirm"}
WITHOUT_BIDS = (Waypoint.ROUND_EXHAUSTED, Waypoint.STAGE_OPENED)


@dataclass
class Council:
    """A world with two providers, its history, and how often somebody was killed in it."""

    world: World
    folder: Path
    deaths: int = 0
    providers: list[Actor] = field(init=False)
    history: Recorder = field(init=False)

    def __post_init__(self) -> None:
        self.world.timetable.postman = Logged(self.folder / "carried")
        self.history = Recorder(self.folder / "history")
        self.providers = [self.world.provider(f"Synthetic {name}", hours=1_000) for name in ("Oak", "Elm")]

    def begun(self, *, bids: bool = True) -> str:
        """A crisis that is published and, unless told otherwise, bid for; its window is 90 minutes."""
        referral = self.world.referral(urgency=Urgency.CRISIS, publish_it=False)
        self.history.run("publish", lambda: self.world.publish(referral), referral=referral)
        for number, provider in enumerate(self.providers if bids else ()):
            key = f"{referral} {number}"
            self.history.run("bid", partial(self.world.bid, provider, referral, pence=1600 + number, key=key), key=key)
        return referral

    def kill(self, order: Task) -> bool:
        """Have it done by a process that is to die; True if it did."""
        died = dying.killed(order)
        self.deaths += died
        return died

    def ordered(self, do: str, **request: Any) -> Task:
        return dying.task(self.world, self.folder, do, **request)

    def move(self, referral: str, step: str) -> Task:
        """The order to answer this referral's award, by its provider."""
        award = self.world.award(referral)
        actor = asdict(Actor(ref="whoever", role=Role.PROVIDER, provider=award.provider))
        more = {"reason": "Synthetic: no carer is free."} if step == "decline" else {}
        return self.ordered(step, award_ref=award.ref, actor=actor, **more)

    def done(self, referral: str, step: str) -> None:
        """The same without a death, where the one that died had not come so far."""
        request = self.move(referral, step).request
        award, actor = request["award_ref"], Actor(**request["actor"])
        ask = partial(self.world.run, dying.MOVES[step], **{**request, "actor": actor})
        self.history.run(step, ask, (DpsError,), award=award)

    def recover(self) -> None:
        """A minute later another worker sweeps, and carries what is queued."""
        self.world.step(seconds=RECOVERY.total_seconds())
        self.carry()

    def carry(self) -> None:
        while self.world.timetable.carry_messages():
            pass

    def killed_at(self, waypoint: Waypoint) -> bool:
        """Lead a package to this waypoint, kill whoever gets there, recover. False if nobody got there."""
        referral = self.begun(bids=waypoint not in WITHOUT_BIDS)
        self.world.clock.move_to(self.world.closes_at(referral))
        if waypoint in BY_PROVIDERS:
            self.world.timetable.sweep()
            step = BY_PROVIDERS[waypoint]
            if step == "confirm":
                self.done(referral, "accept")
            died = self.kill(self.move(referral, step).at(waypoint))
            self.done(referral, step)
        elif waypoint is Waypoint.MESSAGES_CARRIED:
            died = self.kill(self.ordered("carry").at(waypoint))
        else:
            died = self.kill(self.ordered("sweep").at(waypoint))
        self.recover()
        return died

    def killed_before_some_statement(self, chance: random.Random) -> bool:
        """Kill a worker, or whoever answers an award, before any statement of what it does; recover."""
        referral = self.begun(bids=chance.random() < 0.7)
        self.world.clock.move_to(self.world.closes_at(referral))
        do = chance.choice(("sweep", "sweep", "carry", "accept", "decline"))
        if do in ("accept", "decline") and self._is_offered(referral):
            died = self.kill(self.move(referral, do).before_statement(chance.randint(1, 40)))
            self.done(referral, do)
        else:
            most = {"sweep": 160, "carry": 12}.get(do, 160)
            kind = "carry" if do == "carry" else "sweep"
            died = self.kill(self.ordered(kind).before_statement(chance.randint(1, most)))
        self.recover()
        return died

    def _is_offered(self, referral: str) -> bool:
        self.world.timetable.sweep()
        return bool(self.world.awards(referral)) and str(self.world.award(referral).state) == "offered"

    def faults(self) -> list[str]:
        """What the checker and the proof find wrong."""
        self.carry()
        address = address_of(self.world)
        carried = [line["carried"] for line in lines(self.folder / "carried")]
        evidence = checker.gathered(address, carried)
        told = read(self.history.path)
        found = checker.faults(
            evidence, told, least_window=CRISIS_WINDOW, now=self.world.now, crashes=max(self.deaths, 1)
        )
        return [*found, *self.world.faults()]


def address_of(world: World) -> str | Path:
    """How the checker opens a world's database."""
    url = world.database.url
    if world.database.is_sqlite:
        return Path(str(url.database))
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
