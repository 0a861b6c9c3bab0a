"""What follows a contract, written as its commands would: for walks over every page and route."""

from datetime import timedelta
from typing import Any

from bidding.otherwise.records import Placement, PlacementState
from bidding.referrals import Referral
from dps.contracts.contracts import Contract
from dps.contracts.enablement import BarState, EnablementBar
from dps.contracts.outcomes import OutcomeReview
from dps.contracts.payment.outcome_budget import ProvenException
from dps.contracts.quality.concerns import Concern, ConcernKind, ConcernState, ConcernTopic
from dps.contracts.quality.recognition import QualityScore, ScoreState
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.variations.records import Variation, VariationKind, VariationState
from dps.kernel.references import Kind, new_reference
from dps.packages.schedule import Schedule, parse_schedule
from dps.register.providers import Provider
from tests.web.served import Served


def what_followed(served: Served, own: dict[str, str]) -> dict[str, str]:
    """What may follow a story's contract, each as it would be written: their references, by the names of routes."""
    world = served.world
    (contract,) = world.rows(Contract, Contract.ref == own["contract_ref"])
    (provider,) = world.rows(Provider, Provider.ref == contract.provider)
    (referral,) = world.rows(Referral, Referral.ref == own["referral_ref"])
    today, soon = world.now.date(), world.now + timedelta(days=14)
    kinds = {
        "variation_ref": Kind.VARIATION,
        "statement_ref": Kind.PAYMENT,
        "review_ref": Kind.OUTCOME,
        "score_ref": Kind.SCORE,
        "bar_ref": Kind.BAR,
        "concern_ref": Kind.CONCERN,
        "placement_ref": Kind.PLACEMENT,
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
        Concern(
            ref=refs["concern_ref"],
            contract_id=contract.id or 0,
            kind=ConcernKind.COMPLAINT,
            topic=ConcernTopic.LATE_VISITS,
            state=ConcernState.OPEN,
            received_on=today,
            recorded_at=world.now,
            recorded_by="somebody",
        ),
        Placement(
            ref=refs["placement_ref"],
            referral_id=referral.id or 0,
            referral_ref=referral.ref,
            state=PlacementState.PROPOSED,
            how="off_list_spot",
            provider=contract.provider,
            weekly_pence=50_000,
            proposed_by="somebody",
            proposed_at=world.now,
        ),
    ]
    with world.database.transaction() as session:
        session.add_all(rows)
    return refs


def contract_week() -> Schedule:
    return parse_schedule("Mon-Sun 07:30-09:30 15m personal_care")
