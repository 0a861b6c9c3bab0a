"""The whole engine played by one scheduler from one seed: what happens, when, and what breaks on the way.

Clock, entropy and faults are drawn from the seed alone, so that a seed that fails fails again: a command dies at a
waypoint, before its commit or after it, a sweep is late, a message can't be carried, the clock steps ten minutes either
way, the mail server goes for hours. Of three seeds one is played through the night in which the clocks go forward,
one through that in which they go back. At the end everything comes to rest, and the checker and the proof say what is
wrong.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Any

from bidding import deadline
from bidding.awards import moving
from bidding.awards.records import Award, AwardState
from bidding.bids import submitting
from bidding.bids.records import Bid, BidState
from bidding.closings import Closing, ClosingState, ExtensionReason
from bidding.rounds import Round, RoundState
from dps.kernel.actors import Actor, Role
from dps.kernel.entropy import SeededEntropy
from dps.kernel.errors import DpsError
from dps.kernel.outbox import OutboxMessage
from dps.register.capacity import declare, say_full, say_not_full
from dps.register.suspensions import RunningContracts, Suspension, SuspensionScope, lift, suspend
from dps.schemes.model import Urgency
from tests.bidding.awards.stories import ONE_PERSON
from tests.bidding.builders import content
from tests.bidding.histories import Worlds
from tests.faults import checker
from tests.faults.history import DONE, Operation
from tests.faults.instants import AUTUMN, SPRING, change_of
from tests.faults.killing import CRISIS_WINDOW, address_of
from tests.faults.surroundings import Counted, Died, MailServer, Reaper, SkewedClock
from tests.support.world import MORNING_VISITS, World
from tests.web.sending.office import reader
from web.security.accounts import Part
from web.sending.carrying import LetterRound
from web.sending.letters import Letter
from web.sending.silence import SilenceWatch
from web.sending.sorting import Sorter

MICROSECOND = timedelta(microseconds=1)
SKEW = timedelta(minutes=10)
SILENCE = "Synthetic: no carer is free."
NIGHTS = (None, SPRING, AUTUMN)
WORKERS = ("sweep", "carry", "letters", "warn", "sign")
"""Nobody asks again for what these do: they ring on."""


@dataclass
class Simulation:
    """One seed's story. `trace` is what happened, in words that are the same whenever the seed is played."""

    world: World
    providers: list[Actor]
    seed: int
    change: datetime | None = None
    """The instant at which the clocks change in this story."""
    trace: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    history: list[Operation] = field(default_factory=list)
    deaths: int = 0
    unanswered: list[tuple[str, dict[str, Any], Callable[[], Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.clock = SkewedClock(self.world.now)
        self.reaper = Reaper(self.world.database)
        world = self.world
        world.clock = self.clock
        world.ports = replace(
            world.ports,
            clock=self.clock,
            entropy=SeededEntropy(f"simulation {self.seed}"),
            reached=self.reaper.waypoint,
        )
        self.postman = Counted(Sorter(world.ports.entropy, spool=None))
        self.mail = MailServer(self.clock)
        self.letters = LetterRound(world.database, world.ports, [self.mail])
        self.silence = SilenceWatch(world.database, world.ports)
        world.timetable = replace(world.timetable, ports=world.ports, postman=self.postman)

    def play(self, steps: int) -> None:
        moves = (
            (self.refer, 3), (self.bid, 8), (self.withdraw, 1), (self.sweep, 6), (self.carry, 3), (self.answer, 8),
            (self.approve, 2), (self.wait, 6), (self.register, 2), (self.extend, 1), (self.again, 3), (self.sign, 1),
            (self.send, 4), (self.mail_goes, 1), (self.warn, 1),
        )  # fmt: skip
        names, weights = zip(*moves, strict=True)
        for _ in range(steps):
            self.chance.choices(names, weights)[0]()
        self.rest()

    # What people do

    def refer(self) -> None:
        urgency = self.chance.choice((Urgency.CRISIS, Urgency.CRISIS, Urgency.URGENT, Urgency.STANDARD))
        visits = ONE_PERSON if self.chance.random() < 0.3 else MORNING_VISITS
        referral = self.world.referral(urgency=urgency, visits=visits, publish_it=False)
        self.do("publish", partial(self.world.publish, referral), referral=referral)

    def bid(self) -> None:
        rounds = self.world.rows(Round, Round.state == RoundState.PUBLISHED)
        if rounds:
            round_, provider = self.chance.choice(rounds), self.chance.choice(self.providers)
            content = self._content(round_)
            key = f"bid {len(self.trace)}"
            ask = partial(self.world.send, provider, [round_.ref], content, key=key)
            self.do("bid", ask, key=key, round=round_.ref, provider=provider.provider)

    def _content(self, round_: Round) -> Any:
        world = self.world
        best = {
            question.key: max(question.answers, key=lambda key: question.answers[key])
            for question in world.scheme.evaluation.questions
        }
        start = datetime.fromisoformat(round_.published_part["earliest_start"]).date()
        pence = self.chance.randint(1400, 2000)

        return content(pence, starts_on=start, answers=tuple(sorted(best.items())))

    def withdraw(self) -> None:
        bids = self.world.rows(Bid, Bid.state == BidState.SEALED)
        if bids:
            bid = self.chance.choice(bids)
            actor = self._provider(bid.provider)
            self.do("withdraw", partial(self.world.run, submitting.withdraw, bid_ref=bid.ref, actor=actor), bid=bid.ref)

    def answer(self) -> None:
        awards = [award for award in self.world.rows(Award) if award.is_live and award.due is not None]
        if not awards:
            return
        award = self.chance.choice(awards)
        offered = award.state is AwardState.OFFERED
        step = self.chance.choice(("accept", "accept", "decline") if offered else ("confirm", "confirm", "return"))
        moves: dict[str, Callable[..., Any]] = {
            "accept": moving.accept,
            "decline": partial(moving.decline, reason=SILENCE),
            "confirm": moving.confirm,
            "return": partial(moving.give_back, reason=SILENCE),
        }
        ask = partial(self.world.run, moves[step], award_ref=award.ref, actor=self._provider(award.provider))
        self.do(step, ask, award=award.ref)

    def approve(self) -> None:
        awards = self.world.rows(Award, Award.state == AwardState.PROPOSED)
        if awards:
            award = self.chance.choice(awards)
            ask = partial(self.world.run, moving.approve, award_ref=award.ref, actor=self.world.second)
            self.do("approve", ask, award=award.ref)

    def register(self) -> None:
        """A provider says what it has, that it is full, or is suspended and let in again."""
        provider = self.chance.choice(self.providers)
        id_ = self.world.row_of(provider).id or 0
        ask: Callable[[], Any]
        kind = self.chance.choice(("declare", "full", "not full", "suspend", "lift"))
        match kind:
            case "declare":
                ask = partial(
                    self.world.run, declare, provider_id=id_, authority=self.world.authority,
                    minutes=self.chance.choice((0, 420, 3_000, 30_000)), actor=provider,
                    expires_at=self.clock.instant + timedelta(hours=self.chance.choice((3, 48, 720))),
                )  # fmt: skip
            case "full":
                ask = partial(self.world.run, say_full, provider_id=id_, actor=provider)
            case "not full":
                ask = partial(self.world.run, say_not_full, provider_id=id_, actor=provider)
            case "suspend":
                ask = partial(
                    self.world.run, suspend, provider_id=id_, scheme=self.world.scheme, scope=SuspensionScope.ALL,
                    running_contracts=RunningContracts.CONTINUE, because=SILENCE, actor=self.world.officer,
                )  # fmt: skip
            case _:
                ask = partial(self._lift, id_)
        self.do(kind, ask, provider=provider.provider)

    def _lift(self, provider_id: int) -> None:
        world = self.world
        imposed = world.rows(Suspension, Suspension.provider_id == provider_id)
        with world.database.transaction() as session:
            for row in imposed[-1:]:
                suspension = session.get(Suspension, row.id)
                assert suspension is not None
                lift(session, world.ports, suspension, scheme=world.scheme, because=SILENCE, actor=world.officer)

    def extend(self) -> None:
        closings = self.world.rows(Closing, Closing.state == ClosingState.GATHERING)
        if closings:
            closing = self.chance.choice(closings)
            until = closing.closes_at + timedelta(minutes=self.chance.randint(1, 90))
            ask = partial(
                self.world.run, deadline.extend, closing_ref=closing.ref, until=until,
                reason=ExtensionReason.PROVIDERS_ASKED, actor=self.world.broker,
            )  # fmt: skip
            self.do("extend", ask, closing=closing.ref)

    def again(self) -> None:
        """Somebody who got no answer asks again, with the same key."""
        if self.unanswered:
            op, args, ask = self.unanswered.pop(0)
            self.do(op, ask, **args)

    # What workers and machines do

    def sweep(self) -> None:
        self.do("sweep", self.world.timetable.sweep)

    def carry(self) -> None:
        self.postman.fails = self.chance.random() < 0.3
        self.do("carry", self.world.timetable.carry_messages)
        self.postman.fails = False

    def sign(self) -> None:
        self.do("sign", self.world.timetable.sign_checkpoint)

    def send(self) -> None:
        self.do("letters", self.letters.make)

    def warn(self) -> None:
        self.do("warn", self.silence.warn)

    def mail_goes(self) -> None:
        """The mail server is away for hours; whoever is written to meanwhile is written to again."""
        self.mail.away_until = self.clock.instant + timedelta(minutes=self.chance.randint(30, 480))
        self.trace.append(f"mail away until {self.mail.away_until:%d %H:%M}")

    def wait(self) -> None:
        """Time passes, to an instant that matters or by a step of the clock."""
        ends = [closing.closes_at for closing in self.world.rows(Closing, Closing.state == ClosingState.GATHERING)]
        ends += [award.due for award in self.world.rows(Award) if award.is_live and award.due is not None]
        ahead = sorted(end for end in ends if end > self.clock.instant)
        kinds = ["before", "at", "at", "minutes", "hours", "back", "forward"]
        if self.change is not None and self.clock.instant < self.change + timedelta(hours=1):
            kinds += ["change", "change"]
        kind = self.chance.choice(kinds)
        match kind:
            case "before" | "at" if ahead:
                to = ahead[0] - (MICROSECOND if kind == "before" else timedelta())
            case "change":
                assert self.change is not None
                near = self.change + timedelta(minutes=self.chance.randint(-30, 30))
                to = max(near, self.clock.instant - SKEW)
            case "hours":
                to = self.clock.instant + timedelta(hours=self.chance.randint(1, 8))
            case "back":
                to = self.clock.instant - SKEW
            case "forward":
                to = self.clock.instant + SKEW
            case _:
                to = self.clock.instant + timedelta(minutes=self.chance.randint(1, 60))
        self.clock.put(to)
        self.trace.append(f"clock {kind} {to:%d %H:%M:%S.%f}")

    def do(self, op: str, ask: Callable[[], Any], **args: Any) -> None:
        """Ask once, with a death on the way in one of four; what happened goes into the trace and the history."""
        if self.chance.random() < 0.25:
            self.reaper.arm(
                self.chance.choice(("waypoint", "before commit", "after commit")), self.chance.randint(1, 4)
            )
        answer: Any = None
        try:
            answer = ask()
            outcome = DONE
        except DpsError as refused:
            outcome = type(refused).__name__
        except Died:
            outcome = "died"
            self.deaths += 1
            if op not in WORKERS:
                self.unanswered.append((op, args, ask))
        except Exception as fault:
            outcome = f"crashed: {fault!r}"
            self.faults.append(f"{op} {args} {outcome}")
        self.reaper.disarm()
        self.trace.append(f"{op} {' '.join(map(str, args.values()))} {outcome}")
        self.history.append(Operation(str(len(self.history)), op, args, 0.0, 0.0, outcome, answer))

    def _provider(self, ref: str) -> Actor:
        return Actor(ref=f"user-{ref}", role=Role.PROVIDER, provider=ref)

    # The end

    def rest(self) -> None:
        """Nobody dies any more: what is unanswered is asked again, what is due is done, what is queued is carried."""
        while self.unanswered:
            self.reaper.disarm()
            op, args, ask = self.unanswered.pop(0)
            try:
                answer = ask()
                self.history.append(Operation(str(len(self.history)), op, args, 0.0, 0.0, DONE, answer))
            except DpsError:
                continue
        self.clock.put(self.clock.instant + 2 * SKEW + timedelta(hours=3))
        self.mail.away_until, ended = None, self.clock.instant
        for _ in range(60):
            if not self.world.timetable.sweep():
                break
        for _ in range(200):
            self.world.timetable.carry_messages()
            self.letters.make()
            if not any(self.world.rows(table, table.delivery == "queued") for table in (OutboxMessage, Letter)):
                break
            self.clock.put(self.clock.instant + timedelta(minutes=5))
        evidence = checker.gathered(address_of(self.world), self.postman.carried, self.mail.delivered)
        self.faults += checker.faults(
            evidence, self.history, least_window=CRISIS_WINDOW, now=ended - timedelta(hours=4),
            crashes=max(self.deaths, 1),
        )  # fmt: skip
        self.faults += self.world.faults()

    @property
    def digest(self) -> str:
        """The same for the same seed, whenever and wherever it is played."""
        return sha256("\n".join(self.trace).encode()).hexdigest()


def a_council(world: World, night: datetime | None) -> list[Actor]:
    """Three providers, of whom one has few hours, and people who are written to; before this night."""
    if night is not None:
        world.publish_lists()
        world.clock.move_to(night.astimezone(UTC) - timedelta(hours=2))
    providers = []
    for name, hours in (("Oak", 60), ("Elm", 14), ("Ash", 7)):
        providers.append(world.provider(f"Synthetic {name}", hours=hours))
        reader(world, Part.PROVIDER_USER, name.lower(), provider=providers[-1].provider)
    reader(world, Part.BROKER, "broker")
    return providers


def simulate(worlds: Worlds, seed: int, steps: int = 60) -> Simulation:
    """Play one seed in a council of its own, on one of the nights or on none."""
    night = NIGHTS[seed % len(NIGHTS)]
    world, providers = worlds.begin(a_council, night)
    played = Simulation(world, providers, seed, None if night is None else change_of(night))
    played.play(steps)
    return played
