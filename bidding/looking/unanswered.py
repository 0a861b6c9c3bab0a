"""Why nobody bid: what a round's stored eligibility report says, and the one change that would have let most bid.

A report keeps codes and no facts, so the words here name no hours, skill or date of anybody.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from bidding.bids.answers import Answer, answer_of, has_bid_at_closing
from bidding.referrals import Referral
from bidding.rounds import EligibilityReport, Invitation, InvitationState, Outcome, Round, RoundState
from dps.register.providers import Provider
from matching.eligibility import Reason, Report, one_change
from matching.eligibility import words as spoken


@dataclass(frozen=True, slots=True)
class Barred:
    """One provider that could not be asked, and why in short."""

    provider: str
    name: str
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """One round's look at its market. `change`, and who bid or said nothing, are told of rounds that ended without
    an award alone.
    """

    round: str
    barred: tuple[Barred, ...]
    reasons: tuple[str, ...]
    change: str | None
    asked: int
    bid: int
    declined: int
    silent: int


def the_one_change(answers: Mapping[str, Sequence[str]]) -> str | None:
    """The rule without which the most providers could have been asked, in words; None where no single one would do.

    `answers` holds each provider's codes, none where it could be asked. Nobody is led to loosen an exclusion, a
    removal or a suspension.
    """
    report = Report(
        needs=("this",),
        providers=tuple(answers),
        rows=(tuple(tuple(Reason(code) for code in codes) for codes in answers.values()),),
    )
    found = one_change(report)
    return spoken.in_one_line(found) if found is not None else None


def unanswered(session: Session, referral: str) -> dict[str, Unanswered]:
    """By round: who could not be asked, and what would have changed it. The caller may see the referral."""
    reports = list(
        session.exec(
            select(Round, EligibilityReport)
            .join(Referral, col(Referral.id) == col(Round.referral_id))
            .join(EligibilityReport, col(EligibilityReport.round_id) == col(Round.id))
            .where(Referral.ref == referral)
            .order_by(col(Round.id))
        )
    )
    barred = {provider for _, report in reports for provider, codes in report.answers.items() if codes}
    names: dict[str, str] = dict(
        session.exec(select(Provider.ref, Provider.name).where(col(Provider.ref).in_(barred))).all()
    )
    answered = _answered(session, [round_.id for round_, _ in reports])
    return {
        round_.ref: _seen(round_, report.answers, names, answered.get(round_.id or 0, Counter()))
        for round_, report in reports
    }


def _answered(session: Session, rounds: Sequence[int | None]) -> dict[int, Counter[Answer]]:
    """How many of those asked in each round gave each answer."""
    found: dict[int, Counter[Answer]] = {}
    query = (
        select(Invitation.round_id, Invitation.state, Round.state, has_bid_at_closing())
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .where(col(Invitation.round_id).in_(rounds))
    )
    for round_id, state, round_state, has_bid in session.exec(query):
        found.setdefault(round_id, Counter())[
            answer_of(InvitationState(state), RoundState(round_state), has_bid=has_bid)
        ] += 1
    return found


def _seen(
    round_: Round, answers: Mapping[str, Sequence[str]], names: Mapping[str, str], answered: Counter[Answer]
) -> Unanswered:
    is_fruitless = round_.state is RoundState.DECIDED and round_.outcome == Outcome.EXHAUSTED
    counted = Counter(code for codes in answers.values() for code in codes)
    return Unanswered(
        round=round_.ref,
        barred=tuple(
            Barred(provider, names[provider], tuple(spoken.in_short(code) for code in codes))
            for provider, codes in sorted(answers.items(), key=lambda one: names.get(one[0], ""))
            if codes
        ),
        reasons=tuple(spoken.for_auditor(code, number) for code, number in counted.most_common()),
        change=the_one_change(answers) if is_fruitless else None,
        asked=sum(answered.values()),
        bid=answered[Answer.BID] if is_fruitless else 0,
        declined=answered[Answer.DECLINED],
        silent=answered[Answer.SILENT] if is_fruitless else 0,
    )
