"""A council under load while everything around it breaks: the server, the connections, the mail, the clock, processes.

Providers bid, accept, decline and confirm over HTTP, each question asked again under its key until it is answered;
packages are published all the time; demonstration time runs fast. Afterwards the checker says what was acknowledged
and is lost, which receipts are false, which messages were never delivered.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from dps.kernel.actors import Actor, Role
from dps.kernel.clock import SteppedClock
from dps.kernel.errors import DpsError
from dps.schemes.model import Urgency
from tests.bidding.builders import content
from tests.faults import checker
from tests.faults.figures import Figure
from tests.faults.fleet import Fleet
from tests.faults.history import DONE, REFUSED, append, read
from tests.faults.instants import run_in_real_time
from tests.faults.killing import CRISIS_WINDOW, address_of
from tests.support.world import World
from tests.web.served import ADMINISTRATOR
from web.security.api_keys import create

RATE = 600
"""Ten minutes a second: a crisis closes after nine seconds."""
PATIENCE_S = 90.0
SKEW = timedelta(minutes=10)


@dataclass
class Storm:
    """One council in a storm. What breaks, and when, is drawn from the seed; what comes of it is up to the machine."""

    world: World
    folder: Path
    fleet_of: Callable[[], Fleet]
    seed: int
    statuses: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    broken_off: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _providers: list[tuple[Actor, str]] = field(default_factory=list)

    @property
    def _history(self) -> Path:
        return self.folder / "history"

    def blow(
        self, seconds: float, breakages: Sequence[Callable[[Fleet, random.Random], str]], every: tuple[float, float]
    ) -> Figure:
        """Load for so long, with one of the breakages after each pause drawn from `every`; then rest and judge."""
        world = self.world
        self._providers = [self._provider(name) for name in ("Oak", "Elm", "Ash")]
        run_in_real_time(world, world.now, RATE)
        fleet, chance = self.fleet_of(), random.Random(self.seed)
        loads = [self._publish, *(partial(self._bid, fleet, *who) for who in self._providers)]
        threads = [threading.Thread(target=self._loaded, args=(load,)) for load in loads]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        try:
            while (left := until - time.monotonic()) > 0:
                time.sleep(min(chance.uniform(*every), left))
                self.broken[chance.choice(breakages)(fleet, chance)] += 1
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()
            fleet.end()
        return self._judged(fleet)

    def _provider(self, name: str) -> tuple[Actor, str]:
        actor = self.world.provider(f"Synthetic {name}", hours=10_000)
        with self.world.database.transaction() as session:
            _, key = create(
                session, self.world.ports.entropy, label="a storm", role=Role.PROVIDER, authority=None,
                provider=actor.provider, days=365, by=ADMINISTRATOR, now=self.world.now,
            )  # fmt: skip
        return actor, key

    # The load

    def _loaded(self, load: Callable[[], None]) -> None:
        """A load that breaks off is a fault of its own: nothing would be proved from there on."""
        try:
            load()
        except Exception as fault:
            self.broken_off.append(f"the load broke off: {fault!r}")

    def _publish(self) -> None:
        """Packages come in all the time; one whose publication broke off is left, as its broker would find it."""
        number = 0
        while not self._ended.wait(0.7):
            number += 1
            try:
                referral = self.world.referral(urgency=Urgency.CRISIS, publish_it=False)
                self._write(
                    {"id": f"publish {number}", "op": "publish", "args": {"referral": referral}, "start": _now()}
                )
                self.world.publish(referral)
            except (DBAPIError, DpsError):
                continue
            self._write({"id": f"publish {number}", "end": _now(), "outcome": DONE, "answer": None})

    def _bid(self, fleet: Fleet, actor: Actor, key: str) -> None:
        """One provider's system: bids for what it is asked for, answers what it is offered."""
        chance = random.Random(f"{self.seed} {actor.provider}")
        seen: set[str] = set()
        while not self._ended.wait(0.1):
            for one in self._got(fleet, key, "/api/opportunities", chance):
                if one["round"] not in seen:
                    seen.add(one["round"])
                    self._ask(fleet, key, "bid", "/api/bids", self._body(one, chance), chance, round=one["round"])
            for one in self._got(fleet, key, "/api/awards", chance):
                step = {"offered": "accept", "accepted": "confirm"}.get(one["state"])
                if step == "accept" and chance.random() < 0.2:
                    step = "decline"
                if step is not None and (name := f"{step} {one['award']}") not in seen:
                    seen.add(name)
                    path = {"accept": "acceptance", "decline": "decline", "confirm": "confirmation"}[step]
                    body = {"reason": "Synthetic: no carer is free."} if step == "decline" else None
                    self._ask(fleet, key, step, f"/api/awards/{one['award']}/{path}", body, chance, award=one["award"])

    def _body(self, opportunity: dict[str, Any], chance: random.Random) -> dict[str, Any]:
        questions = self.world.scheme.evaluation.questions
        best = {question.key: max(question.answers, key=question.answers.__getitem__) for question in questions}
        start = date.fromisoformat(opportunity["published_part"]["earliest_start"])
        said = content(chance.randint(1400, 2000), starts_on=start, answers=tuple(sorted(best.items())))
        return {"rounds": [opportunity["round"]], "bid": said.to_dict()}

    def _got(self, fleet: Fleet, key: str, path: str, chance: random.Random) -> list[dict[str, Any]]:
        """A list, or nothing where nobody answers just now."""
        try:
            answer = chance.choice(fleet.clients).get(path, headers={"Authorization": f"Bearer {key}"})
        except httpx.TransportError:
            return []
        self.statuses[answer.status_code] += 1
        return list(answer.json()) if answer.status_code == httpx.codes.OK else []

    def _ask(self, fleet: Fleet, key: str, op: str, path: str, body: Any, chance: random.Random, **args: Any) -> None:
        """Write, and write again under the same key until there is an answer that says yes or no."""
        name = f"{op} {args} {key[-8:]}"
        self._write({"id": name, "op": op, "args": {**args, "key": name}, "start": _now()})
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name}
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                answer = chance.choice(fleet.clients).post(path, headers=headers, json=body)
            except httpx.TransportError:
                time.sleep(0.2)
                continue
            self.statuses[answer.status_code] += 1
            if answer.status_code < 500:
                is_done = answer.status_code in (200, 201)
                said = answer.json()
                told = said.get("contract") if op == "confirm" else said
                self._write({"id": name, "end": _now(), "outcome": DONE if is_done else REFUSED, "answer": told})
                return
            time.sleep(0.2)

    def _write(self, line: dict[str, Any]) -> None:
        append(self._history, line)

    # The end

    def _judged(self, fleet: Fleet) -> Figure:
        """All is quiet: what is due is done, what is queued is carried, at a clock that stands still."""
        world = self.world
        world.clock = SteppedClock(world.now + 2 * SKEW)
        world.timetable.ports = world.ports = _with_clock(world)
        for _ in range(100):
            if not world.timetable.sweep():
                break
        postman = world.timetable.postman
        while _queued(world):
            world.timetable.carry_messages()
            world.clock.step(timedelta(minutes=1))
        carried = fleet.carried()
        carried += [message.ref for message in getattr(postman, "messages", ())]
        told = read(self._history)
        evidence = checker.gathered(address_of(world), carried)
        crashes = sum(self.broken.values()) + 1
        faults = checker.faults(
            evidence, told, least_window=CRISIS_WINDOW - SKEW, now=world.now - timedelta(hours=2), crashes=crashes
        )
        faults += [*world.faults(), *self.broken_off]
        if self.statuses[500]:
            faults.append(f"{self.statuses[500]} answers were 500")
        acknowledged = Counter(one.op for one in told if one.outcome == DONE)
        counted: dict[str, int | str] = {
            **{f"{op} acknowledged": number for op, number in sorted(acknowledged.items())},
            "unanswered": sum(one.end is None for one in told),
            "messages": len(evidence["outbox_message"]),
            "answers 503": self.statuses[503],
            "kills": fleet.kills,
            **dict(sorted(self.broken.items())),
        }
        return Figure(9, "storm", counted, faults)


