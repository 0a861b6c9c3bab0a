"""The demonstration's week: what is still to happen, in order, on the stepped clock.

Everybody acts through the same commands as in life; chance is drawn from the seed alone, so that the same
seed plays the same week on any database.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from sqlmodel import Session

from bidding.timetable import Timetable
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.errors import Conflict, NotFound, Refused
from dps.kernel.ports import Ports
from web.demo.agenda import Agenda


class Week:
    """Events to come, and the means by which people act. `changed` says that somebody may have something new to see."""

    def __init__(
        self, *, database: Database, ports: Ports, clock: SteppedClock, timetable: Timetable, seed: int
    ) -> None:
        self.database, self.ports, self.clock, self.timetable = database, ports, clock, timetable
        self.rng = np.random.default_rng([seed, 2])
        self.changed = False
        self._agenda = Agenda(clock.instant)
        self._sweeps: set[datetime] = set()

    def play(
        self, until: datetime, observe: Callable[[], None], progress: Callable[[datetime, int, int], None]
    ) -> None:
        """Let everything happen that comes until then. `observe` is called when something changed.

        `progress` is told how many events were played and how many wait.
        """

        def played(at: datetime, count: int, waiting: int) -> None:
            if self.changed:
                self.changed = False
                observe()
            progress(at, count, waiting)

        self._agenda.play(until, self.clock.move_to, played)

    def at(self, instant: datetime, act: Callable[[], object]) -> None:
        """Have this happen then; at once where the instant has passed."""
        self._agenda.at(max(instant, self.clock.instant), act)

    def after(self, low_minutes: float, high_minutes: float) -> timedelta:
        return timedelta(minutes=float(self.rng.uniform(low_minutes, high_minutes)))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def sweep_after(self, instant: datetime) -> None:
        """Have the worker sweep within a minute of this instant; one sweep serves all that is due by then."""
        if instant not in self._sweeps:
            self._sweeps.add(instant)
            self.at(instant + self.after(0, 0.9), self.sweep)

    def sweep(self) -> None:
        self.changed = bool(self.timetable.sweep()) or self.changed
        self.timetable.carry_messages()

    def attempt(self, command: Callable[[Session], object]) -> bool:
        """One command in its own transaction; a rule may say no, as in life."""
        try:
            with self.database.transaction() as session:
                command(session)
            self.changed = True
        except (Refused, Conflict, NotFound):
            return False
        return True
