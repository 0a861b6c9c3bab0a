"""Who may join: the base a provider must have, what it is asked, and what its rating is worth."""

from collections.abc import Iterator

from dps.schemes.faults import Fault, fault, repeated
from dps.schemes.model import (
    Admission,
    Authority,
    Ladder,
    ListShape,
    Locality,
    ProviderList,
    Quality,
    Rating,
    Reach,
)


def base_can_be_told(
    admission: Admission, authorities: tuple[Authority, ...], bordering_lads: tuple[str, ...]
) -> Iterator[Fault]:
    """A base is asked only where the authorities' own districts are stated, and none of those is across the border."""
    own = {lad for authority in authorities for lad in authority.lads}
    if admission.base_asked and not own:
        yield fault(("admission", "base_asked"), "no authority states its districts (lads), so no base can be told")
    for place, lad in enumerate(bordering_lads):
        if lad in own:
            yield fault(("bordering_lads", place), f"{lad} is the authorities' own")
    for place, lad in repeated(bordering_lads):
        yield fault(("bordering_lads", place), f"{lad} is named twice")


def questions_flag_what_their_kind_can_say(admission: Admission) -> Iterator[Fault]:
    """A number is flagged above a number, a yes or no when it is one of them, a text never."""
    for place, key in repeated([question.key for question in admission.questions]):
        yield fault(("admission", "questions", place, "key"), f"{key!r} is used twice")
    for place, question in enumerate(admission.questions):
        where = ("admission", "questions", place)
        if question.flag_above is not None and question.kind not in ("percent", "number"):
            yield fault((*where, "flag_above"), f"can't be asked of a {question.kind} answer")
        if question.flag_when is not None and question.kind != "yes_no":
            yield fault((*where, "flag_when"), f"can't be asked of a {question.kind} answer")


def every_rating_has_its_worth(quality: Quality) -> Iterator[Fault]:
    """Every rating that is accepted says what it scores, and "not rated" says so in any case."""
    if Rating.NOT_RATED not in quality.scores:
        yield fault(("quality", "scores", Rating.NOT_RATED), "is missing: say what a provider without a rating scores")
    if not quality.accepted:
        yield fault(("quality", "accepted"), "needs at least one rating, or nobody can be invited")
    for place, rating in repeated(quality.accepted):
        yield fault(("quality", "accepted", place), f"{rating!r} is named twice")
    for rating in quality.accepted:
        if rating not in quality.scores and rating is not Rating.NOT_RATED:
            yield fault(("quality", "scores", rating), "is missing: an accepted rating says what it scores")


def lists_keep_their_shape(
    lists: tuple[ProviderList, ...], ladders: tuple[Ladder, ...], localities: tuple[Locality, ...]
) -> Iterator[Fault]:
    """A list of one provider says no other number, and where each area has one its neighbours cover every ladder."""
    alone = {one.key for one in lists if one.shape is ListShape.ONE_PER_AREA} if len(localities) > 1 else set()
    for place, one in enumerate(lists):
        if one.most is not None and one.shape in (ListShape.SINGLE, ListShape.ONE_PER_AREA):
            yield fault(("lists", place, "most"), f"{one.shape} is one provider by itself")
    for place, ladder in enumerate(ladders):
        asked = {key for stage in ladder.stages for key in stage.lists}
        covered = {key for stage in ladder.stages if stage.reach is not Reach.LOCALITY for key in stage.lists}
        for key in sorted(asked & alone - covered):
            yield fault(("ladders", place), f"no stage asks the neighbours of list {key!r}: one provider has no cover")
