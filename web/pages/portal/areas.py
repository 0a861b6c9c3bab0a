"""Contracts for a whole area, for providers: what is sought, the bid, its check, and how it fared.

Nothing of a bid is stored before it is sealed; what a sealed one says is shown in the browser that handed it in alone.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session

from bidding.bids.records import Bid, BidState
from bidding.closings import Closing
from bidding.tenders.content import AreaBid, evaluated_pence, placed_problems, volume_lines
from bidding.tenders.deciding import accept_area, decline_area
from bidding.tenders.entitled import NOT_ENTITLED, entitled
from bidding.tenders.handing_in import hand_in_for_area, own_bids, withdraw_from_area
from bidding.tenders.records import Tender, TenderState, tender_of, tenders_seen
from dps.contracts.area_contracts import AreaContractRow
from dps.kernel.database import find, find_all
from dps.kernel.errors import BadInput, InvalidBid, NotFound, TooLate
from dps.kernel.money import Band, parse_pence
from dps.register.rate_cards import rate_card_of
from dps.schemes.area_contracts import AreaContract, BiddingModel
from dps.schemes.model import Scheme
from dps.schemes.stored import rules_by_hash
from dps.schemes.wording import UNITS
from web.pages.cookies import copies_cookie, copies_key
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.bidding import plain_pounds
from web.pages.portal.own import own_provider, own_scheme
from web.pages.portal.own_copies import area_copy_of, browser_key, is_kept, keep
from web.pages.rows import row_id
from web.pages.visit import Page, Visit
from web.security.sessions import new_token

_RATE, _TARGET, _ANSWER = "rate-", "target-", "answer-"
_LIVE = (BidState.SEALED, BidState.OPENED, BidState.AWARDED, BidState.UNSUCCESSFUL, BidState.INVALID)


class AreaBids(Controller):
    """Tenders of the schemes that one belongs to."""

    path = "/portal/areas"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit]) -> Page:
        """What is sought, and what was, the newest first."""
        with visit.look() as (session, now):
            schemes = {scheme.key: scheme for scheme in visit.schemes(session)}
            tenders = [one for one in tenders_seen(session, actor=visit.actor) if one.scheme in schemes]
            closes_at = _closings(session, tenders)
            bid_for = _bid_for(session, tenders, visit.actor.provider or "")
            rows = [
                {
                    "tender": tender,
                    "name": rules_by_hash(session, tender.rule_hash).area_contract(tender.key).name,
                    "place": schemes[tender.scheme].locality(tender.locality).name,
                    "closes_at": closes_at[tender.closing_id],
                    "is_open": tender.state is TenderState.PUBLISHED and now < closes_at[tender.closing_id],
                    "has_bid": tender.ref in bid_for,
                    "is_offered": _is_offered(session, tender, visit),
                }
                for tender in tenders
            ]
            return visit.page("portal/areas.html", rows=rows)

    @get("/{tender_ref:str}", sync_to_thread=True)
    def one(self, tender_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What is sought, with the form; afterwards how the own bid fared, and the offer."""
        with visit.look() as (session, _):
            tender, scheme = _known(session, visit, tender_ref)
            asked = scheme.area_contract(tender.key)
            copy = _copy(session, visit, tender)
            values = _filled(copy) if copy else _own_prices(session, visit, tender, asked)
            values |= {"once": new_token()}
        return _page(visit, tender_ref, values, {})

    @post("/{tender_ref:str}/bid", sync_to_thread=True, status_code=200)
    def change(self, tender_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Back from "check answers": the form as it was filled in."""
        return _page(visit, tender_ref, form.fields, {})

    @post("/{tender_ref:str}/bid/check", sync_to_thread=True, status_code=200)
    def check(self, tender_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Check answers: what a year comes to, or in words, beside its field, why the bid can't be submitted."""
        with visit.look() as (session, now):
            tender, scheme = _known(session, visit, tender_ref)
            closes_at = session.get_one(Closing, tender.closing_id).closes_at
            if now >= closes_at:
                raise TooLate(closes_at=closes_at, now=now)
            asked = scheme.area_contract(tender.key)
            content, faults = _judged(form, asked, tender, scheme)
            is_open = tender.state is TenderState.PUBLISHED
            if faults or not is_open or not _may_bid(session, visit, tender, scheme, now):
                return _page(visit, tender_ref, form.fields, faults)
            live = own_bids(session, tender, visit.actor.provider or "")
            return visit.page(
                "portal/area_check.html",
                tender=tender,
                asked=asked,
                said=_said(content, asked),
                questions=scheme.evaluation.questions,
                place=scheme.locality(tender.locality).name,
                closes_at=closes_at,
                live=live[-1] if live else None,
                fields=form.fields,
            )

    @post("/{tender_ref:str}/bid/submission", sync_to_thread=True)
    def submit(
        self, tender_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Seal a bid in place of an earlier one; a form that is sent twice seals it once."""
        with visit.look() as (session, _):
            tender, scheme = _known(session, visit, tender_ref)
        asked = scheme.area_contract(tender.key)
        content, faults = _judged(form, asked, tender, scheme)
        if faults:
            return _page(visit, tender_ref, form.fields, faults)
        try:
            once, secret = form.needed("once", "load the form again"), browser_key(visit.request)
            with visit.command() as session:
                made = hand_in_for_area(
                    session,
                    visit.ports,
                    tender_ref=tender_ref,
                    content=content,
                    idempotency_key=once,
                    actor=visit.actor,
                )
                if not isinstance(made, TooLate) and not is_kept(session, made["bid"]):
                    now = visit.ports.clock.read(session)
                    keep(session, secret, bid=made["bid"], content=content, now=now)
        except InvalidBid as invalid:
            return _page(visit, tender_ref, form.fields, {"bid": " ".join(invalid.problems)})
        if isinstance(made, TooLate):
            raise made
        return visit.to(f"/portal/areas/{tender_ref}", cookies=[copies_cookie(visit.request, secret)])

    @post("/{tender_ref:str}/withdrawal", sync_to_thread=True)
    def withdraw(
        self, tender_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Take the own sealed bid back before the closing."""
        with visit.command() as session:
            _known(session, visit, tender_ref)
            withdraw_from_area(session, visit.ports, tender_ref=tender_ref, actor=visit.actor)
        return visit.to(f"/portal/areas/{tender_ref}")

    @post("/{tender_ref:str}/answer", sync_to_thread=True)
    def answer(self, tender_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Yes: the contract is agreed. No: it is offered to the next in line."""
        command = accept_area if form.text("answer") == "accept" else decline_area
        with visit.command() as session:
            command(session, visit.ports, tender_ref=tender_ref, actor=visit.actor)
        return visit.to(f"/portal/areas/{tender_ref}")


def _judged(form: Form, asked: AreaContract, tender: Tender, scheme: Scheme) -> tuple[AreaBid, dict[str, str]]:
    """The bid that a form says, with each field's fault: what is missing first, then what breaks the rules."""
    content, faults = content_of(form, asked, scheme)
    return content, faults or _placed(placed_problems(content, asked, tender.locality, scheme.evaluation.questions))


def content_of(form: Form, asked: AreaContract, scheme: Scheme) -> tuple[AreaBid, dict[str, str]]:
    """The bid that a form says, with each field's fault; what breaks the rules is said when it is handed in."""
    faults: dict[str, str] = {}
    rates, price = {}, None
    targets: dict[str, int] = {}
    for element in asked.elements:
        field = f"{_RATE}{element.key}"
        try:
            rates[element.key] = parse_pence(form.needed(field, f"give a rate for {element.name}"), field=field)
        except BadInput as bad:
            faults[field] = str(bad.reason)
    if asked.model is BiddingModel.OUTCOMES:
        try:
            price = parse_pence(form.needed("yearly", "give the price of a year"), field="yearly")
        except BadInput as bad:
            faults["yearly"] = str(bad.reason)
    for goal in asked.targets:
        field = f"{_TARGET}{goal.key}"
        ask = f"write a percentage from {goal.least_percent} to 100 for: {goal.name}"
        try:
            form.needed(field, ask)
            targets[goal.key] = form.whole(field, ask, most=100) or 0
        except BadInput as bad:
            faults[field] = str(bad.reason)
    answers = form.under(_ANSWER)
    for question in scheme.evaluation.questions:
        if answers.get(question.key, "") not in question.answers:
            faults[f"{_ANSWER}{question.key}"] = "choose an answer"
    known = sorted((question.key, answers.get(question.key, "")) for question in scheme.evaluation.questions)
    return (
        AreaBid(
            rates=tuple(sorted(rates.items())),
            yearly_pence=price,
            targets=tuple(sorted(targets.items())),
            answers=tuple(known),
        ),
        faults,
    )


def _copy(session: Session, visit: Visit, tender: Tender) -> AreaBid | None:
    """What this browser sealed for the tender, where it is the one that did."""
    live = own_bids(session, tender, visit.actor.provider or "")
    return area_copy_of(session, copies_key(visit.request), live[-1].ref) if live else None


def _filled(content: AreaBid) -> dict[str, str]:
    """A bid as its form's fields."""
    return {
        **{f"{_RATE}{key}": plain_pounds(pence) for key, pence in content.rates},
        **({} if content.yearly_pence is None else {"yearly": plain_pounds(content.yearly_pence)}),
        **{f"{_TARGET}{key}": str(percent) for key, percent in content.targets},
        **{f"{_ANSWER}{key}": answer for key, answer in content.answers},
    }


def _placed(problems: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Each reason at the field of the form that it is about."""
    found: dict[str, list[str]] = {}
    for about, words in problems:
        kind, _, key = about.partition(".")
        prefix = {"rates": _RATE, "targets": _TARGET, "answers": _ANSWER}.get(kind)
        field = f"{prefix}{key}" if prefix else "yearly" if kind == "yearly_pence" else "bid"
        found.setdefault(field, []).append(words)
    return {field: " ".join(said) for field, said in found.items()}


def _said(content: AreaBid, asked: AreaContract) -> dict[str, Any]:
    """A bid as pages show it: the content, each rate with what its year comes to, and the year."""
    lines = {line.key: line for line in volume_lines(content, asked)}
    return {"content": content, "lines": lines, "yearly_pence": evaluated_pence(content, asked)}


def _may_bid(session: Session, visit: Visit, tender: Tender, scheme: Scheme, now: datetime) -> bool:
    asked = scheme.area_contract(tender.key)
    return bool(entitled(session, scheme, asked, now, ids=[row_id(own_provider(session, visit))]))


def _own_prices(session: Session, visit: Visit, tender: Tender, asked: AreaContract) -> dict[str, str]:
    """The form's rates, from the provider's standing prices for the lots that elements name."""
    provider, found = own_provider(session, visit), {}
    for element in asked.elements:
        if element.lot is None:
            continue
        card = rate_card_of(
            session, visit.ports, provider=provider, scheme_key=tender.scheme, lot=element.lot, actor=visit.actor
        )
        of_unit = {"hour": "per_hour", "night": "per_night", "week": "per_week"}.get(element.unit)
        if card is None or card.basis != of_unit:
            continue
        price = next((price for price in card.prices if price.band is Band.WEEKDAY and price.minutes is None), None)
        if price is not None:
            found[f"{_RATE}{element.key}"] = plain_pounds(price.pence)
    return found


def _known(session: Session, visit: Visit, ref: str) -> tuple[Tender, Scheme]:
    """A tender of a scheme that this provider belongs to, and the rules that it is bid under."""
    tender = tender_of(session, ref, visit.actor)
    try:
        own_scheme(session, visit, tender.scheme)
    except NotFound:
        raise NotFound(kind="tender", ref=ref) from None
    return tender, rules_by_hash(session, tender.rule_hash)


def _closings(session: Session, tenders: Sequence[Tender]) -> dict[int, datetime]:
    ids = [one.closing_id for one in tenders]
    return {one.id or 0: one.closes_at for one in find_all(session, Closing, id=ids)} if ids else {}


def _bid_for(session: Session, tenders: Sequence[Tender], provider: str) -> set[str]:
    """The tenders that this provider has a bid in."""
    refs = [one.ref for one in tenders]
    found = find_all(session, Bid, invitation_ref=refs, provider=provider, state=_LIVE) if refs else ()
    return {bid.invitation_ref for bid in found}


def _is_offered(session: Session, tender: Tender, visit: Visit) -> bool:
    score = tender.score_of(tender.offered_bid)
    return tender.state is TenderState.OFFERED and score is not None and score.provider == visit.actor.provider


def _page(visit: Visit, tender_ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        tender, scheme = _known(session, visit, tender_ref)
        asked = scheme.area_contract(tender.key)
        closing = session.get_one(Closing, tender.closing_id)
        bids = own_bids(session, tender, visit.actor.provider or "", *_LIVE)
        bid = bids[-1] if bids else None
        is_open = tender.state is TenderState.PUBLISHED and now < closing.closes_at
        may_bid = is_open and _may_bid(session, visit, tender, scheme, now)
        return visit.page(
            "portal/area.html",
            status=400 if faults else 200,
            tender=tender,
            asked=asked,
            area=asked.area(tender.locality) if asked.areas else None,
            units=UNITS,
            questions=scheme.evaluation.questions,
            place=scheme.locality(tender.locality).name,
            closes_at=closing.closes_at,
            is_open=is_open,
            barred=NOT_ENTITLED if is_open and not may_bid else "",
            bid=bid,
            receipt=json.dumps(bid.receipt, sort_keys=True, separators=(", ", ": ")) if bid else "",
            score=tender.score_of(bid.ref) if bid else None,
            ranked=sum(one.is_valid for one in tender.evaluation),
            is_over=tender.state in (TenderState.AWARDED, TenderState.CANCELLED),
            is_offered=_is_offered(session, tender, visit),
            copy=_said(copy, asked) if (copy := _copy(session, visit, tender)) else None,
            contract=find(session, AreaContractRow, tender=tender.ref, provider=visit.actor.provider or ""),
            values=Values(values),
            faults=faults,
        )
