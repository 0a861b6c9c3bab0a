"""What a command needs from outside, handed in: time, chance and keys."""

from dataclasses import dataclass

from dps.kernel.clock import Clock
from dps.kernel.entropy import Entropy
from dps.kernel.keys import Keyring


@dataclass(frozen=True, slots=True)
class Ports:
    """One installation's clock, entropy and shared keys. It can seal; it can't open."""

    clock: Clock
    entropy: Entropy
    keyring: Keyring
