"""A stretch of the day in minutes after midnight, which may run past midnight."""

from dataclasses import dataclass

from dps.kernel.errors import BadInput

MINUTES_A_DAY = 1440


@dataclass(frozen=True, slots=True)
class DaySpan:
    """`[start, end)` in minutes of local wall time; `end` above 1440 is on the next day (22:00-07:00 is 1320, 1860).

    Refuses a start outside the day, an empty span and one longer than a day.
    """

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < MINUTES_A_DAY:
            raise BadInput(f"a span starts between minute 0 and 1439 of the day, not at {self.start}", field="start")
        if not self.start < self.end <= self.start + MINUTES_A_DAY:
            raise BadInput(f"a span that starts at {self.start} can't end at {self.end}", field="end")

    def covers(self, other: "DaySpan") -> bool:
        """True if every minute of `other` is inside, on whichever side of midnight either was written down."""
        if self.end - self.start == MINUTES_A_DAY:
            return True
        shift = MINUTES_A_DAY if other.start < self.start else 0
        return self.start <= other.start + shift and other.end + shift <= self.end

    def overlaps(self, other: "DaySpan") -> bool:
        """True if the two share at least one minute of the day."""
        return any(
            self.start < other.end + shift and other.start + shift < self.end
            for shift in (-MINUTES_A_DAY, 0, MINUTES_A_DAY)
        )
