"""The providers of the register: who they are, where they stand, what they sent, what is free; and who leaves."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from markupsafe import Markup
from sqlmodel import Session

from bidding.looking.run_offs import run_offs
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotAdmitted, RuleNotMet
from dps.register import capacity, desk, document_files
from dps.register.capacity import WHOLE_AUTHORITY, Ledger
from dps.register.location_notices import locations_of
from dps.register.membership import remove
from dps.register.own_standing import held_places, required_documents
from dps.register.providers import Provider
from dps.register.standing import ProviderStanding, standing
from dps.schemes.model import Scheme
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import OFFICERS
from web.pages.register.seen import faults_of, own_keys, own_matter
from web.pages.rows import row_id
from web.pages.visit import Page, Visit
from web.pictures import Bar, bars
from web.security.ties import ties_declared


class Providers(Controller):
    """Everybody who holds, held or asked for a place in the schemes of the officer's authority."""

    path = "/register/providers"
    guards = (OFFICERS,)

    @get("/", sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit], named: FromQuery[str] = "", page: FromQuery[int] = 1) -> Page:
        """By name, a hundred a page."""
        with visit.look() as (session, _now):
            found = desk.providers_seen(
                session, own_keys(session, visit), actor=visit.actor, named=named.strip()[:80], page=page
            )
            return visit.page(
                "register/providers.html",
                providers=found,
                named=named.strip()[:80],
                page=max(page, 1),
                is_last=len(found) < desk.PAGE,
            )

    @get("/{provider_ref:str}", sync_to_thread=True)
    def one(self, provider_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Places, documents, suspensions, running contracts to be moved, free hours, ties of staff."""
        with visit.look() as (session, now):
            provider = desk.provider_seen(session, provider_ref, own_keys(session, visit), actor=visit.actor)
            schemes = visit.schemes(session)
            stands = [(scheme, _standing(session, scheme, provider, now)) for scheme in schemes]
            rows = capacity.rows_of(session, row_id(provider), visit.actor.authority or "")
            places = names.places(schemes)
            free = [_free(row, places, provider, now) for _, row in sorted(rows.items())]
            return visit.page(
                "register/provider.html",
                provider=provider,
                schemes=[_scheme_seen(scheme, stand) for scheme, stand in stands if stand.memberships],
                locations=locations_of(session, provider.ref),
                documents=document_files.received_documents(session, row_id(provider)),
                lacking=sorted({kind for scheme, stand in stands for kind in _lacking(scheme, stand)}),
                suspensions=desk.suspensions_of(session, row_id(provider), [one.key for one in schemes]),
                run_offs={
                    one.suspension: one
                    for one in run_offs(session, [one.key for one in schemes], actor=visit.actor, provider=provider.ref)
                },
                applications=desk.applications_by(session, row_id(provider), [one.key for one in schemes]),
                free=free,
                picture=_picture(free),
                ties=ties_declared(session, actor=visit.actor, provider=provider.ref),
                names={scheme.key: scheme.name for scheme in schemes},
                lots=names.lots(schemes),
                places=places,
            )

    @get("/{provider_ref:str}/removal/{scheme_key:str}", sync_to_thread=True)
    def removal_form(
        self, provider_ref: FromPath[str], scheme_key: FromPath[str], visit: NamedDependency[Visit]
    ) -> Page:
        """From which lists, services and areas, and why?"""
        return _removal(visit, provider_ref, scheme_key, {}, {})

    @post("/{provider_ref:str}/removal/{scheme_key:str}", sync_to_thread=True)
    def removal(
        self,
        provider_ref: FromPath[str],
        scheme_key: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Response[Any]:
        """Take the provider off for good; running contracts stay as they are."""
        with visit.look() as (session, _now):
            provider, scheme = own_matter(session, visit, provider_ref, scheme_key)
        try:
            with visit.command() as session:
                remove(
                    session,
                    visit.ports,
                    provider_id=row_id(provider),
                    scheme=scheme,
                    because=form.text("reason"),
                    lists=form.under("list-"),
                    lots=form.under("lot-"),
                    localities=form.under("place-"),
                    actor=visit.actor,
                )
        except (BadInput, NotAdmitted, RuleNotMet) as refused:
            return _removal(visit, provider_ref, scheme_key, form.fields, faults_of(refused))
        return visit.to(f"/register/providers/{provider_ref}")


def _standing(session: Session, scheme: Scheme, provider: Provider, now: datetime) -> ProviderStanding:
    (found,) = standing(session, scheme.key, now, providers=[row_id(provider)])
    return found


def _scheme_seen(scheme: Scheme, stand: ProviderStanding) -> dict[str, Any]:
    return {
        "scheme": scheme,
        "lists": {one.key: one.name for one in scheme.lists},
        "places": held_places(stand),
        "is_member": any(one.state.value != "removed" for one in stand.memberships),
    }


def _lacking(scheme: Scheme, stand: ProviderStanding) -> Iterable[str]:
    """The kinds that were never sent and that its places ask for."""
    lots = {one.place[1] for one in stand.memberships if one.state.value != "removed"}
    return [kind for kind in required_documents(scheme, lots) if kind not in stand.documents] if lots else ()


def _free(row: Ledger, places: Mapping[str, str], provider: Provider, now: datetime) -> dict[str, Any]:
    is_full = provider.full_since is not None
    return {
        "locality": row.locality,
        "where": "Everywhere" if row.locality == WHOLE_AUTHORITY else places[row.locality],
        "is_declared": row.declared_minutes is not None,
        "left": row.left_minutes(now, is_full=is_full),
        "reserved": row.reserved_minutes,
        "committed": row.committed_minutes,
        "free": row.free_minutes(now, is_full=is_full),
        "flag": row.flag.value,
        "last_day": (row.expires_at - timedelta(microseconds=1)).astimezone(LONDON).date() if row.expires_at else None,
        "is_over": row.expires_at is not None and row.expires_at <= now,
    }


def _picture(rows: list[dict[str, Any]]) -> Markup:
    """Of each figure declared, what is taken of all there is: the same as the table says, in whole hours."""
    return bars(
        "Hours a week that are bound or reserved, of all that was offered, by area",
        [
            Bar(
                row["where"],
                row["committed"] + row["reserved"],
                row["committed"] + row["reserved"] + row["free"],
                f"{row['free'] // 60} hours free",
            )
            for row in rows
            if row["is_declared"]
        ],
    )


def _removal(
    visit: Visit, provider_ref: str, scheme_key: str, values: Mapping[str, str], faults: Mapping[str, str]
) -> Page:
    with visit.look() as (session, _now):
        provider, scheme = own_matter(session, visit, provider_ref, scheme_key)
        return visit.page(
            "register/removal.html",
            status=400 if faults else 200,
            provider=provider,
            scheme=scheme,
            values=Values(values),
            faults=faults,
        )
