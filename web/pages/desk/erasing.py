"""Erasing people: whose time is over by the retention rules, and one person's key destroyed for good."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from bidding.erasing import erase_person, known_of
from bidding.retaining import due_for_erasure
from dps.kernel.errors import BadInput, StillServed, StillSought
from dps.packages.erasure import ErasureReason
from web.pages.forms import Form, Values
from web.pages.guards import APPROVERS
from web.pages.visit import Page, Visit

MOST_SHOWN = 100


class Erasing(Controller):
    """The people of the approver's authority, by reference alone: nothing of them is opened here."""

    path = "/desk/people"
    guards = (APPROVERS,)

    @get("/", sync_to_thread=True)
    def due(self, visit: NamedDependency[Visit]) -> Page:
        """Whose time is over, the longest overdue first."""
        with visit.look() as (session, now):
            rules = {scheme.key: scheme.retention for scheme in visit.every_scheme(session)}
            found = due_for_erasure(session, rules=rules, actor=visit.actor, now=now)
            return visit.page("desk/people.html", due=found[:MOST_SHOWN], more=len(found) - MOST_SHOWN)

    @get("/{person_ref:str}/erasure", sync_to_thread=True)
    def form(self, person_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What goes, what stays, what keeps it from being done; or that it was done."""
        return _page(visit, person_ref, {}, {})

    @post("/{person_ref:str}/erasure", sync_to_thread=True)
    def erase(
        self, person_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Destroy the key, once it was said why and that it is meant."""
        with visit.look() as (session, _now):
            known = known_of(session, person_ref=person_ref, actor=visit.actor)
        if known.erased_at is not None:
            return visit.to(f"/desk/people/{person_ref}/erasure")
        try:
            reason = form.choice(ErasureReason, "why", "choose why")
            if form.text("sure") != "on":
                raise BadInput("tick that it is meant: nothing brings it back", field="sure")
            with visit.command() as session:
                erase_person(session, visit.ports, person_ref=person_ref, reason=reason, actor=visit.actor)
        except BadInput as bad:
            return _page(visit, person_ref, form.fields, {str(bad.field): str(bad.reason)})
        except (StillServed, StillSought) as refused:
            return _page(visit, person_ref, form.fields, {"why": str(refused)})
        return visit.to(f"/desk/people/{person_ref}/erasure")


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _now):
        return visit.page(
            "desk/erasure.html",
            status=400 if faults else 200,
            known=known_of(session, person_ref=ref, actor=visit.actor),
            reasons=list(ErasureReason),
            values=Values(values),
            faults=faults,
        )
