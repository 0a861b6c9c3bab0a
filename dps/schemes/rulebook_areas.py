"""The rulebook's part on contracts for a whole area: which is bid for in which way, and on what volume of work."""

from collections.abc import Iterator, Sequence

from dps.kernel.money import in_pounds
from dps.schemes.area_contracts import AreaContract, BiddingModel
from dps.schemes.faults import listed
from dps.schemes.wording import UNITS, count, plain, table

MODELS = {
    BiddingModel.OUTCOMES: "a price for a year, within the area's budget, and how far each outcome will be reached",
    BiddingModel.RATE_CARD: "a rate for each element of the card",
    BiddingModel.SEPARATE_RATES: "one rate for each of the services, apart from each other",
}


def area_contracts(rules: Sequence[AreaContract]) -> Iterator[str]:
    """Each contract with its way of bidding, its volume or its budget, and how it is paid."""
    yield "## Contracts for a whole area"
    yield ""
    if not rules:
        yield "None: providers compete for packages only."
    for nth, one in enumerate(rules):
        if nth:
            yield ""
        yield from _contract(one)


def _contract(one: AreaContract) -> Iterator[str]:
    places = _either(one.localities)
    yield f"**{plain(one.name)}** (`{one.key}`), for {_keys(one.lots)} in {places}, one area at a time."
    yield ""
    yield f"- A bid says {MODELS[one.model]} (`{one.model}`)."
    yield (
        f"- Members of {_keys(one.lists)} for one of its lots may bid, sealed, for {count(one.days_open, 'day')} at "
        f"least. The contract runs for {count(one.years, 'year')}."
    )
    if one.model is BiddingModel.OUTCOMES:
        yield from _outcomes(one)
    else:
        yield from _rates(one)


def _rates(one: AreaContract) -> Iterator[str]:
    yield "- A bid is evaluated on this volume of work in a year, whatever the year will bring, and paid by its rates:"
    yield ""
    rows = [
        (
            f"{plain(element.name)} (`{element.key}`)",
            f"{element.units_a_year:,}",
            UNITS[element.unit],
            f"up to {in_pounds(element.ceiling_pence)}{', may be free' if element.may_be_free else ''}",
            f"`{element.lot}`" if element.lot else "none",
        )
        for element in one.elements
    ]
    yield from table(("element", "units a year", "unit", "rate", "standing prices of"), rows)
    yield ""
    yield (
        "Hours and nights of a service that the provider gives in the area by contracts for single people are read "
        "from the records of their visits; of everything else a statement says how much was delivered."
    )


def _outcomes(one: AreaContract) -> Iterator[str]:
    for area in one.areas:
        yield (
            f"- `{area.locality}`: a budget of {in_pounds(area.budget_pence)} a year. Today it costs "
            f"{in_pounds(area.spend_pence)} a year for {area.people:,} people and {area.hours:,} hours."
        )
    yield (
        f"- What is promised counts {count(one.target_points or 0, 'point')} of its quality beside the others, each "
        f"outcome by its own points, and {one.at_risk_percent}% of the price waits for it."
    )
    yield "- Each year costs its price, by the day: in a year with a 29th of February a day is its 366th part."
    yield f"- Within {one.tolerance_percent}% of the price the provider absorbs or keeps; beyond it, to discussion."
    yield ""
    rows = [(f"{plain(goal.name)} (`{goal.key}`)", f"{goal.least_percent}%", str(goal.points)) for goal in one.targets]
    yield from table(("outcome", "at least", "points"), rows)


def _keys(keys: Sequence[str]) -> str:
    return listed(f"`{key}`" for key in keys)


def _either(keys: Sequence[str]) -> str:
    """`a, b or c`."""
    *most, last = (f"`{key}`" for key in keys)
    return f"{', '.join(most)} or {last}" if most else last
