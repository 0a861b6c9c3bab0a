"""A worked example of an award under a scheme's own rules: made-up bids, scored and allocated by the code that decides.

Two packages of the first lot close together; one bidder can take only one of them. Where no stage takes sealed bids the
example says how the first stage finds its provider instead. Examples for whole areas follow, where they are let. Pure.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from bidding.allocation.instance import policy_of, unplaced_pence
from bidding.bids.content import Asked, BidContent
from bidding.evaluation import Entry, Score, score_round
from bidding.referrals import PRIORITY
from bidding.tenders.example import worked_areas
from dps.kernel.money import Band, PriceBasis, RateCard, in_pounds, round_half_up
from dps.packages.schedule import parse_schedule
from dps.schemes.model import Lot, Mode, Rating, Scheme, Stage, Urgency
from dps.schemes.wording import MODES, plain, table
from matching import allocation as solver

VISITS = (
    "Mon-Sun 08:00-10:00 60m personal_care",
    "Mon-Sun 08:00-10:00 30m personal_care; Mon-Fri 17:00-19:00 30m meal",
)
BIDDERS = (("Alder", 40, Rating.GOOD), ("Beech", 55, Rating.OUTSTANDING), ("Cedar", 70, Rating.NOT_RATED))
"""Made-up names, how far each price lies from the floor towards the ceiling in percent, and a rating."""


def worked_example(scheme: Scheme) -> str:
    """The example in Markdown, ending in a newline."""
    lot = scheme.lots[0]
    stages = scheme.ladder(lot.key, Urgency.STANDARD).stages
    sealed = next((stage for stage in stages if stage.mode is Mode.SEALED_BID), None)
    lines = _competed(scheme, lot, sealed) if sealed else _offered(lot, stages[0])
    award = "\n".join(("## A worked example of an award", "", *lines)) + "\n"
    areas = worked_areas(scheme)
    return f"{award}\n{areas}" if areas else award


def _offered(lot: Lot, stage: Stage) -> Iterator[str]:
    minutes = parse_schedule(VISITS[0]).weekly_minutes
    price = lot.offer_pence_per_hour
    yield f"Nobody bids under these rules: in stage `{stage.key}` {MODES[stage.mode]}."
    yield ""
    if price is not None:
        weekly = in_pounds(round_half_up(minutes * price, 60))
        yield f"A package of {minutes // 60} hours a week is worth {weekly} a week at the published {in_pounds(price)}."


def _competed(scheme: Scheme, lot: Lot, stage: Stage) -> Iterator[str]:
    """Scores of both packages, and who is awarded which."""
    names = ("First package", "Second package")
    scored = [score_round(_entries(scheme, lot, visits), evaluation=scheme.evaluation, ties=scheme.ties)
              for visits in VISITS]  # fmt: skip
    first = BIDDERS[0][0]
    yield (
        f"Two packages of {plain(lot.name)} close together in stage `{stage.key}`. The names and prices are made up, "
        f"and {first} can take one package only. Points are out of 100."
    )
    for name, visits, scores in zip(names, VISITS, scored, strict=True):
        yield ""
        yield f"**{name}**, `{visits}`:"
        yield ""
        heads = ("bidder", "an hour", "a week", "price", "quality", "total", "rank")
        yield from table(heads, (_row(lot, scheme, score, share) for score, (_, share, _) in _with(scores)))
    result = solver.solve(_instance(scheme, scored), lot_seed=bytes(32), in_process=True)
    yield ""
    for award in sorted(result.awards, key=lambda one: one.package):
        name = names[int(award.package) - 1]
        yield f"- {name}: awarded to {award.provider} at {in_pounds(award.weekly_pence)} a week."
    for left in result.unplaced:
        yield f"- {names[int(left.package) - 1]}: not placed. {plain(left.words)}"


def _with(scores: Sequence[Score]) -> Iterator[tuple[Score, tuple[str, int, Rating]]]:
    return zip(scores, BIDDERS, strict=True)


def _row(lot: Lot, scheme: Scheme, score: Score, share: int) -> tuple[str, ...]:
    def points(thousandths: int) -> str:
        return f"{thousandths // 1000}.{thousandths % 1000 // 100}"

    return (
        score.provider,
        in_pounds(_rate(lot, scheme, share)),
        in_pounds(score.weekly_pence),
        points(score.price_points),
        points(score.quality_points),
        points(score.total_points),
        str(score.rank),
    )


def _rate(lot: Lot, scheme: Scheme, share: int) -> int:
    envelope = lot.envelope_on(scheme.term.starts)
    width = envelope.ceiling_pence_per_hour - envelope.floor_pence_per_hour
    return envelope.floor_pence_per_hour + width * share // 100


def _entries(scheme: Scheme, lot: Lot, visits: str) -> list[Entry]:
    day = scheme.term.starts
    asked = Asked(
        schedule=parse_schedule(visits),
        earliest_start=day,
        latest_start=day + timedelta(days=7),
        other_minutes_allowed=False,
        lot=lot,
        envelope=lot.envelope_on(day),
        questions=scheme.evaluation.questions,
    )
    return [
        Entry(
            bid=name,
            provider=name,
            content=BidContent(
                card=RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: _rate(lot, scheme, share)}),
                starts_on=_starts(day, number),
                answers=_answers(scheme, number),
            ),
            asked=asked,
            rating_score=scheme.quality.scores[rating],
            is_existing_provider=False,
            minutes_won_28_days=0,
        )
        for number, (name, share, rating) in enumerate(BIDDERS)
    ]


def _starts(day: date, number: int) -> date:
    return day + timedelta(days=number)


def _answers(scheme: Scheme, number: int) -> tuple[tuple[str, str], ...]:
    """The first bidder gives the best answers, the others the next best there is."""
    found = []
    for question in scheme.evaluation.questions:
        best = sorted(question.answers, key=lambda key: (-question.answers[key], key))
        found.append((question.key, best[min(number, len(best) - 1)]))
    return tuple(sorted(found))


def _instance(scheme: Scheme, scored: Sequence[Sequence[Score]]) -> solver.Instance:
    return solver.Instance(
        packages=tuple(
            solver.Package(
                ref=str(number),
                locality=scheme.localities[0].key,
                weekly_minutes=scores[0].weekly_minutes,
                priority=PRIORITY[Urgency.STANDARD],
                unplaced_pence=unplaced_pence(scheme, Urgency.STANDARD, scores[0].weekly_minutes),
            )
            for number, scores in enumerate(scored, start=1)
        ),
        providers=tuple(
            solver.Provider(ref=name, max_packages=1 if number == 0 else None)
            for number, (name, _, _) in enumerate(BIDDERS)
        ),
        bids=tuple(
            solver.Bid(
                ref=f"{number}-{score.bid}",
                provider=score.provider,
                packages=(str(number),),
                weekly_pence=score.weekly_pence,
                weekly_minutes=score.weekly_minutes,
                quality=round_half_up(score.quality_points, 1000),
                start_delay_days=place,
                preference=number,
                rank=score.rank,
                tie=score.ties,
            )
            for number, scores in enumerate(scored, start=1)
            for place, score in enumerate(scores)
            if score.is_valid
        ),
        policy=policy_of(scheme, Mode.SEALED_BID),
    )
