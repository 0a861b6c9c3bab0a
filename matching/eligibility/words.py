"""The words for every "no" (law 8): whole to brokers, with care to providers, in counts to auditors.

A provider never learns of a confidential exclusion, nor of a skill or flag that the published part keeps back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from dps.kernel.calendar import LONDON
from matching.eligibility.assess import Assessment
from matching.eligibility.day_span import MINUTES_A_DAY
from matching.eligibility.need import DirectRoute
from matching.eligibility.one_change import OneChange
from matching.eligibility.reason import Fact, Reason
from matching.eligibility.rules import rule

NOT_INVITED = "You were not invited to this package."


@dataclass(frozen=True, slots=True)
class Wording:
    """One rule's sentences. `{name}` stands for a fact of the reason; `guarded` speaks to a provider without naming
    what the person needs, where `provider` names it; `change` completes "Had …, n more would have been eligible"."""

    broker: str
    provider: str
    auditor: str
    change: str | None = None
    guarded: str | None = None


WORDINGS: dict[str, Wording] = {
    "not_the_provider_asked": Wording(
        broker="This stage asks one named provider ({route}), and this is not it.",
        provider="This package was offered to one named provider ({route}).",
        auditor="one named provider was asked",
        change="the package not been kept for one named provider",
    ),
    "confidential_exclusion": Wording(
        broker="Excluded for this person; the reason stands with the referral and is confidential.",
        provider=NOT_INVITED,
        auditor="not invited",
    ),
    "asked_before": Wording(
        broker="An earlier stage asked it, and this stage asks others.",
        provider="You were asked at an earlier stage of this package.",
        auditor="asked at an earlier stage",
        change="the stage kept those asked before",
    ),
    "removed": Wording(
        broker="It has been removed from the list ({localities}).",
        provider="You have been removed from the list ({localities}).",
        auditor="removed from the list",
    ),
    "suspended": Wording(
        broker="It is suspended ({localities}) until {until}.",
        provider="You are suspended from new work here until {until}. Your service says why.",
        auditor="suspended",
    ),
    "not_a_member": Wording(
        broker="It is not on the lists asked ({lists}) for {lot} in the localities asked.",
        provider="You are not on the lists asked ({lists}) for {lot} in the localities asked.",
        auditor="not on the lists asked",
        change="more lists or localities been asked",
    ),
    "membership_not_begun": Wording(
        broker="Its membership begins on {starts_at}.",
        provider="Your membership begins on {starts_at}.",
        auditor="membership not begun",
        change="memberships already granted begun earlier",
    ),
    "membership_ended": Wording(
        broker="Its membership ended on {ended_at}.",
        provider="Your membership ended on {ended_at}.",
        auditor="membership ended",
        change="memberships that ended been renewed",
    ),
    "quality_score_too_low": Wording(
        broker="Its quality score is {score}; the lists asked want {least} or more.",
        provider="Your quality score is {score}; the lists asked want {least} or more.",
        auditor="quality score too low",
        change="the lists asked wanted a lower quality score",
    ),
    "no_base_in_area": Wording(
        broker="It has no registered location in the area asked{is_across_the_border}.",
        provider="You have no registered location in the area asked{is_across_the_border}.",
        auditor="no registered location in the area",
        change="the stage taken providers based outside the area",
    ),
    "rating_not_accepted": Wording(
        broker="No location that counts has an accepted rating (found: {ratings}).",
        provider="The scheme does not accept the rating of your registered locations ({ratings}).",
        auditor="rating not accepted",
        change="the scheme accepted their rating",
    ),
    "document_missing": Wording(
        broker="It has not given: {kinds}.",
        provider="You have not given: {kinds}. Add it to your documents.",
        auditor="a required document missing",
        change="every provider given the documents required",
    ),
    "document_expired": Wording(
        broker="Expired: {kinds} (last good day {expired_on}).",
        provider="Expired: {kinds} (last good day {expired_on}). Give the new one to be asked again.",
        auditor="a required document expired",
        change="expired documents been renewed",
    ),
    "skill_missing": Wording(
        broker="It does not state the skills needed: {skills}.",
        provider="The package needs skills that you have not stated: {skills}.",
        guarded="The package needs a skill that you have not stated.",
        auditor="a skill missing",
        change="they had the skills needed",
    ),
    "flag_not_accepted": Wording(
        broker="It does not accept: {flags}.",
        provider="There is something at the address that you do not accept: {flags}.",
        guarded="There is something at the address that you do not accept.",
        auditor="something at the address not accepted",
        change="they accepted what there is at the address",
    ),
    "outside_service_hours": Wording(
        broker="It works {serves_from}–{serves_to}; the visits need {visits_from}–{visits_to}.",
        provider="You work {serves_from}–{serves_to}; the visits need {visits_from}–{visits_to}.",
        auditor="visits outside the hours worked",
        change="the visits kept to the hours that they work",
    ),
    "too_few_carers": Wording(
        broker="The visits take {carers_needed} carers at once; it does not send so many.",
        provider="The visits take {carers_needed} carers at once; you have said that you do not send so many.",
        auditor="too few carers at once",
        change="one carer been enough",
    ),
    "full": Wording(
        broker="It says that it is full.",
        provider="You have said that you are full.",
        auditor="full",
        change="they not said that they are full",
    ),
    "declaration_expired": Wording(
        broker="Its declaration of free hours expired on {expired_at}.",
        provider="Your declaration of free hours expired on {expired_at}. Declare your hours to be asked again.",
        auditor="declaration of free hours expired",
        change="their free hours been declared anew",
    ),
    "too_few_free_minutes": Wording(
        broker="The package takes {needed} a week; it has {free} free.",
        provider="The package takes {needed} a week; you have {free} free.",
        auditor="too few free hours",
        change="they had the free hours",
    ),
    "too_few_free_minutes_in_locality": Wording(
        broker="The package takes {needed} a week; it has {free} free in {locality}.",
        provider="The package takes {needed} a week; you have {free} free in {locality}.",
        auditor="too few free hours in the locality",
        change="they had the free hours in that locality",
    ),
    "package_limit_reached": Wording(
        broker="Its own limit of packages is reached.",
        provider="Your own limit of packages is reached by your open bids and offers.",
        auditor="own limit of packages reached",
        change="they not limited their packages",
    ),
    "minutes_limit_reached": Wording(
        broker="The package takes {needed} a week; its own limit leaves {left}.",
        provider="The package takes {needed} a week; your own limit leaves {left}.",
        auditor="own limit of hours reached",
        change="they not limited their hours",
    ),
    "starts_limit_reached": Wording(
        broker="Its own limit of starts in that week is reached.",
        provider="Your own limit of starts in that week is reached.",
        auditor="own limit of starts reached",
        change="they not limited their starts in that week",
    ),
    "can_not_start_in_time": Wording(
        broker="It is free from {free_from}; the latest start is {start_by}.",
        provider="You are free from {free_from}; the latest start is {start_by}.",
        auditor="free too late",
        change="the start been allowed later",
    ),
}


def for_broker(reason: Reason) -> str:
    """One whole sentence about the provider, with its facts."""
    return _filled(WORDINGS[reason.code].broker, reason)


def for_provider(assessment: Assessment, *, may_name_needs: bool = False) -> tuple[str, ...]:
    """The provider's own reasons, one sentence each; none if it is eligible.

    A confidential exclusion is left out; if nothing else barred the provider it hears that it was not invited, and no
    reason. Skills and flags are named only with `may_name_needs`: where the published part names them too.
    """
    told = [reason for reason in assessment.reasons if not rule(reason.code).is_confidential]
    if assessment.reasons and not told:
        return (NOT_INVITED,)
    sentences = []
    for reason in told:
        wording = WORDINGS[reason.code]
        guarded = None if may_name_needs else wording.guarded
        sentences.append(guarded or _filled(wording.provider, reason))
    return tuple(sentences)


def for_auditor(code: str, providers: int) -> str:
    """How many providers one rule kept out; never which, and never why a person was kept from one."""
    return f"{_counted(providers, 'provider')}: {WORDINGS[code].auditor}."


def in_short(code: str) -> str:
    """What one rule says, without the facts that a stored report leaves out; names nobody's needs."""
    return WORDINGS[code].auditor


