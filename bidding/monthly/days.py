"""The days of a report, and what of a table falls into them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col


@dataclass(frozen=True, slots=True)
class Days:
    """`[since, until)`, never beyond the council's own now."""

    scheme: str
    authorities: Sequence[str]
    since: datetime
    until: datetime

    def of(self, table: Any, at: Any) -> tuple[Any, ...]:
        """The rows of the scheme and its authorities that fall into these days."""
        return (
            col(table.scheme) == self.scheme,
            col(table.authority).in_(self.authorities),
            *self.within(at),
        )

    def within(self, at: Any) -> tuple[Any, ...]:
        return (col(at) >= self.since, col(at) < self.until)
