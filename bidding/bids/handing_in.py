"""Handing in bids: many at once in one transaction, each judged by itself.

A burst of bids is answered with one look at the rounds, one at the bidders' standing and one commit; which others stand
beside it changes nothing of a bid's verdict. In time means: the authority's clock, read after *all* locks of the
transaction (rounds shared, the bidders' own invitations exclusively), is before the bid's own `closes_at` (law 1). The
answer is a signed receipt; a retried request gets the stored one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from bidding.asking import asked_of, offer_card, package_of, standing_in
from bidding.bids.content import Asked, BidContent, problems
from bidding.bids.handed import Case, Handed, Verdict, case_of, turns_of
from bidding.bids.records import Bid, BidState
from bidding.bids.storing import Accepted, accept, rounds_key, store
from bidding.closings import Closing
from bidding.referrals import Referral
from bidding.rounds import Invitation, InvitationState, Round, RoundState
from bidding.unkept import is_ours, lose_at_once
from dps.kernel import audit
from dps.kernel.actors import Role
from dps.kernel.database import find_all, is_one_of_pairs, those
from dps.kernel.ending import each_alone
from dps.kernel.errors import DpsError, InvalidBid, LostByUs, NotEligible, NotFound, TooLate, WrongMode
from dps.kernel.idempotency import Answers
from dps.kernel.ports import Ports
from dps.packages.packages import Package
from dps.schemes.model import AllocationMode, Mode, Scheme
from dps.schemes.stored import rules_by_hash
from matching.eligibility import Assessment
from matching.eligibility import words as spoken


def hand_in_all(session: Session, ports: Ports, requests: Sequence[Handed]) -> list[Verdict]:
    """Each request's verdict, in their order; those that are receipts are stored when the transaction commits.

    Each stands or falls alone: what is refused changes nothing, and a storing that fails is undone for that bid and no
    other, under the same locks and the same reading of the clock (law 3). That a bid came too late leaves a trace of
    the refusal, never of the bid.
    """
    cases = [case_of(request) for request in requests]
    asked = [case for case in cases if isinstance(case, Case)]
    group = _Group(session, ports, *_locked(session, asked))
    # After the locks: a twin of a request may have been answered while this one waited for them.
    group.look(asked)
    verdicts: dict[int, Verdict] = {number: case for number, case in enumerate(cases) if not isinstance(case, Case)}
    for turn, numbers in enumerate(turns_of(cases)):
        if turn:
            group.look_again()
        judged = {number: group.judge(case) for number in numbers if isinstance(case := cases[number], Case)}
        accepted = {number: one for number, one in judged.items() if isinstance(one, Accepted)}
        verdicts |= {number: one for number, one in judged.items() if not isinstance(one, Accepted)}
        verdicts |= dict(zip(accepted, group.stored(list(accepted.values())), strict=True))
    return [verdicts[number] for number in range(len(requests))]


def _locked(session: Session, cases: Collection[Case]) -> tuple[dict[str, Round], dict[tuple[int, str], Invitation]]:
    """The rounds shared, in order of id; then the bidders' own invitations exclusively, in order of round and id."""
    refs = sorted({ref for case in cases for ref in case.refs})
    rounds = {one.ref: one for one in session.exec(_ROUNDS, params={"refs": refs})} if refs else {}
    pairs = {(rounds[ref].id or 0, case.bidder) for case in cases for ref in case.refs if ref in rounds}
    invitations = session.exec(_INVITATIONS, params=those(pairs)) if pairs else ()
    return rounds, {(one.round_id, one.provider): one for one in invitations}


# Built once: every bid asks them.
_ROUNDS: Any = (
    select(Round)
    .where(col(Round.ref).in_(bindparam("refs", expanding=True)))
    .order_by(col(Round.id))
    .with_for_update(read=True)
    .execution_options(populate_existing=True)
)
_INVITATIONS: Any = (
    select(Invitation)
    .where(is_one_of_pairs(col(Invitation.round_id), col(Invitation.provider)))
    .order_by(col(Invitation.round_id), col(Invitation.id))
    .with_for_update(key_share=True)
    .execution_options(populate_existing=True)
)
_LIVE: Any = (
    select(Bid)
    .where(is_one_of_pairs(col(Bid.provider), col(Bid.rounds_key)), col(Bid.state) == BidState.SEALED)
    .order_by(col(Bid.id))
)


