"""Outcomes and quality: rules that can be kept, figures that can be counted, a score that is whole."""

from collections.abc import Iterator

from dps.kernel.errors import meant
from dps.schemes.faults import Fault, fault, repeated
from dps.schemes.model import Evaluation, Lot, ProviderList, Tie
from dps.schemes.quality import SHARES, Enablement, FollowUp, Indicator, IndicatorKey, Recognition

_ASKED_AFTER = (IndicatorKey.INDEPENDENT, IndicatorKey.SATISFIED)


def failing_can_be_told_and_challenged(enablement: Enablement | None, lots: tuple[Lot, ...]) -> Iterator[Fault]:
    """Failing is counted of requests with a budget, and a challenge is possible before its notice ends."""
    if enablement is None:
        return
    if not any(lot.sets_budget for lot in lots):
        yield fault(("enablement",), "no lot sets a budget (sets_budget) whose outcomes could fail")
    if enablement.failures > enablement.of_last:
        yield fault(("enablement", "failures"), f"{enablement.failures} of {enablement.of_last} can't fail")
    if enablement.challenge_days > enablement.notice_days:
        yield fault(("enablement", "challenge_days"), f"are more than the notice of {enablement.notice_days} days")


def indicators_can_be_counted(
    indicators: tuple[Indicator, ...], follow_ups: tuple[FollowUp, ...], lots: tuple[Lot, ...]
) -> Iterator[Fault]:
    """People are followed up in known lots, an indicator that asks them says when, and shares alone have targets."""
    known_lots, known = {lot.key for lot in lots}, {one.key for one in follow_ups}
    for place, key in repeated([one.key for one in follow_ups]):
        yield fault(("follow_ups", place, "key"), f"{key!r} is used twice")
    for place, follow_up in enumerate(follow_ups):
        for nth, lot in enumerate(follow_up.lots):
            if lot not in known_lots:
                words = f"{lot!r} is no lot of this scheme{meant(lot, known_lots)}"
                yield fault(("follow_ups", place, "lots", nth), words)
    for place, one in enumerate(indicators):
        if one.key in _ASKED_AFTER and one.follow_up is None:
            yield fault(("indicators", place, "follow_up"), f"is missing: {one.key} is asked of people followed up")
        if one.follow_up is not None and one.follow_up not in known:
            where = ("indicators", place, "follow_up")
            yield fault(where, f"{one.follow_up!r} is no follow-up of this scheme{meant(one.follow_up, known)}")
        if one.target_percent is not None and one.key not in SHARES:
            yield fault(("indicators", place, "target_percent"), f"is no term of {one.key}, which is counted")


def recognition_is_whole(
    recognition: Recognition | None,
    evaluation: Evaluation,
    lists: tuple[ProviderList, ...],
    ties: tuple[Tie, ...],
) -> Iterator[Fault]:
    """The recognition's weights make 100, its lists are known, and where there is none nothing counts it."""
    if recognition is None:
        if evaluation.recognition_points:
            yield fault(("evaluation", "recognition_points"), "are given, but the scheme has no [recognition]")
        if Tie.HIGHER_RECOGNITION in ties:
            yield fault(("ties", ties.index(Tie.HIGHER_RECOGNITION)), "is named, but the scheme has no [recognition]")
        return
    total = (
        recognition.outcomes_weight
        + recognition.reliability_weight
        + recognition.punctuality_weight
        + recognition.complaints_weight
        + recognition.hand_backs_weight
    )
    if total != 100:
        yield fault(("recognition", "outcomes_weight"), f"the five weights make {total}, not 100")
    known = {one.key for one in lists}
    for key, least in recognition.least_scores.items():
        if key not in known:
            yield fault(("recognition", "least_scores", key), f"is no list of this scheme{meant(key, known)}")
        elif least > recognition.without_evidence:
            yield fault(
                ("recognition", "least_scores", key),
                f"is above the score without evidence ({recognition.without_evidence}): nobody new could join",
            )
