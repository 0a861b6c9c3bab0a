"""What a scheme says of the time after the award: how a contract may vary, and how it is paid.

A variation whose section is missing is not allowed, but for a hand-back, which then needs no notice. A lot without a
payment is not paid by statement.
"""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from dps.contracts.reasons import HandBackReason
from dps.schemes.section import Section
from dps.schemes.vocabulary import Key, Pence, Percent

Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class Exclusion(Section):
    """A circumstance of the person in which nothing is flexed, from `starts` (included) to `ends` (excluded)."""

    circumstance: Word
    starts: date | None = None
    ends: date | None = None

    def excludes_on(self, day: date) -> bool:
        return (self.starts is None or self.starts <= day) and (self.ends is None or day < self.ends)


class Flex(Section):
    """More support at once for a person already served: the provider decides alone, within these limits.

    `weekly_limit_pence` is for one person in any seven days; above it an authorised officer signs. `backdated_days`
    says how late the council may be told. `begun_by` names who may start it, `groups` for whom. What an admission that
    was averted would have cost is counted as saved.
    """

    most_hours_a_day: int = Field(ge=1, le=24)
    most_days: int = Field(ge=1, le=28)
    weekly_limit_pence: Pence
    groups: tuple[Word, ...] = Field(min_length=1)
    begun_by: tuple[Word, ...] = Field(min_length=1)
    exclusions: tuple[Exclusion, ...] = ()
    charged_to_person: bool = False
    backdated_days: int = Field(default=1, ge=0, le=7)
    hospital_admission_pence: Pence = 0
    care_home_admission_pence: Pence = 0


class Reduction(Section):
    """A provider that holds `document` as a trusted assessor may reduce a package, down to this much below the first
    agreement."""

    document: Word
    most_percent: Percent


class Review(Section):
    """A provider may propose a change from `earliest_weeks` after the first visit; the council reviews by `due_weeks`.

    The provider never decides it.
    """

    earliest_weeks: int = Field(ge=0, le=52)
    due_weeks: int = Field(ge=1, le=52)


class Retainer(Section):
    """What keeps a provider's place while the service is paused, if it restarts within `most_weeks`."""

    most_weeks: int = Field(ge=1, le=26)
    percent: Percent


class Increase(Section):
    """How much above the first agreement a package may grow without a competition."""

    most_percent: Percent


class Uplift(Section):
    """By how much, in hundredths of a percent, a lot's contracted prices may rise at one date."""

    most_basis_points: int = Field(ge=1, le=5000)


class HandBack(Section):
    """How many days ahead a provider gives notice, and the reasons for which it need not."""

    notice_days: int = Field(ge=0, le=365)
    without_notice: tuple[HandBackReason, ...] = ()


class RunOff(Section):
    """What may become of the contracts that a suspended provider runs, all together, and how the move is made.

    `ways` are those of a suspension. A transfer ends at most `transfer_days` ahead. In the advice on who could take
    them over, each further provider in a locality costs `keep_together_pence`, so that a caseload stays together.
    """

    ways: tuple[Literal["continue", "transfer", "end_now"], ...] = Field(min_length=1)
    transfer_days: int = Field(ge=1, le=180)
    keep_together_pence: Pence


class Variations(Section):
    """How contracts of this scheme may change. What is missing is not allowed; a hand-back then needs no notice."""

    flex: Flex | None = None
    reduction: Reduction | None = None
    review: Review | None = None
    retainer: Retainer | None = None
    increase: Increase | None = None
    uplift: Uplift | None = None
    hand_back: HandBack | None = None
    run_off: RunOff | None = None


class Blocks(Section):
    """Hours that are bought in blocks, used or not, for these lots: what is unused is offered before the ladder begins.

    A package that is served from them costs nothing more.
    """

    lots: tuple[Key, ...] = Field(min_length=1)


class PaymentModel(StrEnum):
    """How a statement is reckoned; one calculator each in `dps/contracts/payment`."""

    DELIVERED = "delivered"
    COMMISSIONED = "commissioned"
    OUTCOME_BUDGET = "outcome_budget"
    SHARE_AT_RISK = "share_at_risk"
    TIERS = "tiers"
    BANDS = "bands"
    CAPITATED = "capitated"


class WeeklyPrice(Section):
    """What one person in this tier or band is paid for, a week."""

    key: Key
    name: str
    weekly_pence: Pence


class Payment(Section):
    """How these lots are paid for; of `tiers`, a contract placed in none is paid what was delivered.

    A visit's time counts in `minutes`, up to `tolerance_minutes` over its plan, or as a whole `visit` unless it is more
    than `tolerance_minutes` short. `at_risk_percent` is paid on outcomes or performance. `area_budgets` are a year's,
    by locality; beyond `tolerance_percent` of them the difference goes to discussion.
    """

    lots: tuple[Key, ...] = Field(min_length=1)
    model: PaymentModel
    counts: Literal["minutes", "visit"] = "minutes"
    tolerance_minutes: int = Field(default=0, ge=0, le=60)
    late_cancellation_paid: bool = False
    chargeable: bool = True
    at_risk_percent: Percent | None = None
    weekly_prices: tuple[WeeklyPrice, ...] = ()
    area_budgets: dict[Key, Pence] = Field(default_factory=dict)
    tolerance_percent: Percent | None = None