def _with_clock(world: World) -> Any:
    return replace(world.ports, clock=world.clock)


def _queued(world: World) -> bool:
    with world.database.reading() as session:
        query = text("SELECT count(*) FROM outbox_message WHERE delivery = 'queued'")
        return bool(session.execute(query).scalar_one())


def _now() -> float:
    return time.monotonic()


# What breaks


def clock_steps(world: World) -> Callable[[Fleet, random.Random], str]:
    """Put the clock of all processes ten minutes forward or back."""

    def step(_fleet: Fleet, chance: random.Random) -> str:
        sign = chance.choice((1, -1))
        micros = "600000000" if world.database.is_sqlite else "interval '10 minutes'"
        try:
            with world.database.transaction() as session:
                session.execute(text(f"UPDATE clock_map SET origin = origin {'+' if sign > 0 else '-'} {micros}"))
        except DBAPIError:
            return "clock stayed"
        return "clock steps"

    return step


def mail_away(fleet: Fleet, chance: random.Random) -> str:
    """The mail server is away for some seconds, which are hours of the council's."""
    fleet.stop_mail()
    time.sleep(chance.uniform(0.5, 3.0))
    fleet.start_mail()
    return "mail away"


def kill(fleet: Fleet, chance: random.Random) -> str:
    fleet.kill_one(chance)
    return "killed"
