"""A provider's own bid: submit or replace, reconfirm, withdraw, decline.

Each asks the clock under its locks: the rounds shared, the bidder's own invitations exclusively (law 1). How bids are
judged and stored is in `handing_in`, how many share a commit in `intake`.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from bidding.asking import package_of
from bidding.bids.handed import Handed, receipt_or_refusal
from bidding.bids.handing_in import closing_in_time, hand_in_all
from bidding.bids.records import Bid, BidRound, BidState
from bidding.bids.storing import reconsider
from bidding.closings import Closing
from bidding.rounds import Round, RoundState, invitation_of, round_of
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database, find_all, locked, locked_one
from dps.kernel.errors import NoSuchStep, NotFound, RuleNotMet, TooLate, WrongMode
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.packages.remarks import said, write_remark
from dps.schemes.model import Mode


def submit(session: Session, ports: Ports, **request: Any) -> dict[str, Any]:
    """Seal a bid and return the signed receipt; `request` is that of `Handed`.

    Raises TooLate, InvalidBid, NotEligible, NotFound, KeyReused.
    """
    (verdict,) = hand_in_all(session, ports, [Handed(**request)])
    return receipt_or_refusal(verdict)


def submit_in(database: Database, ports: Ports, **request: Any) -> dict[str, Any]:
    """`submit` in its own transaction; a bid that came too late leaves a trace of the refusal, never of the bid."""
    handed = Handed(**request)
    (verdict,) = database.run(lambda session: hand_in_all(session, ports, [handed]))
    return receipt_or_refusal(verdict)


def _closing_in_time(session: Session, rounds: Sequence[Round], now: datetime) -> Closing:
    ids = {round_.closing_id for round_ in rounds if round_.closing_id is not None}
    closings = {closing.id or 0: closing for closing in find_all(session, Closing, fresh=True, id=ids)}
    return closing_in_time(closings, rounds, now)


def _handed_in(session: Session, provider: str, rounds_key: str) -> Sequence[Bid]:
    """The live bid for these rounds and the provisional one, whichever there are."""
    return find_all(session, Bid, provider=provider, rounds_key=rounds_key, state=[BidState.SEALED], order=("id",))


def withdraw(session: Session, ports: Ports, *, bid_ref: str, actor: Actor) -> None:
    """Take a sealed bid back before its closing."""
    bid, rounds = _own_bid(session, bid_ref, actor)
    now = ports.clock.read(session)
    _closing_in_time(session, rounds, now)
    advance(session, bid, "withdraw", actor, now)


def confirm_typed(session: Session, ports: Ports, *, bid_ref: str, actor: Actor) -> None:
    """Say, as its provider, that a bid which a broker typed was dictated: without it the bid lapses at the closing.

    It takes the place of the provider's own bid, which until now stood beside it. Nobody reads it for that: its price
    is as sealed as any other's. Saying so again changes nothing.
    """
    bid, rounds = _own_bid(session, bid_ref, actor)
    now = ports.clock.read(session)
    _closing_in_time(session, rounds, now)
    if bid.typed_by is None or bid.state is not BidState.SEALED:
        raise NoSuchStep(kind="Bid", ref=bid.ref, state=str(bid.state), step="confirm what was typed")
    if bid.confirmed_at is None:
        for own in _handed_in(session, bid.provider, bid.rounds_key):
            if own.id != bid.id:
                advance(session, own, "replace", actor, now)
        reconsider(session, [invitation_of(session, round_.id, bid.provider) for round_ in rounds], actor, now)
        bid.confirmed_at = now
        session.add(bid)
        session.flush()
        audit.append(session, bid.stream, "bid.confirmed_by_provider", actor, now, {"bid": bid.ref})


def reconfirm(session: Session, ports: Ports, *, bid_ref: str, actor: Actor) -> None:
    """Let a sealed bid stand for the amended referral: one click, nothing re-sealed."""
    bid, rounds = _own_bid(session, bid_ref, actor)
    now = ports.clock.read(session)
    _closing_in_time(session, rounds, now)
    if bid.state is not BidState.SEALED:
        raise NoSuchStep(kind="Bid", ref=bid.ref, state=str(bid.state), step="reconfirm")
    versions = {round_.id: round_.version for round_ in rounds}
    for link in session.exec(select(BidRound).where(BidRound.bid_id == bid.id)):
        link.version = versions[link.round_id]
        session.add(link)
    facts = {"bid": bid.ref, "versions": sorted(versions.values())}
    audit.append(session, bid.stream, "bid.reconfirmed", actor, now, facts)


def _own_bid(session: Session, ref: str, actor: Actor) -> tuple[Bid, list[Round]]:
    actor.needs("change a bid", Role.PROVIDER)
    bid = session.exec(select(Bid).where(Bid.ref == ref, Bid.provider == actor.provider)).first()
    if bid is None or actor.provider is None:
        raise NotFound(kind="bid", ref=ref)
    links = session.exec(select(BidRound.round_id).where(BidRound.bid_id == bid.id)).all()
    if not links:
        raise RuleNotMet(reason=f"{ref} is a bid for an area: it is changed and taken back where the area is sought.")
    rounds = list(locked(session, Round, *links, shared=True))
    for round_ in rounds:
        invitation_of(session, round_.id, actor.provider, lock=True)
    session.refresh(bid)
    return bid, rounds


def decline(session: Session, ports: Ports, *, round_ref: str, reason: str, actor: Actor) -> None:
    """Say no to an invitation, with a reason; what stands for that round alone is taken back with it."""
    actor.needs("decline an invitation", Role.PROVIDER)
    bidder = actor.provider or ""
    words = said(reason, longest=500)
    round_ = locked_one(session, Round, round_of(session, round_ref).id, shared=True)
    invitation = invitation_of(session, round_.id, bidder, lock=True)
    now = ports.clock.read(session)
    if round_.mode == Mode.RANKED_OFFER:
        raise WrongMode(mode="an answer to the offer")
    closes_at = round_.closes_at
    if round_.state is not RoundState.PUBLISHED or (closes_at is not None and now >= closes_at):
        raise TooLate(closes_at=closes_at or now, now=now)
    key = hashlib.sha256(round_ref.encode()).hexdigest()
    for live in _handed_in(session, bidder, key):
        advance(session, live, "withdraw", actor, now)
    invitation.STEPS.step(invitation.state, "decline", invitation.ref)
    package, about = package_of(session, round_), invitation.ref
    remark = write_remark(
        session, ports.keyring, ports.entropy, package, about=about, step="decline", words=words, actor=actor, now=now
    )
    advance(session, invitation, "decline", actor, now, answered_at=now, facts=remark.facts)
