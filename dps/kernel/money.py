"""Money: whole pence as `int`, prices by basis and band, and the one place that rounds.

No float is accepted anywhere. A published price has a basis and may be a short card by band.
Source: design.md §6.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, Self

from dps.kernel.errors import BadInput, NoPrice

MOST_PENCE = 100_000_000_00
"""Amounts stay below a hundred million pounds: more is a slip of the keyboard."""

LONGEST_VISIT_MINUTES = 24 * 60


def parse_pence(text: str, *, field: str | None = None) -> int:
    """Read `£21.50`, `21.50`, `21` or `£1,250.00` as pence; BadInput for anything else.

    One decimal (`21.5`), three, a sign or an exponent are refused: a price is never guessed.
    """
    found = re.fullmatch(r"£?([0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.([0-9]{2}))?", text.strip(" "))
    if found is None:
        raise BadInput(f"{text[:40]!r} is no amount: write pounds and pence as 21.50", field=field)
    return amount(int(found[1].replace(",", "")) * 100 + int(found[2] or 0), field=field)


def amount(pence: Any, *, field: str | None = None) -> int:
    """`pence` itself if it is a whole number from 0 to below a hundred million pounds; BadInput otherwise."""
    if type(pence) is not int:  # a bool is an int to isinstance
        raise BadInput(f"{pence!r} is not a whole number of pence", field=field)
    if not 0 <= pence < MOST_PENCE:
        raise BadInput(f"{pence} pence is negative or beyond all reason", field=field)
    return pence


def in_pounds(pence: int) -> str:
    """`£1,234.50`; a negative amount as `-£3.00`."""
    pounds, rest = divmod(abs(pence), 100)
    return f"{'-' if pence < 0 else ''}£{pounds:,}.{rest:02d}"


def round_half_up(numerator: int, denominator: int) -> int:
    """The nearest integer to `numerator / denominator`, a half going up (towards the greater number)."""
    if type(numerator) is not int or type(denominator) is not int:
        raise TypeError("only integers are rounded here")
    if denominator <= 0:
        raise ValueError("the denominator must be positive")
    return (2 * numerator + denominator) // (2 * denominator)


class PriceBasis(StrEnum):
    """What one price buys."""

    PER_HOUR = "per_hour"
    PER_VISIT_LENGTH = "per_visit_length"
    PER_NIGHT = "per_night"
    PER_WEEK = "per_week"


class Band(StrEnum):
    """When the work is done, in the order in which a price is looked for: the first that a card prices applies."""

    BANK_HOLIDAY = "bank_holiday"
    NIGHT = "night"
    WEEKEND = "weekend"
    WEEKDAY = "weekday"


_PRECEDENCE = tuple(Band)


class Price(NamedTuple):
    """One line of a card; `minutes` is the visit's length where the basis asks for it, else None."""

    minutes: int | None
    band: Band
    pence: int


