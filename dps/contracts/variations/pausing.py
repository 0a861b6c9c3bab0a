"""A service pauses, keeps its place for the scheme's weeks, and restarts without a competition.

The pause's variation remembers its days, from which a statement pays the retainer once the service has restarted.
Source: Cornwall's paper (retainers up to 4 weeks where the service restarts).
"""

from datetime import date, timedelta

from sqlmodel import Session

from dps.contracts import contracts
from dps.contracts.contracts import Contract
from dps.contracts.deliveries.recording import last_day_paid
from dps.contracts.payment.retainer import kept_until, may_restart
from dps.contracts.reasons import SuspensionReason
from dps.contracts.standing import find_contract
from dps.contracts.variations.allowed import refuse_if, retainer_rule
from dps.contracts.variations.records import Variation, VariationKind, VariationState, variations_of
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NoSuchStep
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.schemes.contracting import Retainer
from dps.schemes.model import Scheme


def pause(
    session: Session,
    ports: Ports,
    *,
    contract_ref: str,
    scheme: Scheme,
    reason: SuspensionReason,
    from_day: date,
    actor: Actor,
) -> Variation:
    """Pause visits from `from_day`, past or today, and keep the provider's place under the scheme's retainer.

    VariationRefused where the weeks of a pause from that day are over already: nothing could be kept any more. BadInput
    where a visit was made or a statement reaches beyond that day: one day is paid as served or as kept, never as both.
    """
    rule = retainer_rule(scheme)
    contract = locked_one(session, Contract, find_contract(session, contract_ref, actor=actor).id)
    now = ports.clock.read(session)
    if not may_restart(rule, paused_from=from_day, restarts_on=now.astimezone(LONDON).date()):
        refuse_if([f"{_place_was_kept(rule, from_day)} Name a later day, or end the contract."])
    if (paid := last_day_paid(session, contract, since=from_day)) is not None:
        raise BadInput(f"visits are recorded or stated until {paid:%-d %B %Y}: name a later day", field="from_day")
    contracts.suspend(session, ports.entropy, contract, reason=reason, from_day=from_day, actor=actor, now=now)
    variation = Variation(
        ref=new_reference(Kind.VARIATION, ports.entropy),
        contract_id=contract.id or 0,
        kind=VariationKind.PAUSE,
        state=VariationState.PROPOSED,
        from_day=from_day,
        reason=reason,
        asked_at=now,
        asked_by=actor.ref,
    )
    session.add(variation)
    session.flush()
    advance(session, variation, "agree", actor, now, facts={"contract": contract.ref, "reason": reason})
    return variation


def place_kept_until(contract: Contract, scheme: Scheme) -> date | None:
    """Until which day a paused contract may restart without a competition; None where none is paused or kept."""
    rule = scheme.variations.retainer
    if rule is None or contract.suspended_on is None:
        return None
    return kept_until(rule, paused_from=contract.suspended_on)


def resume(session: Session, ports: Ports, *, contract_ref: str, scheme: Scheme, actor: Actor) -> None:
    """Let visits go on from today. VariationRefused once the weeks are over: the place is open to others then."""
    rule = retainer_rule(scheme)
    contract = locked_one(session, Contract, find_contract(session, contract_ref, actor=actor).id)
    now = ports.clock.read(session)
    today = now.astimezone(LONDON).date()
    open_pauses = variations_of(session, contract, VariationKind.PAUSE, states=(VariationState.AGREED,))
    if not open_pauses:
        raise NoSuchStep(kind="Contract", ref=contract.ref, state=str(contract.state), step="be resumed")
    (paused,) = open_pauses  # a partial unique index keeps it one
    if not may_restart(rule, paused_from=paused.from_day, restarts_on=today):
        refuse_if([f"{_place_was_kept(rule, paused.from_day)} End the contract, or let it be handed back."])
    contracts.restart(session, ports.entropy, contract, actor=actor, now=now)
    # A pause has one day at least: the one it began on.
    last = max(today - timedelta(days=1), paused.from_day)
    advance(session, paused, "close", actor, now, facts={"contract": contract.ref}, last_day=last)


def _place_was_kept(rule: Retainer, paused_from: date) -> str:
    until = kept_until(rule, paused_from=paused_from)
    weeks = f"A place is kept for {rule.most_weeks} weeks"
    return f"{weeks}: of a pause from {paused_from:%-d %B %Y}, until {until:%-d %B %Y}."