@dataclass
class _Group:
    """What the requests of one transaction are judged by, read once for all of them, under their locks."""

    session: Session
    ports: Ports
    rounds: Mapping[str, Round]
    invitations: Mapping[tuple[int, str], Invitation]
    now: datetime = field(init=False)
    _cases: Sequence[Case] = field(init=False)
    _received: dict[str, datetime] = field(init=False)
    _answers: Answers = field(init=False)
    _closings: dict[int, Closing] = field(init=False)
    _standing: dict[tuple[str, int | None], Assessment] = field(init=False, default_factory=dict)
    _live: dict[tuple[str, str], list[Bid]] = field(init=False, default_factory=dict)
    _asked: dict[int, Asked] = field(init=False, default_factory=dict)

    def look(self, cases: Sequence[Case]) -> None:
        """Read the clock, then everything else."""
        self.now = self.ports.clock.read(self.session)
        self._received = {case.key: self.now - case.request.waited() for case in reversed(cases)}
        self._cases = cases
        rounds = list(self.rounds.values())
        ids = {round_.closing_id for round_ in rounds if round_.closing_id is not None}
        self._closings = (
            {one.id or 0: one for one in find_all(self.session, Closing, fresh=True, id=ids)} if ids else {}
        )
        referrals = _of(self.session, Referral, {round_.referral_id for round_ in rounds})
        _of(self.session, Package, {referral.package_id for referral in referrals})
        self._look_at_standing(cases)
        self.look_again()

    def look_again(self) -> None:
        """What was answered and what stands by now, some of these requests among it."""
        self._answers = Answers(self.session, self.ports.keyring, {case.key for case in self._cases})
        pairs = {(case.bidder, rounds_key(case.refs)) for case in self._cases}
        live = self.session.exec(_LIVE, params=those(pairs)) if pairs else ()
        self._live = {}
        for bid in live:
            self._live.setdefault((bid.provider, bid.rounds_key), []).append(bid)

    def _look_at_standing(self, cases: Sequence[Case]) -> None:
        """Of those alone that may be in time, or would have been but for us, under the rules of each closing."""
        pairs: dict[str, set[tuple[str, str]]] = {}
        for case in cases:
            for round_ in (self.rounds[ref] for ref in case.refs if ref in self.rounds):
                closing = self._closings.get(round_.closing_id or 0)
                is_asked = (round_.id or 0, case.bidder) in self.invitations
                may_be = closing is not None and (self.now < closing.closes_at or self._is_ours(case, closing))
                if closing is not None and is_asked and may_be:
                    pairs.setdefault(closing.rule_hash, set()).add((case.bidder, round_.ref))
        for rule_hash, found in pairs.items():
            asked = [(bidder, self.rounds[ref]) for bidder, ref in sorted(found)]
            self._standing |= standing_in(self.session, asked, rules_by_hash(self.session, rule_hash), self.now)

    def judge(self, case: Case) -> Accepted | Verdict:
        """This request by itself: the bid to be stored, the receipt that it was answered before, or why not."""
        try:
            return self._accepted(case)
        except TooLate as late:
            return self._too_late(case, late)
        except DBAPIError:
            # Nobody's own fault: it ends the transaction of all.
            raise
        except Exception as refused:
            return refused

    def _is_ours(self, case: Case, closing: Closing) -> bool:
        """What a broker types is the provider's once it is confirmed, and that takes time before the closing."""
        by_provider = case.request.actor.role is Role.PROVIDER
        return by_provider and is_ours(self._received[case.key], closing.closes_at)

    def _too_late(self, case: Case, late: TooLate) -> TooLate:
        """Write down that the bid came too late; or where it was here in time and good, that we have lost it."""
        rounds, invitations = self._invited(case)
        closing = self._closings[rounds[0].closing_id or 0]
        if self._is_ours(case, closing) and self._is_good(case, rounds, closing):
            received_at = self._received[case.key]
            lose_at_once(
                self.session,
                self.ports,
                key_hash=case.key,
                rounds=rounds,
                invitations=invitations,
                closing=closing,
                received_at=received_at,
                now=self.now,
            )
            return LostByUs(closes_at=late.closes_at, now=late.now, received_at=received_at)
        for round_, invitation in zip(rounds, invitations, strict=True):
            facts = {"round": round_.ref, "closes_at": late.closes_at.isoformat()}
            audit.append(self.session, invitation.stream, "bid.refused_late", case.request.actor, self.now, facts)
        return late

    def _is_good(self, case: Case, rounds: Sequence[Round], closing: Closing) -> bool:
        """Whether nothing but the time was against it: what would have been refused anyway is no loss."""
        try:
            self._refuse_unfit(case, rounds, closing)
        except DpsError:
            return False
        return True

    def stored(self, judged: Sequence[Accepted]) -> list[Verdict]:
        """Keep these, each alone: its receipt, or the fault that undid this one and no other."""

        def keep(some: Sequence[Accepted]) -> None:
            store(self.session, self.ports, self._answers, some, self.now)

        if len(self._cases) == 1 and judged:
            # Nobody else is in the transaction, whose fault is this one's.
            keep(judged)
            return [judged[0].receipt]
        faults = each_alone(self.session, judged, keep)
        return [one.receipt if fault is None else fault for one, fault in zip(judged, faults, strict=True)]

    def _accepted(self, case: Case) -> Accepted | dict[str, Any]:
        actor = case.request.actor
        rounds, invitations = self._invited(case)
        known = self._answers.recall(case.key, case.body)
        if known is not None:
            return dict(known)
        closing = closing_in_time(self._closings, rounds, self.now)
        scheme = self._refuse_unfit(case, rounds, closing)
        # The provider's newest word counts; a typist can put a newer one in the place of a typed one alone.
        standing_bids = self._live.get((case.bidder, rounds_key(case.refs)), ())
        return accept(
            self.ports,
            case.request.content,
            actor=actor,
            bidder=case.bidder,
            key=case.key,
            body=case.body,
            rounds=rounds,
            invitations=invitations,
            closing=closing,
            valid_until=scheme.award.bid_valid.end(closing.closes_at, scheme.calendar()),
            replaces=[one for one in standing_bids if actor.role is Role.PROVIDER or one.is_provisional],
            along=case.request.along,
            now=self.now,
        )

    def _invited(self, case: Case) -> tuple[list[Round], list[Invitation]]:
        """The rounds in order of id, with this bidder's invitations.

        An unknown round, one that the bidder was not asked in and, to a broker, one of another authority are all alike.
        """
        for ref in case.refs:
            if ref not in self.rounds:
                raise NotFound(kind="round", ref=ref)
        rounds = sorted((self.rounds[ref] for ref in case.refs), key=lambda round_: round_.id or 0)
        if case.request.actor.role is Role.BROKER:
            for round_ in rounds:
                referral = self.session.get(Referral, round_.referral_id)
                assert referral is not None
                case.request.actor.sees("round", round_.ref, authority=referral.authority)
        invitations = []
        for round_ in rounds:
            invitation = self.invitations.get((round_.id or 0, case.bidder))
            if invitation is None or invitation.state is InvitationState.WAITING:
                raise NotFound(kind="round", ref=round_.ref)
            invitations.append(invitation)
        return rounds, invitations

    def _refuse_unfit(self, case: Case, rounds: Sequence[Round], closing: Closing) -> Scheme:
        """InvalidBid or NotEligible; the rules by which it is fit."""
        scheme = rules_by_hash(self.session, closing.rule_hash)
        self._refuse_problems(rounds, case.request.content, scheme, closing)
        for round_ in rounds:
            standing = self._standing[case.bidder, round_.id]
            if standing.reasons:
                raise NotEligible(reasons=spoken.for_provider(standing))
        return scheme

    def _refuse_problems(self, rounds: Sequence[Round], content: BidContent, scheme: Scheme, closing: Closing) -> None:
        """Asked as at the closing, when the bid will be evaluated: another envelope may be in force by then."""
        found: list[str] = []
        for round_ in rounds:
            asked = self._asked.get(round_.id or 0)
            if asked is None:
                asked = asked_of(package_of(self.session, round_), scheme, closing.closes_at)
                self._asked[round_.id or 0] = asked
            if round_.mode == Mode.ACCEPTANCE_WINDOW and content.card != offer_card(scheme, round_.lot):
                found.append("This stage is accepted at the published rate; no other price can be offered.")
            found += [words for words in problems(content, asked) if words not in found]
        if len(rounds) > 1 and any(round_.mode != Mode.SEALED_BID for round_ in rounds):
            found.append("Only sealed bids can name several packages.")
        elif len(rounds) > 1 and scheme.allocation.mode is AllocationMode.PER_PACKAGE:
            found.append("This scheme awards each package by itself: bid for each of them.")
        if found:
            raise InvalidBid(problems=tuple(found))


def closing_in_time(closings: Mapping[int, Closing], rounds: Sequence[Round], now: datetime) -> Closing:
    """The one closing of these rounds, while they take bids; TooLate from its instant on."""
    ids = {round_.closing_id for round_ in rounds}
    if None in ids:
        raise WrongMode(mode=rounds[0].mode)
    if len(ids) > 1:
        raise InvalidBid(problems=("A bundle names packages that close together.",))
    closing = closings[rounds[0].closing_id or 0]
    for round_ in rounds:
        if round_.state is RoundState.CANCELLED:
            raise InvalidBid(problems=("This round was cancelled.",))
        if now >= closing.closes_at or round_.state is not RoundState.PUBLISHED:
            raise TooLate(closes_at=closing.closes_at, now=now)
    return closing


def _of(session: Session, row: Any, ids: set[int], *, fresh: bool = False) -> Sequence[Any]:
    """The rows with these ids, read in one statement; the session keeps them."""
    return find_all(session, row, fresh=fresh, id=ids) if ids else ()
