"""The work queue: what waits where, counted and filtered by address."""

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from bidding.looking.queue import Place, counts, work_queue
from dps.contracts.desk import changes_waiting
from dps.kernel.actors import Role
from dps.schemes.model import Urgency
from web.pages import names
from web.pages.guards import DESK
from web.pages.visit import Page, Visit
from web.pages.wording import plain

SHOWN = 100
"""Rows of one page."""

PLACES = {
    Place.LOST: "where we lost a bid",
    Place.APPROVE: "ready to decide",
    Place.OTHERWISE: "waiting for an approver",
    Place.UNFILLED: "unfilled",
    Place.HANDED_BACK: "handed back",
    Place.FAILED_START: "failed to start",
    Place.NO_BIDS: "got no bids",
    Place.DECLINED: "declined or run out",
    Place.RETURNED: "returned",
    Place.PUBLISH: "to check and publish",
    Place.QUESTION: "with a question to answer",
    Place.UNREACHED: "where invitations did not arrive",
    Place.CLOSING_SOON: "closing within 2 hours",
    Place.SEEKING: "open for bids",
    Place.DECIDING: "closed, being decided",
    Place.ANSWER: "with a provider",
    Place.ESCALATED: "past the first stage",
    Place.ASKED_AGAIN: "asked all over again",
    Place.HELD: "on hold",
}
"""In the order in which they are looked after; the words stand after a number."""

NOTED = (
    Place.LOST, Place.OTHERWISE, Place.QUESTION, Place.UNREACHED, Place.HANDED_BACK, Place.FAILED_START, Place.RETURNED,
    Place.DECLINED, Place.NO_BIDS, Place.ASKED_AGAIN,
)  # fmt: skip
"""What is said beside a referral's state, the most telling first."""


class Queue(Controller):
    """Everything of this authority that is not over."""

    path = "/desk"
    guards = (DESK,)

    @get("/", sync_to_thread=True)
    def seen(
        self,
        visit: NamedDependency[Visit],
        place: FromQuery[str] = "",
        lot: FromQuery[str] = "",
        locality: FromQuery[str] = "",
        urgency: FromQuery[str] = "",
        page: FromQuery[int] = 1,
    ) -> Page:
        """Hospital discharge and crisis first, then what has waited longest."""
        with visit.look() as (session, now):
            everything = work_queue(session, visit.actor, now)
            schemes = visit.schemes(session)
            changes = changes_waiting(session, actor=visit.actor)
        kept = [
            one
            for one in everything
            if lot in ("", one.lot) and locality in ("", one.locality) and urgency in ("", one.urgency)
        ]
        counted = counts(kept)
        shown = [one for one in kept if not place or place in one.places]
        first = (max(page, 1) - 1) * SHOWN
        return visit.page(
            "desk/queue.html",
            counts=[(str(key), words, counted[key]) for key, words in PLACES.items()],
            places_words={str(key): words for key, words in PLACES.items()},
            changes=changes,
            noted=NOTED,
            is_broker=visit.actor.role is Role.BROKER,
            all=len(kept),
            shown=shown[first : first + SHOWN],
            found=len(shown),
            page=max(page, 1),
            is_last=len(shown) <= first + SHOWN,
            chosen={"place": place, "lot": lot, "locality": locality, "urgency": urgency},
            urgencies=[(str(one), plain(one)) for one in Urgency],
            lots=names.lots(schemes),
            places=names.places(schemes),
        )
