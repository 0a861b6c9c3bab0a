"""A requester writes a referral down for their own person, checks it, and sends it to the brokers, who publish it."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from bidding import drafting, publishing
from bidding.looking.drafted import drafted
from bidding.referrals import referral_of, refuse_once_sent
from dps.kernel.errors import BadInput
from dps.packages import readiness
from dps.schemes.published import standing_scheme
from web.pages import names
from web.pages.forms import Form
from web.pages.guards import REQUESTERS
from web.pages.rows import today_of
from web.pages.visit import Page, Visit
from web.pages.writing.answers import written_down
from web.pages.writing.beginning import Beginning
from web.pages.writing.doors import REQUESTERS_DOORS
from web.pages.writing.entry import Entry
from web.pages.writing.sections import WHERE


class RequestBeginning(Beginning):
    """A requester's new referral."""

    path = "/requests/new"
    guards = (REQUESTERS,)
    doors = REQUESTERS_DOORS


class RequestEntry(Entry):
    """A requester's own draft, until it is sent."""

    path = "/requests/{referral_ref:str}"
    guards = (REQUESTERS,)
    doors = REQUESTERS_DOORS


class Sending(Controller):
    """The end of a requester's own writing: to the brokers, or to nobody."""

    path = "/requests/{referral_ref:str}"
    guards = (REQUESTERS,)

    @get("/check", sync_to_thread=True)
    def check(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What is written down, and what is still missing."""
        return _check(visit, referral_ref, {})

    @post("/sending", sync_to_thread=True)
    def send(self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """To the brokers, complete or not; from then on they alone change it."""
        with visit.command() as session:
            drafting.send(session, visit.ports, referral_ref=referral_ref, actor=visit.actor)
        return visit.to(f"/requests/{referral_ref}")

    @post("/withdrawal", sync_to_thread=True)
    def withdraw(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """It is not needed after all."""
        try:
            with visit.command() as session:
                publishing.withdraw(
                    session, visit.ports, referral_ref=referral_ref, reason=form.text("reason"), actor=visit.actor
                )
        except BadInput as bad:
            return _check(visit, referral_ref, {"reason": str(bad.reason)})
        return visit.to(f"/requests/{referral_ref}")


def _check(visit: Visit, referral_ref: str, faults: dict[str, str]) -> Page:
    with visit.look() as (session, now):
        row = referral_of(session, referral_ref, visit.actor)
        refuse_once_sent(row, visit.actor)
        scheme = standing_scheme(session, row.scheme)
        draft = drafted(session, visit.ports, referral_ref=referral_ref, scheme=scheme, actor=visit.actor)
        now_due, later = draft.gaps.for_publication, draft.gaps.for_confirmation
        due = [gap for gap in (*now_due, *(gap for gap in later if gap not in now_due)) if gap not in _BROKERS]
        return visit.page(
            "requester/check.html",
            status=400 if faults else 200,
            draft=draft,
            doors=REQUESTERS_DOORS,
            gaps=[(readiness.WORDS[gap], WHERE[gap]) for gap in due],
            answers=written_down(draft, names.lots([scheme]), names.places([scheme]), today_of(now)),
            faults=faults,
        )


_BROKERS = (readiness.Gap.CONFIRMED_TEXT,)
"""What is missing before a publication and is a broker's to do."""
