"""The instant itself, by every way in: on the nights when the clocks change, under a race, and with no worker alive."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bidding.bids.records import Bid, OpenedBid
from bidding.closings import Closing
from bidding.referrals import Referral
from bidding.rounds import Round
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.kernel.clock import AcceleratedClock
from dps.kernel.errors import TooLate
from dps.schemes.model import Urgency
from tests.faults.figures import Figure
from tests.faults.killing import CRISIS_WINDOW, Council
from tests.support.world import World
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Caller, Served
from web.security.accounts import Part

MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
SPRING, AUTUMN = datetime(2019, 3, 31, tzinfo=LONDON), datetime(2019, 10, 27, tzinfo=LONDON)


def change_of(night: datetime) -> datetime:
    """The instant at which the clocks change in this night: one in the morning, Greenwich's time."""
    return datetime(night.year, night.month, night.day, 1, tzinfo=UTC)


def minutes_of(night: datetime) -> list[datetime]:
    """Every minute from midnight to three on the wall: those that come twice are twice here, the missing ones never."""
    first, last = night.astimezone(UTC), night.replace(hour=3).astimezone(UTC)
    return [first + MINUTE * number for number in range(int((last - first) / MINUTE) + 1)]


@dataclass
class Ways:
    """One provider for each way in: a form in a browser, the API, and a broker at the telephone."""

    served: Served
    browser: Browser = field(init=False)
    system: Caller = field(init=False)
    broker: Caller = field(init=False)
    told: Actor = field(init=False)

    def __post_init__(self) -> None:
        world = self.served.world
        typing, self.told = world.provider("Synthetic Form"), world.provider("Synthetic Telephone")
        self.system, self.broker = self.served.provider("Synthetic API"), self.served.broker()
        self.browser = Browser(self.served)
        self.browser.sign_in(an_account(self.served, Part.PROVIDER_USER, provider=typing.provider))

    def fill_in(self, referral: str) -> None:
        """Have the form ready to be sent, its answers checked."""
        path = self._form(referral)
        best = {
            f"answer-{question.key}": max(question.answers, key=lambda key: question.answers[key])
            for question in self.served.world.scheme.evaluation.questions
        }
        self.browser.open(path)
        self.browser.send(f"{path}/check", **{"price-weekday": "16.00", **best})

    def _form(self, referral: str) -> str:
        return f"/portal/opportunities/{self.served.world.round(referral).ref}/bid"

    def sent(self, referral: str, price: int) -> dict[str, int]:
        """Bid by every way now; the status of each answer."""
        body = self.served.bid_body(referral, price)
        dictated = {**body, "provider": self.told.provider}
        return {
            "form": self.browser.send(f"{self._form(referral)}/submission").status_code,
            "API": self.system.post("/api/bids", body).status_code,
            "telephone": self.broker.post("/api/bids/by-telephone", dictated).status_code,
        }


IN_TIME = {"form": 200, "API": 201, "telephone": 201}
TOO_LATE = {"form": 409, "API": 409, "telephone": 409}


def verdicts(served: Served, night: datetime, minutes: Sequence[datetime]) -> Figure:
    """A round closes at each of these minutes; every way in is tried in the last microsecond, and at the instant."""
    world = served.world
    found = Figure(1, f"instants of {night:%d %B}")
    world.publish_lists()
    world.move_to(minutes[0] - CRISIS_WINDOW)
    ways = Ways(served)
    closing_at: dict[datetime, str] = {}
    for instant in sorted({*minutes, *(minute - CRISIS_WINDOW for minute in minutes)}):
        if instant in closing_at:
            found.faults += _tried(served, ways, closing_at[instant], instant)
        if instant in {minute - CRISIS_WINDOW for minute in minutes}:
            world.clock.move_to(max(instant, world.now))
            closing_at[instant + CRISIS_WINDOW] = world.referral(urgency=Urgency.CRISIS)
    tries = len(minutes) * len(IN_TIME) * 2
    return replace(found, counted={"minutes": len(minutes), "tries": tries, "wrong verdicts": len(found.faults)})


def _tried(served: Served, ways: Ways, referral: str, instant: datetime) -> list[str]:
    world = served.world
    if world.closes_at(referral) != instant:
        return [f"{referral} closes at {world.closes_at(referral)}, not at {instant}"]
    world.clock.move_to(instant - MICROSECOND)
    ways.fill_in(referral)
    before = ways.sent(referral, 1600)
    ways.fill_in(referral)
    world.clock.move_to(instant)
    after = ways.sent(referral, 1601)
    stored = world.rows(Bid, Bid.closing_id == world.round(referral).closing_id)
    faults = [
        f"{instant}: {said} {when}"
        for said, right, when in ((before, IN_TIME, "before"), (after, TOO_LATE, "at it"))
        if said != right
    ]
    if len(stored) != len(IN_TIME) or any(bid.received_at >= instant for bid in stored):
        faults.append(f"{instant}: {len(stored)} bids are stored")
    return faults


