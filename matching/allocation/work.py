"""How much work a run may do."""

import time
from dataclasses import dataclass, field

from dps.kernel.errors import BadInput
from matching.allocation.exact import Budget

DEFAULT_EFFORT = 5_000
"""Steps of a counted run: thousandths of a deterministic second, ten or more of them to a real one."""


@dataclass(frozen=True, slots=True)
class Work:
    """How much work a run may do: counted `effort`, or a `time_limit_s` with that many `workers`.

    `began` is on the machine's monotonic clock, which parent and child share.
    """

    effort: int = DEFAULT_EFFORT
    time_limit_s: float | None = None
    workers: int = 1
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.effort < 1:
            raise BadInput("a run needs at least one step", field="effort")
        if self.time_limit_s is not None and not 0 < self.time_limit_s <= 86_400:
            raise BadInput("a time limit lies between 0 and 86,400 seconds", field="time_limit_s")
        if not 1 <= self.workers <= 64:
            raise BadInput("between 1 and 64 workers", field="workers")

    @property
    def is_counted(self) -> bool:
        """The work is fixed in steps."""
        return self.time_limit_s is None

    def left_s(self) -> float:
        """Seconds left of the time limit; endless when counted."""
        return float("inf") if self.time_limit_s is None else self.began + self.time_limit_s - time.monotonic()

    def budget(self, until: float = 1.0) -> Budget:
        """The budget of the run; by the clock, to the share `until` of its limit."""
        if self.time_limit_s is None:
            return Budget(steps=self.effort, until=None, workers=1)
        return Budget(steps=None, until=self.began + until * self.time_limit_s, workers=self.workers)
