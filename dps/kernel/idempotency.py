"""A retried request has one effect and one answer (law 4).

Stored are the SHA-256 of the key and a keyed digest of the body: neither confirms a guessed price.
"""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel

from dps.kernel.columns import id_column, json_column, utc_column
from dps.kernel.database import find
from dps.kernel.errors import AnsweredMeanwhile, BadInput, KeyReused
from dps.kernel.keys import Keyring

_KEY_LENGTH = range(1, 256)


class IdempotentAnswer(SQLModel, table=True):
    """What a request with this key was answered; unique per account and key."""

    __tablename__ = "idempotent_answer"

    id: int | None = id_column()
    key_hash: str = Field(unique=True, max_length=64)
    body_fingerprint: str = Field(max_length=64)
    answer: Any = json_column()
    at: datetime = utc_column()


def key_hash(actor_ref: str, key: str) -> str:
    """SHA-256 of the key, bound to the account that sent it."""
    if len(key) not in _KEY_LENGTH:
        raise BadInput("an idempotency key has 1 to 255 characters", field="Idempotency-Key")
    return hashlib.sha256(f"{actor_ref}\n{key}".encode()).hexdigest()


def recall(session: Session, keyring: Keyring, actor_ref: str, key: str, body: bytes) -> Any | None:
    """The stored answer to this very request; None if the key is new; `KeyReused` if it came with another body."""
    hashed = key_hash(actor_ref, key)
    known = find(session, IdempotentAnswer, key_hash=hashed)
    if known is None:
        return None
    if known.body_fingerprint != keyring.fingerprint(hashed.encode(), body):
        raise KeyReused()
    return known.answer


def remember(
    session: Session, keyring: Keyring, actor_ref: str, key: str, body: bytes, answer: Any, now: datetime
) -> None:
    """Store the answer in the transaction that gave it; AnsweredMeanwhile if a twin of this request was first."""
    hashed = key_hash(actor_ref, key)
    fingerprint = keyring.fingerprint(hashed.encode(), body)
    row = {"key_hash": hashed, "body_fingerprint": fingerprint, "answer": answer, "at": now}
    try:
        session.connection().execute(insert(IdempotentAnswer), row)
    except IntegrityError:
        raise AnsweredMeanwhile() from None
