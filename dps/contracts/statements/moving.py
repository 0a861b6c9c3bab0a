"""A statement is agreed or queried by its provider, paid by an approver who did not make it, or withdrawn."""

from datetime import datetime

from sqlmodel import Session

from dps.contracts.reasons import QueryReason
from dps.contracts.statements.records import Statement, find_statement
from dps.kernel import outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.database import locked_one
from dps.kernel.errors import NeedsSecondPerson
from dps.kernel.ports import Ports
from dps.kernel.states import advance


def agree_statement(session: Session, ports: Ports, *, statement_ref: str, actor: Actor) -> Statement:
    """The provider agrees to the figures."""
    return _moved(session, ports, statement_ref, "agree", actor)


def query_statement(
    session: Session, ports: Ports, *, statement_ref: str, actor: Actor, reason: QueryReason = QueryReason.OTHER
) -> Statement:
    """The provider does not agree: the council looks again, withdraws it and makes it anew, or explains it."""
    return _moved(session, ports, statement_ref, "query", actor, queried_because=reason.value)


def withdraw_statement(session: Session, ports: Ports, *, statement_ref: str, actor: Actor) -> Statement:
    """A broker takes a statement back that is not paid; its days may be stated again."""
    return _moved(session, ports, statement_ref, "withdraw", actor)


def pay_statement(session: Session, ports: Ports, *, statement_ref: str, actor: Actor) -> Statement:
    """An approver records the payment of an agreed statement, once. Who made it can't pay it."""
    actor.needs("pay a statement", Role.APPROVER)
    return _moved(session, ports, statement_ref, "pay", actor)


def _moved(session: Session, ports: Ports, ref: str, step: str, actor: Actor, **told: str) -> Statement:
    found = find_statement(session, ref, actor=actor)
    statement = locked_one(session, Statement, found.id)
    now = ports.clock.read(session)
    if step == "pay" and statement.made_by == actor.ref:
        raise NeedsSecondPerson(actor=actor.ref, step="pay this statement")
    paid: dict[str, datetime] = {"paid_at": now} if step == "pay" else {}
    advance(session, statement, step, actor, now, facts={"pence": statement.pence, **told}, **paid, **told)
    by_provider = actor.role is Role.PROVIDER
    recipient = f"authority:{statement.authority}" if by_provider else f"provider:{statement.provider}"
    kind = f"statement_{statement.state}"
    outbox.post(session, ports.entropy, recipient=recipient, kind=kind, about=statement.ref, now=now)
    return statement