def in_one_line(change: OneChange) -> str:
    """What one rule alone would have changed."""
    clause = WORDINGS[change.code].change
    if change.needs == 1:
        return f"Had {clause}, {_counted(change.providers, 'more provider')} would have been eligible."
    return (
        f"Had {clause}, {_counted(change.providers, 'provider')} would have been eligible "
        f"{change.pairs} more times, over {change.needs} referrals."
    )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _filled(sentence: str, reason: Reason) -> str:
    return sentence.format(**{name: _said(name, value) for name, value in reason.facts})


def _said(name: str, value: Fact) -> str:
    if name in _SAID_BY_NAME:
        return _SAID_BY_NAME[name](value)
    if isinstance(value, tuple):
        return ", ".join(_plain(key) for key in value)
    if isinstance(value, datetime):
        local = value.astimezone(LONDON)
        return f"{_day(local)} at {local:%H:%M}"
    return _day(value) if isinstance(value, date) else _plain(str(value))


def _plain(key: str) -> str:
    return key.replace("_", " ").replace("-", " ")


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _time_of_day(value: Fact) -> str:
    hours, minutes = divmod(int(str(value)) % MINUTES_A_DAY, 60)
    return f"{hours:02}:{minutes:02}"


def _hours(value: Fact) -> str:
    hours, minutes = divmod(int(str(value)), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _until(value: Fact) -> str:
    return "it is lifted" if value is None else _said("", value)


_SAID_BY_NAME: dict[str, Callable[[Fact], str]] = {
    "free": _hours,
    "is_across_the_border": lambda value: " (across the border, where this stage does not reach)" if value else "",
    "left": _hours,
    "needed": _hours,
    "route": lambda value: "the person's choice" if value == DirectRoute.PERSONS_CHOICE else _plain(str(value)),
    "serves_from": _time_of_day,
    "serves_to": _time_of_day,
    "until": _until,
    "visits_from": _time_of_day,
    "visits_to": _time_of_day,
}
