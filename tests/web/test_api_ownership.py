"""Every API route × role × ownership, from the route table: another's reference reads like one that nobody has."""

import json
from datetime import timedelta
from typing import Any

import pytest

from dps.contracts.contracts import Contract
from dps.contracts.enablement import BarState, EnablementBar
from dps.contracts.outcomes import OutcomeReview
from dps.contracts.payment.outcome_budget import ProvenException
from dps.contracts.quality.recognition import QualityScore, ScoreState
from dps.contracts.reasons import HandBackReason
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.variations.records import Variation, VariationKind, VariationState
from dps.kernel.actors import Role
from dps.kernel.references import Kind, new_reference
from dps.packages.schedule import Schedule, parse_schedule
from dps.register.providers import Provider
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
    ]


def what_followed(served: Served, own: dict[str, str]) -> dict[str, str]:
    """A change, a statement, a review, a score and a notice of the story's contract, as they would be written."""
    world = served.world
    (contract,) = world.rows(Contract, Contract.ref == own["contract_ref"])
    (provider,) = world.rows(Provider, Provider.ref == contract.provider)
    today, soon = world.now.date(), world.now + timedelta(days=14)
    kinds = {
        "variation_ref": Kind.VARIATION,
        "statement_ref": Kind.PAYMENT,
        "review_ref": Kind.OUTCOME,
        "score_ref": Kind.SCORE,
        "bar_ref": Kind.BAR,
    }
    refs = {name: new_reference(kind, world.ports.entropy) for name, kind in kinds.items()}
    parties: dict[str, Any] = {
        "authority": contract.authority,
        "scheme": contract.scheme,
        "provider": contract.provider,
    }
    rows = [
        Variation(
            ref=refs["variation_ref"],
            contract_id=contract.id or 0,
            kind=VariationKind.PROPOSAL,
            state=VariationState.PROPOSED,
            from_day=today,
            reason="more_independent",
            schedule=contract_week().to_dict(),
            weekly_minutes=contract_week().weekly_minutes,
            weekly_pence=2800,
            asked_at=world.now,
            asked_by="somebody",
        ),
        Statement(
            ref=refs["statement_ref"],
            contract_id=contract.id,
            lot=contract.lot,
            locality=contract.locality,
            first_day=today,
            last_day=today,
            state=StatementState.MADE,
            lines=[],
            pence=0,
            chargeable_pence=0,
            rule_hash="0" * 64,
            made_by="somebody",
            made_at=world.now,
            **parties,
        ),
        OutcomeReview(
            ref=refs["review_ref"],
            contract_id=contract.id or 0,
            last_day=today,
            met=1,
            agreed=2,
            exception=ProvenException.NONE,
            reviewed_at=world.now,
            reviewed_by="somebody",
        ),
        QualityScore(
            ref=refs["score_ref"],
            state=ScoreState.PUBLISHED,
            first_day=today,
            last_day=today,
            score=80,
            counts={},
            parts=[],
            rule_hash="0" * 64,
            published_at=world.now,
            published_by="somebody",
            **parties,
        ),
        EnablementBar(
            ref=refs["bar_ref"],
            provider_id=provider.id or 0,
            state=BarState.NOTICED,
            failed=3,
            of=5,
            noticed_at=world.now,
            noticed_by="somebody",
            challenge_by=soon,
            suspension=own["suspension_ref"],
            **parties,
        ),
    ]
    with world.database.transaction() as session:
        session.add_all(rows)
    return refs


def contract_week() -> Schedule:
    return parse_schedule("Mon-Sun 07:30-09:30 15m personal_care")


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_belongs_to_another_is_answered_as_if_it_did_not_exist(served: Served) -> None:
    own = a_story(served)
    own |= what_followed(served, own)
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
