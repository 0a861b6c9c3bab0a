"""Referrals: what an office seeks providers for, and how far each search has come."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlmodel import Session

from bidding import publishing
from bidding.allocation import review
from bidding.looking.office import Happening, SeenReferral, SeenRound, referrals, rounds, timeline
from bidding.looking.remarked import SeenRemark, remarks
from bidding.referrals import ReferralState, referral_of
from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound
from dps.schemes.published import standing_scheme
from web.api.guards import BROKER, OFFICE
from web.api.once import Answer, Write
from web.api.shapes import Moved, Reason
from web.assembly import Installation


@dataclass(frozen=True, slots=True)
class WholeReferral:
    """One referral with its rounds, what happened to it, and what was said of it."""

    referral: SeenReferral
    rounds: list[SeenRound]
    timeline: list[Happening]
    remarks: list[SeenRemark]


class Referrals(Controller):
    """The referrals of the caller's authority; nothing of the person is shown here."""

    path = "/referrals"
    tags = ("Referrals",)

    @get("/", guards=[OFFICE], sync_to_thread=True)
    def seen(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        in_state: FromQuery[ReferralState | None] = None,
        after: FromQuery[str | None] = None,
    ) -> list[SeenReferral]:
        """Referrals in the order they were opened, a hundred at a time."""
        with installation.database.reading() as session:
            return referrals(session, request.user, state=in_state, after=after)

    @get("/{ref:str}", guards=[OFFICE], sync_to_thread=True)
    def one(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> WholeReferral:
        """One referral, its rounds, its timeline and what people wrote on the way."""
        with installation.database.reading() as session:
            found = _one(session, ref, request.user)
            its_rounds = rounds(session, ref)
            streams = [ref, *(one.round for one in its_rounds)]
            return WholeReferral(
                referral=found,
                rounds=its_rounds,
                timeline=timeline(session, streams),
                remarks=remarks(session, installation.ports.keyring, ref),
            )

    @post("/{ref:str}/readiness", guards=[BROKER], sync_to_thread=True, status_code=200)
    def make_ready(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Say that a draft can be published; what is missing is named."""
        return _under_rules(write, ref, publishing.make_ready)

    @post("/{ref:str}/publication", guards=[BROKER], sync_to_thread=True, status_code=200)
    def publish(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Publish a ready referral under the rules that stand: its ladder begins."""
        return _under_rules(write, ref, publishing.publish)

    @post("/{ref:str}/hold", guards=[BROKER], sync_to_thread=True, status_code=200)
    def hold(self, ref: FromPath[str], data: JSONBody[Reason], write: NamedDependency[Write]) -> Moved:
        """Stop seeking for now; sealed bids lapse unopened."""
        return _move(write, ref, publishing.hold, reason=data.reason)

    @post("/{ref:str}/resumption", guards=[BROKER], sync_to_thread=True, status_code=200)
    def resume(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Seek again, from the stage at which it was held."""
        return _move(write, ref, publishing.resume)

    @post("/{ref:str}/withdrawal", guards=[BROKER], sync_to_thread=True, status_code=200)
    def withdraw(self, ref: FromPath[str], data: JSONBody[Reason], write: NamedDependency[Write]) -> Moved:
        """End the search for good."""
        return _move(write, ref, publishing.withdraw, reason=data.reason)

    @post("/{ref:str}/restart", guards=[BROKER], sync_to_thread=True, status_code=200)
    def restart(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Ask the whole ladder of an unfilled referral again, without waiting for the scheme's interval."""
        return _move(write, ref, publishing.restart_unfilled)

    @post("/{ref:str}/continuation", guards=[BROKER], sync_to_thread=True, status_code=200)
    def go_on(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Let a package go on that an allocation run left over without having counted its work."""
        return _move(write, ref, review.go_on)


def _move(write: Write, ref: str, command: Callable[..., object], **more: Any) -> Moved:
    """Run a command on a referral and answer with the state it left."""

    def run(session: Session) -> Answer:
        command(session, write.ports, referral_ref=ref, actor=write.actor, **more)
        return _state(session, ref, write.actor)

    return Moved(**write.once(run, more.get("reason")))


def _under_rules(write: Write, ref: str, command: Callable[..., object]) -> Moved:
    """The same for commands that freeze the rules published last."""

    def run(session: Session) -> Answer:
        scheme = standing_scheme(session, referral_of(session, ref, write.actor).scheme)
        command(session, write.ports, referral_ref=ref, scheme=scheme, actor=write.actor)
        return _state(session, ref, write.actor)

    return Moved(**write.once(run))


def _one(session: Session, ref: str, actor: Actor) -> SeenReferral:
    found = referrals(session, actor, ref=ref)
    if not found:
        raise NotFound(kind="referral", ref=ref)
    return found[0]


def _state(session: Session, ref: str, actor: Actor) -> Answer:
    return {"ref": ref, "state": str(_one(session, ref, actor).state)}
