"""What a provider is asked: the list, each package, and the answers that are no bids."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlmodel import Session, col, select

from bidding import offers
from bidding.awards.records import AwardState
from bidding.bids import submitting
from bidding.bids.preparing import terms_of
from bidding.looking.answered import live_bids, typed_to_confirm
from bidding.looking.invited import Opportunity, opportunities, own_bids, unanswered
from bidding.looking.narrowing import Narrowing, Own, TimeOfDay, unread
from bidding.looking.pages import PAGE
from bidding.looking.placing import awards
from bidding.questions import ask, questions_of_round
from bidding.rounds import Round, RoundState, invitation_of, is_opened, note_opened, round_of
from bidding.stages import shown
from bidding.tenders.handing_in import offered_areas
from dps.contracts.answers import reviews_to_answer
from dps.contracts.desk import statements_to_answer
from dps.contracts.enablement import notices_to_challenge
from dps.kernel.errors import BadInput, NotFound
from dps.register.inquiries import to_answer
from dps.register.membership import Membership, MembershipState
from dps.register.suspensions import suspended_from
from dps.schemes.checks.ladders import GATHERED
from dps.schemes.model import Scheme
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.on_map import SHADES, on_maps
from web.pages.portal.own import own_provider
from web.pages.rows import today_of
from web.pages.visit import Page, Visit

TO_ANSWER = (AwardState.OFFERED, AwardState.ACCEPTED)
_LOOKED_AT = 1_000
"""Rounds that one page looks through for those that its filters want."""


class Portal(Controller):
    """A provider's first page."""

    path = "/portal"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def home(self, visit: NamedDependency[Visit]) -> Page:
        """What waits for an answer: offers first, then what closes soonest."""
        with visit.look() as (session, now):
            waiting = awards(session, visit.actor, visit.ports.keyring, states=TO_ANSWER)
            found = opportunities(session, visit.actor, now)
            live = live_bids(session, visit.actor)
            typed = typed_to_confirm(session, visit.actor)
            schemes = visit.schemes(session)
            statements = statements_to_answer(session, actor=visit.actor)
            asked = to_answer(session, actor=visit.actor)
            answerable = [one for one in schemes if one.enablement is not None]
            notices = notices_to_challenge(session, actor=visit.actor, now=now) if answerable else ()
            reviews = reviews_to_answer(session, answerable, actor=visit.actor, today=today_of(now))
            is_new = not own_bids(session, visit.actor, most=1)
            areas = offered_areas(session, visit.actor) if any(one.area_contracts for one in schemes) else ()
            suspended = _suspended(session, visit, schemes, now)
        # What is answered with a bid, or stands above as an offer, is not asked once more.
        answered = {*live, *(award.round for award in waiting)}
        left = unanswered(found, answered)
        return visit.page(
            "portal/home.html",
            waiting=waiting,
            statements=statements,
            asked=asked,
            areas=areas,
            reviews=reviews,
            notices=notices,
            typed=typed,
            is_new=is_new,
            is_on_a_list=bool(schemes),
            suspended=suspended,
            opportunities=_soonest(left)[:5],
            unanswered=len(left),
            sealed=len({one.bid for one in live.values()}),
            is_competed=not schemes or any(_is_competed(one) for one in schemes),
            outdated=[one for one in live.values() if not one.is_current],
            is_whole=len(found) < PAGE,
            places=names.places(schemes),
            lots=names.lots(schemes),
        )


