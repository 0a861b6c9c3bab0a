"""Messages about a part of a contract: a change, a review, a complaint. They name the contract, whose page shows it."""

from datetime import datetime

from sqlmodel import Session

from dps.contracts.contracts import Contract
from dps.kernel import outbox
from dps.kernel.ports import Ports


def tell_council(session: Session, ports: Ports, contract: Contract, kind: str, about: str, now: datetime) -> None:
    """Tell the council whose contract it is."""
    _tell(session, ports, contract, f"authority:{contract.authority}", kind, about, now)


def tell_provider(session: Session, ports: Ports, contract: Contract, kind: str, about: str, now: datetime) -> None:
    """Tell the provider that serves it."""
    _tell(session, ports, contract, f"provider:{contract.provider}", kind, about, now)


def _tell(
    session: Session, ports: Ports, contract: Contract, recipient: str, kind: str, about: str, now: datetime
) -> None:
    facts = {"contract": contract.ref}
    outbox.post(session, ports.entropy, recipient=recipient, kind=kind, about=about, now=now, facts=facts)
