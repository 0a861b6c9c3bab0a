"""What a provider has won or been offered since it set its take limit: all of it counts against the limit.

An unanswered offer counts as taken; what fell through does not count any more. Source: design.md §2, take limit.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlmodel import Session, col

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
    found: defaultdict[str, list[Taken]] = defaultdict(list)
    asked = _TAKEN if provider is None else _TAKEN_BY_ONE
    named = {"scheme": scheme, "leave_out": list(leave_out)} | ({} if provider is None else {"provider": provider})
    for who, locality, minutes, opens, ends, starts_on in session.execute(asked, named):
        hours = DaySpan(opens, ends)
        found[who].append(Taken(locality=locality, minutes=minutes, hours=hours, starts_on=starts_on))
    return dict(found)


# Built once, and plain columns: every stage and every bid asks it.
_TAKEN = (
    sa.select(
        col(Award.provider),
        col(Award.locality),
        col(Award.weekly_minutes),
        col(Award.from_minute),
        col(Award.until_minute),
        col(Award.starts_on),
    )
    .join(Provider, col(Provider.ref) == col(Award.provider))
    .join(TakeLimit, col(TakeLimit.provider_id) == col(Provider.id))
    .where(
        col(Award.scheme) == sa.bindparam("scheme"),
        col(TakeLimit.scheme) == sa.bindparam("scheme"),
        col(TakeLimit.replaced_at).is_(None),
        col(Award.state).in_(LIVE),
        col(Award.ended_at).is_(None),
        col(Award.ref).not_in(sa.bindparam("leave_out", expanding=True)),
        col(Award.proposed_at) >= col(TakeLimit.set_at),
    )
    .order_by(col(Award.id))
)
_TAKEN_BY_ONE = _TAKEN.where(col(Award.provider) == sa.bindparam("provider"))
