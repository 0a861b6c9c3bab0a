"""An eligible pair to begin with: every rule is asked of it and none bites. Synthetic throughout."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from matching.eligibility import Candidate, DaySpan, Location, Membership, Need, TakeLimit

NOON = datetime(2019, 6, 12, 11, 0, tzinfo=UTC)  # 12:00 in London
TODAY = date(2019, 6, 12)
AN_HOUR = timedelta(hours=1)
A_DAY = timedelta(days=1)


def a_need(**changes: Any) -> Need:
    """Ten hours of double-handed personal care a week in L4, from members of `approved` there."""
    fields: dict[str, Any] = {
        "ref": "REF-1",
        "at": NOON,
        "lot": "personal_care",
        "locality": "L4",
        "lists": frozenset({"approved"}),
        "reach": frozenset({"L4"}),
        "weekly_minutes": 600,
        "carers_needed": 2,
        "skills": frozenset({"peg_feeding"}),
        "flags": frozenset({"smoker"}),
        "visit_hours": DaySpan(420, 1320),
        "start_by": TODAY + 3 * A_DAY,
        "required_documents": frozenset({"insurance", "accounts"}),
        "accepted_ratings": frozenset({"good", "outstanding"}),
        "area_lads": frozenset({"E08000012"}),
        "bordering_lads": frozenset({"E08000014"}),
    }
    return Need(**(fields | changes))


def a_candidate(**changes: Any) -> Candidate:
    """A provider that meets `a_need` with something to spare in every respect."""
    fields: dict[str, Any] = {
        "provider": "PRV-1",
        "at": NOON,
        "memberships": (a_membership(),),
        "locations": (Location(ref="LOC-1", lad="E08000012", rating="good"),),
        "skills": frozenset({"peg_feeding", "dementia"}),
        "accepted_flags": frozenset({"smoker", "pets"}),
        "service_hours": DaySpan(360, 1380),
        "documents": {"insurance": TODAY + 30 * A_DAY, "accounts": None},
        "free_minutes": 1200,
        "free_minutes_by_locality": {"L4": 900},
        "declaration_expires_at": NOON + 7 * A_DAY,
        "free_from": TODAY,
        "take_limits": (TakeLimit(packages_left=3, minutes_left=900, starts_left=2),),
    }
    return Candidate(**(fields | changes))


def a_membership(**changes: Any) -> Membership:
    """Active on `approved` for personal care in L4."""
    fields: dict[str, Any] = {"list_name": "approved", "lot": "personal_care", "locality": "L4"}
    return Membership(**(fields | changes))
