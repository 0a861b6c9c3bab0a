"""What a command needs from outside, handed in: time, chance and keys."""

from collections.abc import Callable
from dataclasses import dataclass

from dps.kernel.clock import Clock
from dps.kernel.entropy import Entropy
from dps.kernel.keys import Keyring


def unheeded(_waypoint: str) -> None:
    """Nobody waits at a waypoint."""


@dataclass(frozen=True, slots=True)
class Ports:
    """One installation's clock, entropy and shared keys. It can seal; it can't open.

    `reached` is told the name of each waypoint that a command passes. Only tests listen: no setting leads there.
    """

    clock: Clock
    entropy: Entropy
    keyring: Keyring
    reached: Callable[[str], None] = unheeded
