"""Moving a provider from one list to another: all its places there, or those of some services and areas."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from dps.kernel.errors import BadInput, NotAdmitted, RuleNotMet
from dps.register import desk
from dps.register.membership import move
from web.pages.forms import Form, Values
from web.pages.guards import OFFICERS
from web.pages.register.seen import faults_of, own_keys, own_matter, own_scheme
from web.pages.rows import row_id
from web.pages.visit import Page, Visit


class Moves(Controller):
    """One provider, one scheme."""

    path = "/register/providers/{provider_ref:str}/move/{scheme_key:str}"
    guards = (OFFICERS,)

    @get("/", sync_to_thread=True)
    def form(self, provider_ref: FromPath[str], scheme_key: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """From which list to which, for which services and areas, and why?"""
        return _page(visit, provider_ref, scheme_key, {}, {})

    @post("/", sync_to_thread=True)
    def move(
        self,
        provider_ref: FromPath[str],
        scheme_key: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Response[Any]:
        """Move it, at once; the provider is told, and running contracts stay as they are."""
        with visit.look() as (session, _now):
            provider, scheme = own_matter(session, visit, provider_ref, scheme_key)
        try:
            with visit.command() as session:
                move(
                    session,
                    visit.ports,
                    provider_id=row_id(provider),
                    scheme=scheme,
                    from_list=form.needed("from_list", "choose the list it stands on"),
                    to_list=form.needed("to_list", "choose the list it moves to"),
                    because=form.text("reason"),
                    lots=form.under("lot-"),
                    localities=form.under("place-"),
                    actor=visit.actor,
                )
        except (BadInput, NotAdmitted, RuleNotMet) as refused:
            return _page(visit, provider_ref, scheme_key, form.fields, faults_of(refused))
        return visit.to(f"/register/providers/{provider_ref}")


def _page(
    visit: Visit, provider_ref: str, scheme_key: str, values: Mapping[str, str], faults: Mapping[str, str]
) -> Page:
    with visit.look() as (session, _now):
        provider = desk.provider_seen(session, provider_ref, own_keys(session, visit), actor=visit.actor)
        return visit.page(
            "register/move.html",
            status=400 if faults else 200,
            provider=provider,
            scheme=own_scheme(session, visit, scheme_key),
            values=Values(values),
            faults=faults,
        )
