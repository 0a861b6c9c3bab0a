"""Webhooks: a signed call to a reader's own system for each message, by the Standard Webhooks specification.

Source: https://www.standardwebhooks.com, version 1: `webhook-id`, `webhook-timestamp`, `webhook-signature`, the last an
HMAC-SHA256 over id, timestamp and body. The id is the message's reference: a call made twice, or replayed, says so.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import bytes_column, canonical_json, id_column, json_column, ref_column, utc_column
from dps.kernel.entropy import SystemEntropy
from dps.kernel.errors import BadInput, Forbidden, NotFound
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference

SECRET_PREFIX = "whsec_"  # noqa: S105 - what every secret begins with
MOST = 10
"""How many endpoints one reader may have."""


class WebhookEndpoint(SQLModel, table=True):
    """Where a reader's system is called, from now until `ended_at`. `secret` is sealed; `kinds` empty means all."""

    __tablename__ = "webhook_endpoint"

    id: int | None = id_column()
    ref: str = ref_column()
    recipient: str = Field(max_length=64, index=True)
    url: str = Field(max_length=500)
    secret: bytes = bytes_column()
    kinds: list[str] = json_column()
    created_at: datetime = utc_column()
    created_by: str
    ended_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return f"webhook:{self.ref}"

    def wants(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds


def recipient_of(actor: Actor) -> str:
    """Whose messages this actor may have: its provider's, or its authority's."""
    if actor.provider is not None:
        return f"provider:{actor.provider}"
    if actor.authority is None:
        raise Forbidden(actor=actor.ref, step="have messages sent")
    return f"authority:{actor.authority}"


def add(
    session: Session, ports: Ports, *, url: str, kinds: Sequence[str], actor: Actor, secret: str | None = None,
    with_loopback: bool = False,
) -> tuple[WebhookEndpoint, str]:  # fmt: skip
    """A new endpoint and its secret, which is shown once. `secret` is the caller's own, else one is made."""
    actor.needs("add a webhook", Role.PROVIDER, Role.BROKER, Role.ADMINISTRATOR)
    recipient = recipient_of(actor)
    _refuse_bad_url(url, with_loopback=with_loopback)
    key = _key(secret) if secret else SystemEntropy().token(32)
    if len(standing(session, recipient)) >= MOST:
        raise BadInput(f"there are {MOST} endpoints already: end one first", field="url")
    ref = new_reference(Kind.WEBHOOK, ports.entropy)
    now = ports.clock.read(session)
    row = WebhookEndpoint(
        ref=ref,
        recipient=recipient,
        url=url,
        secret=ports.keyring.application.seal(key, about=f"webhook {ref}"),
        kinds=sorted(set(kinds)),
        created_at=now,
        created_by=actor.ref,
    )
    session.add(row)
    session.flush()
    audit.append(session, row.stream, "webhook.added", actor, now, {"recipient": recipient})
    return row, SECRET_PREFIX + base64.b64encode(key).decode()


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        key = b""
    if not 24 <= len(key) <= 64:
        raise BadInput("a secret is whsec_ and the base64 of 24 to 64 random bytes", field="secret")
    return key


def _refuse_bad_url(url: str, *, with_loopback: bool) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadInput("is not an address", field="url") from None
    is_loopback = with_loopback and parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or parts.scheme not in (("https", "http") if is_loopback else ("https",)):
        raise BadInput("use an address that begins with https://", field="url")
    if parts.username or parts.password or parts.fragment or not url.isascii() or len(url) > 500:
        raise BadInput("use an address without a password, a fragment or a space, of 500 letters at most", field="url")
    if port is not None and port == 0:
        raise BadInput("names no port", field="url")


def standing(session: Session, recipient: str) -> Sequence[WebhookEndpoint]:
    """The endpoints of a reader that were not ended."""
    return session.exec(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.recipient == recipient, col(WebhookEndpoint.ended_at).is_(None))
        .order_by(col(WebhookEndpoint.id))
    ).all()


def endpoint_of(session: Session, ref: str, actor: Actor) -> WebhookEndpoint:
    """One endpoint of the actor's own; NotFound for any other."""
    found = session.exec(select(WebhookEndpoint).where(WebhookEndpoint.ref == ref)).first()
    if found is None or found.recipient != recipient_of(actor):
        raise NotFound(kind="webhook", ref=ref)
    return found


def end(session: Session, ports: Ports, *, ref: str, actor: Actor) -> WebhookEndpoint:
    """Call it no more; ending it twice is no error."""
    row = endpoint_of(session, ref, actor)
    if row.ended_at is None:
        row.ended_at = ports.clock.read(session)
        session.add(row)
        audit.append(session, row.stream, "webhook.ended", actor, row.ended_at)
    return row


def body_of(message: OutboxMessage) -> bytes:
    """What an endpoint is told: references, a kind, an instant, and an end where there is one."""
    said: dict[str, Any] = {
        "type": message.kind,
        "timestamp": message.posted_at.isoformat(),
        "data": {"about": message.about, "facts": message.facts},
    }
    return canonical_json(said).encode()


def signature(key: bytes, *, ref: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the base64 of the HMAC over id, timestamp and body."""
    mac = hmac.new(key, f"{ref}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(mac.digest()).decode()}"
