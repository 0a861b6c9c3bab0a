"""Choosing one's own password: by a link that is mailed to the account's address, good once and for seven days.

So nobody knows a password that works but its owner: whoever makes an account, or renews one, is shown nothing that
opens it. The link's secret follows from the application key, the account and the instant of asking, and is stored
nowhere; asking again ends every earlier link.
"""

import hmac
from datetime import UTC, datetime

from sqlmodel import Session, select

from dps.kernel import audit
from dps.kernel.actors import Actor
from dps.kernel.database import locked_one
from dps.kernel.keys import Keyring
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from web.security.accounts import Account, set_password

KIND = "password_to_choose"
PATH = "/sign-in/invitations"


def ask_to_choose(session: Session, ports: Ports, *, account: Account, by: Actor, now: datetime, wall: datetime) -> str:
    """Mail this account a link at which its person chooses a password; returns the link's path.

    What opens the account until then is the caller's to take away. `wall` is real time, on which the link ends.
    """
    row = locked_one(session, Account, account.id)
    row.invited_at = wall
    session.add(row)
    session.flush()
    audit.append(session, row.stream, "account.invited", by, now)
    facts = {"invited_at": wall.astimezone(UTC).isoformat()}
    post(session, ports.entropy, recipient=row.stream, kind=KIND, about=row.ref, now=now, facts=facts)
    return path_of(ports.keyring, row.ref, wall)


def path_of(keyring: Keyring, ref: str, invited_at: datetime) -> str:
    """The path of the link that was asked for at this instant."""
    return f"{PATH}/{ref}/{_secret(keyring, ref, invited_at)}"


def invited(session: Session, keyring: Keyring, *, ref: str, secret: str, wall: datetime) -> Account | None:
    """Whose link this is; None for one that was used or replaced, is over, or never was."""
    account = session.exec(select(Account).where(Account.ref == ref)).first()
    return account if account is not None and _is_good(account, keyring, secret, wall) else None


def choose(
    session: Session, keyring: Keyring, *, ref: str, secret: str, password: str, now: datetime, wall: datetime
) -> Account | None:
    """Use the link up: this is the account's password from now on. None as `invited`; BadInput for a bad password."""
    found = invited(session, keyring, ref=ref, secret=secret, wall=wall)
    row = None if found is None else locked_one(session, Account, found.id)
    if row is None or not _is_good(row, keyring, secret, wall):
        return None
    set_password(session, account=row, password=password, by=row.actor, now=now)
    row.invited_at = None
    session.add(row)
    return row


def _is_good(account: Account, keyring: Keyring, secret: str, wall: datetime) -> bool:
    if account.closed_at is not None or not account.is_invited(wall):
        return False
    assert account.invited_at is not None
    return hmac.compare_digest(_secret(keyring, account.ref, account.invited_at).encode(), secret.encode())


def _secret(keyring: Keyring, ref: str, invited_at: datetime) -> str:
    at = invited_at.astimezone(UTC).isoformat()
    return keyring.fingerprint(b"choose a password", ref.encode(), at.encode())
