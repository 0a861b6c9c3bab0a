"""The round that a worker makes with letters: what is due is taken, sent outside any transaction, and noted singly."""

from collections.abc import Sequence
from dataclasses import dataclass

from dps.kernel.database import Database
from dps.kernel.logs import log
from dps.kernel.ports import Ports
from web.sending.letters import Parcel, claim, note
from web.sending.mail import Carrier

BATCHES = 20
"""How many batches one round takes at most, so that a bell that is rung ends."""


@dataclass(frozen=True, slots=True)
class LetterRound:
    """Everything that carries letters. A worker makes a round every minute; several may, at once."""

    database: Database
    ports: Ports
    carriers: Sequence[Carrier]

    def make(self) -> int:
        """Send what is due; returns how many letters left."""
        return sum(self._with(carrier) for carrier in self.carriers)

    def _with(self, carrier: Carrier) -> int:
        left = 0

        def noted(parcel: Parcel, fault: Exception | None) -> None:
            nonlocal left
            note(self.database, self.ports, parcel, fault)
            left += len(parcel.letters) if fault is None else 0
            if fault is not None:
                log().warning("letter.failed", ref=parcel.letter.ref, error=type(fault).__name__)

        for _ in range(BATCHES):
            parcels = claim(self.database, self.ports, *carrier.channels)
            if not parcels:
                break
            carrier.carry(parcels, noted)
        return left
