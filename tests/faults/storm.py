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
from datetime import date, datetime, timedelta
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
from tests.faults.instants import change_of, run_in_real_time
from tests.faults.killing import CRISIS_WINDOW, address_of
from tests.faults.mailing import MailHouse
from tests.support.world import World
from tests.web.sending.office import reader
from tests.web.served import ADMINISTRATOR
from web.security.accounts import Part
from web.security.api_keys import create
from web.sending.sorting import Sorter

RATE = 600
"""Ten minutes a second: a crisis closes after nine seconds."""
PATIENCE_S = 90.0
SKEW = timedelta(minutes=10)
BEFORE = timedelta(minutes=20)
"""So long before the clocks change a storm through such a night begins."""


@dataclass
class Storm:
    """One council in a storm. What breaks, and when, is drawn from the seed; what comes of it is up to the machine."""

    world: World
    folder: Path
    fleet_of: Callable[[MailHouse], Fleet]
    seed: int
    night: datetime | None = None
    """A night in which the clocks change, to be played through."""
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
        if self.night is not None:
            world.publish_lists()
            world.move_to(change_of(self.night) - BEFORE)
        self._providers = [self._provider(name) for name in ("Oak", "Elm", "Ash")]
        reader(world, Part.BROKER, "broker")
        run_in_real_time(world, world.now, RATE)
        world.timetable.postman = Sorter(world.ports.entropy, spool=None)
        mail = MailHouse(self.folder / "mailed")
        fleet, chance = self.fleet_of(mail), random.Random(self.seed)
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
        try:
            return self._judged(fleet)
        finally:
            mail.go_away()

    def _provider(self, name: str) -> tuple[Actor, str]:
        actor = self.world.provider(f"Synthetic {name}", hours=10_000)
        reader(self.world, Part.PROVIDER_USER, name.lower(), provider=actor.provider)
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
        letters, ended = fleet.mail.letters_of(world), world.now
        while _queued(world):
            world.timetable.carry_messages()
            letters.make()
            world.clock.step(timedelta(minutes=5))
        told = read(self._history)
        evidence = checker.gathered(address_of(world), fleet.carried(), fleet.mail.mailed())
        crashes = sum(self.broken.values()) + 1
        faults = checker.faults(
            evidence, told, least_window=CRISIS_WINDOW - SKEW, now=ended - timedelta(hours=2), crashes=crashes
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
        query = "SELECT EXISTS (SELECT 1 FROM {} WHERE delivery = 'queued')"
        return any(session.execute(text(query.format(table))).scalar_one() for table in ("outbox_message", "letter"))


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


def mail_away(least_s: float, most_s: float) -> Callable[[Fleet, random.Random], str]:
    """The mail server is away for some seconds: six of them are an hour of the council's."""

    def away(fleet: Fleet, chance: random.Random) -> str:
        fleet.mail.go_away()
        time.sleep(chance.uniform(least_s, most_s))
        fleet.mail.come_back()
        return "mail away"

    return away


def kill(fleet: Fleet, chance: random.Random) -> str:
    fleet.kill_one(chance)
    return "killed"
