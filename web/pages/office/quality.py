"""Quality as a council answers for it: indicators, the tracker of flexes, scores and appeals, failing providers."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from bidding.looking.drafted import providers_by_name
from dps.contracts import enablement
from dps.contracts.quality import recognition
from dps.contracts.quality.indicators import report
from dps.contracts.variations.flexing import tracker
from dps.kernel.actors import Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput
from dps.register.desk import provider_seen
from web.pages.forms import Form, Values
from web.pages.guards import COMMISSIONERS, OFFICERS, QUALITY
from web.pages.office.schemes import chosen_scheme
from web.pages.visit import Page, Visit


class Quality(Controller):
    """One scheme: commissioners publish and decide, officers of the register give notice."""

    path = "/office/quality"

    @get("/", guards=[QUALITY], sync_to_thread=True)
    def seen(
        self,
        visit: NamedDependency[Visit],
        scheme: FromQuery[str] = "",
        first: FromQuery[str] = "",
        last: FromQuery[str] = "",
    ) -> Page:
        """Everything of one scheme; the indicators for the days asked for."""
        return _page(visit, scheme, {"first": first, "last": last}, {})

    @post("/{scheme_key:str}/scores", guards=[COMMISSIONERS], sync_to_thread=True)
    def publish(
        self, scheme_key: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Score every member for the weeks up to a day, and tell each its own."""
        with visit.look() as (session, _now):
            scheme = chosen_scheme(session, visit, scheme_key)
        try:
            day = form.day("last_day", "say up to which day is counted")
            with visit.command() as session:
                recognition.publish_scores(session, visit.ports, scheme=scheme, last_day=day, actor=visit.actor)
        except BadInput as bad:
            return _page(visit, scheme_key, form.fields, {"last_day": str(bad.reason)})
        return visit.to(f"/office/quality?scheme={scheme.key}")

    @post("/{scheme_key:str}/scores/{score_ref:str}/decision", guards=[COMMISSIONERS], sync_to_thread=True)
    def decide(
        self,
        scheme_key: FromPath[str],
        score_ref: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Redirect:
        """Confirm a score under appeal, or have it counted again."""
        with visit.command() as session:
            recognition.decide_appeal(
                session,
                visit.ports,
                score_ref=score_ref,
                scheme=chosen_scheme(session, visit, scheme_key),
                is_right=form.text("is_right") == "yes",
                actor=visit.actor,
            )
        return visit.to(f"/office/quality?scheme={scheme_key}")

    @post("/{scheme_key:str}/notices/{provider_ref:str}", guards=[OFFICERS], sync_to_thread=True)
    def give_notice(
        self,
        scheme_key: FromPath[str],
        provider_ref: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Redirect:
        """Tell a provider that fails consistently that it will be asked for no more requests with a budget."""
        with visit.command() as session:
            scheme = chosen_scheme(session, visit, scheme_key)
            provider = provider_seen(session, provider_ref, [scheme.key], actor=visit.actor)
            enablement.give_notice(session, visit.ports, provider_id=provider.id or 0, scheme=scheme, actor=visit.actor)
        return visit.to(f"/office/quality?scheme={scheme_key}")

    @post("/{scheme_key:str}/bars/{bar_ref:str}/upholding", guards=[COMMISSIONERS], sync_to_thread=True)
    def uphold(
        self,
        scheme_key: FromPath[str],
        bar_ref: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Redirect:
        """Find a challenged notice right."""
        return _barred(visit, scheme_key, bar_ref, enablement.uphold)

    @post("/{scheme_key:str}/bars/{bar_ref:str}/withdrawal", guards=[QUALITY], sync_to_thread=True)
    def withdraw(
        self,
        scheme_key: FromPath[str],
        bar_ref: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Redirect:
        """Take a notice back: its officer before a challenge, a commissioner after one."""
        return _barred(visit, scheme_key, bar_ref, enablement.withdraw_notice)


def _barred(visit: Visit, scheme_key: str, bar_ref: str, command: Any) -> Redirect:
    with visit.command() as session:
        scheme = chosen_scheme(session, visit, scheme_key)
        command(session, visit.ports, bar_ref=bar_ref, scheme=scheme, actor=visit.actor)
    return visit.to(f"/office/quality?scheme={scheme_key}")


def _page(visit: Visit, key: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        schemes = visit.schemes(session)
        if not schemes:
            return visit.page("office/none.html")
        chosen = chosen_scheme(session, visit, key or schemes[0].key)
        today = now.astimezone(LONDON).date()
        asked = Form(dict(values))
        role, faults = visit.actor.role, dict(faults)
        last, first = today - timedelta(days=1), today - timedelta(days=91)
        try:
            first, last = asked.optional_day("first") or first, asked.optional_day("last") or last
        except BadInput as bad:
            faults[str(bad.field)] = str(bad.reason)
        if first > last:
            faults["last"] = "the last day is not before the first"
        is_commissioner = role is Role.COMMISSIONER
        reads = is_commissioner and not faults
        rule = chosen.enablement
        failing = enablement.records(session, chosen, today=today) if rule else []
        bars = enablement.bars(session, scheme=chosen.key, actor=visit.actor)
        kept = enablement.kept_from(session, bars)
        return visit.page(
            "office/quality.html",
            status=400 if faults else 200,
            schemes=[(one.key, one.name) for one in schemes],
            scheme=chosen,
            first=first,
            last=last,
            indicators=report(session, scheme=chosen, first=first, last=last, actor=visit.actor) if reads else None,
            tracker=tracker(session, scheme=chosen, actor=visit.actor)
            if is_commissioner and chosen.variations.flex
            else None,
            scores=list(reversed(recognition.history(session, scheme=chosen.key, actor=visit.actor)))
            if chosen.recognition
            else None,
            rule=rule,
            failing=[(one, enablement.fails_consistently(rule, one)) for one in failing] if rule else None,
            bars=[(bar, kept.get(bar.ref)) for bar in bars],
            actor_ref=visit.actor.ref,
            providers=dict(providers_by_name(session)),
            is_commissioner=is_commissioner,
            is_officer=role is Role.REGISTER_OFFICER,
            values=Values(values),
            faults=faults,
        )
