"""Bids that several must open: any k of the shares do, fewer never, and no other share counts."""

import json
from base64 import b64decode, b64encode
from typing import Any

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bidding.sealing import rehearsing
from bidding.sealing.seal import pad
from bidding.sealing.sharing import Holder, TooFewShares, hand_out_of, is_locked, lock, release, unlock
from dps.kernel.entropy import SeededEntropy
from dps.kernel.errors import BadInput

WORKER = pyrage.x25519.Identity.generate()
KEYS = [pyrage.x25519.Identity.generate() for _ in range(6)]
HOLDERS = [Holder(f"CSD-{number}", str(key.to_public())) for number, key in enumerate(KEYS)]
PADDED = pad(b"16.50 an hour")


def locked(needed: int = 2, holders: int = 3, seed: str = "one") -> bytes:
    worker = (str(WORKER.to_public()),)
    return lock(PADDED, holders=HOLDERS[:holders], needed=needed, recipients=worker, entropy=SeededEntropy(seed))


def handed_out(ciphertext: bytes, number: int) -> dict[str, Any]:
    worker = [str(WORKER.to_public())]
    return hand_out_of({"a": ciphertext}, closing="CLO-1", custodian=HOLDERS[number].ref, recipients=worker)


def released(ciphertext: bytes, number: int) -> bytes:
    return b64decode(release(handed_out(ciphertext, number), str(KEYS[number]))["shares"]["a"])


@settings(max_examples=25)
@given(st.data())
def test_any_so_many_shares_open_and_fewer_do_not(data: st.DataObject) -> None:
    holders = data.draw(st.integers(2, 6))
    needed = data.draw(st.integers(2, holders))
    there = data.draw(st.sets(st.integers(0, holders - 1)))
    ciphertext = locked(needed, holders)
    shares = [released(ciphertext, number) for number in there]

    if len(there) >= needed:
        assert unlock(ciphertext, [WORKER], shares) == PADDED
    else:
        with pytest.raises(TooFewShares) as few:
            unlock(ciphertext, [WORKER], shares)
        assert (few.value.usable, few.value.needed) == (len(there), needed)


def test_one_share_handed_in_twice_counts_once_and_a_share_of_another_bid_not_at_all() -> None:
    ciphertext, other = locked(), locked(seed="two")
    twice = [released(ciphertext, 0), released(ciphertext, 0)]

    for shares in (twice, [*twice, released(other, 1)], [*twice, b"nonsense"]):
        with pytest.raises(TooFewShares, match="1 of 2"):
            unlock(ciphertext, [WORKER], shares)

    assert unlock(ciphertext, [WORKER], [*twice, released(other, 1), b"nonsense", released(ciphertext, 2)]) == PADDED


def test_all_custodians_together_open_nothing_without_the_worker() -> None:
    ciphertext = locked()
    shares = [pyrage.encrypt(_own(ciphertext, number), [KEYS[0].to_public()]) for number in range(3)]

    with pytest.raises(ValueError, match="not sealed to this worker"):
        unlock(ciphertext, KEYS, shares)


def _own(ciphertext: bytes, number: int) -> bytes:
    sealed = json.loads(ciphertext)["shares"][HOLDERS[number].ref][0]
    share: bytes = pyrage.decrypt(b64decode(sealed), [KEYS[number]])
    return share


def test_its_size_tells_nothing_of_the_bid() -> None:
    worker = (str(WORKER.to_public()),)
    sizes = set()
    for text in (b"1", b"1" * 900):
        made = lock(pad(text), holders=HOLDERS[:3], needed=2, recipients=worker, entropy=SeededEntropy("one"))
        # What age writes before it is of random length, and knows nothing of the content.
        sizes.add(len(pyrage.decrypt(b64decode(json.loads(made)["sealed"]), [WORKER])))

    assert len(sizes) == 1
    assert is_locked(locked())
    assert not is_locked(pyrage.encrypt(PADDED, [WORKER.to_public()]))


@pytest.mark.parametrize(
    ("hand_out", "key", "words"),
    [
        ({"format": "other"}, str(KEYS[0]), "no hand-out"),
        (handed_out(locked(), 0), "nonsense", "no custodian's key"),
        (handed_out(locked(), 0), str(KEYS[1]), "that custodian's own key"),
        ({**handed_out(locked(), 0), "recipients": ["nobody"]}, str(KEYS[0]), "damaged"),
        ({**handed_out(locked(), 0), "shares": {"a": "b"}}, str(KEYS[0]), "damaged"),
    ],
    # Keys are drawn anew by every process that collects these.
    ids=("another format", "no key", "another's key", "no recipient", "a share that is none"),
)
def test_what_can_not_be_released_says_why(hand_out: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        release(hand_out, key)


def test_a_share_that_was_changed_on_its_way_is_not_released() -> None:
    given_out = handed_out(locked(), 0)
    other = pyrage.encrypt(b"\x01" + bytes(16), [KEYS[0].to_public()])
    given_out["shares"]["a"][0] = b64encode(other).decode()

    with pytest.raises(BadInput, match="not the one that was dealt"):
        release(given_out, str(KEYS[0]))


def test_a_rehearsal_proves_whose_key_opens_and_whether_enough_came_back() -> None:
    kept, given_out = rehearsing.begin(HOLDERS[:3], needed=2, entropy=SeededEntropy("one"))
    first = release(given_out["CSD-0"], str(KEYS[0]))
    third = release(given_out["CSD-2"], str(KEYS[2]))
    of_another = {**third, "custodian": "CSD-1"}

    assert rehearsing.finish(kept, [first]) == (["CSD-0"], False)
    assert rehearsing.finish(kept, [first, of_another]) == (["CSD-0"], False)
    assert rehearsing.finish(kept, [first, third]) == (["CSD-0", "CSD-2"], True)
