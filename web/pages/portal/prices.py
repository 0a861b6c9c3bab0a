"""A provider's own prices, by which its bids are filled in: standing data, encrypted at rest, shown to nobody else."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlmodel import select

from dps.kernel.errors import BadInput, NotFound
from dps.register.providers import Provider
from dps.register.rate_cards import put_rate_card, rate_card_of
from dps.schemes.published import standing_scheme
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.bidding import BANDS, card_of
from web.pages.visit import Page, Visit


class Prices(Controller):
    """One card for each lot of each scheme that the provider belongs to."""

    path = "/portal/prices"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def cards(self, visit: NamedDependency[Visit], saved: FromQuery[str] = "") -> Page:
        """Every lot with its prices; `saved` is the lot whose prices were kept a moment ago."""
        return _cards(visit, at=saved)

    @post("/", sync_to_thread=True)
    def put(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Keep the prices of one lot in place of those before."""
        scheme_key, lot = form.text("scheme"), form.text("lot")
        try:
            card = card_of(form)
        except BadInput as bad:
            return _cards(visit, at=f"{scheme_key}/{lot}", typed=form.fields, faults={str(bad.field): str(bad.reason)})
        with visit.command() as session:
            if scheme_key not in {scheme.key for scheme in visit.schemes(session)}:
                raise NotFound(kind="scheme", ref=scheme_key)
            provider = session.exec(select(Provider).where(Provider.ref == visit.actor.provider)).one()
            assert provider.id is not None
            put_rate_card(
                session,
                visit.ports,
                provider_id=provider.id,
                scheme=standing_scheme(session, scheme_key),
                lot=lot,
                card=card,
                actor=visit.actor,
            )
        at = f"{scheme_key}/{lot}"
        return visit.to(f"/portal/prices?{urlencode({'saved': at})}#{at.replace('/', '-')}")


def _cards(
    visit: Visit, *, at: str = "", typed: Mapping[str, str] | None = None, faults: dict[str, str] | None = None
) -> Page:
    cards = []
    with visit.look() as (session, _):
        provider = session.exec(select(Provider).where(Provider.ref == visit.actor.provider)).one()
        for scheme in visit.schemes(session):
            for lot in scheme.lots:
                card = rate_card_of(
                    session, visit.ports, provider=provider, scheme_key=scheme.key, lot=lot.key, actor=visit.actor
                )
                prices = {price.band: price.pence for price in card.prices if price.minutes is None} if card else {}
                cards.append({"scheme": scheme, "lot": lot, "prices": prices, "at": f"{scheme.key}/{lot.key}"})
    return visit.page(
        "portal/prices.html",
        status=400 if faults else 200,
        cards=cards,
        bands=[str(band) for band in BANDS],
        at=at,
        typed=Values(typed or {}),
        faults=faults or {},
    )
