"""Passkeys: a key pair on somebody's device, of which we keep the public half; nothing that can be typed or phished.

With the device's own check of the person (a finger, a face, a PIN) a passkey is both factors at once; without it, it
is the second. Source: W3C Web Authentication Level 3, as the library `webauthn` reads it.
"""

import hashlib
import ipaddress
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from sqlalchemy import delete, update
from sqlmodel import Field, Session, SQLModel, col, select
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from dps.kernel import audit
from dps.kernel.columns import bytes_column, id_column, link_column, ref_column, utc_column, whole_column
from dps.kernel.entropy import Entropy, SystemEntropy
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.references import Kind, new_reference
from dps.kernel.settings import Settings
from web.security.accounts import Account

LASTS = timedelta(minutes=5)
MOST = 10
"""How many passkeys an account may have."""


class Passkey(SQLModel, table=True):
    """One device's public key. `sign_count` only grows; a smaller one is a copied key and is refused."""

    __tablename__ = "passkey"

    id: int | None = id_column()
    ref: str = ref_column()
    account_id: int = link_column("account.id")
    credential_id: str = Field(unique=True, max_length=1400)
    public_key: bytes = bytes_column()
    sign_count: int = whole_column()
    label: str = Field(max_length=60)
    created_at: datetime = utc_column()
    used_at: datetime | None = utc_column(nullable=True)


class Challenge(SQLModel, table=True):
    """What a browser has to sign next; used up by the first answer."""

    __tablename__ = "challenge"

    id: int | None = id_column()
    holder_sha256: str = Field(unique=True, max_length=64)
    challenge: bytes = bytes_column()
    made_at: datetime = utc_column(index=True)


@dataclass(frozen=True, slots=True)
class Site:
    """The name under which browsers keep passkeys for this installation."""

    id: str
    origin: str


def site_of(settings: Settings) -> Site | None:
    """None where people come by a number: browsers keep passkeys for names alone."""
    parts = urlsplit(settings.address)
    host = parts.hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return Site(host, f"{parts.scheme}://{parts.netloc}")
    return None


def creation_options(session: Session, site: Site, *, account: Account, holder: str, now: datetime) -> str:
    """What a browser is asked to make, as JSON; the challenge is kept for `holder`, the browser's own token."""
    assert account.id is not None
    options = webauthn.generate_registration_options(
        rp_id=site.id,
        rp_name="Home care bidding",
        user_name=account.email,
        user_display_name=account.name,
        user_id=account.ref.encode(),
        challenge=_challenge(session, holder, now),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[_described(one) for one in of(session, account)],
    )
    return webauthn.options_to_json(options)


def keep(
    session: Session, entropy: Entropy, site: Site, *, account: Account, holder: str, credential: str, label: str,
    now: datetime, trail_at: datetime,
) -> Passkey:  # fmt: skip
    """Keep what the browser made; BadInput where it did not answer our challenge, or has no room."""
    assert account.id is not None
    if len(of(session, account)) >= MOST:
        raise BadInput(f"there are {MOST} passkeys already: remove one first", field="label")
    try:
        verified = webauthn.verify_registration_response(
            credential=_read(credential),
            expected_challenge=_taken(session, holder, now),
            expected_rp_id=site.id,
            expected_origin=site.origin,
            require_user_verification=True,
        )
    except WebAuthnException:
        raise BadInput("this passkey could not be added: start again", field="label") from None
    row = Passkey(
        ref=new_reference(Kind.PASSKEY, entropy),
        account_id=account.id,
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        label=label.strip()[:60] or "Passkey",
        created_at=now,
    )
    session.add(row)
    session.flush()
    audit.append(session, account.stream, "account.passkey_added", account.actor, trail_at, {"passkey": row.ref})
    return row


def request_options(session: Session, site: Site, *, holder: str, now: datetime, account: Account | None = None) -> str:
    """What a browser is asked to sign, as JSON: with any of the account's passkeys, or with any that it has."""
    options = webauthn.generate_authentication_options(
        rp_id=site.id,
        challenge=_challenge(session, holder, now),
        allow_credentials=[_described(one) for one in of(session, account)] if account else None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def use(
    session: Session, site: Site, *, holder: str, credential: str, now: datetime, account: Account | None = None
) -> Account | None:
    """Whose passkey signed; None for whatever is not right. `account` lets only this account's pass.

    Who signed was checked by the device, so that no password is needed beside it.
    """
    try:
        sent = _read(credential)
        challenge = _taken(session, holder, now)
        row = session.exec(
            select(Passkey).where(Passkey.credential_id == str(sent.get("id", ""))).with_for_update()
        ).first()
        if row is None or (account is not None and row.account_id != account.id):
            return None
        verified = webauthn.verify_authentication_response(
            credential=sent,
            expected_challenge=challenge,
            expected_rp_id=site.id,
            expected_origin=site.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, BadInput):
        return None
    used = update(Passkey).where(col(Passkey.id) == row.id).values(sign_count=verified.new_sign_count, used_at=now)
    session.execute(used)
    found = session.get(Account, row.account_id)
    return found if found is not None and found.closed_at is None else None


def of(session: Session, account: Account) -> Sequence[Passkey]:
    """An account's passkeys, the first one first."""
    return session.exec(select(Passkey).where(Passkey.account_id == account.id).order_by(col(Passkey.id))).all()


def forget(session: Session, *, account: Account, ref: str, trail_at: datetime) -> None:
    """Take one passkey away; NotFound where it is not this account's."""
    gone = delete(Passkey).where(col(Passkey.account_id) == account.id, col(Passkey.ref) == ref)
    if session.execute(gone).rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound(kind="passkey", ref=ref)
    audit.append(session, account.stream, "account.passkey_removed", account.actor, trail_at, {"passkey": ref})


def forget_all(session: Session, account: Account) -> None:
    session.execute(delete(Passkey).where(col(Passkey.account_id) == account.id))


def _described(row: Passkey) -> PublicKeyCredentialDescriptor:
    return PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.credential_id))


def _read(credential: str) -> dict[str, Any]:
    try:
        read = json.loads(credential)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise BadInput("this is no passkey's answer", field="credential")
    return read


def _challenge(session: Session, holder: str, now: datetime) -> bytes:
    """A new challenge in place of the browser's earlier one."""
    digest = _sha256(holder)
    stale = (col(Challenge.made_at) < now - LASTS) | (col(Challenge.holder_sha256) == digest)
    session.execute(delete(Challenge).where(stale))
    challenge = SystemEntropy().token(32)
    session.add(Challenge(holder_sha256=digest, challenge=challenge, made_at=now))
    session.flush()
    return challenge


def _taken(session: Session, holder: str, now: datetime) -> bytes:
    """The browser's challenge, used up by this; BadInput where there is none, or another answer was first."""
    row = session.exec(select(Challenge).where(Challenge.holder_sha256 == _sha256(holder)).with_for_update()).first()
    if row is None or now >= row.made_at + LASTS:
        raise BadInput("this took too long: start again", field="credential")
    session.delete(row)
    session.flush()
    return row.challenge


def _sha256(holder: str) -> str:
    return hashlib.sha256(f"passkey {holder}".encode()).hexdigest()
