"""Who looks after whose accounts: a council's administrator after the council's, a provider's after the provider's.

An administrator of the installation, who belongs to no authority, looks after all. What is another's is not found.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, Forbidden, NotFound
from dps.kernel.ports import Ports
from web.security import passkeys, sessions
from web.security.accounts import OF_PROVIDER, Account, Part, new_account, set_password
from web.security.api_keys import end_those_made_by
from web.security.invitations import ask_to_choose
from web.security.passwords import new_password

MANAGERS = frozenset({Part.ADMINISTRATOR, Part.PROVIDER_ADMIN})
_OF_COUNCIL = (
    Part.BROKER, Part.APPROVER, Part.COMMISSIONER, Part.REGISTER_OFFICER, Part.REQUESTER, Part.AUDITOR,
    Part.ADMINISTRATOR,
)  # fmt: skip


def parts_for(manager: Account) -> Sequence[Part]:
    """The parts that this person may give to somebody."""
    if manager.part is Part.PROVIDER_ADMIN:
        return (Part.PROVIDER_USER, Part.PROVIDER_ADMIN)
    return _OF_COUNCIL if manager.part is Part.ADMINISTRATOR else ()


def looked_after(session: Session, manager: Account) -> Sequence[Account]:
    """The accounts that this person looks after, closed ones last."""
    query = select(Account).order_by(col(Account.closed_at).is_not(None), col(Account.name), col(Account.id))
    return session.exec(query.where(*of_manager(Account, manager, "look after accounts"))).all()


def of_manager(table: Any, manager: Account, step: str) -> Sequence[ColumnElement[bool]]:
    """Which of these rows are this person's to look after; Forbidden, for `step`, to whoever looks after none."""
    match manager.part:
        case Part.PROVIDER_ADMIN:
            return (col(table.provider) == manager.provider,)
        case Part.ADMINISTRATOR if manager.authority is not None:
            return (col(table.authority) == manager.authority,)
        case Part.ADMINISTRATOR:
            return ()
        case _:
            raise Forbidden(actor=manager.ref, step=step)


def one_of(session: Session, manager: Account, ref: str) -> Account:
    """An account that this person looks after, locked; NotFound for any other."""
    for found in looked_after(session, manager):
        if found.ref == ref:
            return locked_one(session, Account, found.id)
    raise NotFound(kind="account", ref=ref)


def invite(
    session: Session, ports: Ports, *, manager: Account, email: str, name: str, part: Part, wall: datetime
) -> tuple[Account, str]:
    """A new account of the manager's own council or provider, and the path at which its person chooses a password."""
    if part not in parts_for(manager):
        raise BadInput("choose what the account is for", field="part")
    if part not in OF_PROVIDER and manager.authority is None:
        raise BadInput("an account of the installation is made by `dps accounts add`", field="part")
    now = ports.clock.read(session)
    account = new_account(
        session, ports.entropy, email=email, name=name, part=part, password=new_password(),
        authority=manager.authority, provider=manager.provider, by=manager.actor, now=now,
    )  # fmt: skip
    return account, ask_to_choose(session, ports, account=account, by=manager.actor, now=now, wall=wall)


def close(session: Session, *, manager: Account, ref: str, now: datetime, wall: datetime) -> Account:
    """End an account for good, every session of it and every key that it made; nobody ends their own."""
    row = one_of(session, manager, ref)
    if row.id == manager.id:
        raise BadInput("ask a colleague to close your own account")
    if row.closed_at is None:
        row.closed_at = now
        session.add(row)
        audit.append(session, row.stream, "account.closed", manager.actor, now)
    end_those_made_by(session, row.ref, by=manager.actor, now=now)
    sessions.end_all(session, row, wall)
    return row


def renew(session: Session, ports: Ports, *, manager: Account, ref: str, wall: datetime) -> tuple[Account, str]:
    """For somebody who lost what they sign in with: no password, no second factor, no session, and a link to choose.

    Returns the account and the link's path.
    """
    row = one_of(session, manager, ref)
    return row, begin_anew(session, ports, account=row, by=manager.actor, wall=wall)


def begin_anew(session: Session, ports: Ports, *, account: Account, by: Actor, wall: datetime) -> str:
    """The renewal itself, for whoever may renew this account; BadInput where it is closed. Returns the link's path."""
    row, now = locked_one(session, Account, account.id), ports.clock.read(session)
    if row.closed_at is not None:
        raise BadInput("an account that is closed is closed for good", field="email")
    set_password(session, account=row, password=new_password(), by=by, now=now)
    row.totp_secret = row.totp_step = None
    session.add(row)
    passkeys.forget_all(session, row)
    sessions.end_all(session, row, wall)
    audit.append(session, row.stream, "account.second_factor_taken_away", by, now)
    return ask_to_choose(session, ports, account=row, by=by, now=now, wall=wall)


def sign_out(session: Session, *, manager: Account, ref: str, now: datetime, wall: datetime) -> Account:
    """End every session of an account."""
    row = one_of(session, manager, ref)
    sessions.end_all(session, row, wall)
    audit.append(session, row.stream, "account.signed_out_everywhere", manager.actor, now)
    return row
