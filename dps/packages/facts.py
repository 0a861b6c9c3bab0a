"""What a package asks for, as records: the facts, the free text, and what only the winner may read.

`PackageFacts` holds nothing that names or locates a person more closely than a postcode sector. `FreeText` and
`Confidential` are stored under the person's key alone, and their representations withhold them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any, Self

from dps.kernel.columns import canonical_json
from dps.kernel.errors import BadInput
from dps.kernel.money import amount
from dps.kernel.references import Kind, parse_reference
from dps.law.bases import NHS_BASES
from dps.packages.identity import AgeBand
from dps.packages.schedule import Schedule
from dps.packages.text import line, text
from dps.places.localities import lies_in
from dps.places.postcodes import parse, parse_sector
from dps.schemes.model import LegalBasis, Lot, Scheme, Urgency

MOST_OUTCOMES = 20
MOST_NEEDS = 20
LONGEST_BUDGET_WEEKS = 26


class FundingStream(StrEnum):
    """Who pays. `undecided` may be published where urgency allows it, never confirmed.

    The NHS's money (`chc`) is spent under its own regulations; of jointly funded packages somebody chooses.
    """

    UNDECIDED = "undecided"
    COUNCIL = "council"
    CHC = "chc"
    JOINT = "joint"
    SECTION_117 = "section_117"
    DISCHARGE_FUND = "discharge_fund"
    SELF_FUNDED = "self_funded"


def fundings_of(lot: Lot) -> tuple[FundingStream, ...]:
    """Who can pay for packages of this service, the usual payer first."""
    if lot.paid_by_nhs:
        return (FundingStream.CHC,)
    return tuple(one for one in FundingStream if one is not FundingStream.UNDECIDED)


class Flag(StrEnum):
    """What a carer must know before accepting."""

    SMOKER = "smoker"
    PETS = "pets"
    EQUIPMENT = "equipment"
    BEHAVIOUR = "behaviour"
    PARKING = "parking"
    TIME_CRITICAL = "time_critical"


class LinkKind(StrEnum):
    """How a package belongs to others: parts of one person's care, or people of one household."""

    ALONE = "alone"
    SPLIT_PACKAGE = "split_package"
    HOUSEHOLD = "household"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageFacts:
    """One version of what is asked for. None means "not known yet"; an empty set means "asked, and there is none".

    `sector` and `locality` are all that is kept in clear of where the person lives. `needs` are keys of skills.
    Budgets are pence for `budget_weeks` together. Start dates are both included. `legal_basis` is chosen for a jointly
    funded package, and for no other. BadInput names the field.
    """

    scheme: str
    lot: str
    urgency: Urgency
    locality: str
    sector: str
    funding: FundingStream = FundingStream.UNDECIDED
    legal_basis: LegalBasis | None = None
    schedule: Schedule | None = None
    schedule_is_provisional: bool = False
    needs: frozenset[str] | None = None
    flags: frozenset[Flag] | None = None
    age_band: AgeBand = AgeBand.UNKNOWN
    budget_pence: int | None = None
    budget_weeks: int | None = None
    earliest_start: date | None = None
    latest_start: date | None = None
    preferred_provider: str | None = None
    existing_provider: str | None = None
    other_minutes_allowed: bool = False

    def __post_init__(self) -> None:
        if parse_sector(self.sector) != self.sector:
            raise BadInput("write a sector as L6 1", field="sector")
        for need in sorted(self.needs or ()):
            if not re.fullmatch(r"[a-z][a-z0-9_\-]{0,39}", need):
                raise BadInput(f"{need[:40]!r} is no need: write it as peg_feeding", field="needs")
        if self.needs is not None and len(self.needs) > MOST_NEEDS:
            raise BadInput(f"at most {MOST_NEEDS} needs are named", field="needs")
        if self.budget_pence is not None:
            amount(self.budget_pence, field="budget_pence")
        if self.budget_weeks is not None and not 1 <= self.budget_weeks <= LONGEST_BUDGET_WEEKS:
            raise BadInput(f"a budget lasts from 1 to {LONGEST_BUDGET_WEEKS} weeks", field="budget_weeks")
        if self.earliest_start and self.latest_start and self.latest_start < self.earliest_start:
            raise BadInput("the latest start lies before the earliest", field="latest_start")
        if self.legal_basis is not None and self.funding is not FundingStream.JOINT:
            raise BadInput("only a jointly funded package has its legal basis chosen", field="legal_basis")
        for field in ("preferred_provider", "existing_provider"):
            provider = getattr(self, field)
            if provider is not None and parse_reference(provider, Kind.PROVIDER) != provider:
                raise BadInput("write the provider's reference in full", field=field)

    @property
    def weekly_minutes(self) -> int | None:
        """Carer-minutes a week, or None without a schedule."""
        return self.schedule.weekly_minutes if self.schedule else None

    def columns(self) -> dict[str, Any]:
        """The facts as a package's columns and a version's snapshot hold them: texts, numbers, dates, lists."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {
            "schedule": self.schedule.to_dict() if self.schedule else None,
            "needs": None if self.needs is None else sorted(self.needs),
            "flags": None if self.flags is None else sorted(self.flags),
        }

    def snapshot(self) -> dict[str, Any]:
        """The same as JSON, for a version that is never rewritten."""
        return {key: value.isoformat() if isinstance(value, date) else value for key, value in self.columns().items()}

    @classmethod
    def from_columns(cls, columns: Mapping[str, Any]) -> Self:
        """Read what `columns` gave; a snapshot that is older than a fact does not know it."""
        values = {field.name: columns.get(field.name, field.default) for field in fields(cls)}
        return cls(
            **values
            | {
                "urgency": Urgency(values["urgency"]),
                "funding": FundingStream(values["funding"]),
                "legal_basis": None if values["legal_basis"] is None else LegalBasis(values["legal_basis"]),
                "age_band": AgeBand(values["age_band"]),
                "schedule": None if values["schedule"] is None else Schedule.from_dict(values["schedule"]),
                "needs": None if values["needs"] is None else frozenset(values["needs"]),
                "flags": None if values["flags"] is None else frozenset(map(Flag, values["flags"])),
            }
        )


CORRECTABLE = frozenset(
    {
        "funding",
        "legal_basis",
        "age_band",
        "schedule_is_provisional",
        "preferred_provider",
        "existing_provider",
        "pen_picture",
    }
    | {"address", "postcode", "access", "preference_reason"}
)
"""What no bid rests on. Everything else is what providers bid for, and changing it takes a new version."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FreeText:
    """What is told in words: published only after a broker has read it (`packages.confirm_free_text`)."""

    pen_picture: str = ""
    outcomes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "pen_picture", text(self.pen_picture, "pen_picture"))
        outcomes = tuple(line(outcome, "outcomes") for outcome in self.outcomes)
        if not all(outcomes) or len(outcomes) > MOST_OUTCOMES:
            raise BadInput(f"up to {MOST_OUTCOMES} outcomes, each in words", field="outcomes")
        object.__setattr__(self, "outcomes", outcomes)

    def __repr__(self) -> str:
        return "FreeText(withheld)"

    @property
    def given(self) -> tuple[str, ...]:
        """Which texts there are, by name."""
        return tuple(field.name for field in fields(self) if getattr(self, field.name))

    def to_bytes(self) -> bytes:
        return canonical_json({"pen_picture": self.pen_picture, "outcomes": list(self.outcomes)}).encode()

    @classmethod
    def from_bytes(cls, plain: bytes) -> Self:
        form = json.loads(plain)
        return cls(pen_picture=form["pen_picture"], outcomes=tuple(form["outcomes"]))


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Confidential:
    """Where the care is given, how one gets in, and why the person prefers a provider. Never published."""

    postcode: str
    address: str = ""
    access: str = ""
    preference_reason: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "postcode", parse(self.postcode).canonical)
        for field in ("address", "access", "preference_reason"):
            object.__setattr__(self, field, text(getattr(self, field), field))

    def __repr__(self) -> str:
        return "Confidential(withheld)"

    def to_bytes(self) -> bytes:
        return canonical_json({field.name: getattr(self, field.name) for field in fields(self)}).encode()

    @classmethod
    def from_bytes(cls, plain: bytes) -> Self:
        return cls(**json.loads(plain))


