"""Free hours to look at: what was lowered below what is reserved, has run out, or was raised for somebody served."""

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import select

from dps.kernel.actors import Role
from dps.kernel.errors import NotFound
from dps.register import capacity, desk
from dps.register.capacity import LedgerFlag
from dps.register.providers import Provider
from web.pages import names
from web.pages.forms import Form
from web.pages.guards import HOURS
from web.pages.rows import row_id
from web.pages.visit import Page, Visit


class FlaggedHours(Controller):
    """The flagged rows of the ledger that are for the reader's authority."""

    path = "/register/hours"
    guards = (HOURS,)

    @get("/", sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit]) -> Page:
        """The oldest flag first."""
        with visit.look() as (session, _now):
            return visit.page(
                "register/hours.html",
                flagged=desk.flagged_hours(session, actor=visit.actor),
                is_officer=visit.actor.role is Role.REGISTER_OFFICER,
                places=names.places(visit.schemes(session)),
            )

    @post("/{provider_ref:str}/looked-at", sync_to_thread=True)
    def looked_at(
        self, provider_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Somebody has looked: the flag goes, the figures stay. A flag that came since stays too."""
        with visit.command() as session:
            provider = session.exec(select(Provider).where(Provider.ref == provider_ref)).first()
            rows = capacity.rows_of(session, row_id(provider), visit.actor.authority or "") if provider else {}
            row = rows.get(form.text("locality"))
            if row is None:
                raise NotFound(kind="capacity", ref=provider_ref)
            seen = form.choice(LedgerFlag, "flag", "load the page again")
            capacity.clear_flag(session, visit.ports, row=row, seen=seen, actor=visit.actor)
        is_from_provider = form.text("back") == "provider" and visit.actor.role is Role.REGISTER_OFFICER
        return visit.to(f"/register/providers/{provider_ref}" if is_from_provider else "/register/hours")
