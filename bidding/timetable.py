"""What is due: the sweeps that record what time has already made true (law 1).

Each due thing is one command in one transaction, found as a row; a late sweep delays news, never shortens anybody's
window, and never does anything twice. APScheduler merely rings `Timetable.sweep`.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

from sqlmodel import Session, col, select

from bidding import deadline, escalation, publishing, run_off
from bidding.allocation import runs
from bidding.awards.expiring import barred_offers, due_awards, expire_due, lapse_barred
from bidding.awards.offering import settle
from bidding.awards.records import live_award
from bidding.bids.records import BidState, bids_of_closing
from bidding.closings import TENDER, Closing, ClosingState, due_closings, undecided_closings
from bidding.deadline import Opener
from bidding.referrals import Referral
from bidding.rounds import Round, RoundState
from bidding.tenders.deciding import evaluate
from bidding.waypoints import Waypoint
from dps.kernel import audit
from dps.kernel.actors import CLOCK
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database, alone_at, locked, locked_one
from dps.kernel.errors import StateChanged
from dps.kernel.logs import log
from dps.kernel.outbox import Postman, deliver
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.law import watch
from dps.register import capacity
from dps.register.suspensions import not_yet_recorded, record_suspensions
from dps.schemes.model import Mode, Scheme
from matching.allocation import SolverProcess

BATCHES = 40
"""How many batches of messages one ring carries at most, so that it ends: 2,000 messages. The next carries on."""

Due = TypeVar("Due")
Answer = TypeVar("Answer")


class _Overtaken(Exception):
    """Another worker is at it at this moment: should it die, the next sweep finds it again."""


@dataclass
class Swept:
    """How much a sweep did, by kind, and what it could not do."""

    done: dict[str, int] = field(default_factory=dict)
    faults: list[Exception] = field(default_factory=list)

    def count(self, kind: str, number: int = 1) -> None:
        if number:
            self.done[kind] = self.done.get(kind, 0) + number

    def __bool__(self) -> bool:
        return bool(self.done)


@dataclass
class Timetable:
    """One worker's sweeps. `opener` opens sealed bids, `postman` carries messages; both belong to the worker alone.

    A closed closing is opened once `patience` has passed: what a web process still holds that was here in time is noted
    by then (`unkept`).
    """

    database: Database
    ports: Ports
    opener: Opener
    postman: Postman
    solver: SolverProcess | None = None
    patience: timedelta = timedelta(0)
    _warned_on: date | None = field(default=None, init=False)

    def sweep(self) -> Swept:
        """Do everything that is due, in the order in which it became due.

        One broken thing keeps nothing else from being done: what could not be done is raised when all the rest is, as
        an ExceptionGroup, and is tried again by the next sweep.
        """
        swept = Swept()
        # One look for all kinds: most sweeps find little. What one step makes due is found by the next sweep, but for
        # closings, which are decided in the sweep that closes them.
        with self.database.reading() as session:
            now = self.ports.clock.read(session)
            suspensions = not_yet_recorded(session, now)
            barred, expired = barred_offers(session, now), due_awards(session, now)
            closings, rounds = due_closings(session, now, ClosingState.GATHERING), _due_rounds(session, now)
            restarts, cases = escalation.due_restarts(session, now), run_off.due_cases(session)
        self._do("suspensions", suspensions, self._record_suspension, swept)
        self._do("lapsed_offers", barred, self._one(lapse_barred), swept)
        self._do("expired_offers", expired, self._one(expire_due), swept)
        self._do("run_offs", cases, self._one(run_off.move_case), swept)
        self._do("closed", closings, self._close, swept)
        self._each("allocated", self._undecided, lambda closing_id: self._decide(closing_id, swept), swept)
        self._do("ended_rounds", rounds, self._one(end_round), swept)
        self._do("restarts", restarts, self._one(publishing.restart_due), swept)
        swept.count("declarations", self.database.run(self._settle_declarations))
        self._warn(now)
        if swept.faults:
            raise ExceptionGroup("a sweep left something undone", swept.faults)
        return swept

    def _warn(self, now: datetime) -> None:
        """Once a day each worker looks at the law's clocks; what was said already is not said again."""
        today = now.astimezone(LONDON).date()
        if self._warned_on != today:
            self.database.run(lambda session: watch.warn(session, self.ports))
            self._warned_on = today

    def _close(self, closing_id: int) -> bool:
        """Close. Where nobody has bid and nobody is waited for there is nothing to open or search: decide at once."""

        def close(session: Session) -> bool:
            if self._has_bids(session, closing_id):
                return deadline.close(session, self.ports, closing_id)
            # Deciding goes up the ladder, and that locks referrals: before rounds, as everywhere.
            locked(session, Referral, *session.exec(select(Round.referral_id).where(Round.closing_id == closing_id)))
            closed = deadline.close(session, self.ports, closing_id)
            if not closed or self.patience or self._has_bids(session, closing_id) or _is_tender(session, closing_id):
                return closed
            if deadline.open_bids(session, self.ports, closing_id, self.opener):
                deadline.score(session, self.ports, closing_id)
                run = runs.claim(session, self.ports, closing_id)
                assert run is not None
                runs.finish(session, self.ports, run.id or 0, runs.answer_of(run))
            return closed

        closed = self._alone(f"closing {closing_id}", close)
        self.ports.reached(Waypoint.CLOSING_KEPT)
        return closed

    def _undecided(self, session: Session, now: datetime) -> list[int]:
        """Closings that are closed and not decided: of this sweep, and those that a death had left on their way."""
        return undecided_closings(session, now, self.patience)

    def _has_bids(self, session: Session, closing_id: int) -> bool:
        return bool(bids_of_closing(session, closing_id, BidState.SEALED))

    def _decide(self, closing_id: int, swept: Swept) -> bool:
        """Open; score and claim; solve outside any transaction; finish. Each is kept before the next begins."""
        it = f"closing {closing_id}"
        opened, is_tender = self._alone(it, lambda session: self._open(session, closing_id))
        swept.count("opened", int(opened))
        self.ports.reached(Waypoint.OPENING_KEPT)
        if is_tender:
            return self._alone(it, lambda session: evaluate(session, self.ports, closing_id))
        scored, claimed = self._alone(it, lambda session: self._score(session, closing_id))
        swept.count("scored", int(scored))
        if claimed is None:
            return False
        self.ports.reached(Waypoint.RUN_KEPT)
        run, scheme = claimed
        with self._at_work_on(run.id or 0):
            result = runs.answer_of(run, process=self.solver)
            advice = runs.advice_of(run, scheme, process=self.solver)
        self.ports.reached(Waypoint.RUN_SOLVED)
        return self.database.run(lambda session: runs.finish(session, self.ports, run.id or 0, result, advice))

    @contextmanager
    def _at_work_on(self, run_id: int) -> Iterator[None]:
        """Renew the run's lease for as long as this takes, so that no other worker takes it for abandoned."""
        ended = threading.Event()

        def say() -> None:
            while not ended.wait(runs.RENEWAL.total_seconds()):
                try:
                    self.database.run(lambda session: runs.renew(session, self.ports, run_id))
                except Exception as fault:
                    # Unrenewed it is solved a second time elsewhere, and finished once.
                    log().warning("run.unrenewed", error=type(fault).__name__)

        saying = threading.Thread(target=say, daemon=True)
        saying.start()
        try:
            yield
        finally:
            ended.set()
            saying.join()

    def _open(self, session: Session, closing_id: int) -> tuple[bool, bool]:
        """Whether it was opened now, and whether bids for an area closed here."""
        opened = deadline.open_bids(session, self.ports, closing_id, self.opener)
        return opened, _is_tender(session, closing_id)

    def _score(self, session: Session, closing_id: int) -> tuple[bool, tuple[runs.AllocationRun, Scheme] | None]:
        scored = deadline.score(session, self.ports, closing_id)
        run = runs.claim(session, self.ports, closing_id)
        return scored, None if run is None else (run, runs.rules_of(session, run))

    def carry_messages(self) -> int:
        """Hand what is queued to the postman, batch by batch, each a transaction; returns how many left."""

        def carry(session: Session) -> int:
            carried = deliver(session, self.postman, self.ports.clock.read(session))
            self.ports.reached(Waypoint.MESSAGES_CARRIED)
            return carried

        left = 0
        for _ in range(BATCHES):
            carried = self.database.run(carry)
            left += carried
            if not carried:
                break
        return left

    def sign_checkpoint(self) -> bool:
        """Sign every stream's head that moved since the last checkpoint."""

        def sign(session: Session) -> bool:
            now = self.ports.clock.read(session)
            return audit.sign_checkpoint(session, self.ports.keyring.signing, now) is not None

        return self.database.run(sign)

    def _one(self, command: Callable[[Session, Ports, int], bool]) -> Callable[[int], bool]:
        name = command.__name__
        return lambda id_: self._alone(f"{name} {id_}", lambda session: command(session, self.ports, id_))

    def _alone(self, what: str, command: Callable[[Session], Answer]) -> Answer:
        """Run `command` in one transaction, unless another worker is at the same thing at this moment."""

        def run(session: Session) -> Answer:
            if not alone_at(session, what):
                raise _Overtaken(what)
            return command(session)

        return self.database.run(run)

    def _each(
        self,
        kind: str,
        find: Callable[[Session, datetime], Sequence[Due]],
        do: Callable[[Due], bool],
        swept: Swept,
    ) -> None:
        """Find what is due of this kind, and do it one by one."""
        with self.database.reading() as session:
            due = list(find(session, self.ports.clock.read(session)))
        self._do(kind, due, do, swept)

    def _do(self, kind: str, due: Sequence[Due], do: Callable[[Due], bool], swept: Swept) -> None:
        for one in due:
            try:
                swept.count(kind, int(do(one)))
            except (StateChanged, _Overtaken):
                # Another worker was first: what it did is what was due.
                log().info("sweep.overtaken", sweep=kind)
            except Exception as fault:
                log().error("sweep.failed", sweep=kind, error=type(fault).__name__)
                swept.faults.append(fault)

    def _record_suspension(self, due: tuple[int, str]) -> bool:
        provider_id, scheme = due

        def record(session: Session) -> bool:
            now = self.ports.clock.read(session)
            return record_suspensions(session, provider_id=provider_id, scheme_key=scheme, actor=CLOCK, now=now) > 0

        return self.database.run(record)

    def _settle_declarations(self, session: Session) -> int:
        return capacity.settle_expired(session, actor=CLOCK, now=self.ports.clock.read(session))


