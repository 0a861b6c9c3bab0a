"""Many bids on one page: up to 30 packages and one take limit, check answers, the receipts.

Nothing is stored in clear: between the steps the bids travel in the page itself, and drafts of the ticked packages are
kept under the browser's own key (`drafts`). Each bid is a command of
its own, under its own idempotency key: a form sent twice seals each once, and what can't be submitted stops no other.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from litestar import Controller, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect
from sqlmodel import Session

from bidding.bids.preparing import Preview, previews, terms_in
from bidding.looking.answered import live_bids
from bidding.looking.invited import opportunities, own_bids, packages_of
from dps.kernel.errors import DpsError, Forbidden, NotFound
from dps.kernel.money import Band
from dps.register.limits import LimitPart, set_take_limit, take_limit_of
from dps.register.rate_cards import rate_card_of
from dps.schemes.model import AllocationMode, Mode, Scheme
from web.pages import names
from web.pages.cookies import copies_cookie, copies_key
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.bidding import hand_in, placed, plain_pounds
from web.pages.portal.drafts import Draft, drafts_for, save, throw_away
from web.pages.portal.many_drafts import as_drafts, as_fields, saved_at
from web.pages.portal.many_form import BUNDLE, MOST, Answers, Offered, WantedBid, gone_of, key_of, read, sent_in
from web.pages.portal.own import own_provider, own_scheme
from web.pages.portal.own_copies import browser_key
from web.pages.refusals import words_of
from web.pages.rows import row_id
from web.pages.visit import Page, Visit
from web.receiving import receiving
from web.security.sessions import new_token

_LOOKED_AT = 1_000
_GONE = "It has closed, or is open to you no longer."
_TAKES_BIDS = (Mode.SEALED_BID, Mode.ACCEPTANCE_WINDOW)


class ManyBids(Controller):
    """One scheme's open packages, those that close soonest first."""

    path = "/portal/bids/many"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def form(
        self,
        visit: NamedDependency[Visit],
        scheme: FromQuery[str] = "",
        lot: FromQuery[str] = "",
        locality: FromQuery[str] = "",
        tick: FromQuery[str] = "",
    ) -> Page:
        """The form, filled in from the provider's own prices, the earliest starts and the limit in force."""
        with visit.look() as (session, _):
            chosen = _scheme(session, visit, scheme)
            if chosen is None:
                return visit.page("portal/many_none.html")
            offered = _offered(session, visit, chosen, lot=lot, locality=locality)
            values = _prefilled(session, visit, chosen, offered)
            values |= as_fields(_drafts(session, visit, offered).values())
            if tick == "all":
                values |= {f"bid-{ref}": "on" for ref in offered}
            return _form(session, visit, chosen, offered, values, {}, lot=lot, locality=locality)

    @post("/", sync_to_thread=True, status_code=200)
    def change(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Back from "check answers": the form as it was filled in."""
        with visit.look() as (session, _):
            chosen, offered = _sent(session, visit, form)
            return _form(session, visit, chosen, offered, form.fields, {}, **_narrowed(form))

    @post("/draft", sync_to_thread=True)
    def save(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Keep what was typed of each ticked package for this browser alone, whatever is still missing."""
        secret = browser_key(visit.request)
        with visit.look() as (session, _):
            chosen, offered = _sent(session, visit, form)
            kept = as_drafts(form, offered)
            if not kept:
                faults = {"bid": "tick the packages of which you want to keep a draft"}
                return _form(session, visit, chosen, offered, form.fields, faults, **_narrowed(form))
        with visit.command() as session:
            now = visit.ports.clock.read(session)
            for ref, typed in kept.items():
                save(session, secret, account=visit.actor.ref, round_ref=ref, typed=typed, now=now)
        return visit.to(_page_of(chosen, form), cookies=[copies_cookie(visit.request, secret)])

    @post("/draft/removal", sync_to_thread=True)
    def throw_away(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Begin again from own prices: the drafts of the packages that the page showed."""
        with visit.look() as (session, _):
            chosen = own_scheme(session, visit, form.text("scheme"))
        with visit.command() as session:
            rounds = form.text("rounds").split(",")[:MOST]
            throw_away(session, account=visit.actor.ref, rounds=rounds)
        return visit.to(_page_of(chosen, form))

    @post("/check", sync_to_thread=True, status_code=200)
    def check(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Check answers: what each bid comes to, or in words why it can't be submitted."""
        with visit.look() as (session, _):
            chosen, offered = _sent(session, visit, form)
            answers = read(form, offered)
            previews = _previews(session, visit, answers)
            if answers.faults:
                return _form(session, visit, chosen, offered, form.fields, answers.faults, **_narrowed(form))
            return visit.page(
                "portal/many_check.html",
                scheme=chosen,
                bids=[_row(bid, offered, previews[bid.name]) for bid in answers.bids],
                together_minutes=sum(previews[bid.name].weekly_minutes for bid in answers.bids if bid.name != BUNDLE),
                limit=answers.limit,
                gone=answers.gone,
                fields=form.fields,
                closes_at=min((one.asked.closes_at for one in offered.values() if one.asked.closes_at), default=None),
                **_names(chosen),
            )

    @post("/submission", status_code=200, middleware=[receiving(sent_in)])
    async def submit(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Set the limit, seal each bid, and show the receipts; what was refused is shown beside them, in words."""
        sent = await sync_to_thread(_limited, visit, form)
        if isinstance(sent, Response):
            return sent
        chosen, offered, answers = sent
        bids = answers.bids
        once, secret = form.needed("once", "load the form again"), browser_key(visit.request)
        verdicts = await asyncio.gather(
            *(
                hand_in(visit, list(bid.rounds), bid.content, once=key_of(once, bid.name), secret=secret)
                for bid in bids
            ),
            return_exceptions=True,
        )
        sealed: list[str] = []
        refused: dict[str, str] = {}
        for bid, verdict in zip(bids, verdicts, strict=True):
            if isinstance(verdict, dict):
                sealed.append(verdict["bid"])
            elif isinstance(verdict, DpsError) and not isinstance(verdict, Forbidden):
                refused[bid.name] = " ".join(words_of(verdict)[1])
            else:
                raise verdict
        cookie = copies_cookie(visit.request, secret)
        if not refused and not answers.gone:
            return visit.to(f"/portal/bids/many/receipts?bids={','.join(sealed)}", cookies=[cookie])
        refusals = [_refusal(name, words, offered) for name, words in refused.items()]
        refusals += [{"asked": None, "ref": ref, "words": _GONE} for ref in answers.gone]
        page = await sync_to_thread(_receipts, visit, sealed, refusals, chosen)
        page.cookies.append(cookie)
        return page

    @get("/receipts", sync_to_thread=True)
    def receipts(self, visit: NamedDependency[Visit], bids: FromQuery[str] = "") -> Page:
        """What was sealed in one go."""
        return _receipts(visit, bids.split(",")[: MOST + 1], [], None)


def _scheme(session: Session, visit: Visit, key: str) -> Scheme | None:
    """The scheme that is asked for, or the first one that the provider belongs to."""
    if key:
        return own_scheme(session, visit, key)
    return next(iter(visit.schemes(session)), None)


def _offered(
    session: Session,
    visit: Visit,
    scheme: Scheme,
    *,
    lot: str = "",
    locality: str = "",
    refs: frozenset[str] | None = None,
) -> dict[str, Offered]:
    """The scheme's open packages that take bids, at most 30; or those named, however many opened meanwhile."""
    now = visit.ports.clock.read(session)
    found = opportunities(
        session,
        visit.actor,
        now,
        refs=refs,
        most=_LOOKED_AT,
        scheme=scheme.key,
        lot=lot or None,
        locality=locality or None,
    )
    # Who ticked a package that it declined before has changed its mind.
    taking = [one for one in found if one.mode in _TAKES_BIDS and (refs is not None or one.invitation != "declined")]
    soonest = sorted(taking, key=lambda one: (one.closes_at is None, one.closes_at, one.round))[:MOST]
    terms = terms_in(session, round_refs=[one.round for one in soonest], actor=visit.actor, now=now)
    return {one.round: Offered(one, terms[one.round]) for one in soonest}


def _sent(session: Session, visit: Visit, form: Form) -> tuple[Scheme, dict[str, Offered]]:
    """The packages that the form was made for; one that closed meanwhile is no longer among them."""
    scheme = own_scheme(session, visit, form.text("scheme"))
    refs = frozenset(form.under("start-")) - {BUNDLE}
    if not refs:
        raise NotFound(kind="package", ref="")
    return scheme, _offered(session, visit, scheme, refs=refs)


def _limited(visit: Visit, form: Form) -> tuple[Scheme, dict[str, Offered], Answers] | Page:
    """The bids of a form whose take limit is in force now; the form again where something is wrong with it."""
    with visit.look() as (session, _):
        chosen, offered = _sent(session, visit, form)
        answers = read(form, offered)
        if answers.faults:
            return _form(session, visit, chosen, offered, form.fields, answers.faults, **_narrowed(form))
    _put_limit(visit, chosen, answers.limit)
    return chosen, offered, answers


def _prefilled(session: Session, visit: Visit, scheme: Scheme, offered: Mapping[str, Offered]) -> dict[str, str]:
    provider = own_provider(session, visit)
    values = {"once": new_token(), "scheme": scheme.key}
    cards = {
        lot: rate_card_of(session, visit.ports, provider=provider, scheme_key=scheme.key, lot=lot, actor=visit.actor)
        for lot in {one.asked.lot for one in offered.values()}
    }
    for ref, one in offered.items():
        card = cards[one.asked.lot]
        for price in card.prices if card and one.terms.published_card is None else ():
            if price.minutes is None:
                name = "price" if price.band is Band.WEEKDAY else str(price.band)
                values[f"{name}-{ref}"] = plain_pounds(price.pence)
        start = one.terms.earliest_start or one.terms.latest_start
        values[f"start-{ref}"] = start.isoformat() if start else ""
    limit = take_limit_of(session, row_id(provider), scheme.key)
    general = _general(limit.as_parts() if limit else ())
    if general is not None:
        figures = {
            "packages": general.packages,
            "hours": None if general.minutes is None else general.minutes // 60,
            "starts": general.starts_a_week,
        }
        values |= {f"limit-{name}": str(figure) for name, figure in figures.items() if figure is not None}
    return values


def _drafts(session: Session, visit: Visit, offered: Mapping[str, Offered]) -> dict[str, Draft]:
    return drafts_for(session, copies_key(visit.request), account=visit.actor.ref, rounds=list(offered))


def _narrowed(form: Form) -> dict[str, str]:
    """The service and the area to which the page is narrowed, as it carries them along."""
    return {name: form.text(name) for name in ("lot", "locality")}


def _page_of(scheme: Scheme, form: Form) -> str:
    return f"/portal/bids/many?{urlencode({'scheme': scheme.key, **_narrowed(form)})}"


def _general(parts: tuple[LimitPart, ...]) -> LimitPart | None:
    return next((part for part in parts if not part.locality and part.from_minute is None), None)


def _put_limit(visit: Visit, scheme: Scheme, wanted: LimitPart | None) -> None:
    """Put the general limit in force where it is another one; what counts against a limit counts from its setting."""
    with visit.command() as session:
        provider_id = row_id(own_provider(session, visit))
        limit = take_limit_of(session, provider_id, scheme.key)
        parts = limit.as_parts() if limit else ()
        if _general(parts) == wanted:
            return
        others = [part for part in parts if part is not _general(parts)]
        set_take_limit(
            session,
            visit.ports,
            provider_id=provider_id,
            scheme=scheme,
            parts=[*([wanted] if wanted else []), *others],
            actor=visit.actor,
        )


def _previews(session: Session, visit: Visit, answers: Answers) -> dict[str, Preview]:
    """What each bid comes to; a reason why one can't be submitted becomes the fault of its field."""
    now = visit.ports.clock.read(session)
    bids = [(bid.rounds, bid.content) for bid in answers.bids]
    found = {}
    for bid, comes_to in zip(answers.bids, previews(session, bids=bids, actor=visit.actor, now=now), strict=True):
        found[bid.name] = comes_to
        for field, words in placed(comes_to.problems).items():
            answers.faults.setdefault(f"{'start' if field == 'starts_on' else 'price'}-{bid.name}", words)
    return found


def _row(bid: WantedBid, offered: Mapping[str, Offered], comes_to: Preview) -> dict[str, Any]:
    return {"bid": bid, "parts": [offered[ref].asked for ref in bid.rounds], "comes_to": comes_to}


def _refusal(name: str, words: str, offered: Mapping[str, Offered]) -> dict[str, Any]:
    return {"asked": offered[name].asked if name in offered else None, "ref": "", "words": words}


def _names(scheme: Scheme) -> dict[str, Any]:
    return {"lots": names.lots([scheme]), "places": names.places([scheme])}


def _form(
    session: Session,
    visit: Visit,
    scheme: Scheme,
    offered: Mapping[str, Offered],
    values: Mapping[str, str],
    faults: Mapping[str, str],
    *,
    lot: str = "",
    locality: str = "",
) -> Page:
    questions = {one.key: one for offer in offered.values() for one in offer.terms.questions}
    closings = [one.asked.closing for one in offered.values() if one.asked.mode == Mode.SEALED_BID]
    is_joint = scheme.allocation.mode is AllocationMode.JOINT
    drafts = _drafts(session, visit, offered)
    return visit.page(
        "portal/many.html",
        status=400 if faults else 200,
        scheme=scheme,
        schemes=visit.schemes(session),
        offered=list(offered.values()),
        questions=list(questions.values()),
        bundles=is_joint and len(closings) > len(set(closings)),
        live=live_bids(session, visit.actor),
        drafts=drafts,
        draft_saved_at=saved_at(drafts),
        values=Values(values),
        gone=gone_of(values, offered),
        faults=faults,
        chosen={"lot": lot, "locality": locality},
        most=MOST,
        **_names(scheme),
    )


def _receipts(visit: Visit, bids: list[str], refused: list[dict[str, Any]], scheme: Scheme | None) -> Page:
    with visit.look() as (session, _):
        found = own_bids(session, visit.actor, refs=bids)
        schemes = [scheme] if scheme else visit.schemes(session)
        return visit.page(
            "portal/many_receipts.html",
            status=409 if refused else 200,
            bids=found,
            packages=packages_of(session, visit.actor, [one.bid for one in found]),
            refused=refused,
            lots=names.lots(schemes),
            places=names.places(schemes),
        )
