"""Placements: a package that nobody took, placed outside the competition by a broker and an approver."""

from collections.abc import Callable
from typing import Annotated, Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import Meta, Struct, to_builtins
from sqlmodel import Session

from bidding.looking.otherwise import SeenPlacement, placements
from bidding.otherwise import deciding
from bidding.otherwise.records import PlacementState
from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound
from dps.kernel.keys import Keyring
from web.api.guards import APPROVER, BROKER, OFFICE
from web.api.once import Answer, Write
from web.api.shapes import Moved, Reason, Words
from web.assembly import Installation


class NewPlacement(Struct, forbid_unknown_fields=True, omit_defaults=True):
    """How an unfilled package is to be placed, in a way that its scheme names; `provider` only of the register."""

    how: Annotated[str, Meta(max_length=40)]
    weekly_pence: Annotated[int, Meta(ge=0)]
    reason: Words
    provider: Annotated[str, Meta(max_length=24)] | None = None


class Proposals(Controller):
    """What a broker proposes for one referral."""

    path = "/referrals/{ref:str}/placements"
    tags = ("Placements",)

    @post("/", guards=[BROKER], sync_to_thread=True, status_code=201)
    def propose(self, ref: FromPath[str], data: JSONBody[NewPlacement], write: NamedDependency[Write]) -> Moved:
        """Propose to place it otherwise; a newer proposal takes the place of one that waits."""

        def run(session: Session) -> Answer:
            made = deciding.propose(
                session,
                write.ports,
                referral_ref=ref,
                how=data.how,
                weekly_pence=data.weekly_pence,
                reason=data.reason,
                provider=data.provider,
                actor=write.actor,
            )
            return {"ref": made.ref, "state": str(made.state)}

        return Moved(**write.once(run, to_builtins(data)))


class Placements(Controller):
    """The placements of the caller's authority."""

    path = "/placements"
    tags = ("Placements",)

    @get("/", guards=[OFFICE], sync_to_thread=True)
    def seen(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        in_state: FromQuery[PlacementState | None] = None,
        after: FromQuery[str | None] = None,
    ) -> list[SeenPlacement]:
        """Placements in the order in which they were proposed, a hundred at a time."""
        with installation.database.reading() as session:
            return placements(session, request.user, installation.ports.keyring, state=in_state, after=after)

    @get("/{ref:str}", guards=[OFFICE], sync_to_thread=True)
    def one(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> SeenPlacement:
        """One placement: price, reason, who proposed and who decided."""
        with installation.database.reading() as session:
            return _one(session, ref, request.user, installation.ports.keyring)

    @post("/{ref:str}/approval", guards=[APPROVER], sync_to_thread=True, status_code=200)
    def approve(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Say yes to what another person proposed: the package is placed otherwise."""
        return _move(write, ref, deciding.approve)

    @post("/{ref:str}/refusal", guards=[APPROVER], sync_to_thread=True, status_code=200)
    def refuse(self, ref: FromPath[str], data: JSONBody[Reason], write: NamedDependency[Write]) -> Moved:
        """Say no; the package stays unfilled."""
        return _move(write, ref, deciding.refuse, reason=data.reason)

    @post("/{ref:str}/withdrawal", guards=[BROKER], sync_to_thread=True, status_code=200)
    def withdraw(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Take a proposal back before it was decided."""
        return _move(write, ref, deciding.withdraw)


def _move(write: Write, ref: str, command: Callable[..., object], **more: Any) -> Moved:
    """Run a command on a placement and answer with the state it left."""

    def run(session: Session) -> Answer:
        command(session, write.ports, placement_ref=ref, actor=write.actor, **more)
        return {"ref": ref, "state": str(_one(session, ref, write.actor, write.ports.keyring).state)}

    return Moved(**write.once(run, more.get("reason")))


def _one(session: Session, ref: str, actor: Actor, keyring: Keyring) -> SeenPlacement:
    found = placements(session, actor, keyring, ref=ref)
    if not found:
        raise NotFound(kind="placement", ref=ref)
    return found[0]
