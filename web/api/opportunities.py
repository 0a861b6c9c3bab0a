"""Opportunities: the rounds a provider is asked in, and its answers that are no bids."""

from dataclasses import replace
from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from sqlmodel import Session

from bidding import offers
from bidding.bids import submitting
from bidding.bids.preparing import terms_of
from bidding.looking.invited import Opportunity, opportunities
from bidding.rounds import round_of
from bidding.stages import shown
from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound
from web.api.guards import PROVIDER
from web.api.once import Answer, Write
from web.api.shapes import BidTerms, Moved, Reason
from web.assembly import Installation


class Opportunities(Controller):
    """The published part of what this provider is asked for, and nothing else of it."""

    path = "/opportunities"
    tags = ("Opportunities",)

    @get("/", guards=[PROVIDER], sync_to_thread=True)
    def asked(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        after: FromQuery[str | None] = None,
    ) -> list[Opportunity]:
        """The rounds open to this provider now, a hundred at a time."""
        with installation.database.reading() as session:
            return opportunities(session, request.user, installation.ports.clock.read(session), after=after)

    @get("/{ref:str}", guards=[PROVIDER], sync_to_thread=True)
    def one(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> Opportunity:
        """One open round, with the words that a broker confirmed for providers to read."""
        with installation.database.reading() as session:
            found = opportunities(session, request.user, installation.ports.clock.read(session), ref=ref)
            if not found:
                raise NotFound(kind="opportunity", ref=ref)
            return replace(found[0], published_part=shown(session, installation.ports, round_of(session, ref)))

    @get("/{ref:str}/terms", guards=[PROVIDER], sync_to_thread=True)
    def terms(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> BidTerms:
        """What a bid for this round may say now: prices of an hour of one carer, days of the first visit, answers.

        The days may be fewer than those published: none is before the closing.
        """
        with installation.database.reading() as session:
            now = installation.ports.clock.read(session)
            found = terms_of(session, round_ref=ref, actor=request.user, now=now)
        return BidTerms(
            floor_pence_per_hour=found.floor_pence_per_hour,
            ceiling_pence_per_hour=found.ceiling_pence_per_hour,
            earliest_start=found.earliest_start,
            latest_start=found.latest_start,
            questions={one.key: list(one.answers) for one in found.questions},
            published_weekly_pence=found.published_weekly_pence,
        )

    @post("/{ref:str}/decline", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def decline(self, ref: FromPath[str], data: JSONBody[Reason], write: NamedDependency[Write]) -> Moved:
        """Say no, with a reason; a bid for this round alone is taken back with it."""

        def command(session: Session) -> Answer:
            submitting.decline(session, write.ports, round_ref=ref, reason=data.reason, actor=write.actor)
            return {"ref": ref, "state": "declined"}

        return Moved(**write.once(command, data.reason))

    @post("/{ref:str}/acceptance", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def accept(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Take a package that goes to the first who says yes; returns the award."""

        def command(session: Session) -> Answer:
            award = offers.accept_first(session, write.ports, round_ref=ref, actor=write.actor)
            return {"ref": award, "state": "accepted"}

        return Moved(**write.once(command))
