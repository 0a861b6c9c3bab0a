"""A provider that is on no register yet: an officer puts it there, with the first of its accounts.

From then on it is its own affair: that account invites its colleagues, uploads documents and applies. Of a provider
that is there already no officer makes an account: who looks after its own people is for the provider to say. Until the
first link was used, its authority's officers may send it again, and correct the address that it goes to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import locked_one
from dps.kernel.errors import AccountKnown, BadAnswers, BadInput, NotFound, RegisteredAlready
from dps.kernel.ports import Ports
from dps.register.providers import Provider, is_known_by_name, register_provider, unused_company_number
from dps.register.texts import one_line
from web.security.accounts import Account, Part, addressed, new_account, normal_email, refuse_known
from web.security.invitations import ask_to_choose
from web.security.passwords import new_password


def welcome(
    session: Session,
    ports: Ports,
    *,
    name: str,
    company_number: str,
    person: str,
    email: str,
    actor: Actor,
    wall: datetime,
) -> tuple[Account, str]:
    """The provider's administrator account, and where its person chooses a password. BadAnswers names every fault."""
    faults = _faults(session, name=name, company_number=company_number, person=person, email=email)
    if faults:
        raise BadAnswers(faults)
    provider = register_provider(session, ports, name=name, company_number=company_number or None, actor=actor)
    now = ports.clock.read(session)
    account = new_account(
        session, ports.entropy, email=email, name=person, part=Part.PROVIDER_ADMIN,
        password=new_password(), authority=None, provider=provider.ref, by=actor, now=now,
    )  # fmt: skip
    return account, ask_to_choose(session, ports, account=account, by=actor, now=now, wall=wall)


def _faults(session: Session, *, name: str, company_number: str, person: str, email: str) -> dict[str, str]:
    """What is wrong with each field of the form, in its order."""
    checks: dict[str, Callable[[], object]] = {
        "name": lambda: _name(session, name, by_name_alone=not company_number),
        "company_number": lambda: unused_company_number(session, company_number) if company_number else None,
        "person": lambda: _person(person),
        "email": lambda: refuse_known(session, normal_email(email)),
    }
    faults = {}
    for field, check in checks.items():
        try:
            check()
        except BadInput as bad:
            faults[field] = str(bad.reason)
        except RegisteredAlready:
            faults[field] = (
                "this company is on the register already: whoever looks after its accounts can invite somebody"
            )
        except AccountKnown:
            faults[field] = "this address has an account already"
    return faults


def _name(session: Session, name: str, *, by_name_alone: bool) -> None:
    """A line; where nothing else tells two providers apart, one that nobody bears."""
    if not name.strip():
        raise BadInput("give the name of the provider", field="name")
    plain = one_line(name, "name")
    if by_name_alone and is_known_by_name(session, plain):
        raise BadInput(
            "a provider of this name is on the register: if this is another, give its company number", field="name"
        )


def _person(name: str) -> None:
    try:
        addressed(name)
    except BadInput:
        raise BadInput("say who looks after its accounts, in 1 to 80 characters", field="person") from None


@dataclass(frozen=True, slots=True)
class Awaited:
    """A newcomer's first account whose password nobody has chosen yet; `is_over` says that its link no longer works."""

    account: str
    person: str
    email: str
    provider: str
    invited_at: datetime
    is_over: bool


def awaited(session: Session, *, actor: Actor, wall: datetime) -> list[Awaited]:
    """The newcomers that officers of the actor's authority invited and that have not come, the first invited first."""
    query = _awaited(actor).order_by(col(Account.invited_at), col(Account.id))
    return [
        Awaited(one.ref, one.name, one.email, provider, one.invited_at, not one.is_invited(wall))
        for one, provider in session.exec(query)
        if one.invited_at is not None
    ]


def send_again(
    session: Session, ports: Ports, *, account: str, email: str, actor: Actor, wall: datetime
) -> tuple[Account, str]:
    """Send one of these another link, which ends every earlier one; NotFound for an account of anybody else.

    Another address is taken as long as nobody ever chose a password: whose account it is then is not settled yet.
    """
    found = session.exec(_awaited(actor).where(Account.ref == account)).first()
    if found is None:
        raise NotFound(kind="invitation", ref=account)
    row = locked_one(session, Account, found[0].id)
    if row.invited_at is None or row.closed_at is not None:
        raise NotFound(kind="invitation", ref=account)
    now, address = ports.clock.read(session), normal_email(email)
    if address != row.email:
        _refuse_address(session, row, address)
        row.email = address
        session.add(row)
        audit.append(session, row.stream, "account.address_corrected", actor, now)
    return row, ask_to_choose(session, ports, account=row, by=actor, now=now, wall=wall)


def _refuse_address(session: Session, account: Account, address: str) -> None:
    chosen = select(AuditEvent.id).where(
        AuditEvent.stream == account.stream,
        AuditEvent.kind == "account.password_set",
        AuditEvent.actor == account.ref,
    )
    if session.exec(chosen).first() is not None:
        raise BadInput("this account was in use with its address: whoever runs this service changes it", field="email")
    try:
        refuse_known(session, address)
    except AccountKnown:
        raise BadInput("this address has an account already", field="email") from None


def _awaited(actor: Actor) -> Select[Account, str]:
    actor.needs("invite a newcomer", Role.REGISTER_OFFICER)
    inviter = aliased(Account)
    return (
        select(Account, Provider.name)
        .join(inviter, col(inviter.ref) == col(Account.created_by))
        .join(Provider, col(Provider.ref) == col(Account.provider))
        .where(
            col(inviter.authority) == actor.authority,
            Account.part == Part.PROVIDER_ADMIN,
            col(Account.invited_at).is_not(None),
            col(Account.closed_at).is_(None),
        )
    )
