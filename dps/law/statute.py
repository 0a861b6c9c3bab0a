"""The law's dates, periods and thresholds, read once from `statute.toml`, each with its source."""

import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from dps.schemes.vocabulary import LegalBasis, Pence


class _Law(BaseModel):
    """A strict record: no unknown key, never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Enactment(_Law):
    """Regulations in force on `[starts, ends)`."""

    starts: date
    ends: date | None = None
    source: str

    def is_in_force(self, day: date) -> bool:
        return self.starts <= day and (self.ends is None or day < self.ends)


class Regulations2015(Enactment):
    """No dynamic purchasing system of theirs outlives its last day."""

    last_day_of_a_system: date


class ProcurementAct(Enactment):
    """An open framework lasts at most so many years, and is reopened within so many of its first and later awards."""

    open_framework_years: int
    first_reopening_years: int
    later_reopening_years: int


class Valuation(_Law):
    """A contract without an end is worth so many weeks of it."""

    weeks: int
    source: str


class Threshold(_Law):
    """From `starts` on, a contract of this worth or more must be told to the public."""

    starts: date
    pence: Pence
    source: str


class Notice(_Law):
    """What must be told of a contract, within `days` of its agreement, or of the end of the quarter it was agreed in.

    It is for systems of `bases` that began on `[systems_from, systems_until)`.
    """

    bases: tuple[LegalBasis, ...]
    systems_from: date = date.min
    systems_until: date = date.max
    name: str
    days: int
    counted_from: Literal["agreement", "quarter_end"]
    has_threshold: bool
    source: str


class TierPublication(_Law):
    """Staged lists are published within so many days of the rules that stage them."""

    days: int
    source: str


class Warning(_Law):
    """How many days before its limit each clock warns."""

    term: int
    reopening: int
    notice: int
    tiers: int
    application: int
    source: str


class Statute(_Law):
    """All of it."""

    regulations_2015: Regulations2015
    procurement_act: ProcurementAct
    nhs_2013: Enactment
    provider_selection: Enactment
    valuation: Valuation
    thresholds: tuple[Threshold, ...]
    notices: tuple[Notice, ...]
    tiers: TierPublication
    warning: Warning

    def begins(self) -> Mapping[LegalBasis, date]:
        """From when each basis that has a beginning could be used."""
        return {
            LegalBasis.PCR2015_DPS: self.regulations_2015.starts,
            LegalBasis.OPEN_FRAMEWORK: self.procurement_act.starts,
            LegalBasis.DYNAMIC_MARKET: self.procurement_act.starts,
            LegalBasis.NHS_2013: self.nhs_2013.starts,
            LegalBasis.PSR: self.provider_selection.starts,
        }

    def threshold_on(self, day: date) -> int:
        """The worth in pence from which a contract agreed on this day is told to the public; 0 before any was set."""
        begun = [one for one in self.thresholds if one.starts <= day]
        return max(begun, key=lambda one: one.starts).pence if begun else 0

    def notice_for(self, basis: LegalBasis, system_starts: date) -> Notice | None:
        """The notice due of contracts under this basis, in a system that began then."""
        return next(
            (
                notice
                for notice in self.notices
                if basis in notice.bases and notice.systems_from <= system_starts < notice.systems_until
            ),
            None,
        )


@cache
def statute() -> Statute:
    """The law as this release knows it."""
    text = files("dps.law").joinpath("statute.toml").read_text(encoding="utf-8")
    return Statute.model_validate(tomllib.loads(text))
