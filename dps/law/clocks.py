"""The clocks that the law sets, as pure functions: what is due, when it warns, and whether its limit has passed.

A limit is the first day on which it is too late. Source: `statute.toml`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dps.kernel.money import in_pounds
from dps.law.statute import Notice, statute
from dps.schemes.model import LegalBasis, Scheme

_ONE_DAY = timedelta(days=1)


class Clock(StrEnum):
    """What a clock of the law runs towards."""

    TERM = "term"
    REOPENING = "reopening"
    TIERS = "tiers"
    NOTICE = "notice"
    APPLICATION = "application"


class Blocked(StrEnum):
    """What stands still from a clock's limit on."""

    PUBLISHING = "publishing"
    NEW_RULES = "new_rules"


_STANDS_STILL = {
    Blocked.PUBLISHING: "nothing is published, resumed or restarted under the scheme",
    Blocked.NEW_RULES: "packages go on, but no new rules are published",
}

_BLOCKS = {
    Clock.TERM: Blocked.PUBLISHING,
    Clock.REOPENING: Blocked.PUBLISHING,
    Clock.TIERS: Blocked.PUBLISHING,
    Clock.NOTICE: Blocked.NEW_RULES,
    Clock.APPLICATION: Blocked.NEW_RULES,
}


@dataclass(frozen=True, slots=True)
class Due:
    """Something is due before `limit`; from `warns` on it is said. `about` is the scheme's key or a reference."""

    clock: Clock
    about: str
    warns: date
    limit: date
    words: str

    @property
    def blocks(self) -> Blocked:
        return _BLOCKS[self.clock]

    @property
    def last_day(self) -> date:
        """The last day in time."""
        return self.limit - _ONE_DAY

    @property
    def stands_still(self) -> str:
        return stands_still(self.clock)

    def is_near(self, today: date) -> bool:
        return self.warns <= today

    def is_overdue(self, today: date) -> bool:
        return self.limit <= today


def stands_still(clock: Clock) -> str:
    """What a clock stops from its limit on, in the words of lists, letters and refusals; it goes on from a colon."""
    return _STANDS_STILL[_BLOCKS[clock]]


def term_end(scheme: Scheme) -> Due | None:
    """Nothing is published under a scheme from the end of its term on."""
    if scheme.term.ends is None:
        return None
    words = f"The term of {scheme.name} ends: nothing can be published under it from then on."
    return _due(Clock.TERM, scheme.key, scheme.term.ends, statute().warning.term, words)


def reopening(scheme: Scheme, since: Sequence[date] = ()) -> Due | None:
    """An open framework is reopened within three years of its award, and within five of each later one.

    `since` are days that rules published after these name: what they say is true of the whole framework.
    """
    if scheme.legal_basis is not LegalBasis.OPEN_FRAMEWORK:
        return None
    act = statute().procurement_act
    reopened = max((*scheme.term.reopened, *since), default=None)
    years = act.first_reopening_years if reopened is None else act.later_reopening_years
    limit = _years_after(reopened or scheme.term.starts, years)
    if scheme.term.ends is not None and scheme.term.ends <= limit:
        return None
    words = (
        f"{scheme.name} is an open framework and must be reopened to new providers: "
        "a commissioner publishes rules that say when it was (term.reopened)."
    )
    return _due(Clock.REOPENING, scheme.key, limit, statute().warning.reopening, words)


def stages_lists(scheme: Scheme) -> bool:
    """Whether lists are asked one before another: the tiers of the scheme."""
    return any(len({stage.lists for stage in ladder.stages}) > 1 for ladder in scheme.ladders)


def tier_publication(scheme: Scheme, rules_published_on: date) -> Due | None:
    """Staged lists are published with their members, soon after the rules that stage them, and not before the term."""
    if not stages_lists(scheme):
        return None
    limit = max(rules_published_on, scheme.term.starts) + timedelta(days=statute().tiers.days)
    words = (
        f"The lists of {scheme.name} are asked one before another: publish who is on which list, "
        "and record it under Legal clocks."
    )
    return _due(Clock.TIERS, scheme.key, limit, statute().warning.tiers, words)


def contract_worth(weekly_pence: int) -> int:
    """What a contract without an end is worth, for the threshold."""
    return weekly_pence * statute().valuation.weeks


def told_from(basis: LegalBasis, scheme: Scheme) -> int | None:
    """The least pence a week of a contract under this basis that is told of; None where the basis asks for nothing."""
    notice = statute().notice_for(basis, scheme.term.starts)
    if notice is None:
        return None
    least = min(threshold.pence for threshold in statute().thresholds)
    return -(-least // statute().valuation.weeks) if notice.has_threshold else 0


def contract_notice(
    contract: str, *, basis: LegalBasis, scheme: Scheme, agreed_on: date, weekly_pence: int, supplier: str
) -> Due | None:
    """What must be told of one contract; None below the threshold of its day, and where its basis asks for nothing."""
    notice = statute().notice_for(basis, scheme.term.starts)
    if notice is None:
        return None
    if notice.has_threshold and contract_worth(weekly_pence) < statute().threshold_on(agreed_on):
        return None
    limit = _counted_from(notice, agreed_on) + timedelta(days=notice.days) + _ONE_DAY
    worth = f" and worth {in_pounds(contract_worth(weekly_pence))} over 48 months" if notice.has_threshold else ""
    words = (
        f"The {notice.name} of {contract}, agreed with {supplier} on {agreed_on:%-d %B %Y}{worth}, is due within "
        f"{notice.days} days of {_COUNTED_FROM[notice.counted_from]}: publish it, and record it under Legal clocks."
    )
    return _due(Clock.NOTICE, contract, limit, statute().warning.notice, words)


def application_answer(application: str, decide_by: date) -> Due:
    """An application is answered by the scheme's working day, the last on which the answer is in time."""
    words = f"The application {application} waits for its answer: an officer of the register decides it."
    return _due(Clock.APPLICATION, application, decide_by + _ONE_DAY, statute().warning.application, words)


def near(dues: Sequence[Due], today: date) -> list[Due]:
    """What is said today, the most pressing first."""
    return sorted((due for due in dues if due.is_near(today)), key=lambda due: (due.limit, due.clock, due.about))


def of_scheme(scheme: Scheme, rules_published_on: date, tiers_told_on: date | None) -> Iterator[Due]:
    """The clocks of the scheme as a whole; the tiers' one stops once they were published under these rules."""
    tiers = tier_publication(scheme, rules_published_on)
    if tiers is not None and tiers_told_on is not None and tiers_told_on >= rules_published_on:
        tiers = None
    yield from (due for due in (term_end(scheme), reopening(scheme), tiers) if due is not None)


_COUNTED_FROM = {"agreement": "its agreement", "quarter_end": "the end of the quarter in which it was agreed"}


def _due(clock: Clock, about: str, limit: date, days: int, words: str) -> Due:
    return Due(clock, about, limit - timedelta(days=days), limit, words)


def _counted_from(notice: Notice, agreed_on: date) -> date:
    if notice.counted_from == "agreement":
        return agreed_on
    month = (agreed_on.month - 1) // 3 * 3 + 4
    return date(agreed_on.year + month // 13, (month - 1) % 12 + 1, 1) - _ONE_DAY


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year + years, day=28)
