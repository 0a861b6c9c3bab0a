"""The rulebook's part about outcomes and quality: how they are found, followed up, reported, and scored."""

from collections.abc import Iterator

from dps.schemes.faults import listed
from dps.schemes.model import Scheme
from dps.schemes.quality import Enablement, FollowUp, Indicator, IndicatorKey, Recognition
from dps.schemes.wording import count, plain

INDICATORS = {
    IndicatorKey.OUTCOMES_MET: "outcomes met, of those agreed",
    IndicatorKey.INDEPENDENT: "people living at home, of those followed up",
    IndicatorKey.SATISFIED: "people satisfied (4 or 5 of 5), of those who said",
    IndicatorKey.LESS_NEED: "contracts that need fewer hours than at first, of those served",
    IndicatorKey.VISITS_DELIVERED: "visits delivered, of those due",
    IndicatorKey.VISITS_ON_TIME: "visits begun within their window, of those delivered",
    IndicatorKey.HOSPITAL_AVERTED: "hospital admissions averted by a flex",
    IndicatorKey.CARE_HOME_AVERTED: "care home admissions averted by a flex",
    IndicatorKey.HOSPITAL_ADMISSIONS: "people found in hospital when followed up, and pauses for a hospital stay",
    IndicatorKey.CARE_HOME_ADMISSIONS: "contracts that ended in a care home",
    IndicatorKey.SAFEGUARDING: "safeguarding investigations",
    IndicatorKey.COMPLAINTS_UPHELD: "complaints upheld",
    IndicatorKey.HAND_BACKS: "contracts handed back",
    IndicatorKey.SPEND: "spend, as stated and not withdrawn",
}


def quality_of_care(scheme: Scheme) -> Iterator[str]:
    """What is asked of outcomes and quality; what is not is said, too."""
    yield "## Outcomes and quality"
    yield ""
    yield from _enablement(scheme.enablement)
    yield from (f"- {_follow_up(one)}" for one in scheme.follow_ups)
    yield from (f"- Reported: {_indicator(one, scheme)}." for one in scheme.indicators)
    yield from _recognition(scheme.recognition)
    if not (scheme.enablement or scheme.follow_ups or scheme.indicators or scheme.recognition):
        yield "Nothing is asked beyond what is paid for."


def _enablement(rule: Enablement | None) -> Iterator[str]:
    if rule is None:
        return
    yield (
        f"- What the council found of a request's outcomes stands once the provider agrees, or has not answered for "
        f"{count(rule.answer_days, 'day')}; what it contests an approver settles."
    )
    yield (
        f"- A provider that failed {rule.failures} of its last {rule.of_last} requests with a budget fails "
        f"consistently. It is told {count(rule.notice_days, 'day')} ahead, may challenge for "
        f"{count(rule.challenge_days, 'day')}, and is then asked for no such request for {count(rule.weeks, 'week')}."
    )


def _follow_up(rule: FollowUp) -> str:
    since = {"start": "the first visit", "end": "the last visit"}[rule.since]
    lots = listed(f"`{key}`" for key in rule.lots)
    days = count(rule.days, "day")
    return f"{plain(rule.name)} (`{rule.key}`): people of {lots} are followed up {days} after {since}."


def _indicator(rule: Indicator, scheme: Scheme) -> str:
    names = {one.key: one.name for one in scheme.follow_ups}
    at = f", {plain(names.get(rule.follow_up, rule.follow_up))}" if rule.follow_up else ""
    target = f"; the target is {rule.target_percent}%" if rule.target_percent is not None else ""
    return f"{INDICATORS[rule.key]}{at} (`{rule.key}`){target}"


def _recognition(rule: Recognition | None) -> Iterator[str]:
    if rule is None:
        return
    yield (
        f"- Quality recognition: each provider has a published score out of 100 from its last "
        f"{count(rule.weeks, 'week')}: outcomes met count {rule.outcomes_weight}, visits delivered "
        f"{rule.reliability_weight}, visits on time {rule.punctuality_weight}, complaints {rule.complaints_weight}, "
        f"hand-backs {rule.hand_backs_weight}."
    )
    yield (
        f"- For one upheld complaint in ten contracts served {rule.complaint_points} points are taken off 100, for one "
        f"hand-back or failed start of the provider's {rule.hand_back_points}."
    )
    yield (
        f"- With fewer than {count(rule.least_contracts, 'contract')} served, and for a part that nothing is known of, "
        f"the score is {rule.without_evidence}."
    )
    yield f"- A provider may appeal for {count(rule.appeal_days, 'day')}; meanwhile its score before counts."
    for key, least in rule.least_scores.items():
        yield f"- The list `{key}` brings in nobody whose score is below {least}."
