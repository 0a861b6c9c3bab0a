"""A provider's own bids: the receipt, withdrawal, reconfirmation, and the debrief when it is over."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlmodel import Session

from bidding.bids import submitting
from bidding.looking.answered import debriefs, live_bids, with_reasons
from bidding.looking.debriefed import debrief_in
from bidding.looking.fared import bids_fared, offers_fared
from bidding.looking.invited import OwnBid, own_bids, packages_of
from bidding.looking.pages import PAGE
from bidding.tenders.records import Tender, sought_in_words
from dps.kernel.database import find_all
from dps.kernel.errors import NotFound
from dps.kernel.references import Kind
from web.pages.cookies import copies_key
from web.pages.forms import Form
from web.pages.guards import PORTAL
from web.pages.portal.drafts import drafts_of
from web.pages.portal.opportunities import frame
from web.pages.portal.own_copies import copy_of
from web.pages.visit import Page, Visit


class Bids(Controller):
    """Replaced and withdrawn bids too. What a sealed bid says is shown in the browser that handed it in alone."""

    path = "/portal/bids"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def own(self, visit: NamedDependency[Visit], after: FromQuery[str] = "") -> Page:
        """A hundred at a time, the last one first."""
        with visit.look() as (session, now):
            found = own_bids(session, visit.actor, after=after or None, last_first=True)
            return visit.page(
                "portal/bids.html",
                bids=found,
                packages=packages_of(session, visit.actor, [one.bid for one in found]),
                areas=_areas(session, found),
                drafts=drafts_of(session, account=visit.actor.ref, now=now),
                next_after=found[-1].bid if len(found) == PAGE else "",
                **frame(session, visit),
            )

    @get("/history", sync_to_thread=True)
    def history(self, visit: NamedDependency[Visit]) -> Page:
        """How bids and offers of the last 12 months fared."""
        with visit.look() as (session, now):
            since = now - timedelta(days=365)
            return visit.page(
                "portal/history.html",
                since=since,
                bids=bids_fared(session, visit.actor, since=since),
                offers=offers_fared(session, visit.actor, since=since),
                **frame(session, visit),
            )

    @get("/{bid_ref:str}", sync_to_thread=True)
    def one(self, bid_ref: FromPath[str], visit: NamedDependency[Visit]) -> Response[Any]:
        """One bid with its receipt, and what can be done with it; of one for an area all that stands at its tender."""
        with visit.look() as (session, now):
            (bid,) = with_reasons(session, visit.actor, [_one(session, visit, bid_ref)])
            if tender := _tender_of(bid):
                return visit.to(f"/portal/areas/{tender}")
            live = {one.bid: one for one in live_bids(session, visit.actor).values()}
            return visit.page(
                "portal/receipt.html",
                bid=bid,
                is_open=bid.bid in live and now < bid.closes_at,
                is_outdated=bid.bid in live and not live[bid.bid].is_current,
                receipt=json.dumps(bid.receipt, sort_keys=True, separators=(", ", ": ")),
                copy=copy_of(session, copies_key(visit.request), bid_ref),
                packages=packages_of(session, visit.actor, [bid_ref])[bid_ref],
                debriefs=debriefs(session, visit.actor, bid_ref),
                **frame(session, visit),
            )

    @get("/{bid_ref:str}/withdrawal", sync_to_thread=True)
    def withdrawal_form(self, bid_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Whether it is meant."""
        with visit.look() as (session, now):
            bid = _one(session, visit, bid_ref)
            is_live = any(one.bid == bid_ref for one in live_bids(session, visit.actor).values())
            return visit.page("portal/withdraw.html", bid=bid, is_open=is_live and now < bid.closes_at)

    @post("/{bid_ref:str}/withdrawal", sync_to_thread=True)
    def withdraw(self, bid_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Take a sealed bid back before its closing."""
        with visit.command() as session:
            submitting.withdraw(session, visit.ports, bid_ref=bid_ref, actor=visit.actor)
        return visit.to(f"/portal/bids/{bid_ref}")

    @post("/{bid_ref:str}/reconfirmation", sync_to_thread=True)
    def reconfirm(self, bid_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Let the bid stand for what was amended after it came in."""
        with visit.command() as session:
            submitting.reconfirm(session, visit.ports, bid_ref=bid_ref, actor=visit.actor)
        return visit.to(f"/portal/bids/{bid_ref}")

    @get("/{bid_ref:str}/debriefs/{round_ref:str}", sync_to_thread=True)
    def debrief(self, bid_ref: FromPath[str], round_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """How the bid fared: own score, rank of how many, the winner's band and the main reason."""
        found = debrief_in(
            visit.installation.database, visit.ports, bid_ref=bid_ref, round_ref=round_ref, actor=visit.actor
        )
        with visit.look() as (session, _):
            bid_for = packages_of(session, visit.actor, [bid_ref])[bid_ref]
            package = next(one for one in bid_for if one.round == round_ref)
            return visit.page("portal/debrief.html", debrief=found, package=package, **frame(session, visit))


def _tender_of(bid: OwnBid) -> str:
    """The tender that stands for the rounds of a bid for an area; empty of any other bid."""
    return bid.rounds[0] if bid.rounds[0].startswith(f"{Kind.TENDER}-") else ""


def _areas(session: Session, bids: Sequence[OwnBid]) -> dict[str, tuple[str, str]]:
    """By bid for an area its tender and what is sought, in words."""
    of_bid = {bid.bid: tender for bid in bids if (tender := _tender_of(bid))}
    tenders = {one.ref: one for one in find_all(session, Tender, ref=sorted(set(of_bid.values())))} if of_bid else {}
    return {bid: (ref, sought_in_words(session, tenders[ref])) for bid, ref in of_bid.items()}


def _one(session: Session, visit: Visit, bid_ref: str) -> OwnBid:
    found = own_bids(session, visit.actor, ref=bid_ref)
    if not found:
        raise NotFound(kind="bid", ref=bid_ref)
    return found[0]
