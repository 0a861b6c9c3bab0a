"""A provider that wants to join and has no account: an officer puts it on the register and gives it its way in."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from dps.kernel.errors import BadInput
from web.pages.forms import Form, Values, faults_of
from web.pages.guards import OFFICERS
from web.pages.invitations import invited
from web.pages.seating import real_time
from web.pages.visit import Page, Visit
from web.security.newcomers import awaited, send_again, welcome

_FIELDS = ("name", "company_number", "person", "email")


class Newcomers(Controller):
    """One form; the provider is sent its way in, and once more where that was lost."""

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
            return _page(visit, typed, faults_of(bad))
        return invited(visit, account, path, back=self.path)

    @post("/{account_ref:str}/link", sync_to_thread=True, status_code=200)
    def send_again(
        self, account_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Another link to somebody who has not come yet: a letter was lost or went wrong, or its week is over."""
        email = form.text("email")
        try:
            with visit.command() as session:
                wall = real_time(visit, session)
                account, path = send_again(
                    session, visit.ports, account=account_ref, email=email, actor=visit.actor, wall=wall
                )
        except BadInput as bad:
            field = f"email-{account_ref}"
            return _page(visit, {field: email}, {field: str(bad.reason)})
        return invited(visit, account, path, back=self.path)


def _page(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _now):
        return visit.page(
            "register/newcomer.html",
            status=400 if faults else 200,
            awaited=awaited(session, actor=visit.actor, wall=real_time(visit, session)),
            values=Values(values),
            faults=faults,
        )
