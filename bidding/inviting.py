"""Inviting to a round: what everybody was found to be is stored, who is eligible is asked in the published order."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session

from bidding import fit
from bidding.evaluation import tie_order
from bidding.rounds import EligibilityReport, Invitation, InvitationState, Round
from dps.contracts.quality.recognition import score_or_usual, scores_in_force
from dps.contracts.standing import minutes_won
from dps.kernel import audit
from dps.kernel.actors import CLOCK
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.packages.packages import Package
from dps.schemes.model import Mode, Scheme, Stage, Tie
from matching.eligibility import Assessment


def store_report(
    session: Session, round_: Round, assessments: Sequence[Assessment], eligible: int, now: datetime
) -> None:
    """What everybody was found to be, provider by provider, and how many could be asked."""
    answers = {
        assessment.provider: sorted({reason.code for reason in assessment.reasons}) for assessment in assessments
    }
    session.add(
        EligibilityReport(
            round_id=round_.id or 0, at=now, eligible=eligible, assessed=len(assessments), answers=answers
        )
    )


def invite(
    session: Session,
    ports: Ports,
    round_: Round,
    package: Package,
    scheme: Scheme,
    stage: Stage,
    providers: Sequence[str],
    now: datetime,
) -> None:
    """Invitations in the published order. In a ranked offer all wait; the first award calls the first of them."""
    waits = stage.mode is Mode.RANKED_OFFER
    near = fit.measured(session, round_, round_.published_part, providers)
    rows: list[dict[str, Any]] = []
    for position, provider in enumerate(_in_order(session, ports, round_, package, scheme, providers, now), start=1):
        rows.append(
            {
                "ref": new_reference(Kind.INVITATION, ports.entropy),
                "round_id": round_.id,
                "provider": provider,
                "position": position,
                "state": InvitationState.WAITING if waits else InvitationState.INVITED,
                "travel": near.get(provider),
                "invited_at": None if waits else now,
            }
        )
        if not waits:
            post(
                session,
                ports.entropy,
                recipient=f"provider:{provider}",
                kind="invitation",
                about=round_.ref,
                now=now,
                facts={"closes_at": round_.closes_at.isoformat() if round_.closes_at else None},
            )
    session.execute(insert(Invitation), rows)


def _in_order(
    session: Session,
    ports: Ports,
    round_: Round,
    package: Package,
    scheme: Scheme,
    providers: Sequence[str],
    now: datetime,
) -> list[str]:
    """The scheme's ties without the bids: existing provider, fewer hours won here, quality, then a lot that is kept."""
    won = minutes_won(session, scheme=scheme.key, until=now)
    counts_quality = Tie.HIGHER_RECOGNITION in scheme.ties
    recognised = scores_in_force(session, scheme.key, at=now, providers=providers) if counts_quality else {}
    seed = ports.entropy.token(16).hex()
    audit.append(session, round_.stream, "round.order_drawn", CLOCK, now, {"seed": seed, "of": len(providers)})
    return in_order(package, scheme, providers, won=won, recognised=recognised, seed=seed, today=now.date())


def in_order(
    package: Package,
    scheme: Scheme,
    providers: Sequence[str],
    *,
    won: Mapping[tuple[str, str], int],
    recognised: Mapping[str, int],
    seed: str,
    today: date,
) -> list[str]:
    """Those invited to one round in its published order. Pure: `won` and `recognised` say what the ties compare."""
    start = package.earliest_start or package.latest_start or today

    def order(numbered: tuple[int, str]) -> tuple[tuple[int, ...], str]:
        number, provider = numbered
        ties = tie_order(
            scheme.ties,
            starts_on=start,
            is_existing_provider=package.existing_provider == provider,
            preference=None,
            minutes_won_28_days=won.get((provider, package.locality), 0),
            recognition_score=score_or_usual(scheme, recognised, provider),
        )
        return ties, hashlib.sha256(f"{seed}\n{number}".encode()).hexdigest()

    return [provider for _, provider in sorted(enumerate(providers), key=order)]
