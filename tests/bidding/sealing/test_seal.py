"""A bid as it is sealed, and its receipt: checked here with other code than the engine's own."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from bidding.sealing.opening import Identities
from bidding.sealing.seal import (
    Sealed,
    commitment_of,
    committed_number,
    in_milliseconds,
    pad,
    receipt_of,
    recipients_id,
    seal,
    signed,
    unpad,
)
from dps.kernel.entropy import SeededEntropy
from dps.kernel.errors import BadInput, Misconfigured
from dps.kernel.keys import Keyring, create_keys, load_keyring

NOON = datetime(2019, 3, 4, 12, 0, 0, 999_999, tzinfo=UTC)
SIZES = {4096, 16384, 65536, 262144}
CONTENT = {"card": {"basis": "per_hour", "prices": {"weekday": 98765}}, "starts_on": "2019-03-07"}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Keyring, Identities]:
    folder = tmp_path_factory.mktemp("keys")
    create_keys(folder / "keys", folder / "identities")
    return load_keyring(folder / "keys"), Identities(folder / "identities")


def sealed_bid(keyring: Keyring, content: dict[str, Any] | None = None, seed: str = "bid") -> Sealed:
    return seal(content or CONTENT, recipients=keyring.recipients, entropy=SeededEntropy(seed))


# Padding


@given(st.binary(max_size=70_000))
def test_padding_comes_off_again_and_leaves_one_of_four_sizes(content: bytes) -> None:
    padded = pad(content)

    assert unpad(padded) == content
    assert len(padded) in SIZES
    assert len(padded) == min(size for size in SIZES if size >= len(content) + 4)


def test_a_bid_longer_than_the_greatest_size_is_refused() -> None:
    assert len(pad(bytes(262_140))) == 262_144

    with pytest.raises(BadInput, match="256 KiB"):
        pad(bytes(262_141))


def test_a_length_that_can_not_be_true_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than what is there"):
        unpad((5000).to_bytes(4, "big") + bytes(4092))


# Sealed


def test_cheap_and_dear_bids_are_of_one_size(keys: tuple[Keyring, Identities]) -> None:
    cheap, dear = (
        sealed_bid(keys[0], {**CONTENT, "card": {"basis": "per_hour", "prices": {"weekday": pence}}})
        for pence in (1, 9_999_999)
    )

    # Before the payload stands a header, which age fills with stanzas at random; it knows nothing of the content.
    payloads = [stored.ciphertext.split(b"\n---", 1)[1].split(b"\n", 1)[1] for stored in (cheap, dear)]
    assert len(payloads[0]) == len(payloads[1])


def test_nothing_that_is_stored_tells_the_price(keys: tuple[Keyring, Identities]) -> None:
    stored = sealed_bid(keys[0])

    for clear in (b"98765", b"per_hour", b"2019-03-07"):
        assert clear not in stored.ciphertext
    # Without the nonce no guess can be confirmed: neither the plain content nor the price hashes to the commitment.
    for guess in (json.dumps(CONTENT, sort_keys=True, separators=(",", ":")), "98765", json.dumps(CONTENT)):
        assert hashlib.sha256(guess.encode()).hexdigest() != stored.commitment


def test_the_same_bid_sealed_twice_looks_different(keys: tuple[Keyring, Identities]) -> None:
    first, second = sealed_bid(keys[0], seed="one"), sealed_bid(keys[0], seed="two")

    assert first.ciphertext != second.ciphertext
    assert first.commitment != second.commitment


def test_the_worker_reads_what_was_sealed_and_what_was_committed(keys: tuple[Keyring, Identities]) -> None:
    stored = sealed_bid(keys[0])

    opened = keys[1].open(stored.ciphertext, ciphertext_sha256=stored.ciphertext_sha256, commitment=stored.commitment)

    nonce = opened.pop("nonce")
    assert opened == CONTENT
    assert commitment_of(opened, nonce) == stored.commitment


def test_any_age_tool_opens_the_format_as_it_is_described() -> None:
    identity = pyrage.x25519.Identity.generate()

    stored = seal(CONTENT, recipients=(str(identity.to_public()),), entropy=SeededEntropy("bid"))

    padded = pyrage.decrypt(stored.ciphertext, [identity])
    plain = padded[4 : 4 + int.from_bytes(padded[:4], "big")]
    assert set(padded[4 + len(plain) :]) == {0}
    assert {key: value for key, value in json.loads(plain).items() if key != "nonce"} == CONTENT
    assert hashlib.sha256(plain).hexdigest() == stored.commitment


def test_another_workers_identity_opens_nothing(keys: tuple[Keyring, Identities], tmp_path: Path) -> None:
    create_keys(tmp_path / "keys", tmp_path / "identities")
    stored = sealed_bid(keys[0])

    with pytest.raises(ValueError, match="not sealed to this worker"):
        Identities(tmp_path / "identities").open(
            stored.ciphertext, ciphertext_sha256=stored.ciphertext_sha256, commitment=stored.commitment
        )


@given(st.fractions(0, 1), st.integers(1, 255))
def test_one_changed_byte_is_noticed_wherever_it_stands(
    keys: tuple[Keyring, Identities], place: Fraction, other: int
) -> None:
    stored = sealed_bid(keys[0])
    changed = bytearray(stored.ciphertext)
    changed[int(place * (len(changed) - 1))] ^= other

    with pytest.raises(ValueError, match="not what was received"):
        keys[1].open(bytes(changed), ciphertext_sha256=stored.ciphertext_sha256, commitment=stored.commitment)
    # Whoever changes the stored hash too meets the cipher's own seal.
    with pytest.raises(ValueError, match="not sealed to this worker"):
        keys[1].open(
            bytes(changed), ciphertext_sha256=hashlib.sha256(changed).hexdigest(), commitment=stored.commitment
        )


def test_a_bid_put_in_the_place_of_another_is_noticed(keys: tuple[Keyring, Identities]) -> None:
    mine, other = sealed_bid(keys[0], seed="mine"), sealed_bid(keys[0], seed="other")

    with pytest.raises(ValueError, match="not what was committed"):
        keys[1].open(other.ciphertext, ciphertext_sha256=other.ciphertext_sha256, commitment=mine.commitment)


def test_a_worker_without_identities_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="Restore it from its backup"):
        Identities(tmp_path)


def test_no_refusal_names_the_content(keys: tuple[Keyring, Identities]) -> None:
    stored = sealed_bid(keys[0])

    with pytest.raises(ValueError, match="not what was committed") as refused:
        keys[1].open(stored.ciphertext, ciphertext_sha256=stored.ciphertext_sha256, commitment="0" * 64)

    assert "98765" not in str(refused.value)


# Receipts


def a_receipt(keyring: Keyring, stored: Sealed) -> dict[str, Any]:
    return receipt_of(
        bid="BID-1",
        rounds=["RND-2", "RND-1"],
        closing="CLO-1",
        closes_at=NOON + timedelta(hours=3),
        received_at=NOON,
        sealed=stored,
        sealed_to=recipients_id(keyring.recipients),
    )


def test_a_receipt_says_what_was_received_and_when(keys: tuple[Keyring, Identities]) -> None:
    stored = sealed_bid(keys[0])

    assert a_receipt(keys[0], stored) == {
        "format": "dps-receipt-1",
        "bid": "BID-1",
        "rounds": ["RND-1", "RND-2"],
        "closing": "CLO-1",
        "closes_at": "2019-03-04T15:00:00.999Z",
        "received_at": "2019-03-04T12:00:00.999Z",
        "ciphertext_sha256": hashlib.sha256(stored.ciphertext).hexdigest(),
        "ciphertext_bytes": len(stored.ciphertext),
        "commitment": stored.commitment,
        "recipients_id": keys[0].recipients_id,
    }


def test_anybody_with_the_public_key_can_check_a_receipt(keys: tuple[Keyring, Identities]) -> None:
    receipt = signed(a_receipt(keys[0], sealed_bid(keys[0])), keys[0].signing)

    # Nothing of the engine from here on: the receipt, the published key, and the format's description.
    public = Ed25519PublicKey.from_public_bytes(keys[0].public_keys[receipt["key_id"]])
    said = {name: value for name, value in receipt.items() if name not in ("key_id", "signature")}
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    public.verify(base64.b64decode(receipt["signature"]), text)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(receipt["signature"]), text.replace(b"12:00:00.999", b"11:59:59.999"))


@pytest.mark.parametrize(
    ("instant", "said"),
    [
        (datetime(2019, 3, 4, 12, 0, 0, 999_999, tzinfo=UTC), "2019-03-04T12:00:00.999Z"),
        (datetime(2019, 3, 4, 12, tzinfo=UTC), "2019-03-04T12:00:00.000Z"),
        (datetime(2019, 7, 1, 12, tzinfo=timezone(timedelta(hours=1))), "2019-07-01T11:00:00.000Z"),
    ],
)
def test_times_are_utc_and_cut_to_the_millisecond(instant: datetime, said: str) -> None:
    assert in_milliseconds(instant) == said


# The number that lots are drawn from


def test_the_number_of_a_closing_is_secret_and_committed(keys: tuple[Keyring, Identities]) -> None:
    at_rest, digest = committed_number(SeededEntropy("number"), keys[0], "CLO-1")

    number = keys[0].application.open(at_rest, about="CLO-1")
    assert number not in at_rest
    assert hashlib.sha256(number).hexdigest() == digest
