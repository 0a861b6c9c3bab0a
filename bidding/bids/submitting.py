"""Handing in a bid: submit or replace, reconfirm, withdraw, decline.

In time means: the authority's clock, read after the locks on the rounds (shared) and the bidder's own invitations
(exclusive), is before `closes_at` (law 1). The answer is a signed receipt; a retried request gets the stored one.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from bidding.asking import asked_of, check_standing
from bidding.bids.content import BidContent, problems
from bidding.bids.records import Bid, BidRound, BidState
from bidding.closings import Closing
from bidding.referrals import Referral
from bidding.rounds import Invitation, InvitationState, Round, RoundState, invitation_of
from bidding.sealing.seal import Sealed, receipt_of, seal, signed
from dps.kernel import audit, idempotency
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import canonical_json
from dps.kernel.database import Database, find_all, locked
from dps.kernel.errors import BadInput, InvalidBid, NoSuchStep, NotFound, Refused, TooLate, WrongMode
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.packages.packages import Package
from dps.packages.remarks import said, write_remark
from dps.schemes.model import AllocationMode, Mode, Scheme
from dps.schemes.stored import rules_by_hash


def submit(
    session: Session,
    ports: Ports,
    *,
    rounds: Sequence[str],
    content: BidContent,
    actor: Actor,
    idempotency_key: str,
    provider: str | None = None,
) -> dict[str, Any]:
    """Seal `content` for these rounds (several of one closing: a bundle) and return the signed receipt.

    What the same provider has handed in for the same set of rounds is replaced. A broker may type a telephone bid for
    `provider`, who is asked to confirm it (`confirm_typed`); until then it lies beside the provider's own and replaces
    only what was typed before, and nothing tells the typist whether there is one. Who typed it can't decide the round.
    Raises TooLate, InvalidBid, NotEligible, NotFound, KeyReused.
    """
    bidder = _bidder(actor, provider)
    body = canonical_json([sorted(rounds), content.to_dict(), bidder]).encode()
    asked_rounds, invitations = _lock(session, rounds, bidder, actor)
    now = ports.clock.read(session)
    # After the locks: a twin of this request may have been answered while this one waited for them.
    known = idempotency.recall(session, ports.keyring, actor.ref, idempotency_key, body)
    if known is not None:
        return dict(known)
    closing = _closing_in_time(session, asked_rounds, now)
    scheme = rules_by_hash(session, closing.rule_hash)
    _refuse_problems(session, asked_rounds, content, scheme, closing)
    check_standing(session, asked_rounds, bidder, scheme, now)
    if actor.role is Role.PROVIDER:
        _reconsider(session, invitations, actor, now)
    receipt = _store(session, ports, asked_rounds, invitations, content, closing, scheme, actor, bidder, now)
    idempotency.remember(session, ports.keyring, actor.ref, idempotency_key, body, receipt, now)
    return receipt


def submit_in(database: Database, ports: Ports, **request: Any) -> dict[str, Any]:
    """`submit` in its own transaction; a bid that came too late leaves a trace of the refusal, never of the bid."""
    try:
        return database.run(lambda session: submit(session, ports, **request))
    except TooLate as late:
        with database.transaction() as session:
            bidder = _bidder(request["actor"], request.get("provider"))
            for ref in sorted(request["rounds"]):
                round_ = session.exec(select(Round).where(Round.ref == ref)).one()
                invitation = invitation_of(session, round_.id, bidder)
                facts = {"round": ref, "closes_at": late.closes_at.isoformat()}
                audit.append(session, invitation.stream, "bid.refused_late", request["actor"], late.now, facts)
        raise


def _bidder(actor: Actor, provider: str | None) -> str:
    actor.needs("bid", Role.PROVIDER, Role.BROKER)
    if actor.role is Role.PROVIDER:
        if actor.provider is None or provider not in (None, actor.provider):
            raise NotFound(kind="provider", ref=provider or "")
        return actor.provider
    if provider is None:
        raise BadInput("a telephone bid names its provider", field="provider")
    return provider


def _reconsider(session: Session, invitations: Sequence[Invitation], actor: Actor, now: datetime) -> None:
    """Whoever bids after all has not declined; what somebody else typed in its name says nothing of that yet."""
    for invitation in invitations:
        if invitation.state is InvitationState.DECLINED:
            advance(session, invitation, "reconsider", actor, now, answered_at=None)


def _lock(session: Session, refs: Sequence[str], bidder: str, actor: Actor) -> tuple[list[Round], list[Invitation]]:
    """The rounds shared, then this bidder's invitations exclusively.

    An unknown round, one that the bidder was not asked in and, to a broker, one of another authority are all alike.
    """
    if not refs or len(set(refs)) != len(refs):
        raise BadInput("name each round once", field="rounds")
    query = select(Round).where(col(Round.ref).in_(refs)).order_by(col(Round.id)).with_for_update(read=True)
    rounds = list(session.exec(query.execution_options(populate_existing=True)).all())
    known = {round_.ref for round_ in rounds}
    for ref in sorted(set(refs) - known):
        raise NotFound(kind="round", ref=ref)
    if actor.role is Role.BROKER:
        for round_ in rounds:
            referral = session.get(Referral, round_.referral_id)
            assert referral is not None
            actor.sees("round", round_.ref, authority=referral.authority)
    return rounds, [invitation_of(session, round_.id, bidder, lock=True) for round_ in rounds]


def _closing_in_time(session: Session, rounds: Sequence[Round], now: datetime) -> Closing:
    closings = {round_.closing_id for round_ in rounds}
    if None in closings:
        raise WrongMode(mode=rounds[0].mode)
    if len(closings) > 1:
        raise InvalidBid(problems=("A bundle names packages that close together.",))
    closing = session.get(Closing, closings.pop(), populate_existing=True)
    assert closing is not None
    for round_ in rounds:
        if round_.state is RoundState.CANCELLED:
            raise InvalidBid(problems=("This round was cancelled.",))
        if now >= closing.closes_at or round_.state is not RoundState.PUBLISHED:
            raise TooLate(closes_at=closing.closes_at, now=now)
    return closing


def _refuse_problems(
    session: Session, rounds: Sequence[Round], content: BidContent, scheme: Scheme, closing: Closing
) -> None:
    """Asked as at the closing, when the bid will be evaluated: another envelope may be in force by then."""
    found: list[str] = []
    for round_ in rounds:
        asked = asked_of(package_of(session, round_), scheme, closing.closes_at)
        if round_.mode == Mode.ACCEPTANCE_WINDOW and content.card != offer_card(scheme, round_.lot):
            found.append("This stage is accepted at the published rate; no other price can be offered.")
        found += [words for words in problems(content, asked) if words not in found]
    if len(rounds) > 1 and any(round_.mode != Mode.SEALED_BID for round_ in rounds):
        found.append("Only sealed bids can name several packages.")
    elif len(rounds) > 1 and scheme.allocation.mode is AllocationMode.PER_PACKAGE:
        found.append("This scheme awards each package by itself: bid for each of them.")
    if found:
        raise InvalidBid(problems=tuple(found))


def package_of(session: Session, round_: Round) -> Package:
    """The package that a round seeks a provider for."""
    referral = session.get(Referral, round_.referral_id)
    assert referral is not None
    package = session.get(Package, referral.package_id)
    assert package is not None
    return package


def offer_card(scheme: Scheme, lot: str) -> RateCard:
    """The published rate at which a lot is offered; the loader makes sure that offer modes have one."""
    pence = scheme.lot(lot).offer_pence_per_hour
    if pence is None:
        raise Refused(reason=f"{lot} has no published rate to accept")
    return RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: pence})


def _store(
    session: Session,
    ports: Ports,
    rounds: Sequence[Round],
    invitations: Sequence[Invitation],
    content: BidContent,
    closing: Closing,
    scheme: Scheme,
    actor: Actor,
    bidder: str,
    now: datetime,
) -> dict[str, Any]:
    refs = sorted(round_.ref for round_ in rounds)
    key = hashlib.sha256("\n".join(refs).encode()).hexdigest()
    for before in _handed_in(session, bidder, key):
        # The provider's newest word counts; a typist can put a newer one in the place of a typed one alone.
        if actor.role is Role.PROVIDER or before.is_provisional:
            advance(session, before, "replace", actor, now)
    sealed: Sealed = seal(content.to_dict(), recipients=tuple(closing.recipients), entropy=ports.entropy)
    ref = new_reference(Kind.BID, ports.entropy)
    receipt = signed(
        receipt_of(
            bid=ref,
            rounds=refs,
            closing=closing.ref,
            closes_at=closing.closes_at,
            received_at=now,
            sealed=sealed,
            sealed_to=closing.recipients_id,
        ),
        ports.keyring.signing,
    )
    bid = Bid(
        ref=ref,
        provider=bidder,
        closing_id=closing.id or 0,
        rounds_key=key,
        invitation_ref=invitations[0].ref,
        state=BidState.SEALED,
        received_at=now,
        ciphertext=sealed.ciphertext,
        ciphertext_sha256=sealed.ciphertext_sha256,
        commitment=sealed.commitment,
        receipt=receipt,
        valid_until=scheme.award.bid_valid.end(closing.closes_at, scheme.calendar()),
        typed_by=actor.ref if actor.role is Role.BROKER else None,
    )
    session.add(bid)
    session.flush()
    session.add_all(BidRound(bid_id=bid.id or 0, round_id=round_.id or 0, version=round_.version) for round_ in rounds)
    audit.append(session, bid.stream, "bid.sealed", actor, now, {"receipt": receipt})
    if bid.typed_by is not None:
        post(session, ports.entropy, recipient=f"provider:{bidder}", kind="telephone_bid", about=bid.ref, now=now)
    return receipt


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
        _reconsider(session, [invitation_of(session, round_.id, bid.provider) for round_ in rounds], actor, now)
        bid.confirmed_at = now
        session.add(bid)
        session.flush()
        audit.append(session, bid.stream, "bid.confirmed_by_provider", actor, now, {"bid": bid.ref})


def reconfirm(session: Session, ports: Ports, *, bid_ref: str, actor: Actor) -> None:
    """Let a sealed bid stand for the amended referral: one click, nothing re-sealed."""
    bid, rounds = _own_bid(session, bid_ref, actor)
    now = ports.clock.read(session)
    _closing_in_time(session, rounds, now)
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
    rounds = list(locked(session, Round, *links, shared=True))
    for round_ in rounds:
        invitation_of(session, round_.id, actor.provider, lock=True)
    session.refresh(bid)
    return bid, rounds


def decline(session: Session, ports: Ports, *, round_ref: str, reason: str, actor: Actor) -> None:
    """Say no to an invitation, with a reason; what stands for that round alone is taken back with it."""
    actor.needs("decline an invitation", Role.PROVIDER)
    bidder = _bidder(actor, actor.provider)
    words = said(reason, longest=500)
    rounds, (invitation,) = _lock(session, [round_ref], bidder, actor)
    now = ports.clock.read(session)
    if rounds[0].mode == Mode.RANKED_OFFER:
        raise WrongMode(mode="an answer to the offer")
    closes_at = rounds[0].closes_at
    if rounds[0].state is not RoundState.PUBLISHED or (closes_at is not None and now >= closes_at):
        raise TooLate(closes_at=closes_at or now, now=now)
    key = hashlib.sha256(round_ref.encode()).hexdigest()
    for live in _handed_in(session, bidder, key):
        advance(session, live, "withdraw", actor, now)
    invitation.STEPS.step(invitation.state, "decline", invitation.ref)
    package, about = package_of(session, rounds[0]), invitation.ref
    remark = write_remark(
        session, ports.keyring, ports.entropy, package, about=about, step="decline", words=words, actor=actor, now=now
    )
    advance(session, invitation, "decline", actor, now, answered_at=now, facts=remark.facts)
