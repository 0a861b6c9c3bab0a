"""For auditors: the proof (the trail recomputed, every stored bid held against its receipt), and the open data."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromQuery

from bidding.proof import verify
from bidding.transparency.ocds import as_json, release_package
from bidding.transparency.register import register_of_awards
from dps.kernel.actors import Actor
from dps.schemes.published import standing_scheme
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

    @get("/ocds", guards=[AUDIT], sync_to_thread=True)
    def ocds(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        scheme: FromQuery[str],
        first: FromQuery[date],
        last: FromQuery[date],
        prefix: FromQuery[str],
    ) -> Response[bytes]:
        """The awards of whole months as an OCDS 1.1 release package; an auditor of an authority has that one's."""
        with installation.database.reading() as session:
            register = register_of_awards(
                session, scheme=standing_scheme(session, scheme), first=first, last=last, actor=request.user
            )
            now = installation.ports.clock.read(session)
        package = release_package(register, prefix=prefix, uri=str(request.url), now=now)
        return Response(as_json(package), media_type=MediaType.JSON)