def racing(world: World, bidders: int, threads: int, seconds: float) -> Figure:
    """So many bid in real time around the instant, while a worker sweeps: what came too late is nowhere."""
    actors = [world.provider(f"Synthetic {number}") for number in range(bidders)]
    referral = world.referral(urgency=Urgency.CRISIS)
    closes_at, round_ = world.closes_at(referral), world.round(referral)
    content = world.content(referral, 1600)
    run_in_real_time(world, closes_at - timedelta(seconds=seconds * 2 / 3))
    began, chance, ended = time.monotonic(), random.Random(bidders), threading.Event()
    starts = sorted(chance.uniform(0.0, seconds) for _ in actors)

    def bid(numbered: tuple[int, Actor]) -> dict[str, Any] | TooLate:
        number, actor = numbered
        time.sleep(max(began + starts[number] - time.monotonic(), 0))
        try:
            return world.send(actor, [round_.ref], content, key=f"bid {number}")
        except TooLate as late:
            return late

    def sweep() -> None:
        while not ended.wait(0.05):
            world.timetable.sweep()

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    with ThreadPoolExecutor(threads) as pool:
        said = list(pool.map(bid, enumerate(actors)))
    ended.set()
    sweeper.join()
    while world.now <= closes_at:
        time.sleep(0.05)
    world.timetable.sweep()
    receipts = {one["bid"] for one in said if isinstance(one, dict)}
    (closed,) = [event for event in world.events("closing.close") if event.body["rounds"] == [round_.ref]]
    bids = world.rows(Bid)
    late = [bid.ref for bid in bids if bid.received_at >= closes_at]
    faults = [f"{ref} was stored too late" for ref in late]
    if receipts != {line[0] for line in closed.body["manifest"]} or receipts != {bid.ref for bid in bids}:
        faults.append("receipts, bids and manifest are not the same")
    faults += [f"refused at {one.now}" for one in said if isinstance(one, TooLate) and one.now < closes_at]
    counted: dict[str, int | str] = {
        "bidders": bidders, "in time": len(receipts), "refused": bidders - len(receipts), "stored late": len(late),
    }  # fmt: skip
    return Figure(1, f"{bidders} bidders racing the instant", counted, faults)


def run_in_real_time(world: World, origin: datetime, rate: int = 1) -> None:
    """Let the world's clock run from `origin`, in the database, so that all processes agree."""
    clock = AcceleratedClock()
    with world.database.transaction() as session:
        clock.start(session, origin=origin, rate=rate)
    world.clock = clock  # type: ignore[assignment]
    world.ports = replace(world.ports, clock=clock)
    world.timetable.ports = world.ports


def overdue(world: World, folder: Path, closings: int, hours_dead: int = 6) -> Figure:
    """No worker for hours while closings come due: nothing is let in or opened, and all is made good in one sweep."""
    council = Council(world, folder)
    gap = timedelta(hours=hours_dead) / closings
    began = world.now
    referrals: list[str] = []
    for number in range(closings):
        world.clock.move_to(began + gap * number)
        referrals.append(council.begun(bids=number % 3 == 0))
    world.clock.move_to(world.closes_at(referrals[0]) + timedelta(hours=hours_dead))
    found = Figure(2, f"worker dead for {hours_dead} h")
    found.faults += _let_in_late(world, council.providers[0], referrals[:: max(closings // 20, 1)])
    if world.rows(OpenedBid):
        found.faults.append("opened without a worker")
    started = time.monotonic()
    world.timetable.sweep()
    took = time.monotonic() - started
    found.faults += _out_of_order(world)
    found.faults += _shortened(world)
    found.faults += council.faults()
    closed = Counter(event.stream for event in world.events("closing.close"))
    return replace(found, counted={"overdue": closings, "closed once": len(closed), "seconds": f"{took:.1f}"})


def _let_in_late(world: World, provider: Actor, referrals: Iterable[str]) -> list[str]:
    faults = []
    for referral in referrals:
        bid: Callable[[], Any] = partial(world.bid, provider, referral, pence=1500)
        try:
            bid()
        except TooLate:
            continue
        faults.append(f"{referral} took a bid hours after its end")
    return faults


def _out_of_order(world: World) -> list[str]:
    ends = {closing.ref: closing.closes_at for closing in world.rows(Closing)}
    order = [ends[event.stream] for event in world.events("closing.close")]
    return [] if order == sorted(order) else ["closings were not closed in the order of their instants"]


def _shortened(world: World) -> list[str]:
    """Rounds of a next stage that were open for less than the stage's window, counted from the sweep."""
    windows = {row.id: [stage.window for stage in row.stages] for row in world.rows(Referral)}
    calendar = world.scheme.calendar()
    return [
        f"{row.ref} was open for {row.closes_at - row.opens_at}"
        for row in world.rows(Round, Round.stage_no > 0)
        if row.closes_at is not None
        and (
            row.opens_at < world.now or row.closes_at < windows[row.referral_id][row.stage_no].end(world.now, calendar)
        )
    ]
