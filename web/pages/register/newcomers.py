"""A provider that wants to join and has no account: an officer puts it on the register and gives it its way in."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from dps.kernel.errors import BadInput
from web.pages.forms import Form, Values
from web.pages.guards import OFFICERS
from web.pages.invitations import invited
from web.pages.seating import real_time
from web.pages.visit import Page, Visit
from web.security.newcomers import welcome

_FIELDS = ("name", "company_number", "person", "email")


class Newcomers(Controller):
    """One form; the provider is sent its way in."""

    path = "/register/newcomers"
    guards = (OFFICERS,)

    @get("/", sync_to_thread=True)
    def form(self, visit: NamedDependency[Visit]) -> Page:
        """Who is it, and who looks after its accounts?"""
        return _page(visit, {}, {})

    @post("/", sync_to_thread=True, status_code=200)
    def welcome(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Put it on the register. Whoever looks after its accounts is sent a link to choose a password."""
        typed = {name: form.text(name) for name in _FIELDS}
        try:
            with visit.command() as session:
                wall = real_time(visit, session)
                account, path = welcome(session, visit.ports, actor=visit.actor, wall=wall, **typed)
        except BadInput as bad:
            return _page(visit, typed, {str(bad.field): str(bad.reason)})
        return invited(visit, account, path, back="/register/providers")


def _page(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    return visit.page("register/newcomer.html", status=400 if faults else 200, values=Values(values), faults=faults)
