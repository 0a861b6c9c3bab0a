"""Every API route × role × ownership, from the route table: another's reference reads like one that nobody has."""

import json
from typing import Any

import pytest

from dps.contracts.reasons import HandBackReason
from dps.kernel.actors import Role
from tests.web.pages.test_page_guards import a_story
from tests.web.served import Caller, Served
from tests.web.test_guards import READ, routes
from web.api.guards import Only

OWN = {
    "/api/referrals": "referral_ref",
    "/api/open-list/offers": "award_ref",
    "/api/open-list": "referral_ref",
    "/api/opportunities": "round_ref",
    "/api/bids": "bid_ref",
    "/api/awards": "award_ref",
    "/api/closings": "closing_ref",
    "/api/contracts": "contract_ref",
    "/api/variations": "variation_ref",
    "/api/statements": "statement_ref",
    "/api/reviews": "review_ref",
    "/api/scores": "score_ref",
    "/api/notices": "bar_ref",
    "/api/placements": "placement_ref",
}
"""Whose reference a path asks for. What no story makes (a webhook) has tests of its own."""

MISSING = "REF-0000-0000-0000"


def bodies(served: Served) -> list[Any]:
    """What one or another route takes; the first that can be read is sent."""
    bid = served.world.content(served.world.referral(), 1600).to_dict()
    return [
        None,
        {"reason": "A reason in words."},
        {"until": "2030-01-01T10:00:00Z", "reason": "facts_clarified"},
        {"first_visit_on": "2019-03-07"},
        {"reason": next(iter(HandBackReason)).value, "last_day": "2019-12-01"},
        bid,
        {"met": 1, "agreed": 2, "last_day": "2019-03-07"},
        {"agrees": True},
        {"reason": "visit_records"},
        {"reason": "needs_changed"},
        {"edition": "1.0"},
        {"how": "in_house", "weekly_pence": 1, "reason": "Our own carers."},
        {"schedule": ["Mon-Sun 07:30-09:30 15m personal_care"], "from_day": "2019-03-07", "reason": "equipment"},
        {"starts_on": "2019-03-07"},
        {"reason": "person_died"},
        {"reason": "person_died", "last_day": "2019-03-07"},
        {"outcome": "hospital", "averted": "nothing"},
        {
            "from_day": "2019-03-07",
            "days": 1,
            "extra_minutes_a_day": 30,
            "group": "any",
            "begun_by": "any",
            "reason": "fall",
            "changed": "nights",
        },
    ]


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_belongs_to_another_is_answered_as_if_it_did_not_exist(served: Served) -> None:
    own = a_story(served)
    tried = bodies(served)
    other = served.world.provider("Other").provider
    strangers = {
        Role.PROVIDER: served.caller(Role.PROVIDER, provider=other),
        Role.BROKER: served.caller(Role.BROKER, authority="another-council"),
        Role.APPROVER: served.caller(Role.APPROVER, authority="another-council"),
    }
    asked = 0
    for path, method, guards in routes(served):
        named = next((name for prefix, name in OWN.items() if path.startswith(f"{prefix}/{{")), None)
        if named is None or not isinstance(guards[0], Only):
            continue
        for role, stranger in strangers.items():
            if role in guards[0].roles:
                foreign = told(stranger, path, method, own[named], tried)
                missing = told(stranger, path, method, MISSING, tried)

                assert foreign == missing, (role, method, path)
                assert foreign[0] == 404, (role, method, path, foreign)
                asked += 1
    assert asked > 60


def told(caller: Caller, path: str, method: str, ref: str, tried: list[Any]) -> tuple[int, str]:
    """Status and words, without the reference that was asked for."""
    parts = [ref if part.startswith("{") else part for part in path.split("/")]
    answer = None
    for body in [None] if method == READ else tried:
        answer = caller.get("/".join(parts)) if method == READ else caller.post("/".join(parts), body)
        if answer.status_code != 400:
            break
    assert answer is not None
    return answer.status_code, json.dumps(answer.json()).replace(ref, "…")
