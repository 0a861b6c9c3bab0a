"""A retried request has one effect and one answer; nothing stored confirms a guess at its body (law 4)."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from dps.kernel.database import Database
from dps.kernel.errors import AnsweredMeanwhile, BadInput, Conflict, KeyReused
from dps.kernel.idempotency import IdempotentAnswer, key_hash, recall, remember
from dps.kernel.keys import Keyring, create_keys, load_keyring
from tests.dps.kernel.samples import NOON
from tests.support.race import race

BODY = b'{"pence":1895}'
RECEIPT = {"bid": "BID-1", "signature": "abc"}


def recalled(database: Database, keyring: Keyring, actor: str, key: str, body: bytes) -> Any:
    with database.reading() as session:
        return recall(session, keyring, actor, key, body)


@pytest.fixture
def answered(database: Database, keyring: Keyring) -> Database:
    """USR-1's request under the key "first" was answered with a receipt."""
    with database.transaction() as session:
        remember(session, keyring, "USR-1", "first", BODY, RECEIPT, NOON)
    return database


def test_a_new_key_has_no_answer(database: Database, keyring: Keyring) -> None:
    assert recalled(database, keyring, "USR-1", "first", BODY) is None


def test_the_same_request_gets_the_same_answer(answered: Database, keyring: Keyring) -> None:
    answers = [recalled(answered, keyring, "USR-1", "first", BODY) for _ in range(3)]

    assert answers == [RECEIPT] * 3


@pytest.mark.parametrize("body", [b'{"pence":1896}', b"", BODY + b" "])
def test_the_same_key_with_another_body_is_refused(answered: Database, keyring: Keyring, body: bytes) -> None:
    with pytest.raises(KeyReused):
        recalled(answered, keyring, "USR-1", "first", body)


@pytest.mark.parametrize(("actor", "key"), [("USR-2", "first"), ("USR-1", "second"), ("USR-", "1first")])
def test_another_accounts_key_is_another_key(answered: Database, keyring: Keyring, actor: str, key: str) -> None:
    assert recalled(answered, keyring, actor, key, BODY) is None
    assert recalled(answered, keyring, actor, key, b"another body") is None


def test_an_answer_is_stored_with_its_command_or_not_at_all(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        remember(session, keyring, "USR-1", "first", BODY, RECEIPT, NOON)
        session.rollback()

    assert recalled(database, keyring, "USR-1", "first", BODY) is None


def test_of_twins_one_is_answered_and_the_others_are_told_to_ask_again(database: Database, keyring: Keyring) -> None:
    def answer(number: int) -> int:
        with database.transaction() as session:
            remember(session, keyring, "USR-1", "first", BODY, {"number": number}, NOON)
        return number

    outcomes = race([lambda number=number: answer(number) for number in range(6)])  # type: ignore[misc]

    [first] = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert {type(outcome) for outcome in outcomes} == {int, AnsweredMeanwhile}
    assert issubclass(AnsweredMeanwhile, Conflict)
    assert recalled(database, keyring, "USR-1", "first", BODY) == {"number": first}


@pytest.mark.parametrize("key", ["", "k" * 256])
def test_a_key_has_one_to_255_characters(database: Database, keyring: Keyring, key: str) -> None:
    with pytest.raises(BadInput, match=r"Idempotency-Key: .*1 to 255"):
        recalled(database, keyring, "USR-1", key, BODY)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=255))
def test_any_key_of_that_length_will_do(key: str) -> None:
    assert len(key_hash("USR-1", key)) == 64


def test_what_is_stored_confirms_no_guess_without_the_application_key(
    answered: Database, keyring: Keyring, tmp_path: Path
) -> None:
    create_keys(tmp_path / "keys", tmp_path / "identities")
    stranger = load_keyring(tmp_path / "keys")
    with answered.reading() as session:
        row = session.exec(select(IdempotentAnswer)).one()
    known = [b"", b"first", b"USR-1", row.key_hash.encode(), bytes.fromhex(row.key_hash), b"USR-1\nfirst"]

    guesses = {
        digest(guess).hexdigest()
        for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.blake2b)
        for guess in (BODY, *(one + BODY for one in known), *(BODY + one for one in known))
    }
    guesses |= {hmac.new(one, BODY, hashlib.sha256).hexdigest() for one in known}
    guesses |= {stranger.fingerprint(one, BODY) for one in known}

    assert row.body_fingerprint == keyring.fingerprint(row.key_hash.encode(), BODY)
    assert not guesses & {row.body_fingerprint, row.key_hash}


def test_one_body_under_two_keys_does_not_show_as_one(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        remember(session, keyring, "USR-1", "first", BODY, RECEIPT, NOON)
        remember(session, keyring, "USR-1", "second", BODY, RECEIPT, NOON)

    with database.reading() as session:
        rows = session.exec(select(IdempotentAnswer)).all()
    assert len({row.body_fingerprint for row in rows}) == 2
