"""Council staff sign in where their council signs them in: OpenID Connect, code flow with PKCE, state and nonce.

Source: OpenID Connect Core 1.0, section 3.1; RFC 7636 (PKCE, S256); RFC 9207 (`iss` in the answer). An account must be
there beforehand, and a council's provider speaks for that council's accounts alone. The second factor is the
provider's to ask for.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, select

from dps.kernel import audit
from dps.kernel.columns import id_column, link_column, utc_column
from dps.kernel.database import find
from dps.kernel.entropy import SystemEntropy
from dps.kernel.errors import BadInput
from dps.kernel.keys import SecretBox
from dps.kernel.settings import IdentityProvider
from web.security.accounts import OF_PROVIDER, Account, find_account, normal_email

LASTS = timedelta(minutes=10)
PATIENCE_S = 10
ALGORITHMS = ("RS256", "PS256", "ES256")
_ABOUT = "sign-in elsewhere"
_KEPT_S = 3600
_LEEWAY_S = 60


class ExternalIdentity(SQLModel, table=True):
    """Whose account a subject of an issuer is, from the first time that they came."""

    __tablename__ = "external_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject", name="uq_external_identity_subject"),)

    id: int | None = id_column()
    account_id: int = link_column("account.id")
    issuer: str = Field(max_length=255)
    subject: str = Field(max_length=255)
    linked_at: datetime = utc_column()


class NotLetIn(Exception):
    """Somebody comes back who can't be let in; the text says why, to the log and not to the person."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a browser takes along, sealed, while its person is elsewhere."""

    provider: str
    state: str
    nonce: str
    verifier: str
    onward: str
    began_at: str

    def sealed(self, box: SecretBox) -> str:
        return base64.urlsafe_b64encode(box.seal(json.dumps(asdict(self)).encode(), about=_ABOUT)).decode()


def opened(box: SecretBox, text: str | None, now: datetime) -> Attempt:
    """The attempt that this browser brought back; NotLetIn for none, a forged or an old one."""
    from dps.kernel.errors import Corrupted

    try:
        attempt = Attempt(**json.loads(box.open(base64.urlsafe_b64decode(text or ""), about=_ABOUT)))
    except (ValueError, TypeError, Corrupted):
        raise NotLetIn("no attempt") from None
    if now >= datetime.fromisoformat(attempt.began_at) + LASTS:
        raise NotLetIn("an old attempt")
    return attempt


class Elsewhere:
    """One council's provider, as it describes itself; what it says is kept for an hour."""

    def __init__(self, provider: IdentityProvider) -> None:
        self.provider = provider
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[float, Any]] = {}

    def leaving(self, *, back: str, onward: str, now: datetime) -> tuple[Attempt, str]:
        """A new attempt, and the address to which the browser is sent."""
        attempt = Attempt(
            provider=self.provider.key,
            state=_random(),
            nonce=_random(),
            verifier=_random(),
            onward=onward,
            began_at=now.isoformat(),
        )
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code",
            "client_id": self.provider.client_id,
            "redirect_uri": back,
            "scope": "openid email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = self._described("authorization_endpoint")
        return attempt, f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def returned(self, answer: Mapping[str, str], attempt: Attempt, *, back: str, now: datetime) -> dict[str, Any]:
        """The claims about whoever came back; NotLetIn for anything that is not exactly right."""
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise NotLetIn("another state")
        if answer.get("iss", self.provider.issuer) != self.provider.issuer:
            raise NotLetIn("another issuer")
        if "code" not in answer:
            raise NotLetIn("no code")
        sent = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": back,
            "code_verifier": attempt.verifier,
        }
        secret = self.provider.client_secret.get_secret_value()
        with self._client() as client:
            given = client.post(self._described("token_endpoint"), data=sent, auth=(self.provider.client_id, secret))
        try:
            token = given.json()["id_token"] if given.status_code == 200 else None
        except (ValueError, KeyError, TypeError):
            token = None
        if not isinstance(token, str):
            raise NotLetIn("no token")
        return self._claims(token, attempt, now)

    def _claims(self, token: str, attempt: Attempt, now: datetime) -> dict[str, Any]:
        claims: dict[str, Any]
        try:
            try:
                claims = jwt.decode(token, self._keys(), algorithms=ALGORITHMS).claims
            except (JoseError, ValueError):
                # Keys change: the provider may have signed with one that is newer than what we know.
                claims = jwt.decode(token, self._keys(fresh=True), algorithms=ALGORITHMS).claims
            jwt.JWTClaimsRegistry(
                now=int(now.timestamp()),
                leeway=_LEEWAY_S,
                iss={"essential": True, "value": self.provider.issuer},
                aud={"essential": True, "value": self.provider.client_id},
                nonce={"essential": True, "value": attempt.nonce},
                sub={"essential": True},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError) as fault:
            raise NotLetIn(type(fault).__name__) from None
        if claims.get("azp", self.provider.client_id) != self.provider.client_id:
            raise NotLetIn("another party")
        return claims

    def _keys(self, *, fresh: bool = False) -> KeySet:
        return KeySet.import_key_set(self._fetched(self._described("jwks_uri"), fresh=fresh))

    def _described(self, name: str) -> str:
        issuer = self.provider.issuer
        description = self._fetched(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if description.get("issuer") != issuer or not isinstance(description.get(name), str):
            raise NotLetIn("the provider describes itself as another")
        return str(description[name])

    def _fetched(self, address: str, *, fresh: bool = False) -> Any:
        with self._lock:
            at, kept = self._kept.get(address, (0.0, None))
            # A machine's running time, not its clock: nothing but how long an answer is kept depends on it.
            running = time.monotonic()
            if kept is None or fresh or running - at > _KEPT_S:
                with self._client() as client:
                    answer = client.get(address)
                    answer.raise_for_status()
                    kept = answer.json()
                self._kept[address] = (running, kept)
            return kept

    @staticmethod
    def _client() -> httpx.Client:
        return httpx.Client(timeout=PATIENCE_S, follow_redirects=False)


def account_of(
    session: Session, provider: IdentityProvider, claims: Mapping[str, Any], *, now: datetime, trail_at: datetime
) -> Account:
    """Whose account this is: by the subject, and the first time by the address; NotLetIn where there is none."""
    subject = str(claims["sub"])
    known = find(session, ExternalIdentity, issuer=provider.issuer, subject=subject)
    account = session.get(Account, known.account_id) if known else _by_email(session, claims)
    if account is None or account.closed_at is not None or account.part in OF_PROVIDER:
        raise NotLetIn("no account")
    if account.authority not in provider.authorities:
        raise NotLetIn("another council's account")
    if known is None:
        assert account.id is not None
        taken = session.exec(
            select(ExternalIdentity.id).where(
                ExternalIdentity.account_id == account.id, ExternalIdentity.issuer == provider.issuer
            )
        ).first()
        if taken is not None:
            raise NotLetIn("an account that is somebody else's already")
        # Whoever comes from their council needs no password here: the link to choose one is over.
        account.invited_at = None
        session.add(account)
        session.add(ExternalIdentity(account_id=account.id, issuer=provider.issuer, subject=subject, linked_at=now))
        audit.append(session, account.stream, "account.linked", account.actor, trail_at, {"provider": provider.key})
    return account


def _by_email(session: Session, claims: Mapping[str, Any]) -> Account | None:
    if claims.get("email_verified", True) is not True or not isinstance(claims.get("email"), str):
        return None
    try:
        return find_account(session, normal_email(claims["email"]))
    except BadInput:
        return None


def _random() -> str:
    return base64.urlsafe_b64encode(SystemEntropy().token(32)).decode().rstrip("=")
