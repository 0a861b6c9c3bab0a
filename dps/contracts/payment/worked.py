"""A worked statement: lines that add up, each with the sum that led to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any

from dps.kernel.money import in_pounds, round_half_up


class Item(StrEnum):
    """What a line pays for."""

    VISITS = "visits"
    COMMISSIONED = "commissioned"
    FLEX = "flex"
    RETAINER = "retainer"
    BUDGET = "budget"
    GUARANTEED = "guaranteed"
    RELEASED = "released"
    TIER = "tier"
    BAND = "band"
    PERFORMANCE = "performance"
    AREA = "area"
    BLOCK = "block"
    ELEMENT = "element"


@dataclass(frozen=True, slots=True)
class Line:
    """One amount, in whole pence. `about` is the day or the week, the tier or the area that it is for.

    `working` is the sum in words. `is_chargeable`: the council may charge the person for it.
    """

    item: Item
    pence: int
    about: str
    working: tuple[str, ...]
    is_chargeable: bool = True

    def to_dict(self) -> dict[str, Any]:
        return {
            "item": self.item.value,
            "pence": self.pence,
            "about": self.about,
            "working": list(self.working),
            "is_chargeable": self.is_chargeable,
        }


def total(lines: Sequence[Line]) -> int:
    """What the lines add up to."""
    return sum(line.pence for line in lines)


def chargeable(lines: Sequence[Line]) -> int:
    """What of it the council may charge to the person."""
    return sum(line.pence for line in lines if line.is_chargeable)


def rounded(pence: Fraction) -> int:
    """Whole pence, a half up: the one rounding of a line."""
    return round_half_up(pence.numerator, pence.denominator)


def share(pence: int, percent: int) -> int:
    """This many percent of an amount, a half up."""
    return round_half_up(pence * percent, 100)


def in_time(minutes: int) -> str:
    """`3 h 30 min`."""
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min"


def in_words(pence: Fraction) -> str:
    """An exact amount, its part of a penny as a fraction: `£6.30`, `£6.30 and 1/3 p`."""
    whole, rest = divmod(pence.numerator, pence.denominator)
    part = f" and {Fraction(rest, pence.denominator)} p" if rest else ""
    return f"{in_pounds(whole)}{part}"


def summed(lines: Sequence[tuple[str, Fraction]]) -> tuple[str, ...]:
    """Each amount in words behind what it is for, and how they come to whole pence where one of them is none.

    So the sum in front of the reader is true to the penny: the exact amounts are added, and rounded once.
    """
    said = tuple(f"{words}: {in_words(pence)}" for words, pence in lines)
    together = sum((pence for _, pence in lines), Fraction(0))
    if all(pence.denominator == 1 for _, pence in lines):
        return said
    if len(said) == 1:
        return (f"{said[0]}, to the nearest penny {in_pounds(rounded(together))}",)
    how = ", to the nearest penny" if together.denominator > 1 else ""
    return (*said, f"together{how}: {in_pounds(rounded(together))}")
