"""API keys of a council's or a provider's own systems, made and ended by whoever looks after its accounts.

Somebody who looks after a provider makes keys that act for that provider; a council's administrator, keys in one part
of that council that decides nothing alone: a key has no person behind it, so it is no second person either. Nobody
gives a key for looking after accounts. What is another's is not found.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from dps.kernel.actors import Role
from dps.kernel.entropy import Entropy
from dps.kernel.errors import BadInput, NotFound
from web.security.accounts import Account
from web.security.api_keys import ApiKey, end, new_key
from web.security.managing import of_manager, parts_for

_PREPARING = frozenset({Role.PROVIDER, Role.BROKER, Role.REQUESTER, Role.AUDITOR})


def roles_for(manager: Account) -> Sequence[Role]:
    """The roles in which this person's systems may act: none that approves, as a second person or alone."""
    roles = dict.fromkeys(part.role for part in parts_for(manager) if part.role in _PREPARING)
    return tuple(roles) if manager.authority or manager.provider else ()


def keys_of(session: Session, manager: Account) -> Sequence[ApiKey]:
    """The keys that this person looks after, the newest first."""
    query = select(ApiKey).where(*of_manager(ApiKey, manager, "look after API keys")).order_by(col(ApiKey.id).desc())
    return session.exec(query).all()


def make(
    session: Session, entropy: Entropy, *, manager: Account, label: str, role: Role, days: int, now: datetime
) -> tuple[ApiKey, str]:
    """A key for a system of the manager's own council or provider; returns the row and the key, which is shown once."""
    if role not in roles_for(manager):
        raise BadInput("choose what the system does", field="role")
    return new_key(
        session,
        entropy,
        label=label,
        role=role,
        authority=manager.authority,
        provider=manager.provider,
        days=days,
        by=manager.actor,
        now=now,
    )


def revoke(session: Session, *, manager: Account, name: str, now: datetime) -> None:
    """End one of these keys at once; NotFound for any other."""
    found = next((key for key in keys_of(session, manager) if key.name == name), None)
    if found is None:
        raise NotFound(kind="API key", ref=name)
    end(session, found, by=manager.actor, now=now)