class Opportunities(Controller):
    """The rounds that this provider is asked in and that are open now."""

    path = "/portal/opportunities"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def asked(self, visit: NamedDependency[Visit], after: FromQuery[str] = "", show: FromQuery[str] = "") -> Page:
        """A hundred at a time, what closes soonest first, or all on a map; the filters stand in the address."""
        wanted = Narrowing.from_dict(visit.request.query_params)
        query = "".join(f"{name}={quote(value)}&" for name, value in wanted.to_dict().items())
        if show == "map":
            return _on_map(visit, wanted, query)
        with visit.look() as (session, now):
            found, next_after = narrowed(session, visit, wanted, now, after=after or None)
            live = live_bids(session, visit.actor)
            schemes = visit.schemes(session)
            suspended = _suspended(session, visit, schemes, now)
        return visit.page(
            "portal/opportunities.html",
            suspended=suspended,
            opportunities=_soonest(found),
            live=live,
            lots=names.lots(schemes),
            places=names.places(schemes),
            chosen=Values(wanted.to_dict() | unread(visit.request.query_params)),
            unread=unread(visit.request.query_params),
            query=query,
            times=list(TimeOfDay),
            is_narrowed=not wanted.is_empty,
            next_after=next_after,
            maps=None,
        )

    @get("/{round_ref:str}", sync_to_thread=True)
    def one(self, round_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """One package as it was published, what was asked about it, what can be answered; the first look is noted."""
        with visit.look() as (session, now):
            round_ = round_of(session, round_ref)
            invitation = invitation_of(session, round_.id, visit.actor.provider or "")
            if not opportunities(session, visit.actor, now, ref=round_ref):
                return _over(visit, round_)
            is_new = not is_opened(session, invitation)
        if is_new:
            with visit.command() as session:
                note_opened(session, visit.ports, round_ref=round_ref, actor=visit.actor)
        return _package(visit, round_ref)

    @post("/{round_ref:str}/questions", sync_to_thread=True)
    def ask(
        self, round_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Ask the council; the answer goes to everybody who was invited, and nobody learns who asked."""
        words = form.text("reason")
        try:
            with visit.command() as session:
                ask(session, visit.ports, round_ref=round_ref, words=words, actor=visit.actor)
        except BadInput as bad:
            return _package(visit, round_ref, asking=words, fault=str(bad.reason))
        return visit.to(f"/portal/opportunities/{round_ref}#questions")

    @get("/{round_ref:str}/decline", sync_to_thread=True)
    def decline_form(self, round_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Why not? The reason helps the council to ask for what can be had."""
        return _decline_form(visit, round_ref)

    @post("/{round_ref:str}/decline", sync_to_thread=True)
    def decline(
        self, round_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Say no, with a reason; a bid for this round alone is taken back with it."""
        reason = form.text("reason")
        try:
            with visit.command() as session:
                submitting.decline(session, visit.ports, round_ref=round_ref, reason=reason, actor=visit.actor)
        except BadInput as bad:
            return _decline_form(visit, round_ref, reason=reason, fault=str(bad.reason))
        return visit.to("/portal/opportunities")

    @post("/{round_ref:str}/acceptance", sync_to_thread=True)
    def accept(self, round_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Take a package that goes to the first who says yes."""
        with visit.command() as session:
            award = offers.accept_first(session, visit.ports, round_ref=round_ref, actor=visit.actor)
        return visit.to(f"/portal/offers/{award}")


def _suspended(session: Session, visit: Visit, schemes: Sequence[Scheme], now: datetime) -> list[str]:
    """The names of those schemes in which the provider is kept from new work."""
    keys = suspended_from(session, visit.actor.provider or "", now)
    return [one.name for one in schemes if one.key in keys]


def _on_map(visit: Visit, wanted: Narrowing, query: str) -> Page:
    """The same packages, by area. An area leads to its part of the list; the filter for one area does not narrow."""
    elsewhere = "".join(f"{name}={quote(value)}&" for name, value in wanted.to_dict().items() if name != "locality")
    with visit.look() as (session, now):
        found = narrowed(session, visit, wanted, now, most=_LOOKED_AT)[0]
        schemes = visit.schemes(session)
        suspended = _suspended(session, visit, schemes, now)
        maps = on_maps(session, schemes, found, lambda key: f"/portal/opportunities?{elsewhere}locality={quote(key)}")
    return visit.page(
        "portal/opportunities.html",
        suspended=suspended,
        maps=maps,
        shades=SHADES,
        elsewhere=elsewhere,
        opportunities=found,
        lots=names.lots(schemes),
        places=names.places(schemes),
        chosen=Values(wanted.to_dict() | unread(visit.request.query_params)),
        unread=unread(visit.request.query_params),
        query=query,
        times=list(TimeOfDay),
        is_narrowed=not wanted.is_empty,
    )


def _over(visit: Visit, round_: Round) -> Page:
    """What somebody who was asked reads where a message led to a round that is open no longer."""
    if round_.state is RoundState.PLANNED:
        raise NotFound(kind="opportunity", ref=round_.ref)
    taken_back = round_.state is RoundState.CANCELLED
    return visit.page("portal/over.html", status=410, closes_at=round_.closes_at, is_taken_back=taken_back)


def opportunity(session: Session, visit: Visit, round_ref: str) -> Opportunity:
    """The open round with this reference, if this provider is asked in it."""
    found = opportunities(session, visit.actor, visit.ports.clock.read(session), ref=round_ref)
    if not found:
        raise NotFound(kind="opportunity", ref=round_ref)
    return found[0]


def _is_competed(scheme: Scheme) -> bool:
    """Whether providers bid under it at all, or are only offered what it publishes, in turn."""
    return bool(scheme.area_contracts) or any(
        stage.mode in GATHERED for ladder in scheme.ladders for stage in ladder.stages
    )


def frame(session: Session, visit: Visit) -> dict[str, Any]:
    """The names of lots, places and councils, which every page about a package shows.

    Also those of schemes that the provider has left, or is suspended from: it serves people there. Its own come
    last, and so hold.
    """
    schemes = [*visit.every_scheme(session), *visit.schemes(session)]
    return {"lots": names.lots(schemes), "places": names.places(schemes), "councils": names.authorities(schemes)}


def narrowed(
    session: Session, visit: Visit, wanted: Narrowing, now: datetime, *, after: str | None = None, most: int = PAGE
) -> tuple[list[Opportunity], str]:
    """The open packages that a filter wants, at most `most` of them, and where the next page begins ('' nowhere)."""
    own = own_of(session, visit, now)
    found = opportunities(session, visit.actor, now, lot=wanted.lot or None, after=after, most=_LOOKED_AT)
    fitting = [
        one
        for one in found
        if wanted.fits(
            lot=one.lot,
            locality=one.locality,
            part=one.published_part,
            closes_at=one.closes_at,
            now=now,
            own=own,
        )
    ]
    if len(fitting) > most:
        return fitting[:most], fitting[most - 1].round
    return fitting, found[-1].round if len(found) == _LOOKED_AT else ""


def own_of(session: Session, visit: Visit, now: datetime) -> Own:
    """What the filters call one's own: areas in which an active place is held, and skills."""
    provider = own_provider(session, visit)
    places = select(Membership.locality).where(
        Membership.provider_id == provider.id, col(Membership.state) == MembershipState.ACTIVE
    )
    return Own(areas=frozenset(session.exec(places)), skills=frozenset(provider.skills))


def _package(visit: Visit, round_ref: str, *, asking: str = "", fault: str = "") -> Page:
    with visit.look() as (session, now):
        asked = opportunity(session, visit, round_ref)
        return visit.page(
            "portal/opportunity.html",
            status=400 if fault else 200,
            one=asked,
            part=shown(session, visit.ports, round_of(session, round_ref)),
            live=live_bids(session, visit.actor).get(round_ref),
            terms=terms_of(session, round_ref=round_ref, actor=visit.actor, now=now),
            questions=questions_of_round(session, visit.ports.keyring, round_ref=round_ref, actor=visit.actor),
            asking=asking,
            fault=fault,
            **frame(session, visit),
        )


def _decline_form(visit: Visit, round_ref: str, *, reason: str = "", fault: str = "") -> Page:
    with visit.look() as (session, _):
        asked = opportunity(session, visit, round_ref)
        return visit.page(
            "portal/decline.html",
            status=400 if fault else 200,
            one=asked,
            reason=reason,
            fault=fault,
            **frame(session, visit),
        )


def _soonest(found: list[Opportunity]) -> list[Opportunity]:
    """What closes first stands first; what has no end comes last."""
    return sorted(found, key=lambda one: (one.closes_at is None, one.closes_at, one.round))
