"""The Scheme: everything that differs between councils, as one strict record.

A scheme file is TOML; `loader.py` reads it into this model and checks what spans several keys. Every key here is read
by a rule (a test walks the model), and the public rulebook is printed from it. Money is pence, weights are whole
numbers out of 100, windows are written as `5h` (elapsed), `8wh` (working hours) or `17:00+1wd` (by 17:00 on the
next working day).
"""

from datetime import date, time
from typing import Annotated, Literal

from pydantic import Field

from dps.kernel.calendar import Nation, WorkingCalendar
from dps.kernel.windows import WorkingHours
from dps.schemes.area_contracts import AreaContract
from dps.schemes.contracting import Blocks, Payment, Variations
from dps.schemes.custody import Custody
from dps.schemes.deciding import Allocation, Award, Evaluation, ScoredQuestion, Terms
from dps.schemes.demonstration import Demo
from dps.schemes.joining import Admission, AdmissionQuestion, ListShape, ProviderList, Quality
from dps.schemes.quality import Enablement, FollowUp, Indicator, Recognition
from dps.schemes.section import Section
from dps.schemes.vocabulary import (
    AllocationMode,
    EvaluationRule,
    Key,
    Lad,
    LegalBasis,
    Mode,
    Pence,
    Percent,
    PriceFormula,
    Rating,
    Reach,
    Tie,
    Urgency,
    WallTime,
    WindowText,
)

__all__ = [
    "Admission",
    "AdmissionQuestion",
    "Allocation",
    "AllocationMode",
    "Authority",
    "Award",
    "Blocks",
    "Closings",
    "Custody",
    "Demo",
    "DirectAward",
    "Envelope",
    "Evaluation",
    "EvaluationRule",
    "Hours",
    "Key",
    "Ladder",
    "LegalBasis",
    "ListShape",
    "Locality",
    "Lot",
    "Mode",
    "Open",
    "Payment",
    "Pence",
    "Percent",
    "PriceFormula",
    "ProviderList",
    "Publication",
    "Quality",
    "Rating",
    "Reach",
    "Scheme",
    "ScoredQuestion",
    "Section",
    "Stage",
    "Term",
    "Terms",
    "Tie",
    "Urgency",
    "Variations",
    "VisitRules",
    "WindowText",
]


class Authority(Section):
    """A buying body. `lads` are its local authority district codes (an NHS body has none of its own)."""

    key: Key
    name: str
    lads: tuple[Lad, ...] = ()


class Term(Section):
    """From `starts` (included) to `ends` (excluded). A DPS under the 2015 regulations must end.

    `reopened` are the days of an open framework's later awards.
    """

    starts: date
    ends: date | None = None
    reopened: tuple[date, ...] = ()


class Hours(Section):
    """The council's working day: what working hours and working days are counted in."""

    opens: WallTime = time(9)
    closes: WallTime = time(17)


class Envelope(Section):
    """The lawful price per carer-hour, in pence, floor and ceiling included.

    `starts` dates a new one; `localities`, where named, make it the envelope of that zone alone.
    """

    floor_pence_per_hour: Pence
    ceiling_pence_per_hour: Pence
    starts: date | None = None
    localities: tuple[Key, ...] = ()


class VisitRules(Section):
    """The least visit in minutes, and tasks that may be shorter."""

    least_minutes: int = Field(default=15, ge=5, le=120)
    shorter_tasks: dict[str, int] = Field(default_factory=dict)


class Lot(Section):
    """A service that can be bought. One that is `paid_by_nhs` is the NHS's own: nobody else pays for its packages."""

    key: Key
    name: str
    envelopes: tuple[Envelope, ...] = Field(min_length=1)
    offer_pence_per_hour: Pence | None = None
    skills: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    visits: VisitRules = VisitRules()
    sets_budget: bool = False
    budget_weeks: int = Field(default=6, ge=1, le=26)
    paid_by_nhs: bool = False

    def envelope_on(self, day: date, locality: str | None = None) -> Envelope:
        """The envelope in force on `day` in `locality`: its zone's own before the general one, then the latest.

        An undated one was there from the first; the loader refuses a lot without a general one for its whole term.
        """
        started = [
            envelope
            for envelope in self.envelopes
            if (envelope.starts is None or envelope.starts <= day)
            and (not envelope.localities or locality in envelope.localities)
        ]
        return max(started, key=lambda envelope: (bool(envelope.localities), envelope.starts or date.min))


class Locality(Section):
    """A named set of postcode districts or sectors, its neighbours, and when it goes live."""

    key: Key
    name: str
    districts: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()
    neighbours: tuple[Key, ...] = ()
    live_from: date | None = None


