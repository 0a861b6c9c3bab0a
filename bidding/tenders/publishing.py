"""Seeking a provider for an area: publish a tender, or take it back."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlmodel import Session

from bidding.bids.records import BidState, LapseCause, bids_of_closing
from bidding.closings import TENDER, Closing, closing_for
from bidding.custody import custody_of_area, holders_of
from bidding.tenders.entitled import entitled
from bidding.tenders.records import OPEN, Tender, TenderState, locked_tender
from dps.contracts.area_contracts import in_place
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.calendar import LONDON, years_later
from dps.kernel.database import find, locked_one
from dps.kernel.errors import BadInput, NotFound, RuleNotMet
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.law.watch import refuse_passed_limits
from dps.register.texts import known
from dps.schemes.loader import rule_hash
from dps.schemes.model import Scheme


def publish_tender(
    session: Session, ports: Ports, *, scheme: Scheme, key: str, locality: str, from_day: date, actor: Actor
) -> Tender:
    """Ask for bids for one area contract, from the next working day's beginning for the days that the rules say.

    It closes when the last of these working days does. Everybody who may bid is told. RuleNotMet where the area is let
    already on one of its days, or is being sought, or where its bids want more custodians than are registered.
    """
    actor.needs("publish a tender", Role.COMMISSIONER)
    if actor.authority is None or actor.authority not in {one.key for one in scheme.authorities}:
        raise NotFound(kind="scheme", ref=scheme.key)
    known([key], (one.key for one in scheme.area_contracts), "key", "area contract")
    asked = scheme.area_contract(key)
    known([locality], asked.localities, "locality", "locality")
    now = ports.clock.read(session)
    today = now.astimezone(LONDON).date()
    hash_ = rule_hash(scheme)
    refuse_passed_limits(session, scheme, hash_, today)
    calendar = scheme.calendar()
    closes_at = calendar.at(calendar.working_day_from(today + timedelta(days=asked.days_open)), scheme.hours.closes)
    if closes_at - now < timedelta(days=asked.days_open):
        following = calendar.next_working_day(closes_at.astimezone(LONDON).date())
        closes_at = calendar.at(following, scheme.hours.closes)
    if from_day <= closes_at.astimezone(LONDON).date() or not scheme.is_in_term(from_day):
        words = f"the contract begins after its closing on {closes_at.astimezone(LONDON):%-d %B %Y}, within the term"
        raise BadInput(words, field="from_day")
    last_day = years_later(from_day, asked.years) - timedelta(days=1)
    place: Mapping[str, Any] = {"scheme": scheme.key, "authority": actor.authority, "locality": locality}
    if let := in_place(session, **place, lots=asked.lots, first=from_day, last=last_day):
        raise RuleNotMet(reason=f"The area is let with {let.ref} until {let.last_day:%-d %B %Y}.")
    if sought := find(session, Tender, **place, key=key, state=OPEN):
        raise RuleNotMet(reason=f"The area is being sought with {sought.ref}. Decide or cancel that first.")
    rule = custody_of_area(scheme, key)
    closing = closing_for(
        session,
        ports,
        scheme=scheme.key,
        rule_hash=hash_,
        mode=TENDER,
        closes_at=closes_at,
        published=False,
        now=now,
        holders=holders_of(session, scheme, rule),
        needed=rule.needed if rule else 0,
    )
    session.flush()
    tender = Tender(
        ref=new_reference(Kind.TENDER, ports.entropy),
        state=TenderState.PUBLISHED,
        rule_hash=hash_,
        key=key,
        from_day=from_day,
        last_day=last_day,
        closing_id=closing.id or 0,
        published_at=now,
        published_by=actor.ref,
        passed=[],
        **place,
    )
    session.add(tender)
    session.flush()
    facts = {
        "scheme": scheme.key,
        "key": key,
        "locality": locality,
        "from_day": from_day.isoformat(),
        "closing": closing.ref,
        "closes_at": closes_at.isoformat(),
    }
    audit.append(session, tender.stream, "tender.published", actor, now, facts)
    for provider in sorted(entitled(session, scheme, asked, now)):
        post(
            session,
            ports.entropy,
            recipient=f"provider:{provider}",
            kind="tender_published",
            about=tender.ref,
            now=now,
        )
    return tender


def cancel_tender(session: Session, ports: Ports, *, tender_ref: str, actor: Actor) -> None:
    """Take a tender back. An offer can't be taken back while its provider may answer it."""
    tender = locked_tender(session, tender_ref, actor)
    closing = locked_one(session, Closing, tender.closing_id)
    bids = bids_of_closing(session, closing.id, BidState.SEALED, BidState.OPENED)
    now = ports.clock.read(session)
    if tender.state is TenderState.OFFERED and any(bid.valid_until > now for bid in bids):
        raise RuleNotMet(reason=f"{tender.ref} is offered to a provider, who has not answered yet.")
    advance(session, tender, "cancel", actor, now, offered_bid=None)
    for bid in bids:
        step, facts = (
            ("lose", {}) if bid.state is BidState.OPENED else ("lapse", {"cause": LapseCause.TENDER_CANCELLED})
        )
        advance(session, bid, step, CLOCK, now, facts=facts)
        tell(session, ports, bid.provider, "tender_cancelled", tender)


def tell(session: Session, ports: Ports, provider: str, kind: str, tender: Tender) -> None:
    """Tell a provider what became of a tender that it bids for."""
    recipient, now = f"provider:{provider}", ports.clock.read(session)
    post(session, ports.entropy, recipient=recipient, kind=kind, about=tender.ref, now=now)
