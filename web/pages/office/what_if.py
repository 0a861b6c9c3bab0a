"""A what-if on closings that are over, and the proposals that come of it for the next published rules."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from markupsafe import Markup

from bidding.allocation.what_if import Totals, WhatIf, closings_over, over, what_if
from bidding.looking.drafted import providers_by_name
from bidding.looking.office import places_of_rounds
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, BadScheme, NotFound
from dps.kernel.money import in_pounds
from dps.schemes.differences import differences
from dps.schemes.loader import with_changes
from dps.schemes.model import AllocationMode, Scheme
from dps.schemes.proposed import as_toml, proposal_of, proposals, propose, varied
from dps.schemes.stored import rules_by_hash
from matching.allocation import shared_process
from web.pages import names
from web.pages.forms import Form
from web.pages.guards import COMMISSIONERS
from web.pages.office.knobs import is_joint, knobs_of, terms_of, turned
from web.pages.visit import Page, Visit
from web.pages.wording import hours, short_instant
from web.pictures import Bar, bars

_TOML = "application/toml"
MOST_MOVED = 100
"""Packages that would have gone elsewhere, as many as a page names."""

Choices = Sequence[tuple[str, datetime]]


class WhatIfs(Controller):
    """Asked by GET, so that an answer can be kept as a bookmark; nothing is written before it is saved."""

    path = "/office/what-if"
    guards = (COMMISSIONERS,)

    @get("/", sync_to_thread=True)
    def asked(self, visit: NamedDependency[Visit]) -> Page:
        """The knobs of the standing rules, and once a closing or a month is chosen, both sides.

        The solver's child loads while somebody looks at the knobs, so that the first answer is as quick as the next.
        """
        shared_process().begin()
        return _answered(visit, Form(dict(visit.request.query_params)))


class Proposals(Controller):
    """What was proposed for the next published rules."""

    path = "/office/proposals"
    guards = (COMMISSIONERS,)

    @get("/", sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit]) -> Page:
        """Those of one's own authority, the latest first."""
        with visit.look() as (session, _):
            return visit.page("office/proposals.html", proposals=proposals(session, visit.actor))

    @post("/", sync_to_thread=True)
    def save(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Keep what was tried as a proposal, with the figures that it came to."""
        with visit.look() as (session, _):
            base = _scheme(visit.schemes(session), form)
            refs = _refs(closings_over(session, base, visit.actor), form.text("over"))
            found = over(session, base, visit.actor, refs)
        rules, faults = _rules(base, form)
        if rules is None or not found:
            return _answered(visit, form, faults=faults or {"over": "choose a closing or a month that is over"})
        answer = what_if(found, rules)
        figures = {"decided": asdict(answer.decided), "what_if": asdict(answer.what_if), "closings": answer.closings}
        with visit.command() as session:
            ref = propose(
                session,
                visit.ports,
                base=base,
                rules=rules,
                looked_at=form.text("over")[:40],
                figures=figures,
                actor=visit.actor,
            )
        return visit.to(f"/office/proposals/{ref}")

    @get("/{proposal_ref:str}", sync_to_thread=True)
    def one(self, proposal_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What differs in the rulebook's words, and what it came to where it was tried."""
        with visit.look() as (session, _):
            found = proposal_of(session, proposal_ref, visit.actor)
            rows = _compared(Totals(**found.figures["decided"]), Totals(**found.figures["what_if"]))
            return visit.page(
                "office/proposal.html",
                one=found,
                name=found.rules.name,
                tried_on=_named_month(found.looked_at),
                parts=differences(rules_by_hash(session, found.base_hash), found.rules),
                rows=rows,
            )

    @get("/{proposal_ref:str}/toml", sync_to_thread=True)
    def toml(self, proposal_ref: FromPath[str], visit: NamedDependency[Visit]) -> Response[Any]:
        """The scheme file, for `dps schemes check`, `diff` and `publish`."""
        with visit.look() as (session, _):
            found = proposal_of(session, proposal_ref, visit.actor)
        headers = {"Content-Disposition": f'attachment; filename="{found.scheme}-{found.ref}.toml"'}
        return Response(as_toml(found.rules).encode(), media_type=_TOML, headers=headers)


def _answered(visit: Visit, form: Form, *, faults: Mapping[str, str] | None = None) -> Page:
    with visit.look() as (session, _):
        schemes = visit.schemes(session)
        if not schemes:
            return visit.page("office/none.html")
        base = _scheme(schemes, form)
        choices = closings_over(session, base, visit.actor)
        refs = _refs(choices, form.text("over"))
        found = over(session, base, visit.actor, refs) if refs else []
    rules, broken = _rules(base, form)
    values, _ = turned(base, form)
    faults = {**broken, **(faults or {})}
    answer = what_if(found, rules) if rules is not None and found else None
    moved = answer.moved[:MOST_MOVED] if answer else ()
    with visit.look() as (session, _):
        rounds, bidders = places_of_rounds(session, [one.round for one in moved]), dict(providers_by_name(session))
    first, later = ([replace(knob, at=values.get(knob.name, knob.at)) for knob in part] for part in knobs_of(base))
    return visit.page(
        "office/what_if.html",
        status=400 if faults else 200,
        schemes=[(one.key, one.name) for one in schemes],
        base=base,
        choices=_said(choices),
        chosen=form.text("over"),
        mode=AllocationMode.JOINT if is_joint(base, form) else AllocationMode.PER_PACKAGE,
        first=first,
        later=later,
        faults=faults,
        answer=answer,
        moved=[
            (*rounds[one.round], *(bidders.get(ref, ref) if ref else "Nobody" for ref in (one.decided, one.what_if)))
            for one in moved
        ],
        lots=names.lots(schemes),
        places=names.places(schemes),
        rows=_compared(answer.decided, answer.what_if) if answer else [],
        pictures=_pictures(answer) if answer else [],
        frontier=Markup(answer.frontier.to_svg()) if answer and answer.frontier else None,  # noqa: S704 - made of numbers
    )


def _scheme(schemes: Sequence[Scheme], form: Form) -> Scheme:
    key = form.text("scheme")
    found = next((one for one in schemes if key in ("", one.key)), None)
    if found is None:
        raise NotFound(kind="scheme", ref=key)
    return found


def _refs(choices: Choices, chosen: str) -> list[str]:
    """The closings of a month (`2019-03`), or one; none where nothing was chosen."""
    if not chosen:
        return []
    found = [ref for ref, at in choices if chosen in (ref, f"{at.astimezone(LONDON):%Y-%m}")]
    if not found:
        raise NotFound(kind="closing that is over", ref=chosen)
    return found


def _said(choices: Choices) -> list[tuple[str, str]]:
    months = dict.fromkeys(f"{at.astimezone(LONDON):%Y-%m}" for _, at in choices)
    named = [(month, f"All of {_named_month(month)}") for month in months]
    return named + [(ref, f"{short_instant(at)}, {ref}") for ref, at in choices[:100]]


def _named_month(looked_at: str) -> str:
    """`March 2019` for a month's closings; one closing by its reference."""
    try:
        return f"{date.fromisoformat(f'{looked_at}-01'):%B %Y}"
    except ValueError:
        return looked_at


def _rules(base: Scheme, form: Form) -> tuple[Scheme | None, dict[str, str]]:
    """The rules as they were set, or the faults in words."""
    values, faults = turned(base, form)
    if faults:
        return None, faults
    changes = varied(
        base, price_weight=values.get("price_weight"), joint=is_joint(base, form), terms=terms_of(base, values)
    )
    try:
        return with_changes(base, changes), {}
    except BadScheme as bad:
        return None, {"mode": "; ".join(fault.reason for fault in bad.faults)}
    except BadInput as bad:
        return None, {"mode": str(bad.reason)}


def _compared(decided: Totals, tried: Totals) -> list[tuple[str, str, str]]:
    """Each figure's words on both sides."""
    return [
        ("Packages placed", f"{decided.placed} of {decided.packages}", f"{tried.placed} of {tried.packages}"),
        ("Hours a week left unplaced", hours(decided.unplaced_minutes), hours(tried.unplaced_minutes)),
        ("Awards, a week", in_pounds(decided.award_pence), in_pounds(tried.award_pence)),
        ("Providers missing in areas", str(decided.missing_providers), str(tried.missing_providers)),
        ("Providers that win", str(decided.winners), str(tried.winners)),
        ("Share of the largest winner", _percent(decided.largest_thousandths), _percent(tried.largest_thousandths)),
    ]


def _percent(thousandths: int) -> str:
    return f"{thousandths // 10}.{thousandths % 10}%"


def _pictures(answer: WhatIf) -> list[Markup]:
    """The three figures that speak loudest, as bars one over the other."""
    rows = {name: (before, after) for name, before, after in _compared(answer.decided, answer.what_if)}
    numbers = {
        "Packages placed": ("placed", "packages"),
        "Awards, a week": ("award_pence", "award_pence"),
        "Providers missing in areas": ("missing_providers", "missing_providers"),
    }
    return [
        bars(
            f"{name}: as decided and what-if",
            [
                Bar(label, getattr(side, part), getattr(side, whole), rows[name][place])
                for place, (label, side) in enumerate((("As decided", answer.decided), ("What-if", answer.what_if)))
            ],
        )
        for name, (part, whole) in numbers.items()
    ]
