"""The worker: the one process that holds the identities, and rings the timetable (laws 1 and 2).

The clock decides what is due, as rows; APScheduler merely rings. A late or doubled ring changes nothing, so any number
of workers may run, and one that died is made good by the next ring of another.
"""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from bidding.looking.due import next_closing_at
from bidding.sealing.opening import Identities
from bidding.timetable import Timetable
from dps.kernel.clock import ClockMap, SystemClock
from dps.kernel.collecting import spare_what_is_loaded
from dps.kernel.logs import log
from dps.kernel.settings import Settings
from dps.packages.erasure import scrub_due
from matching.allocation import SolverProcess
from web.assembly import Installation, opened
from web.pages.portal.drafts import forget_closed
from web.postman import SpoolPostman
from web.sending.calling import Calls
from web.sending.carrying import LetterRound
from web.sending.letters import Channel
from web.sending.mail import carrier_of
from web.sending.silence import SilenceWatch
from web.sending.sorting import Sorter

EVERY = timedelta(minutes=1)
SHORTEST = timedelta(seconds=1)


@dataclass
class Worker:
    """Five bells a minute: what is due, is to be sorted, sent, signed, cleared; and one at the next closing."""

    installation: Installation
    timetable: Timetable
    letters: LetterRound
    _silence: SilenceWatch = field(init=False)
    _scheduler: BackgroundScheduler = field(init=False)
    _sweeping: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._silence = SilenceWatch(self.installation.database, self.installation.ports)
        # A bell that comes late rings once; while it rings it is not rung again.
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(5)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    @property
    def bells(self) -> dict[str, Callable[[], Any]]:
        """What is rung every minute, by name."""
        return {
            "sweep": self.sweep,
            "messages": self.timetable.carry_messages,
            "letters": self.send_letters,
            "checkpoint": self.timetable.sign_checkpoint,
            "erased": self.clear_files,
        }

    def start(self) -> None:
        """Ring every bell now, and from now on; returns at once."""
        # APScheduler would write the traceback of a failed job, and with it whatever a statement was given.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        every = max(EVERY / self._pace(), SHORTEST)
        with self.installation.database.reading() as session:
            now = SystemClock().read(session)
        for name, bell in self.bells.items():
            self._scheduler.add_job(
                rung, "interval", seconds=every.total_seconds(), args=[name, bell], id=name, next_run_time=now
            )
        self._scheduler.start()
        log().info("worker.started")

    def sweep(self) -> None:
        """Do what is due, sign where something closed, and set a bell for the next closing."""
        with self._sweeping:
            swept = self.timetable.sweep()
            if swept:
                log().info("worker.swept", count=sum(swept.done.values()))
            if swept.done.get("closed"):
                self.timetable.sign_checkpoint()
            self._forget_drafts()
            self._ring_at_next_closing()

    def _forget_drafts(self) -> None:
        with self.installation.database.reading() as session:
            now = self.installation.ports.clock.read(session)
        forget_closed(self.installation.database, now)

    def send_letters(self) -> None:
        """Send what is due, and tell councils whose invitations do not arrive."""
        self.letters.make()
        self._silence.warn()

    def clear_files(self) -> None:
        """Clear the database's files of whoever was erased; what could not be cut yet is tried at the next ring."""
        scrub_due(self.installation.database, self.installation.ports.clock.read)

    def _ring_at_next_closing(self) -> None:
        with self.installation.database.reading() as session:
            now = self.installation.ports.clock.read(session)
            closes_at = next_closing_at(session, now, self.timetable.patience)
            real = SystemClock().read(session)
        if closes_at is not None and self._scheduler.running:
            at = real + (closes_at - now) / self._pace()
            self._scheduler.add_job(
                rung, "date", run_date=at, args=["closing", self.sweep], id="closing", replace_existing=True
            )

    def stop(self) -> None:
        """Let the bells that are ringing end, and ring no more."""
        self._scheduler.shutdown(wait=True)
        log().info("worker.ended")

    def _pace(self) -> int:
        """How many times faster than real time the installation's clock runs."""
        if self.installation.settings.clock != "accelerated":
            return 1
        with self.installation.database.reading() as session:
            row = session.get(ClockMap, 1)
            return row.rate if row else 1


def rung(name: str, bell: Callable[[], Any]) -> None:
    """Ring one bell. What fails is logged by its kind alone and tried again at the next ring."""
    try:
        bell()
    except Exception as fault:
        log().error("worker.failed", sweep=name, error=type(fault).__name__)


@contextmanager
def employed(settings: Settings) -> Iterator[Worker]:
    """A worker with everything it needs, the identities read and the solver's process at hand."""
    identities = Identities(settings.identities_dir)
    with opened(settings) as installation:
        solver, ports = SolverProcess(), installation.ports
        mail = carrier_of(settings, ports.keyring)
        spool = SpoolPostman(settings.spool_dir, site=settings.address, keyring=ports.keyring) if mail is None else None
        timetable = Timetable(
            database=installation.database,
            ports=ports,
            opener=identities,
            postman=Sorter(ports.entropy, spool=spool, by_text=mail is not None and Channel.TEXT in mail.channels),
            solver=solver,
        )
        calls = Calls(ports, with_loopback=settings.webhooks_to_loopback)
        letters = LetterRound(installation.database, ports, [calls] if mail is None else [calls, mail])
        try:
            yield Worker(installation, timetable, letters)
        finally:
            solver.close()


def run_once(settings: Settings) -> None:
    """Do what is due now."""
    with employed(settings) as worker:
        for bell in worker.bells.values():
            bell()


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT; what has been begun is finished first, unless the signal comes again."""
    ended = threading.Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def end(number: int, _frame: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        ended.set()

    for number in before:
        signal.signal(number, end)
    with employed(settings) as worker:
        spare_what_is_loaded()
        worker.timetable.patience = timedelta(seconds=settings.opens_after_s)
        worker.start()
        try:
            ended.wait()
        finally:
            worker.stop()