def check_against_scheme(facts: PackageFacts, confidential: Confidential, scheme: Scheme, authority: str) -> None:
    """Refuse a package that this scheme can't buy: BadInput names the field and what would do."""
    if facts.scheme != scheme.key:
        raise BadInput(f"the package belongs to scheme {facts.scheme}, not {scheme.key}", field="scheme")
    if authority not in {body.key for body in scheme.authorities}:
        raise BadInput(f"{authority} buys nothing under scheme {scheme.key}", field="authority")
    lot = next((lot for lot in scheme.lots if lot.key == facts.lot), None)
    if lot is None:
        raise BadInput(f"{facts.lot!r} is no lot: {', '.join(lot.key for lot in scheme.lots)}", field="lot")
    if facts.funding not in (FundingStream.UNDECIDED, *fundings_of(lot)):
        raise BadInput(f"{lot.name} is paid for by the NHS (chc), under its own regulations", field="funding")
    if facts.legal_basis not in (None, scheme.legal_basis, *NHS_BASES):
        allowed = ", ".join((scheme.legal_basis, *NHS_BASES))
        raise BadInput(f"a joint package is bought under one of: {allowed}", field="legal_basis")
    if not lot.sets_budget and (facts.budget_pence is not None or facts.budget_weeks is not None):
        raise BadInput(f"lot {lot.key} sets no budget", field="budget_pence")
    if lot.sets_budget and facts.budget_weeks is not None and facts.budget_weeks > lot.budget_weeks:
        raise BadInput(f"a budget of lot {lot.key} lasts at most {lot.budget_weeks} weeks", field="budget_weeks")
    postcode = parse(confidential.postcode)
    if postcode.sector != facts.sector:
        raise BadInput("the sector is not that of the postcode", field="sector")
    if facts.locality not in {place.key for place in scheme.localities}:
        raise BadInput(f"{facts.locality!r} is no locality of scheme {scheme.key}", field="locality")
    locality = scheme.locality(facts.locality)
    if not lies_in(postcode, locality, scheme.localities):
        raise BadInput(f"{postcode.sector} does not lie in {locality.name}", field="locality")
