"""How far a run's time has gone, and the sign by which compiled code learns that it is over."""

import threading
import time
from types import TracebackType

import numpy as np

from matching.allocation.problem import Ints


class Stopwatch:
    """`limit_s` None is a counted run, whose time is never over. Use it as a context: it keeps a timer."""

    def __init__(self, limit_s: float | None, until: float = 1.0) -> None:
        self.limit_s = limit_s
        self.began = time.monotonic()
        self.over: Ints = np.zeros(1, dtype=np.int64)
        """Becomes 1 when the share `until` of the limit has passed; long compiled loops look at it."""
        self._timer = None if limit_s is None else threading.Timer(until * limit_s, self._ring)

    def _ring(self) -> None:
        self.over[0] = 1

    def __enter__(self) -> "Stopwatch":
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self._ring()
        if self._timer is not None:
            self._timer.cancel()

    def passed(self, share: float) -> bool:
        """By the clock: that share of the time has passed. Counted: never."""
        return self.limit_s is not None and time.monotonic() - self.began > share * self.limit_s

    def left_s(self, until: float = 1.0) -> float:
        """Seconds left to the share `until`; endless when counted."""
        return float("inf") if self.limit_s is None else until * self.limit_s - (time.monotonic() - self.began)
