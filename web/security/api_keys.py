"""API keys: 256 random bits, shown once and stored as their SHA-256, for one account in one role, until a day.

A key is too long to be guessed, so a plain hash keeps it as well as a slow one would.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import id_column, state_column, utc_column
from dps.kernel.database import find, find_all, locked_one
from dps.kernel.entropy import Entropy, SystemEntropy
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.references import Kind, new_reference, parse_reference

PREFIX = "dps_"
LONGEST_DAYS = 366

_WITHOUT_AUTHORITY = (Role.PROVIDER, Role.ADMINISTRATOR, Role.AUDITOR)


class ApiKey(SQLModel, table=True):
    """A key and what it may do; in force `[created_at, expires_at)` unless it was revoked.

    Only an administrator's or an auditor's key may span all authorities (`authority` None); a provider's names its
    provider instead.
    """

    __tablename__ = "api_key"
    __table_args__ = (
        CheckConstraint("(provider IS NOT NULL) = (role = 'provider')", name="provider_of_provider"),
        CheckConstraint(
            "authority IS NOT NULL OR role IN ('provider', 'administrator', 'auditor')", name="has_authority"
        ),
        CheckConstraint("role <> 'clock'", name="not_the_clock"),
        CheckConstraint("expires_at > created_at", name="expires_after_creation"),
    )

    id: int | None = id_column()
    name: str = Field(unique=True, max_length=16)
    key_sha256: str = Field(unique=True, max_length=64)
    account: str = Field(index=True, max_length=24)
    label: str = Field(max_length=80)
    role: Role = state_column(Role, index=False)
    authority: str | None = Field(default=None, max_length=40)
    provider: str | None = Field(default=None, max_length=24)
    created_at: datetime = utc_column()
    created_by: str
    expires_at: datetime = utc_column()
    revoked_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return f"api_key:{self.name}"

    def is_in_force(self, now: datetime) -> bool:
        return self.revoked_at is None and now < self.expires_at

    @property
    def actor(self) -> Actor:
        """Who acts with this key."""
        return Actor(ref=self.account, role=self.role, authority=self.authority, provider=self.provider)


def create(
    session: Session,
    entropy: Entropy,
    *,
    label: str,
    role: Role,
    authority: str | None,
    provider: str | None,
    days: int,
    by: Actor,
    now: datetime,
    account: str | None = None,
) -> tuple[ApiKey, str]:
    """`new_key` for whoever looks after the installation."""
    by.needs("create an API key", Role.ADMINISTRATOR)
    return new_key(
        session,
        entropy,
        label=label,
        role=role,
        authority=authority,
        provider=provider,
        days=days,
        by=by,
        now=now,
        account=account,
    )


def new_key(
    session: Session,
    entropy: Entropy,
    *,
    label: str,
    role: Role,
    authority: str | None,
    provider: str | None,
    days: int,
    by: Actor,
    now: datetime,
    account: str | None = None,
) -> tuple[ApiKey, str]:
    """A new key for a new account, or for `account`; returns the row and the key itself, which is nowhere else.

    Whether `by` may make it is the caller's to ask.
    """
    _refuse_nonsense(label, role, authority, provider, days)
    key = PREFIX + base64.urlsafe_b64encode(SystemEntropy().token(32)).decode().rstrip("=")
    digest = _sha256(key)
    row = ApiKey(
        name=digest[:16],
        key_sha256=digest,
        account=parse_reference(account, Kind.USER) if account else new_reference(Kind.USER, entropy),
        label=label.strip(),
        role=role,
        authority=authority,
        provider=provider,
        created_at=now,
        created_by=by.ref,
        expires_at=now + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    facts = {"account": row.account, "role": str(role), "authority": authority, "provider": provider}
    audit.append(session, row.stream, "api_key.created", by, now, facts)
    return row, key


def _refuse_nonsense(label: str, role: Role, authority: str | None, provider: str | None, days: int) -> None:
    if not 1 <= len(label.strip()) <= 80:
        raise BadInput("say in 1 to 80 characters what the key is for", field="label")
    if role is Role.CLOCK:
        raise BadInput("nobody but the worker acts as the clock", field="role")
    if (role is Role.PROVIDER) != (provider is not None):
        raise BadInput("a provider's key names its provider, and no other key does", field="provider")
    if role is Role.PROVIDER and authority is not None:
        raise BadInput("a provider belongs to no authority", field="authority")
    if authority is None and role not in _WITHOUT_AUTHORITY:
        raise BadInput(f"a {role.replace('_', ' ')} works for one authority: name it", field="authority")
    if not 1 <= days <= LONGEST_DAYS:
        raise BadInput(f"a key is in force for 1 to {LONGEST_DAYS} days", field="days")


def revoke(session: Session, *, name: str, by: Actor, now: datetime) -> None:
    """End any key at once; ending it twice is no error."""
    by.needs("revoke an API key", Role.ADMINISTRATOR)
    found = session.exec(select(ApiKey).where(ApiKey.name == name)).first()
    if found is None:
        raise NotFound(kind="API key", ref=name)
    end(session, found, by=by, now=now)


def end(session: Session, found: ApiKey, *, by: Actor, now: datetime) -> None:
    """End this key at once. Whether `by` may is the caller's to ask."""
    row = locked_one(session, ApiKey, found.id)
    if row.revoked_at is None:
        row.revoked_at = now
        session.add(row)
        audit.append(session, row.stream, "api_key.revoked", by, now)


def end_those_made_by(session: Session, account: str, *, by: Actor, now: datetime) -> None:
    """End every key that this account made: whoever leaves has seen them."""
    query = (
        select(ApiKey).where(ApiKey.created_by == account, col(ApiKey.revoked_at).is_(None)).order_by(col(ApiKey.id))
    )
    for key in session.exec(query).all():
        end(session, key, by=by, now=now)


def actor_of(session: Session, key: str, now: datetime) -> Actor | None:
    """Who this key belongs to; None where it is unknown, expired or revoked, which nobody is told apart."""
    return actors_of(session, [key], now)[0]


def actors_of(session: Session, keys: Sequence[str], now: datetime) -> list[Actor | None]:
    """`actor_of` each of these, in one look."""
    hashes = {key: _sha256(key) for key in keys if key.startswith(PREFIX) and len(key) <= 100}
    found = find_all(session, ApiKey, key_sha256=set(hashes.values())) if hashes else ()
    actors = {row.key_sha256: row.actor for row in found if row.is_in_force(now)}
    return [actors.get(hashes.get(key, "")) for key in keys]


def actor_by_hash(session: Session, key_sha256: str, at: datetime) -> Actor | None:
    """Who acted at this instant with the key of this SHA-256."""
    row = find(session, ApiKey, key_sha256=key_sha256)
    was_in_force = row is not None and at < row.expires_at and (row.revoked_at is None or row.revoked_at > at)
    return row.actor if row is not None and was_in_force else None


def every_key(session: Session) -> Sequence[ApiKey]:
    """All keys ever made, the newest first."""
    return session.exec(select(ApiKey).order_by(col(ApiKey.id).desc())).all()


def _sha256(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
