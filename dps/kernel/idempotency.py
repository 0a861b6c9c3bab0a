"""A retried request has one effect and one answer (law 4).

Stored are the SHA-256 of the key and a keyed digest of the body: neither confirms a guessed price.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel

from dps.kernel.columns import id_column, json_column, utc_column
from dps.kernel.database import find_all
from dps.kernel.ending import say
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


class Answers:
    """What several requests were answered before, read in one look, and what they are answered now."""

    def __init__(self, session: Session, keyring: Keyring, hashes: Collection[str]) -> None:
        self._session = session
        self._keyring = keyring
        found = find_all(session, IdempotentAnswer, key_hash=set(hashes)) if hashes else ()
        self._known = {row.key_hash: (row.body_fingerprint, row.answer) for row in found}

    def recall(self, hashed: str, body: bytes) -> Any | None:
        """The answer to this very request; None if the key is new; `KeyReused` if it came with another body."""
        if hashed not in self._known:
            return None
        fingerprint, answer = self._known[hashed]
        if fingerprint != self._fingerprint(hashed, body):
            raise KeyReused()
        return answer

    def remember(self, hashed: str, body: bytes, answer: Any, now: datetime) -> None:
        """Store the answer when the transaction commits, which raises AnsweredMeanwhile if a twin was first."""
        fingerprint = self._fingerprint(hashed, body)
        row = {"key_hash": hashed, "body_fingerprint": fingerprint, "answer": answer, "at": now}
        self._known[hashed] = fingerprint, answer
        say(self._session, _store, row)

    def _fingerprint(self, hashed: str, body: bytes) -> str:
        return self._keyring.fingerprint(hashed.encode(), body)


def recall(session: Session, keyring: Keyring, actor_ref: str, key: str, body: bytes) -> Any | None:
    """`Answers.recall` of one request."""
    hashed = key_hash(actor_ref, key)
    return Answers(session, keyring, [hashed]).recall(hashed, body)


def remember(
    session: Session, keyring: Keyring, actor_ref: str, key: str, body: bytes, answer: Any, now: datetime
) -> None:
    """Store the answer in the transaction that gave it, at once; AnsweredMeanwhile if a twin was first."""
    hashed = key_hash(actor_ref, key)
    fingerprint = keyring.fingerprint(hashed.encode(), body)
    _store(session, [{"key_hash": hashed, "body_fingerprint": fingerprint, "answer": answer, "at": now}])


def _store(session: Session, rows: list[dict[str, Any]]) -> None:
    try:
        session.connection().execute(insert(IdempotentAnswer), rows)
    except IntegrityError:
        raise AnsweredMeanwhile() from None
