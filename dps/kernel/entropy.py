"""Chance as a port: references, keys and lots take their bytes from whoever is injected.

Sealing and signing keys take `SystemEntropy` only; `SeededEntropy` is for demonstrations, simulations, published
lots and tests, where the same seed must give the same draw everywhere. Source: design.md §6.
"""

import hashlib
import secrets
from threading import Lock
from typing import Protocol


class Entropy(Protocol):
    """A source of uniform bytes and integers."""

    def token(self, n_bytes: int) -> bytes:
        """`n_bytes` uniform bytes."""

    def integer(self, below: int) -> int:
        """A uniform integer in `[0, below)`; `below` is at least 1."""


class SystemEntropy:
    """The operating system's randomness."""

    def token(self, n_bytes: int) -> bytes:
        return secrets.token_bytes(_length(n_bytes))

    def integer(self, below: int) -> int:
        return secrets.randbelow(_bound(below))


class SeededEntropy:
    """A stream fixed by its seed, equal on every platform and release.

    Block i is SHA-256(SHA-256(seed as UTF-8) || i as 8 bytes, big-endian), i = 0, 1, …; draws take its bytes in
    order. An integer takes the fewest bytes that hold `below - 1`, big-endian, keeps the fewest bits, and draws
    again while the number is too large. Independent streams come from seeds with different texts. Two threads never
    get the same bytes, though which gets which is theirs to order.
    """

    def __init__(self, seed: str | int) -> None:
        self._key = hashlib.sha256(str(seed).encode()).digest()
        self._blocks = 0
        self._left = b""
        self._lock = Lock()

    def token(self, n_bytes: int) -> bytes:
        _length(n_bytes)
        with self._lock:
            while len(self._left) < n_bytes:
                self._left += hashlib.sha256(self._key + self._blocks.to_bytes(8, "big")).digest()
                self._blocks += 1
            drawn, self._left = self._left[:n_bytes], self._left[n_bytes:]
        return drawn

    def integer(self, below: int) -> int:
        bits = (_bound(below) - 1).bit_length()
        n_bytes = (bits + 7) // 8
        while True:
            drawn = int.from_bytes(self.token(n_bytes), "big") >> (8 * n_bytes - bits)
            if drawn < below:
                return drawn


def _length(n_bytes: int) -> int:
    if n_bytes < 0:
        raise ValueError("a token has no negative length")
    return n_bytes


def _bound(below: int) -> int:
    if below < 1:
        raise ValueError("nothing lies below the bound")
    return below
