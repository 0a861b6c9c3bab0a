"""What a scheme says of joining: when and how, what a rating is worth, and which lists there are.

How many providers a list may have, and where, is its shape; `dps/register/shapes.py` asks it of every admission.
"""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from dps.schemes.section import Section
from dps.schemes.vocabulary import Key, Percent, Rating


class Admission(Section):
    """When providers may join, what they are asked, and how fast the council must answer.

    A window opens on `day` of its month (of a quarter's first month) and stays open for `days_open` days. Where a
    base is asked, only a provider with a registered location in the authorities' own districts is invited, until a
    stage reaches across the border. Providers supply by themselves, and together in the `arrangements` named.
    """

    opening: Literal["always", "quarterly", "monthly"] = "always"
    day: int = Field(default=1, ge=1, le=28)
    days_open: int = Field(default=28, ge=1, le=31)
    decision_working_days: int = Field(default=10, ge=1, le=60)
    base_asked: bool = False
    arrangements: tuple[Literal["lead", "consortium"], ...] = ()
    documents: tuple[str, ...] = ()
    questions: tuple["AdmissionQuestion", ...] = ()


class AdmissionQuestion(Section):
    """Asked of every applicant. An answer above `flag_above` (or equal to `flag_when`) is put before the officer."""

    key: Key
    text: str
    kind: Literal["percent", "yes_no", "number", "text"]
    flag_above: int | None = None
    flag_when: bool | None = None


class Quality(Section):
    """What each rating scores out of 100, and which ratings may be invited at all."""

    scores: dict[Rating, Percent]
    accepted: tuple[Rating, ...]


class ListShape(StrEnum):
    """How many providers a list has for one lot, and whether each stands on it for the whole of the scheme."""

    SINGLE = "single"
    ONE_PER_AREA = "one_per_area"
    SEVERAL = "several"
    SEVERAL_PER_AREA = "several_per_area"


class ProviderList(Section):
    """A named standing of providers; staged lists must be published before they are used.

    Its `shape` says how many there may be for one lot: one for the whole of the scheme, one for each area, several of
    whom each is there for the whole, or several that hold the areas of their choice. Of several there are `most` in an
    area; any number where that is left out.
    """

    key: Key
    name: str
    published: bool = True
    shape: ListShape = ListShape.SEVERAL_PER_AREA
    most: int | None = Field(default=None, ge=2, le=1000)

    @property
    def seats(self) -> int | None:
        """How many providers it holds for one lot in one locality; None is any number."""
        return 1 if self.shape in (ListShape.SINGLE, ListShape.ONE_PER_AREA) else self.most

    @property
    def is_for_the_whole(self) -> bool:
        """Whether who stands on it stands on it in every locality of the scheme."""
        return self.shape in (ListShape.SINGLE, ListShape.SEVERAL)
