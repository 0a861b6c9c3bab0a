"""Hours that a council buys in blocks: what is paid, used and unused in a week; buying another, ending one."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from bidding.looking.drafted import providers_by_name
from dps.kernel.actors import Role
from dps.kernel.errors import BadInput, RuleNotMet
from dps.kernel.money import parse_pence
from dps.register.blocks import PAGE, agree_block, block_hours, block_of_authority, end_block
from dps.register.providers import provider_of
from dps.schemes.published import standing_scheme
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import COMMISSIONERS, STAFF
from web.pages.office.schemes import chosen_scheme
from web.pages.rows import row_id, today_of
from web.pages.visit import Page, Visit

_MOST_HOURS = 10_000


class Blocks(Controller):
    """The blocks that one authority pays for."""

    path = "/office/blocks"

    @get("/", sync_to_thread=True, guards=[STAFF])
    def seen(self, visit: NamedDependency[Visit], page: FromQuery[int] = 1) -> Page:
        """Those that run first; a hundred a page."""
        with visit.look() as (session, _now):
            schemes = visit.schemes(session)
            found = block_hours(session, actor=visit.actor, page=page)
            running = [one for one in found if one.block.last_day is None]
            return visit.page(
                "office/blocks.html",
                blocks=found,
                bought=sum(one.block.weekly_minutes for one in running),
                unused=sum(one.unused_minutes for one in running),
                pence=sum(one.block.weekly_pence for one in running),
                page=max(page, 1),
                is_last=len(found) < PAGE,
                buying=[(one.key, one.name) for one in schemes if one.blocks is not None],
                may_buy=visit.actor.role is Role.COMMISSIONER,
                lots=names.lots(schemes),
                places=names.places(schemes),
            )

    @get("/new/{scheme_key:str}", sync_to_thread=True, guards=[COMMISSIONERS])
    def form(self, scheme_key: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Whose hours, for what and where, and at which price?"""
        return _form(visit, scheme_key, {}, {})

    @post("/new/{scheme_key:str}", sync_to_thread=True, guards=[COMMISSIONERS])
    def agree(
        self, scheme_key: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Buy the block: its unused hours are offered first from now on."""
        with visit.look() as (session, _now):
            scheme = chosen_scheme(session, visit, scheme_key)
            known = dict(providers_by_name(session))
        try:
            provider = form.text("provider")
            if provider not in known:
                raise BadInput("choose a provider", field="provider")
            hours = form.whole("hours", "write whole hours, such as 40", most=_MOST_HOURS)
            if not hours:
                raise BadInput("say how many hours a week", field="hours")
            asked: dict[str, Any] = {
                "lot": form.needed("lot", "choose the service"),
                "locality": form.needed("locality", "choose the locality"),
                "weekly_minutes": hours * 60,
                "weekly_pence": parse_pence(form.needed("price", "say what it costs a week"), field="price"),
                "from_day": form.day("from_day", "say from which day"),
            }
            with visit.command() as session:
                agree_block(
                    session,
                    visit.ports,
                    scheme=scheme,
                    provider_id=row_id(provider_of(session, provider, visit.actor)),
                    actor=visit.actor,
                    **asked,
                )
        except BadInput as bad:
            return _form(visit, scheme_key, form.fields, {_FIELDS.get(str(bad.field), str(bad.field)): str(bad.reason)})
        except RuleNotMet as refused:
            return _form(visit, scheme_key, form.fields, {"provider": str(refused.reason)})
        return visit.to("/office/blocks")

    @get("/{block_ref:str}/end", sync_to_thread=True, guards=[COMMISSIONERS])
    def ask_end(self, block_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Really?"""
        return _end_form(visit, block_ref, "")

    @post("/{block_ref:str}/end", sync_to_thread=True, guards=[COMMISSIONERS])
    def end(
        self, block_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """End it today, once nobody is served from it."""
        try:
            with visit.command() as session:
                block = block_of_authority(session, block_ref, actor=visit.actor)
                scheme = standing_scheme(session, block.scheme)
                end_block(session, visit.ports, block_ref=block_ref, scheme=scheme, actor=visit.actor)
        except RuleNotMet as refused:
            return _end_form(visit, block_ref, str(refused.reason))
        return visit.to("/office/blocks")


_FIELDS = {"weekly_pence": "price", "minutes": "hours"}
"""A command's field, as the form calls it."""


def _form(visit: Visit, key: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        scheme = chosen_scheme(session, visit, key)
        bought = scheme.blocks.lots if scheme.blocks is not None else ()
        return visit.page(
            "office/block.html",
            status=400 if faults else 200,
            scheme=scheme,
            providers=providers_by_name(session),
            bought=[(lot.key, lot.name) for lot in scheme.lots if lot.key in bought],
            localities=[(place.key, place.name) for place in scheme.localities],
            values=Values({"from_day": today_of(now).isoformat(), **values}),
            faults=faults,
        )


def _end_form(visit: Visit, ref: str, fault: str) -> Page:
    with visit.look() as (session, _now):
        block = block_of_authority(session, ref, actor=visit.actor)
        schemes = visit.schemes(session)
        return visit.page(
            "office/block_end.html",
            status=400 if fault else 200,
            block=block,
            provider=dict(providers_by_name(session))[block.provider],
            lot=names.lots(schemes)[block.lot],
            place=names.places(schemes)[block.locality],
            fault=fault,
        )
