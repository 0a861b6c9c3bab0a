"""Why this bid and not another: sentences over one round's opened bids. Pure; the office alone reads them."""

from collections.abc import Mapping, Sequence

from bidding.looking.deciding import SeenBid
from dps.kernel.money import in_pounds

_FELL = {
    "declined": "declined the package",
    "returned": "returned the package",
    "expired": "did not answer in time, or could no longer take it",
    "refused_by_person": "was refused by the person",
    "overturned": "had its award overturned",
}


def explained(bids: Sequence[SeenBid], *, bid: str | None, tried: Mapping[str, str]) -> tuple[str, ...]:
    """What a broker is told of the bid that this award is of; nothing where it is of none.

    `tried` gives the state of the round's earlier awards by provider.
    """
    chosen = next((one for one in bids if one.bid == bid and one.is_valid), None)
    if chosen is None:
        return ()
    others = [one for one in bids if one.is_valid and one.bid != chosen.bid]
    before = [one for one in others if _rank(one) < _rank(chosen)]
    said = [
        f"It ranked {_ordinal(_rank(chosen))} of {len(others) + 1} valid bids."
        if others
        else "It was the only valid bid."
    ]
    said += [_why_not(one, tried) for one in before]
    cheapest = min(others, key=lambda one: (one.weekly_pence, _rank(one)), default=None)
    if cheapest is not None and cheapest.weekly_pence >= chosen.weekly_pence:
        said.append("No other valid bid costs less.")
    elif cheapest is not None and cheapest in before:
        less = in_pounds(chosen.weekly_pence - cheapest.weekly_pence)
        said.append(f"{cheapest.name} was the cheapest, {less} a week less.")
    elif cheapest is not None:
        said.append(_cheaper_but(cheapest, chosen))
    for one in bids:
        if not one.is_valid and one.weekly_pence < chosen.weekly_pence:
            less = in_pounds(chosen.weekly_pence - one.weekly_pence)
            reason = one.reasons[0] if one.reasons else "it could not be read."
            said.append(f"{one.name} asked {less} a week less, but its bid is not valid: {reason}")
    return tuple(said)


def _cheaper_but(cheapest: SeenBid, chosen: SeenBid) -> str:
    less = in_pounds(chosen.weekly_pence - cheapest.weekly_pence)
    return (
        f"The cheapest, {cheapest.name}, asks {less} a week less, but has {_points(cheapest.total_points)} points in "
        f"all against {_points(chosen.total_points)}: {_points(cheapest.price_points)} against "
        f"{_points(chosen.price_points)} for price, {_points(cheapest.quality_points)} against "
        f"{_points(chosen.quality_points)} for quality."
    )


def _why_not(one: SeenBid, tried: Mapping[str, str]) -> str:
    fell = _FELL.get(tried.get(one.provider, ""))
    if fell is not None:
        return f"{one.name} ranked {_ordinal(_rank(one))}, and {fell}."
    return (
        f"{one.name} ranked {_ordinal(_rank(one))}, but was not awarded this package: its own hours, limits or order "
        "of preference, or the other packages of this closing, left no room for it."
    )


def _rank(one: SeenBid) -> int:
    return one.rank or 0


def _points(thousandths: int) -> str:
    return f"{thousandths // 1000}.{thousandths % 1000 // 100}"


def _ordinal(number: int) -> str:
    words = {1: "first", 2: "second", 3: "third"}
    return words.get(number, f"number {number}")
