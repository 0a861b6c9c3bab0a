"""Bids that were judged good: sealed each by itself, and kept many at once.

Every table is written once for all of them, so that forty bids take as many statements as one. Nothing here decides.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, bindparam, select
from sqlmodel import Session

from bidding.bids.content import BidContent
from bidding.bids.records import Bid, BidRound, BidState
from bidding.closings import Closing
from bidding.rounds import Invitation, InvitationState, Round
from bidding.sealing.seal import Sealed, receipt_of, seal, signed
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.entropy import Entropy
from dps.kernel.idempotency import Answers
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance

Along = Callable[[Session, str, datetime], None]
"""Is told the bid's reference and the time, and has written what is to be stored with it or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A bid that was judged good and sealed: its row, and what changes with it."""

    actor: Actor
    key: str
    body: bytes
    bid: dict[str, Any]
    rounds: Sequence[Round]
    invitations: Sequence[Invitation]
    replaces: Sequence[Bid]
    along: Along | None

    @property
    def receipt(self) -> dict[str, Any]:
        """The signed receipt, which stands in the row."""
        receipt: dict[str, Any] = self.bid["receipt"]
        return receipt


def accept(
    ports: Ports,
    content: BidContent,
    *,
    actor: Actor,
    bidder: str,
    key: str,
    body: bytes,
    rounds: Sequence[Round],
    invitations: Sequence[Invitation],
    closing: Closing,
    valid_until: datetime,
    replaces: Sequence[Bid],
    along: Along | None,
    now: datetime,
) -> Accepted:
    """Seal a bid that was judged good, and sign its receipt; nothing is written yet."""
    bid = row_of(
        ports,
        sealed_for(closing, content.to_dict(), ports.entropy),
        provider=bidder,
        names=sorted(round_.ref for round_ in rounds),
        stream=invitations[0].ref,
        closing=closing,
        valid_until=valid_until,
        typed_by=actor.ref if actor.role is Role.BROKER else None,
        now=now,
    )
    return Accepted(
        actor=actor,
        key=key,
        body=body,
        bid=bid,
        rounds=rounds,
        invitations=invitations,
        replaces=replaces,
        along=along,
    )


def sealed_for(closing: Closing, content: dict[str, Any], entropy: Entropy) -> Sealed:
    """What a bid says, shut until its closing is opened."""
    return seal(
        content,
        recipients=tuple(closing.recipients),
        entropy=entropy,
        holders=closing.holders,
        needed=closing.custodians_needed,
    )


def row_of(
    ports: Ports,
    sealed: Sealed,
    *,
    provider: str,
    names: Sequence[str],
    stream: str,
    closing: Closing,
    valid_until: datetime,
    typed_by: str | None = None,
    now: datetime,
) -> dict[str, Any]:
    """The columns of a sealed bid for what `names` names, in their order, with its signed receipt.

    Its events are in `stream`.
    """
    ref = new_reference(Kind.BID, ports.entropy)
    receipt = receipt_of(
        bid=ref,
        rounds=list(names),
        closing=closing.ref,
        closes_at=closing.closes_at,
        received_at=now,
        sealed=sealed,
        sealed_to=closing.recipients_id,
    )
    return {
        "ref": ref,
        "provider": provider,
        "closing_id": closing.id,
        "rounds_key": rounds_key(names),
        "invitation_ref": stream,
        "state": BidState.SEALED,
        "received_at": now,
        "ciphertext": sealed.ciphertext,
        "ciphertext_sha256": sealed.ciphertext_sha256,
        "commitment": sealed.commitment,
        "receipt": signed(receipt, ports.keyring.signing),
        "valid_until": valid_until,
        "typed_by": typed_by,
        "confirmed_at": None,
    }


def rounds_key(refs: Iterable[str]) -> str:
    """The name of an exact set of rounds, given in their order."""
    return hashlib.sha256("\n".join(refs).encode()).hexdigest()


_BIDS: Table = Bid.__table__  # type: ignore[attr-defined]
_INSERT_BIDS = _BIDS.insert()
_IDS = select(_BIDS.c.ref, _BIDS.c.id).where(_BIDS.c.ref.in_(bindparam("refs", expanding=True)))
_INSERT_LINKS = BidRound.__table__.insert()  # type: ignore[attr-defined]


def store(session: Session, ports: Ports, answers: Answers, accepted: Sequence[Accepted], now: datetime) -> None:
    """Keep these, in their order; no two of them are of one provider for one round, or under one key."""
    for one in accepted:
        for before in one.replaces:
            advance(session, before, "replace", one.actor, now)
        if one.actor.role is Role.PROVIDER:
            reconsider(session, one.invitations, one.actor, now)
    connection = session.connection()
    connection.execute(_INSERT_BIDS, [one.bid for one in accepted])
    refs = [one.bid["ref"] for one in accepted]
    ids = {row.ref: row.id for row in connection.execute(_IDS, {"refs": refs})}
    links = [
        {"bid_id": ids[one.bid["ref"]], "round_id": round_.id, "version": round_.version}
        for one in accepted
        for round_ in one.rounds
    ]
    connection.execute(_INSERT_LINKS, links)
    for one in accepted:
        ref, provider = one.bid["ref"], one.bid["provider"]
        # A bid's events are in its first invitation's stream (`Bid.stream`).
        audit.append(session, one.bid["invitation_ref"], "bid.sealed", one.actor, now, {"receipt": one.receipt})
        if one.along is not None:
            one.along(session, ref, now)
        kind = "bid_received" if one.bid["typed_by"] is None else "telephone_bid"
        post(session, ports.entropy, recipient=f"provider:{provider}", kind=kind, about=ref, now=now)
        answers.remember(one.key, one.body, one.receipt, now)


def reconsider(session: Session, invitations: Sequence[Invitation], actor: Actor, now: datetime) -> None:
    """Whoever bids after all has not declined; what somebody else typed in its name says nothing of that yet."""
    for invitation in invitations:
        if invitation.state is InvitationState.DECLINED:
            advance(session, invitation, "reconsider", actor, now, answered_at=None)
