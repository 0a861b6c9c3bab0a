"""The rulebook's chapters on deciding: how bids are ranked, packages allocated, ties parted, awards made."""

from collections.abc import Iterator, Mapping, Sequence

from dps.kernel.money import in_pounds
from dps.schemes.faults import listed
from dps.schemes.model import (
    Allocation,
    AllocationMode,
    Award,
    Evaluation,
    ScoredQuestion,
    Tie,
    Urgency,
)
from dps.schemes.wording import (
    EVALUATIONS,
    FORMULAS,
    TERMS,
    TIES,
    URGENCIES,
    count,
    plain,
    within,
)


def evaluation(evaluation: Evaluation) -> Iterator[str]:
    yield "## How bids for one package are ranked"
    yield ""
    yield f"- {EVALUATIONS[evaluation.rule]}"
    yield f"- Price counts {evaluation.price_weight} and quality {evaluation.quality_weight} of 100."
    yield f"- The price's score is {FORMULAS[evaluation.formula]}."
    parts = [f"the answer to `{question.key}` counts {question.points}" for question in evaluation.questions]
    if evaluation.rating_points:
        parts.insert(0, f"the rating's score counts {evaluation.rating_points}")
    if evaluation.recognition_points:
        parts.append(f"the quality recognition's score counts {evaluation.recognition_points}")
    if parts:
        yield f"- Quality is scored out of 100, as a weighted mean: {listed(parts)}."
    yield from (f"- {_scored(question)}" for question in evaluation.questions)
    yield (
        f"- A bid {evaluation.low_below_mean_percent}% below the mean of its package, or "
        f"{evaluation.low_below_next_percent}% below the next bid, is looked at as abnormally low."
    )


def _scored(question: ScoredQuestion) -> str:
    answers = listed(f"`{answer}` scores {score}" for answer, score in question.answers.items()) or "no answer scores"
    return f"Question `{question.key}` ({question.points} points): {plain(question.text)} {answers}."


def allocation(allocation: Allocation) -> Iterator[str]:
    yield "## How packages that close together are allocated"
    yield ""
    if allocation.mode is AllocationMode.JOINT:
        yield "All packages of a closing are solved together. These terms are weighed, at these prices a week:"
    else:
        yield "Each package by itself: the best-ranked bid wins. Where a provider's own limits bind, it keeps the"
        yield "packages it preferred, and the others pass to the next bid."
        if allocation.joint_as_advice:
            yield "The joint answer is shown beside it as advice, and labelled so. It weighs:"
    yield ""
    for name in type(allocation.terms).model_fields:
        value = getattr(allocation.terms, name)
        if value is not None:
            published = "published" if name in allocation.published else "not published"
            yield f"- {_term(name, value)} {TERMS[name]} (`{name}`, {published})"


def _term(name: str, value: int | Mapping[Urgency, int]) -> str:
    if isinstance(value, Mapping):
        return listed(f"{in_pounds(pence)} ({URGENCIES[urgency]})" for urgency, pence in value.items())
    if name.endswith("_percent"):
        return f"{value}%"
    return in_pounds(value) if "pence" in name else str(value)


def ties(ties: Sequence[Tie]) -> Iterator[str]:
    yield "## What parts equal bids"
    yield ""
    yield from (f"{place}. {TIES[tie]}" for place, tie in enumerate(ties, start=1))


def award(award: Award) -> Iterator[str]:
    yield "## After the ranking"
    yield ""
    for urgency, window in award.acceptance.items():
        yield f"- An offer is answered {within(window)} ({URGENCIES[urgency]})."
    yield f"- An accepted award is confirmed {within(award.confirmation)}."
    hours = count(award.return_hours, "hour")
    yield f"- After disclosure a provider may return it for {hours}, with a reason, without a penalty."
    if award.automatic_to_pence is not None:
        yield f"- An award of up to {in_pounds(award.automatic_to_pence)} a week needs no person's approval."
    else:
        yield "- Every award needs a broker's approval."
    if award.second_person_above_pence is not None:
        yield f"- An award above {in_pounds(award.second_person_above_pence)} a week needs a second person's approval."
    yield f"- A bid stands after its closing, so that it can be taken as a reserve {within(award.bid_valid)}."
    yield f"- The agreed start may move once, by at most {count(award.start_moves_days, 'day')}."
