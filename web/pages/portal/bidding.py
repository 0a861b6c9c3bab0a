"""A bid, step by step: the form, check answers, the sealed bid and its receipt.

Nothing of a bid is stored in clear: between the steps it travels in the page itself, in the bidder's own browser
(law 2), and a draft is kept under that browser's own key (`drafts`). Prices stand in no address and in no log.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session, select

from bidding.bids.content import BidContent, ExceptionalReason
from bidding.bids.preparing import Entries, preview, terms_of
from bidding.looking.answered import live_bids
from bidding.looking.invited import Opportunity
from dps.kernel.errors import BadInput, InvalidBid
from dps.kernel.money import Band, PriceBasis, RateCard, parse_pence
from dps.register.providers import Provider
from dps.register.rate_cards import rate_card_of
from web.pages.cookies import copies_cookie, copies_key
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.drafts import Draft, draft_of, save, throw_away
from web.pages.portal.opportunities import frame, opportunity
from web.pages.portal.own_copies import browser_key, copy_of, keep
from web.pages.visit import Page, Visit
from web.receiving import Envelope, Sent, receiving, waited
from web.security.sessions import new_token

BANDS = (Band.WEEKDAY, Band.WEEKEND, Band.BANK_HOLIDAY, Band.NIGHT)
_ANSWER = "answer-"


def _sent(envelope: Envelope) -> list[Sent]:
    return [Sent((str(envelope.parts["round_ref"]),), envelope.fields["once"])]


class Bidding(Controller):
    """The bid for one round."""

    path = "/portal/opportunities/{round_ref:str}/bid"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def form(self, round_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """The form, filled in from this browser's draft or its own copy of a live bid, else from own prices."""
        with visit.look() as (session, now):
            asked = opportunity(session, visit, round_ref)
            terms = terms_of(session, round_ref=round_ref, actor=visit.actor, now=now)
            card = _own_card(session, visit, asked)
            live = live_bids(session, visit.actor).get(round_ref)
            before = copy_of(session, copies_key(visit.request), live.bid) if live else None
            draft = _draft(session, visit, round_ref)
        start = terms.earliest_start or terms.latest_start
        values = _filled(before) if before else filled_card(card) | {"starts_on": start.isoformat() if start else ""}
        values = dict(draft.fields) if draft and draft.fields is not None else values
        return _form(visit, round_ref, values | {"once": new_token()}, {})

    @post("/", sync_to_thread=True, status_code=200)
    def change(self, round_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Back from "check answers": the form as it was filled in."""
        return _form(visit, round_ref, form.fields, {})

    @post("/draft", sync_to_thread=True)
    def save(self, round_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Keep what was typed for this browser alone, whatever is still missing, and show the form again."""
        secret = browser_key(visit.request)
        with visit.look() as (session, _now):
            opportunity(session, visit, round_ref)
        with visit.command() as session:
            now = visit.ports.clock.read(session)
            terms_of(session, round_ref=round_ref, actor=visit.actor, now=now)
            save(session, secret, account=visit.actor.ref, round_ref=round_ref, typed=form.fields, now=now)
        path = f"/portal/opportunities/{round_ref}/bid"
        return visit.to(path, cookies=[copies_cookie(visit.request, secret)])

    @post("/draft/removal", sync_to_thread=True)
    def throw_away(
        self, round_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Begin again from own prices."""
        with visit.look() as (session, _now):
            opportunity(session, visit, round_ref)
        with visit.command() as session:
            throw_away(session, account=visit.actor.ref, rounds=[round_ref])
        return visit.to(f"/portal/opportunities/{round_ref}/bid")

    @post("/check", sync_to_thread=True, status_code=200)
    def check(self, round_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Check answers: what the bid comes to, or in words why it can't be submitted."""
        with visit.look() as (session, now):
            asked = opportunity(session, visit, round_ref)
            terms = terms_of(session, round_ref=round_ref, actor=visit.actor, now=now)
            content, faults = content_of(form, terms)
            if content is None:
                return _form(visit, round_ref, form.fields, faults)
            comes_to = preview(session, round_ref=round_ref, content=content, actor=visit.actor, now=now)
            if comes_to.problems:
                return _form(visit, round_ref, form.fields, placed(comes_to.problems))
            return visit.page(
                "portal/check.html",
                one=asked,
                content=content,
                comes_to=comes_to,
                terms=terms,
                fields=form.fields,
                live=live_bids(session, visit.actor).get(round_ref),
                **frame(session, visit),
            )

    @post("/submission", middleware=[receiving(_sent)])
    async def submit(
        self, round_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Seal the bid; a form that is sent twice seals it once and shows the same receipt."""
        content, faults = content_of(form, await visit.installation.intake.entries(round_ref))
        if content is None:
            return await sync_to_thread(_form, visit, round_ref, form.fields, faults)
        try:
            once, secret = form.needed("once", "load the form again"), browser_key(visit.request)
            receipt = await hand_in(visit, [round_ref], content, once=once, secret=secret)
        except InvalidBid as invalid:
            return await sync_to_thread(_form, visit, round_ref, form.fields, placed(invalid.problems))
        return visit.to(f"/portal/bids/{receipt['bid']}", cookies=[copies_cookie(visit.request, secret)])


async def hand_in(visit: Visit, rounds: list[str], content: BidContent, *, once: str, secret: bytes) -> dict[str, Any]:
    """Seal a bid and keep this browser's own copy under `secret`, in the place of a draft; returns the receipt."""

    def copy(session: Session, bid: str, now: datetime) -> None:
        keep(session, secret, bid=bid, content=content, now=now)
        throw_away(session, account=visit.actor.ref, rounds=rounds)

    return await visit.installation.intake.submitted(
        rounds=rounds,
        content=content,
        actor=visit.actor,
        idempotency_key=once,
        along=copy,
        waited=waited(visit.request),
    )


def _draft(session: Session, visit: Visit, round_ref: str) -> Draft | None:
    return draft_of(session, copies_key(visit.request), account=visit.actor.ref, round_ref=round_ref)


def _own_card(session: Session, visit: Visit, asked: Opportunity) -> RateCard | None:
    """The provider's standing prices for this lot, where they are by the hour."""
    provider = session.exec(select(Provider).where(Provider.ref == visit.actor.provider)).one()
    card = rate_card_of(
        session, visit.ports, provider=provider, scheme_key=asked.scheme, lot=asked.lot, actor=visit.actor
    )
    return card if card is not None and card.basis is PriceBasis.PER_HOUR else None


def filled_card(card: RateCard | None) -> dict[str, str]:
    return {f"price-{price.band}": plain_pounds(price.pence) for price in card.prices} if card else {}


def _filled(content: BidContent) -> dict[str, str]:
    """A bid as its form's fields."""
    return {
        **filled_card(content.card),
        **{f"{_ANSWER}{key}": answer for key, answer in content.answers},
        "starts_on": content.starts_on.isoformat(),
        "preference": str(content.preference or ""),
        "exceptional_reason": content.exceptional_reason or "",
    }


def plain_pounds(pence: int) -> str:
    """`17.25`, as a field of a form takes it."""
    return f"{pence // 100}.{pence % 100:02d}"


def card_of(form: Form) -> RateCard:
    """The prices of a form, by the hour; BadInput names the field."""
    prices = {Band.WEEKDAY: parse_pence(form.needed("price-weekday", "give a price"), field="price-weekday")}
    for band in BANDS[1:]:
        text = form.text(f"price-{band}")
        if text:
            prices[band] = parse_pence(text, field=f"price-{band}")
    return RateCard.of(PriceBasis.PER_HOUR, prices)


def content_of(form: Form, terms: Entries) -> tuple[BidContent | None, dict[str, str]]:
    """The bid that a form says, or each field's fault."""
    faults: dict[str, str] = {}
    card, starts_on, preference = terms.published_card, None, None
    try:
        card = card or card_of(form)
    except BadInput as bad:
        faults[str(bad.field)] = str(bad.reason)
    try:
        starts_on = form.day("starts_on", "say when you can start")
    except BadInput as bad:
        faults["starts_on"] = str(bad.reason)
    try:
        preference = _whole(form.text("preference"))
    except ValueError:
        faults["preference"] = "write a whole number, 1 for the one you want most"
    reason = form.text("exceptional_reason")
    if reason and reason not in set(ExceptionalReason):
        faults["exceptional_reason"] = "choose a reason"
    answers = form.under(_ANSWER)
    for question in terms.questions:
        if answers.get(question.key, "") not in question.answers:
            faults[f"{_ANSWER}{question.key}"] = "choose an answer"
    if faults or card is None or starts_on is None:
        return None, faults
    return BidContent(
        card=card,
        starts_on=starts_on,
        answers=tuple(sorted((question.key, answers[question.key]) for question in terms.questions)),
        preference=preference,
        exceptional_reason=ExceptionalReason(reason) if reason else None,
    ), {}


def _whole(text: str) -> int | None:
    if not text:
        return None
    number = int(text)
    if not 0 < number < 10_000:
        raise ValueError("out of range")
    return number


def placed(problems: tuple[str, ...]) -> dict[str, str]:
    """The engine's sentences at the field that each is most likely about."""
    found: dict[str, str] = {}
    for words in problems:
        lowered = words.lower()
        is_price = "price" in lowered or "rate" in lowered
        field = "price-weekday" if is_price else "starts_on" if "start" in lowered or "visit by" in lowered else "bid"
        found[field] = f"{found[field]} {words}" if field in found else words
    return found


def _form(visit: Visit, round_ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        asked = opportunity(session, visit, round_ref)
        terms = terms_of(session, round_ref=round_ref, actor=visit.actor, now=now)
        live = live_bids(session, visit.actor).get(round_ref)
        return visit.page(
            "portal/bid.html",
            status=400 if faults else 200,
            one=asked,
            terms=terms,
            exceptional_reasons=list(ExceptionalReason),
            values=Values(values),
            faults=faults,
            live=live,
            draft=_draft(session, visit, round_ref),
            has_copy=bool(live and copy_of(session, copies_key(visit.request), live.bid)),
            **frame(session, visit),
        )
