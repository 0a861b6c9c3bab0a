"""What is still to happen, in order of its instant; of two things at one instant the one noted first comes first."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(order=True)
class _Event:
    at: datetime
    number: int
    act: Callable[[], object] = field(compare=False)


class Agenda:
    """Events to come. `now` is the instant of the one that happens."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._events: list[_Event] = []
        self._count = 0

    def at(self, instant: datetime, act: Callable[[], object]) -> None:
        """Have this happen then; at once where the instant has passed."""
        self._count += 1
        heapq.heappush(self._events, _Event(max(instant, self.now), self._count, act))

    def play(
        self,
        until: datetime,
        begins: Callable[[datetime], object],
        played: Callable[[datetime, int, int], None],
    ) -> None:
        """Let everything happen that comes until then.

        `begins` is told each instant before its event; `played` after it, how many there were and how many wait.
        """
        count = 0
        while self._events and self._events[0].at <= until:
            event = heapq.heappop(self._events)
            self.now = event.at
            begins(event.at)
            event.act()
            count += 1
            played(event.at, count, len(self._events))