@dataclass(frozen=True, slots=True)
class RateCard:
    """A provider's prices on one basis, by band, and for `per_visit_length` by the visit's length too.

    Every card (every length) has a weekday price; a band without a price of its own costs as a weekday.
    Lines are kept in one order, so that equal cards are equal and hash alike.
    """

    basis: PriceBasis
    prices: tuple[Price, ...]

    def __post_init__(self) -> None:
        if not self.prices:
            raise BadInput("the card has no price", field="prices")
        by_length = self.basis is PriceBasis.PER_VISIT_LENGTH
        seen: set[tuple[int | None, Band]] = set()
        for price in self.prices:
            field = f"prices.{price.minutes}.{price.band}" if by_length else f"prices.{price.band}"
            amount(price.pence, field=field)
            if (price.minutes is not None) is not by_length:
                raise BadInput("only a price per visit length names minutes, and it must", field=field)
            if by_length and (type(price.minutes) is not int or not 1 <= price.minutes <= LONGEST_VISIT_MINUTES):
                raise BadInput(f"{price.minutes!r} is no length in minutes", field=field)
            if self.basis is PriceBasis.PER_WEEK and price.band is not Band.WEEKDAY:
                raise BadInput("a price per week has no bands but weekday", field=field)
            if self.basis is PriceBasis.PER_NIGHT and price.band is Band.NIGHT:
                raise BadInput("every price per night is for a night: no band says so again", field=field)
            if (price.minutes, price.band) in seen:
                raise BadInput("this price is given twice", field=field)
            seen.add((price.minutes, price.band))
        for minutes in sorted({price.minutes or 0 for price in self.prices}):
            if (minutes or None, Band.WEEKDAY) not in seen:
                raise BadInput("the weekday price is missing", field=f"prices.{minutes}" if by_length else "prices")
        order = sorted(self.prices, key=lambda price: (price.minutes or 0, _PRECEDENCE.index(price.band)))
        object.__setattr__(self, "prices", tuple(Price(*price) for price in order))

    @classmethod
    def of(cls, basis: PriceBasis, prices: Mapping[Band, int]) -> Self:
        """A card whose prices go by band alone."""
        return cls(basis, tuple(Price(None, band, pence) for band, pence in prices.items()))

    @classmethod
    def by_length(cls, prices: Mapping[int, Mapping[Band, int]]) -> Self:
        """A card of prices per visit: length in minutes, then band."""
        lines = (Price(minutes, band, pence) for minutes, bands in prices.items() for band, pence in bands.items())
        return cls(PriceBasis.PER_VISIT_LENGTH, tuple(lines))

    @property
    def lengths(self) -> tuple[int, ...]:
        """The visit lengths priced, ascending; empty for the other bases."""
        return tuple(sorted({price.minutes for price in self.prices if price.minutes is not None}))

    def price_in(self, bands: frozenset[Band], minutes: int) -> Price:
        """The line that applies to a visit of `minutes` to which `bands` apply: the first of `Band` that is priced.

        The weekday price stands behind every band. NoPrice if this length has none.
        """
        length = minutes if self.basis is PriceBasis.PER_VISIT_LENGTH else None
        for price in self.prices:
            if price.minutes == length and (price.band in bands or price.band is Band.WEEKDAY):
                return price
        raise NoPrice(f"the card has no price for a visit of {minutes} minutes", field="prices", minutes=minutes)

    def to_dict(self) -> dict[str, Any]:
        """The canonical form: `{"basis": …, "prices": {band: pence}}`, or `{"30": {band: pence}}` by length."""
        prices: dict[str, Any] = {}
        for price in self.prices:
            into = prices if price.minutes is None else prices.setdefault(str(price.minutes), {})
            into[price.band.value] = price.pence
        return {"basis": self.basis.value, "prices": prices}

    @classmethod
    def from_dict(cls, form: Any) -> Self:
        """Read the canonical form; BadInput naming the field for any other key, type or value."""
        form = _object(form, "card")
        if set(form) != {"basis", "prices"}:
            raise BadInput("a card has exactly the keys basis and prices", field="card")
        try:
            basis = PriceBasis(form["basis"])
        except ValueError:
            raise BadInput(f"{form['basis']!r} is no price basis", field="basis") from None
        prices = _object(form["prices"], "prices")
        if basis is not PriceBasis.PER_VISIT_LENGTH:
            return cls.of(basis, _bands(prices, "prices"))
        if not all(re.fullmatch(r"[1-9][0-9]{0,3}", text) for text in prices):
            raise BadInput("visit lengths are whole minutes", field="prices")
        lengths = {text: _object(bands, f"prices.{text}") for text, bands in prices.items()}
        return cls.by_length({int(text): _bands(bands, f"prices.{text}") for text, bands in lengths.items()})

    def to_json(self) -> str:
        """One text per card: sorted keys, no spaces."""
        return json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            form = json.loads(text, object_pairs_hook=_without_repeats)
        except (ValueError, RecursionError):
            raise BadInput("this is no JSON", field="card") from None
        return cls.from_dict(form)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadInput("a key is given twice", field="card")
    return found


def _object(form: Any, field: str) -> dict[str, Any]:
    if not isinstance(form, dict) or not all(isinstance(key, str) for key in form):
        raise BadInput("an object with text keys is expected", field=field)
    if not form:
        raise BadInput("nothing is given", field=field)
    return form


def _bands(form: dict[str, Any], field: str) -> dict[Band, int]:
    unknown = sorted(set(form) - set(Band))
    if unknown:
        raise BadInput(f"{unknown[0]!r} is no band: bands are {', '.join(Band)}", field=field)
    return {Band(band): pence for band, pence in form.items()}