def _is_tender(session: Session, closing_id: int) -> bool:
    """Whether bids for an area close here: there are no rounds, and nothing to search. The session has read it."""
    return session.get_one(Closing, closing_id).mode == TENDER


def _due_rounds(session: Session, now: datetime) -> list[int]:
    """Rounds of the first to accept whose window has passed."""
    query = (
        select(Round.id)
        .where(
            col(Round.state) == RoundState.PUBLISHED,
            col(Round.mode) == Mode.FIRST_ACCEPTANCE,
            col(Round.closes_at) <= now,
        )
        .order_by(col(Round.closes_at), col(Round.id))
    )
    return [id_ for id_ in session.exec(query) if id_ is not None]


def end_round(session: Session, ports: Ports, round_id: int) -> bool:
    """End a first-acceptance round that nobody took, and go on up the ladder."""
    found = session.get(Round, round_id)
    assert found is not None
    referral = locked_one(session, Referral, found.referral_id)
    round_ = locked_one(session, Round, round_id)
    now = ports.clock.read(session)
    if round_.state is not RoundState.PUBLISHED or round_.closes_at is None or now < round_.closes_at:
        return False
    advance(session, round_, "close", CLOCK, now)
    if live_award(session, referral.id) is None:
        settle(session, ports, round_, referral, now, cause="nobody accepted in the window")
    return True
