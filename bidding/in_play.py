"""What a provider has won or been offered since it set its take limit: all of it counts against the limit.

An unanswered offer counts as taken; what fell through does not count any more. Source: design.md §2, take limit.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

from sqlmodel import Session, col, select

from bidding.awards.records import LIVE, Award
from bidding.standing import Taken
from dps.register.limits import TakeLimit
from dps.register.providers import Provider
from matching.eligibility import DaySpan


def usage(
    session: Session, scheme: str, *, provider: str | None = None, leave_out: Collection[str] = ()
) -> dict[str, Sequence[Taken]]:
    """By provider reference (or for one alone), for those that have a take limit in force.

    `leave_out` names awards that are asked about now: they do not count against themselves.
    """
    query = (
        select(Award)
        .join(Provider, col(Provider.ref) == col(Award.provider))
        .join(TakeLimit, col(TakeLimit.provider_id) == col(Provider.id))
        .where(
            Award.scheme == scheme,
            TakeLimit.scheme == scheme,
            col(TakeLimit.replaced_at).is_(None),
            col(Award.state).in_(LIVE),
            col(Award.ended_at).is_(None),
            col(Award.ref).not_in(leave_out),
            col(Award.proposed_at) >= col(TakeLimit.set_at),
        )
        .order_by(col(Award.id))
    )
    if provider is not None:
        query = query.where(Award.provider == provider)
    found: defaultdict[str, list[Taken]] = defaultdict(list)
    for award in session.exec(query):
        found[award.provider].append(
            Taken(
                locality=award.locality,
                minutes=award.weekly_minutes,
                hours=DaySpan(award.from_minute, award.until_minute),
                starts_on=award.starts_on,
            )
        )
    return dict(found)
