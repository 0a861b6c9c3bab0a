"""A worked example for each area contract of a scheme: made-up bids, evaluated by the code that decides. Pure."""

from collections.abc import Iterator

from bidding.tenders.content import AreaBid
from bidding.tenders.scoring import AreaEntry, AreaScore, score_area
from dps.kernel.money import in_pounds
from dps.schemes.area_contracts import AreaContract
from dps.schemes.model import Rating, Scheme
from dps.schemes.wording import plain, table

BIDDERS = (("Alder", 75, Rating.GOOD), ("Beech", 85, Rating.OUTSTANDING), ("Cedar", 95, Rating.NOT_RATED))
"""Made-up names, each price in percent of its ceiling or budget, and a rating."""


def worked_areas(scheme: Scheme) -> str:
    """The examples in Markdown, ending in a newline; nothing where no area is let."""
    lines = [line for one in scheme.area_contracts for line in _example(scheme, one)]
    return "\n".join(lines) + "\n" if lines else ""


def _example(scheme: Scheme, asked: AreaContract) -> Iterator[str]:
    locality = asked.localities[0]
    entries = [
        AreaEntry(
            bid=name,
            provider=name,
            content=_bid(scheme, asked, locality, number),
            rating_score=scheme.quality.scores[rating],
            recognition_score=scheme.recognition.without_evidence if scheme.recognition else 0,
            lot=number,
        )
        for number, (name, _, rating) in enumerate(BIDDERS)
    ]
    scores = score_area(entries, scheme, asked, locality)
    yield f"## A worked example: {plain(asked.name)} (`{asked.key}`)"
    yield ""
    yield "The names and prices are made up. Points are out of 100."
    yield ""
    yield from table(("bidder", "evaluated year", "price", "quality", "total", "place"), map(_row, scores))
    first = min((one for one in scores if one.place), key=lambda one: one.place or 0)
    yield ""
    yield f"{first.provider} is offered the contract. How its year was worked out:"
    yield ""
    yield from (f"- {plain(line)}" for line in first.working)
    yield ""


def _row(one: AreaScore) -> tuple[str, ...]:
    points = (one.price_points, one.quality_points, one.total_points)
    said = (f"{point // 1000}.{point % 1000 // 100}" for point in points)
    return (one.provider, in_pounds(one.yearly_pence), *said, str(one.place or "not valid"))


def _bid(scheme: Scheme, asked: AreaContract, locality: str, number: int) -> AreaBid:
    """Prices rise with the number, promises too; answers are the best there are."""
    percent = BIDDERS[number][1]
    answers = tuple(
        sorted(
            (one.key, max(one.answers, key=lambda key: (one.answers[key], key))) for one in scheme.evaluation.questions
        )
    )
    if not asked.areas:
        rates = sorted((one.key, one.ceiling_pence * percent // 100) for one in asked.elements)
        return AreaBid(rates=tuple(rates), answers=answers)
    targets = sorted((one.key, min(one.least_percent + 5 * number, 100)) for one in asked.targets)
    price = asked.area(locality).budget_pence * percent // 100
    return AreaBid(yearly_pence=price, targets=tuple(targets), answers=answers)
