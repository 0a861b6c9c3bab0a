"""The hours that variations add to what a provider is committed to (law 5), and their end with the contract."""

from datetime import datetime

from sqlmodel import Session, col, select

from dps.contracts.contracts import Contract
from dps.contracts.variations.records import Variation
from dps.kernel.actors import CLOCK
from dps.register import holds
from dps.register.providers import Provider


def raise_hours(session: Session, contract: Contract, *, ref: str, minutes: int, now: datetime) -> None:
    """Commit more carer-minutes a week of the contract's provider under the variation's reference; flagged.

    What is served from a block grows within its unused hours: NoCapacity where it has not so many.
    """
    provider = session.exec(select(Provider).where(Provider.ref == contract.provider)).first()
    if provider is None or provider.id is None:
        return  # a provider that the register does not hold has no ledger
    held = holds.hold_of(session, contract.award_ref)
    if held is not None and held.out_of is not None:
        holds.reserve(
            session,
            provider_id=provider.id,
            authority=contract.authority,
            locality=contract.locality,
            minutes=minutes,
            award_ref=ref,
            actor=CLOCK,
            now=now,
            out_of=held.out_of,
        )
        holds.commit(session, award_ref=ref, actor=CLOCK, now=now)
        return
    holds.raise_for_existing(
        session,
        provider_id=provider.id,
        authority=contract.authority,
        locality=contract.locality,
        minutes=minutes,
        ref=ref,
        actor=CLOCK,
        now=now,
    )


def release_hours(session: Session, contract: Contract, *, now: datetime) -> None:
    """Give back whatever the contract's variations added, once it is over."""
    refs = session.exec(
        select(Variation.ref).where(Variation.contract_id == contract.id).order_by(col(Variation.id))
    ).all()
    for ref in refs:
        if holds.hold_of(session, ref) is not None:
            holds.release(session, award_ref=ref, actor=CLOCK, now=now)
