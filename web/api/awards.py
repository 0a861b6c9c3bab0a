"""Awards: a provider's answers to an offer, an office's decisions on its way."""

from collections.abc import Callable
from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlmodel import Session

from bidding import aftercare
from bidding.awards import moving
from bidding.looking.placing import SeenAward, awards
from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound
from dps.kernel.keys import Keyring
from dps.packages.facts import Confidential
from dps.packages.identity import Identity
from web.api.guards import OFFICE, PARTIES, PROVIDER
from web.api.once import Answer, Write
from web.api.shapes import Confirmed, Moved, Reason
from web.assembly import Installation


class Awards(Controller):
    """An award is seen by its authority, and by its provider once it was offered."""

    path = "/awards"
    tags = ("Awards",)

    @get("/", guards=[PARTIES], sync_to_thread=True)
    def seen(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        after: FromQuery[str | None] = None,
    ) -> list[SeenAward]:
        """Awards in the order they were proposed, a hundred at a time."""
        with installation.database.reading() as session:
            return awards(session, request.user, installation.ports.keyring, after=after)

    @get("/{ref:str}", guards=[PARTIES], sync_to_thread=True)
    def one(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> SeenAward:
        """One award."""
        with installation.database.reading() as session:
            return _one(session, ref, request.user, installation.ports.keyring)

    @get("/{ref:str}/person", guards=[PROVIDER], sync_to_thread=True)
    def person(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> Identity:
        """Who the person is: for the winner alone, once it has accepted. Every look is recorded."""
        with installation.database.transaction() as session:
            return aftercare.identity_for_winner(session, installation.ports, award_ref=ref, actor=request.user)

    @get("/{ref:str}/place-of-care", guards=[PROVIDER], sync_to_thread=True)
    def place_of_care(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> Confidential:
        """Where care is given and how one gets in: for the winner alone, like the person. Every look is recorded."""
        with installation.database.transaction() as session:
            return aftercare.place_of_care_for_winner(session, installation.ports, award_ref=ref, actor=request.user)

    @post("/{ref:str}/acceptance", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def accept(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Take the offer, in time; a bundle is taken as a whole."""
        return _move(write, ref, lambda session: moving.accept(session, write.ports, award_ref=ref, actor=write.actor))

    @post("/{ref:str}/decline", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def decline(self, ref: FromPath[str], data: JSONBody[Reason], write: NamedDependency[Write]) -> Moved:
        """Say no to the offer; the next in line is asked at once."""
        return _reasoned(write, ref, data.reason, moving.decline)

    @post("/{ref:str}/confirmation", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def confirm(self, ref: FromPath[str], write: NamedDependency[Write]) -> Confirmed:
        """Confirm after reading the person's file; returns the contract."""

        def command(session: Session) -> Answer:
            contract = moving.confirm(session, write.ports, award_ref=ref, actor=write.actor)
            return {**_state(session, ref, write), "contract": contract}

        return Confirmed(**write.once(command))

    @post("/{ref:str}/return", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def give_back(self, ref: FromPath[str], data: JSONBody[Reason], write: NamedDependency[Write]) -> Moved:
        """Return an accepted award, after reading the file or an own assessment."""
        return _reasoned(write, ref, data.reason, moving.give_back)

    @post("/{ref:str}/approval", guards=[OFFICE], sync_to_thread=True, status_code=200)
    def approve(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Say yes to a proposed award; each approval is another person's."""
        return _move(write, ref, lambda session: moving.approve(session, write.ports, award_ref=ref, actor=write.actor))

    @post("/{ref:str}/overturn", guards=[OFFICE], sync_to_thread=True, status_code=200)
    def overturn(self, ref: FromPath[str], data: JSONBody[Reason], write: NamedDependency[Write]) -> Moved:
        """Ask for an award to be overturned; it is, once a second person asks for the same."""
        return _reasoned(write, ref, data.reason, moving.overturn)

    @post("/{ref:str}/refusal-by-person", guards=[OFFICE], sync_to_thread=True, status_code=200)
    def refuse(self, ref: FromPath[str], data: JSONBody[Reason], write: NamedDependency[Write]) -> Moved:
        """Record that the person said no, which is not held against the provider."""
        return _reasoned(write, ref, data.reason, moving.refused_by_person)


def _move(write: Write, ref: str, command: Callable[[Session], object], body: Any = None) -> Moved:
    """Run a command on an award and answer with the state it left."""

    def run(session: Session) -> Answer:
        command(session)
        return _state(session, ref, write)

    return Moved(**write.once(run, body))


def _reasoned(write: Write, ref: str, reason: str, command: Callable[..., object]) -> Moved:
    return _move(
        write,
        ref,
        lambda session: command(session, write.ports, award_ref=ref, reason=reason, actor=write.actor),
        reason,
    )


def _one(session: Session, ref: str, actor: Actor, keyring: Keyring) -> SeenAward:
    found = awards(session, actor, keyring, ref=ref)
    if not found:
        raise NotFound(kind="award", ref=ref)
    return found[0]


def _state(session: Session, ref: str, write: Write) -> Answer:
    return {"ref": ref, "state": _one(session, ref, write.actor, write.ports.keyring).state}
