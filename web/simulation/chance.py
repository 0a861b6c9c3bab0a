"""Chance that follows from a seed and from what it is about, whatever was drawn before.

So the same provider likes the same package as much, and the same person waits as patiently, under any rules: two rule
sets are compared on common random numbers, and what differs between them is due to the rules.
"""

import math
from dataclasses import dataclass
from datetime import timedelta
from hashlib import blake2b
from statistics import NormalDist

_STEPS = 1 << 53
_STANDARD = NormalDist()


@dataclass(frozen=True, slots=True)
class Chance:
    """Draws of one seed; `about` names what is drawn, and names it the same under all rules."""

    seed: int

    def share(self, *about: object) -> float:
        """A number in [0, 1), each as likely as any other."""
        digest = blake2b(repr((self.seed, *about)).encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / _STEPS

    def between(self, low: float, high: float, *about: object) -> float:
        return low + (high - low) * self.share(*about)

    def one_of(self, count: int, *about: object) -> int:
        """A whole number from 0 to `count` - 1."""
        return int(self.share(*about) * count)

    def normal(self, mean: float, deviation: float, *about: object) -> float:
        share = max(self.share(*about), 1 / _STEPS)
        return mean + deviation * _STANDARD.inv_cdf(share)

    def waiting(self, mean: timedelta, *about: object) -> timedelta:
        """A time that is over at any moment as likely as at any other: exponential."""
        return mean * -math.log(1 - self.share(*about))
