"""The words for what a scheme's keys mean, and the few shapes of Markdown in which they are printed."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from dps.kernel.calendar import Nation
from dps.kernel.windows import ByWorkingDay, Window
from dps.schemes.area_contracts import Unit
from dps.schemes.faults import listed
from dps.schemes.model import EvaluationRule, LegalBasis, ListShape, Mode, PriceFormula, Reach, Tie, Urgency

NATIONS = {
    Nation.ENGLAND_WALES: "England and Wales",
    Nation.SCOTLAND: "Scotland",
    Nation.NORTHERN_IRELAND: "Northern Ireland",
}
LEGAL_BASES = {
    LegalBasis.PCR2015_DPS: "a dynamic purchasing system under the Public Contracts Regulations 2015",
    LegalBasis.LIGHT_TOUCH_FRAMEWORK: "a framework under the light-touch rules for social services",
    LegalBasis.OPEN_FRAMEWORK: "an open framework under the Procurement Act 2023",
    LegalBasis.DYNAMIC_MARKET: "a dynamic market under the Procurement Act 2023",
    LegalBasis.NHS_2013: "the NHS's procurement regulations of 2013",
    LegalBasis.PSR: "the Provider Selection Regime of the Health Care Services Regulations 2023",
}
URGENCIES = {
    Urgency.STANDARD: "standard",
    Urgency.URGENT: "urgent",
    Urgency.DISCHARGE: "hospital discharge",
    Urgency.CRISIS: "crisis",
}
MODES = {
    Mode.DIRECT_AWARD: "it is awarded directly, for a recorded reason",
    Mode.RANKED_OFFER: "it is offered to one provider after another, in ranked order",
    Mode.FIRST_ACCEPTANCE: "the first provider who accepts has it",
    Mode.ACCEPTANCE_WINDOW: "acceptances are gathered to the end; a published order decides between them, never speed",
    Mode.SEALED_BID: "providers send sealed bids, which nobody can read before the closing",
}
REACHES = {
    Reach.LOCALITY: "members for the person's own locality",
    Reach.NEIGHBOURS: "members for the person's locality and its neighbours",
    Reach.SCHEME: "members for any locality of the scheme",
    Reach.BORDER: "members for any locality of the scheme, those based across the border among them",
}
EVALUATIONS = {
    EvaluationRule.LOWEST_PRICE: "The lowest price is ranked first.",
    EvaluationRule.PRICE_QUALITY: "Price and quality are both scored, and the highest total is ranked first.",
    EvaluationRule.ONGOING_RATE: "The lowest hourly rate for the ongoing support is ranked first: it applies after the "
    "budget's weeks, and to the whole package where no budget is set.",
}
FORMULAS = {
    PriceFormula.LOWEST_OVER_BID: "the lowest price of the package, divided by the bid's price",
    PriceFormula.LINEAR_IN_ENVELOPE: "the bid's place between the ceiling (nothing) and the floor (everything)",
    PriceFormula.FIXED_PRICE: "fixed: every bid is at the published price, and quality alone decides",
}
TIES = {
    Tie.EARLIER_START: "the earlier start",
    Tie.EXISTING_PROVIDER: "the provider who already serves the person",
    Tie.OWN_PREFERENCE: "the provider's own order of preference",
    Tie.FEWER_HOURS_28_DAYS: "fewer hours won in this locality in the last 28 days",
    Tie.HIGHER_RECOGNITION: "the higher score of the quality recognition",
    Tie.LOT: "the lot, drawn from a seed that neither side chooses",
}
SHAPES = {
    ListShape.SINGLE: "one provider, for the whole of the scheme",
    ListShape.ONE_PER_AREA: "one provider in each locality, for which its neighbours give cover",
    ListShape.SEVERAL: "several providers, each for the whole of the scheme",
    ListShape.SEVERAL_PER_AREA: "several providers, each for the localities it chose",
}
ARRANGEMENTS = {
    "lead": "a lead with subcontractors, who answers for them",
    "consortium": "a consortium that makes one bid and shares what is paid",
}
UNITS = {
    Unit.HOUR: "carer-hour",
    Unit.NIGHT: "night",
    Unit.WEEK: "week",
    Unit.CALL_OUT: "call-out",
    Unit.PLAN: "plan",
    Unit.REVIEW: "review",
}
TERMS = {
    "coverage_pence": "for each active provider missing in a locality",
    "coverage_target": "active providers wanted in each locality",
    "entry_pence": "for a provider's first work in a locality",
    "quality_pence_per_point_hour": "for each point of quality short of 100, for each hour",
    "start_delay_pence_per_day": "for each day that care starts later",
    "waited_pence_per_day": "for each day that the person has waited already",
    "locality_share_cap_percent": "of a locality's minutes at most, for one provider, but for its first package there",
    "awards_cap": "awards of one closing at most, for one provider",
    "stability_pence": "for each award that differs from the proposal before",
    "unplaced_pence_per_hour": "for each weekly hour that stays unplaced",
}


def plain(text: str) -> str:
    """Text of the file, kept from being read as Markdown or HTML."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def word(text: str) -> str:
    """A value such as `check_medication` as people write it."""
    return plain(text).replace("_", " ")


def words(texts: Sequence[str]) -> str:
    """Such values in a row, or `none`."""
    return listed(map(word, texts)) if texts else "none"


def count(number: int, unit: str) -> str:
    """`1 day`, `10 days`."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def as_percent(basis_points: int) -> str:
    """`2.5%`, from hundredths of a percent."""
    whole, rest = divmod(basis_points, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + "%"


def bullets(texts: Sequence[str], if_none: str) -> Iterator[str]:
    """A line for each text, or the one that says there are none."""
    yield from (f"- {plain(text)}" for text in texts) if texts else (if_none,)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table."""
    for row in (heads, ["---"] * len(heads), *rows):
        yield f"| {' | '.join(row)} |"


def day_words(day: date) -> str:
    """`1 October 2017`."""
    return f"{day.day} {day:%B %Y}"


def within(window: Window) -> str:
    """`within 5 hours`, `by 17:00 on the next working day`."""
    return window.words() if isinstance(window, ByWorkingDay) else f"within {window.words()}"


def at_least(window: Window) -> str:
    """`at least 4 working hours`, `at least until 17:00 on the next working day`."""
    words = window.words()
    return f"at least until {words.removeprefix('by ')}" if isinstance(window, ByWorkingDay) else f"at least {words}"


def at_most(window: Window) -> str:
    """`for at most 2 working hours`, `at most until 17:00 on the next working day`."""
    words = window.words()
    return f"at most until {words.removeprefix('by ')}" if isinstance(window, ByWorkingDay) else f"for at most {words}"
