"""What a campaign counted: a line of the table that `make faults-long` prints."""

from dataclasses import dataclass, field


@dataclass
class Figure:
    """One campaign: which line of the acceptance it is about, what was done how often, and what went wrong."""

    line: int
    what: str
    counted: dict[str, int | str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in self.counted.items())
