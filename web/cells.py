"""Reads one cell of a CSV or spreadsheet as what its column holds: nothing is guessed, nothing passes a float.

Each function takes a cell that is not empty and raises BadInput with the reason alone; who calls adds file, row and
column.
"""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from dps.kernel.errors import BadInput
from dps.kernel.money import parse_pence
from dps.packages.text import line, text
from web.unpacking import Cell

_MOST_POUNDS = 10**9

_Choice = TypeVar("_Choice", bound=StrEnum)


def words(cell: Cell) -> str:
    """The text of a cell; a whole number of a spreadsheet as its digits."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 10**15:
        return str(int(cell))
    raise BadInput("write this cell as text")


def a_line(column: str) -> Callable[[Cell], str]:
    """One line of text."""
    return lambda cell: line(words(cell), column)


def a_text(column: str) -> Callable[[Cell], str]:
    """Text of several lines."""
    return lambda cell: text(words(cell), column)


def typed(column: str) -> Callable[[Cell], str]:
    """A line that is text in the spreadsheet too: a number has lost the zeros it began with."""

    def read(cell: Cell) -> str:
        if not isinstance(cell, str):
            raise BadInput("write this cell as text, so that no zero is lost")
        return line(cell, column)

    return read


def day(cell: Cell) -> date:
    """A day as a spreadsheet holds it, or written the ISO or the British way."""
    if isinstance(cell, datetime):
        cell = cell.date()
    if isinstance(cell, date):
        return cell
    for form in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(words(cell).strip(), form).date()  # noqa: DTZ007 - only the day is kept
        except ValueError:
            continue
    raise BadInput(f"{str(cell)[:20]!r} is no day: write it as 2026-03-09 or 09/03/2026")


def yes(cell: Cell) -> bool:
    """Yes or no."""
    if isinstance(cell, bool):
        return cell
    answer = words(cell).strip().lower()
    if answer not in ("yes", "no"):
        raise BadInput(f"{answer[:20]!r} is neither yes nor no")
    return answer == "yes"


def whole(cell: Cell) -> int:
    """A whole number, not negative."""
    digits = words(cell).strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise BadInput(f"{digits[:20]!r} is no whole number")
    return int(digits)


def pence(cell: Cell) -> int:
    """Pounds and pence; a spreadsheet's number has lost its trailing zeros, so they are put back."""
    if isinstance(cell, float):
        exact = Decimal(repr(cell)) if abs(cell) < _MOST_POUNDS else None
        if exact is None or exact != round(exact, 2):
            raise BadInput(f"{cell!r} is no amount: pounds have two decimals")
        return parse_pence(f"{exact:.2f}")
    return parse_pence(words(cell))


def choice(choices: type[_Choice]) -> Callable[[Cell], _Choice]:
    """One of `choices`, whatever its case, with spaces or hyphens for underscores."""

    def read(cell: Cell) -> _Choice:
        wanted = words(cell).strip().lower().replace(" ", "_").replace("-", "_")
        for choice in choices:
            if choice.value.replace("-", "_") == wanted:
                return choice
        raise BadInput(f"{wanted[:40]!r} is none of {', '.join(choices)}")

    return read


def several(cell: Cell) -> list[str]:
    """Keys parted by commas; `none` says that there are none."""
    keys = [key.strip().lower().replace(" ", "_") for key in words(cell).split(",")]
    return [] if keys == ["none"] else [key for key in keys if key]
