"""The second factor: a code of six digits that an authenticator app shows for 30 seconds, each good for one use.

Source: RFC 6238, with one step of tolerance to either side; section 5.2: a code is never accepted twice.
"""

import hmac
from datetime import datetime

import pyotp
from sqlalchemy import ColumnElement, or_, update
from sqlmodel import Session, col

from dps.kernel import audit
from dps.kernel.actors import Actor
from dps.kernel.database import locked_one
from dps.kernel.keys import Keyring
from web.security.accounts import Account

STEP_S = 30
_TOLERANCE_STEPS = 1
ISSUER = "Home care bidding"


def new_secret() -> str:
    """A secret of 160 bits, as authenticator apps take it."""
    return pyotp.random_base32()


def setup_address(secret: str, account: Account) -> str:
    """What an authenticator app reads to set itself up."""
    return pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=ISSUER)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step whose code this is, among those that are tolerated now; None for a wrong one."""
    current = int(now.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    typed = "".join(code.split())
    found = None
    for step in range(current - _TOLERANCE_STEPS, current + _TOLERANCE_STEPS + 1):
        if hmac.compare_digest(totp.at(step * STEP_S).encode(), typed.encode()):
            found = step
    return found


def enrol(
    session: Session, keyring: Keyring, *, account: Account, secret: str, code: str, now: datetime, by: Actor,
    trail_at: datetime,
) -> bool:  # fmt: skip
    """Keep `secret` as this account's, once a code of it was typed; False where the code is wrong."""
    step = step_of(secret, code, now)
    if step is None:
        return False
    row = locked_one(session, Account, account.id)
    row.totp_secret, row.totp_step = keyring.application.seal(secret.encode(), about=_about(row)), step
    session.add(row)
    audit.append(session, row.stream, "account.second_factor_set", by, trail_at)
    return True


def use_code(session: Session, keyring: Keyring, *, account: Account, code: str, now: datetime) -> bool:
    """Whether this is the account's code and was not used before; it is used up with the answer."""
    if account.totp_secret is None:
        return False
    secret = keyring.application.open(account.totp_secret, about=_about(account)).decode()
    step = step_of(secret, code, now)
    if step is None:
        return False
    used = update(Account).where(col(Account.id) == account.id, _later_than_used(step)).values(totp_step=step)
    return session.execute(used).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def _later_than_used(step: int) -> ColumnElement[bool]:
    return or_(col(Account.totp_step).is_(None), col(Account.totp_step) < step)


def _about(account: Account) -> str:
    return f"second factor {account.ref}"
