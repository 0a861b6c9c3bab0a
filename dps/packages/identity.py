"""Who the person is: the record that is only ever stored under the person's own key (law 7).

Its representation withholds everything, so that no log, traceback or assertion shows a name.
"""

import json
import re
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any, Self

from dps.kernel.columns import canonical_json
from dps.kernel.errors import BadInput
from dps.packages.text import line, text
from dps.places.postcodes import parse

_OLDEST = date(1900, 1, 1)


class AgeBand(StrEnum):
    """As much of an age as is published."""

    UNKNOWN = "unknown"
    UNDER_18 = "0-17"
    ADULT = "18-64"
    FROM_65 = "65-74"
    FROM_75 = "75-84"
    FROM_85 = "85+"


_BANDS = ((85, AgeBand.FROM_85), (75, AgeBand.FROM_75), (65, AgeBand.FROM_65), (18, AgeBand.ADULT))


def age_band(date_of_birth: date | None, on: date) -> AgeBand:
    """The band of a person's age in whole years on that day; a birthday on 29 February counts from 1 March."""
    if date_of_birth is None:
        return AgeBand.UNKNOWN
    had_birthday = (on.month, on.day) >= (date_of_birth.month, date_of_birth.day)
    years = on.year - date_of_birth.year - (not had_birthday)
    return next((band for least, band in _BANDS if years >= least), AgeBand.UNDER_18)


def parse_nhs_number(value: str, field: str = "nhs_number") -> str:
    """Ten digits with a true check digit, spaces and hyphens dropped; BadInput otherwise.

    Source: NHS Data Dictionary, NHS NUMBER (modulus 11; a check digit of 10 is never issued).
    """
    digits = re.sub(r"[ \-]", "", value)
    if not re.fullmatch(r"[0-9]{10}", digits):
        raise BadInput("an NHS number has ten digits", field=field)
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False))
    if (11 - weighted % 11) % 11 != int(digits[9]):
        raise BadInput("this NHS number has a slip in it: please check each digit", field=field)
    return digits


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Identity:
    """One person's identity. Whatever is not known yet is an empty text or None; the name is always known.

    `contact` is who else may be called (next of kin, ward), `notes` what only the council and the winner may read.
    BadInput names the field of a date, postcode or NHS number that can't be.
    """

    name: str
    address: str = ""
    postcode: str = ""
    date_of_birth: date | None = None
    nhs_number: str = ""
    phone: str = ""
    contact: str = ""
    notes: str = ""

    def __post_init__(self) -> None:
        keep = object.__setattr__
        for field in ("name", "phone", "contact"):
            keep(self, field, line(getattr(self, field), field))
        for field in ("address", "notes"):
            keep(self, field, text(getattr(self, field), field))
        if not self.name:
            raise BadInput("a person is registered by name", field="name")
        if self.postcode:
            keep(self, "postcode", parse(self.postcode).canonical)
        if self.nhs_number:
            keep(self, "nhs_number", parse_nhs_number(self.nhs_number))
        if self.date_of_birth is not None and self.date_of_birth < _OLDEST:
            raise BadInput(f"nobody alive was born before {_OLDEST.year}", field="date_of_birth")

    def __repr__(self) -> str:
        return "Identity(withheld)"

    @property
    def given(self) -> tuple[str, ...]:
        """Which fields are known, by name: what readiness asks, without reading any."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name))

    def to_bytes(self) -> bytes:
        form: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        form["date_of_birth"] = self.date_of_birth.isoformat() if self.date_of_birth else None
        return canonical_json(form).encode()

    @classmethod
    def from_bytes(cls, plain: bytes) -> Self:
        form = json.loads(plain)
        born = form.pop("date_of_birth")
        return cls(**form, date_of_birth=date.fromisoformat(born) if born else None)