class Stage(Section):
    """One rung: who is asked, how far, how, and for how long.

    `closing` says whether a stage closes by itself after `window`, or at the first published closing that leaves
    at least `window`; where one is asked after another, each has `window` to answer. `keeps_earlier` leaves those
    invited before in ("also advertised to"). `speed_permitted` lets the first acceptance win outside a crisis: no
    scheme does that without having written it.
    """

    key: Key
    name: str
    lists: tuple[Key, ...] = Field(min_length=1)
    reach: Reach
    mode: Mode
    window: WindowText
    closing: Literal["own", "published"] = "own"
    keeps_earlier: bool = True
    speed_permitted: bool = False


class Ladder(Section):
    """The published order in which lists are asked, for these lots and urgencies. The end of a ladder is stated."""

    lots: tuple[Key, ...] = Field(min_length=1)
    urgencies: tuple[Urgency, ...] = Field(min_length=1)
    stages: tuple[Stage, ...] = Field(min_length=1)
    ends: Literal["unfilled"]


class Closings(Section):
    """Published times of day at which standard rounds close together, and the least time such a round stays open.

    Where a bid was lost by the engine's fault the opening waits up to `wait_after_loss` for a broker to decide; that it
    waits, and two working hours, are assumed.
    """

    times: tuple[WallTime, ...] = ()
    minimum: WindowText
    wait_after_loss: WindowText = WorkingHours(hours=2)


class Open(Section):
    """What happens to packages nobody took: how often the ladder restarts, and offers on the open list."""

    restart: WindowText
    open_list: bool = True
    placed_otherwise: tuple[str, ...] = ("off_list_spot", "in_house", "direct_payment", "care_home")


class DirectAward(Section):
    """Reasons for which a broker may award without a competition; each is recorded."""

    reasons: tuple[str, ...] = ()


class Publication(Section):
    """What providers may see of a referral: below `full_from_referrals` a year only locality, lot and schedule."""

    full_from_referrals: int = Field(default=200, ge=0)
    smallest_group: int = Field(default=5, ge=2)


class Retention(Section):
    """How long people are kept: months after the last day of care, and where no care was ever given."""

    served_months: int = Field(default=96, ge=12, le=600)
    unserved_months: int = Field(default=24, ge=6, le=600)


class Scheme(Section):
    """One council's rules. `assumed` lists, in words, what no paper says and the council chose.

    `bordering_lads` are the districts across the border, for stages that reach there. `demo` is no rule: it is left
    out of the rules' hash and of what is stored.
    """

    key: Annotated[Key, Field(max_length=32)]
    name: str
    colour: str = Field(default="#1d70b8", pattern=r"^#[0-9a-f]{6}$")
    legal_basis: LegalBasis
    nation: Nation = Nation.ENGLAND_WALES
    source: str
    assumed: tuple[str, ...] = ()
    authorities: tuple[Authority, ...] = Field(min_length=1)
    bordering_lads: tuple[Lad, ...] = ()
    term: Term
    hours: Hours = Hours()
    admission: Admission = Admission()
    quality: Quality
    lots: tuple[Lot, ...] = Field(min_length=1)
    localities: tuple[Locality, ...] = Field(min_length=1)
    lists: tuple[ProviderList, ...] = Field(min_length=1)
    ladders: tuple[Ladder, ...] = Field(min_length=1)
    closings: Closings
    evaluation: Evaluation
    allocation: Allocation
    ties: tuple[Tie, ...] = Field(min_length=1)
    award: Award
    unfilled: Open
    direct_award: DirectAward = DirectAward()
    publication: Publication = Publication()
    retention: Retention = Retention()
    variations: Variations = Variations()
    payments: tuple[Payment, ...] = ()
    blocks: Blocks | None = None
    area_contracts: tuple[AreaContract, ...] = ()
    custody: Custody | None = None
    enablement: Enablement | None = None
    follow_ups: tuple[FollowUp, ...] = ()
    indicators: tuple[Indicator, ...] = ()
    recognition: Recognition | None = None
    demo: Demo | None = None

    def lot(self, key: str) -> Lot:
        return next(lot for lot in self.lots if lot.key == key)

    def locality(self, key: str) -> Locality:
        return next(locality for locality in self.localities if locality.key == key)

    def payment(self, lot: str) -> Payment | None:
        """How this lot is paid for; None where it is not paid by statement."""
        return next((payment for payment in self.payments if lot in payment.lots), None)

    def area_contract(self, key: str) -> AreaContract:
        return next(one for one in self.area_contracts if one.key == key)

    def ladder(self, lot: str, urgency: Urgency) -> Ladder:
        """The first ladder that names this lot and urgency; the loader refuses a scheme that lacks one."""
        return next(ladder for ladder in self.ladders if lot in ladder.lots and urgency in ladder.urgencies)

    def calendar(self) -> WorkingCalendar:
        """The working calendar in which this scheme's windows run."""
        return WorkingCalendar(self.nation, opens=self.hours.opens, closes=self.hours.closes)

    def is_in_term(self, day: date) -> bool:
        """Whether the scheme runs on this (local) day: nothing is published outside its term."""
        return self.term.starts <= day and (self.term.ends is None or day < self.term.ends)
