"""The proof: the trail recomputed, every stored bid held against its receipt and its closing's manifest."""

from dataclasses import dataclass

from litestar import Controller, get
from litestar.di import NamedDependency

from bidding.proof import verify
from web.api.guards import AUDIT
from web.assembly import Installation


@dataclass(frozen=True, slots=True)
class Verification:
    """What was checked, and every fault in words."""

    ok: bool
    events: int
    streams: int
    checkpoints: int
    bids: int
    closings: int
    faults: list[str]


class Audit(Controller):
    """For auditors and administrators."""

    path = "/audit"
    tags = ("Audit",)

    @get("/verification", guards=[AUDIT], sync_to_thread=True)
    def verification(self, installation: NamedDependency[Installation]) -> Verification:
        """Recompute the whole trail and every proof of a bid; it takes a while on a large database."""
        with installation.database.reading() as session:
            trail, bids = verify(session, installation.ports.keyring.public_keys)
        return Verification(
            ok=trail.ok and bids.ok,
            events=trail.events,
            streams=trail.streams,
            checkpoints=trail.checkpoints,
            bids=bids.bids,
            closings=bids.closings,
            faults=[*trail.faults, *bids.faults],
        )
