"""A second chance: where we lost a bid, everybody of its closing may be asked again, while nothing of it is open.

After its instant a closing is never moved, and once bids are open nothing changes for it. In between, for as long as
the scheme lets the opening wait, a broker decides: ask again, or go on with what was kept. Asked again is what an
extension would have been: the whole closing, the same providers and packages, and what was handed in stands unless it
is replaced. No round is reopened: each is cancelled, and its stage asked once more, in rounds that close together.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert
from sqlmodel import Session

from bidding.awards.interests import refuse_interested
from bidding.bids.records import Bid, BidRound, BidState, LapseCause, bids_of_closing, rounds_of_bids
from bidding.bids.storing import row_of
from bidding.closings import Closing, ClosingState, closing_for, least_end
from bidding.concluding import lapse_invitations
from bidding.deadline import has_part
from bidding.referrals import Referral
from bidding.rounds import (
    EligibilityReport,
    Invitation,
    InvitationState,
    Round,
    RoundState,
    invitations_of,
    rounds_of_closing,
)
from bidding.sealing.seal import Sealed
from bidding.stages import attempt_of
from bidding.unkept import UnkeptBid, lost_of
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.database import find, find_all, locked, locked_one
from dps.kernel.errors import NotFound, RuleNotMet
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.schemes.model import Scheme
from dps.schemes.stored import rules_by_hash

WHY = LapseCause.ASKED_AGAIN.value
"""What the trail says of a round that is cancelled to be asked again."""

_SAME = (
    "referral_id", "cycle", "stage_no", "stage_key", "mode", "scheme", "rule_hash", "lot", "locality", "version",
    "published_part",
)  # fmt: skip
"""What a round that is asked again has in common with the one before it."""


class GoingOn(StrEnum):
    """Why the bids are opened without the one that we lost: a closed list, as all reasons that may name a person."""

    CANNOT_WAIT = "cannot_wait"
    BIDDER_AGREES = "bidder_agrees"


def ask_again(session: Session, ports: Ports, *, closing_ref: str, actor: Actor) -> Closing:
    """Ask everybody of a closing again, because we lost a bid of it; returns the closing of the new rounds.

    RuleNotMet where no lost bid waits for a decision, and once the bids are open.
    """
    closing, lost, now = _deciding(session, ports, closing_ref, "ask everybody again", actor)
    scheme = rules_by_hash(session, closing.rule_hash)
    rounds = rounds_of_closing(session, closing.id, RoundState.CLOSED)
    referrals = {round_.id: session.get_one(Referral, round_.referral_id) for round_ in rounds}
    again = closing_for(
        session,
        ports,
        scheme=closing.scheme,
        rule_hash=closing.rule_hash,
        mode=closing.mode,
        closes_at=max(least_end(referrals[one.id].stages[one.stage_no], scheme, now) for one in rounds),
        published=False,
        now=now,
        holders=closing.holders,
        needed=closing.custodians_needed,
        recipients=closing.recipients,
    )
    session.flush()
    new = {round_.id or 0: _anew(session, ports, referrals[round_.id], round_, again, actor, now) for round_ in rounds}
    handed_over = _hand_over(session, ports, closing, again, new, scheme, now)
    for round_ in new.values():
        for invitation in invitations_of(session, round_.id):
            if (round_.id, invitation.provider) not in handed_over:
                facts = {"closes_at": again.closes_at.isoformat()}
                _tell(session, ports, invitation.provider, "asked_again", round_.ref, now, facts)
    _settle(session, closing, lost, now)
    asked = {"closing": again.ref, "lost": len(lost), "rounds": sorted(round_.ref for round_ in new.values())}
    audit.append(session, closing.stream, "closing.asked_again", actor, now, asked)
    return again


def go_on(session: Session, ports: Ports, *, closing_ref: str, reason: GoingOn, actor: Actor) -> None:
    """Let the bids be opened without the one that we lost; that it was lost stays on the trail.

    RuleNotMet where no lost bid waits for a decision, and once the bids are open.
    """
    closing, lost, now = _deciding(session, ports, closing_ref, "let the bids be opened", actor)
    _settle(session, closing, lost, now)
    audit.append(session, closing.stream, "closing.goes_on", actor, now, {"lost": len(lost), "reason": str(reason)})


def _deciding(
    session: Session, ports: Ports, closing_ref: str, step: str, actor: Actor
) -> tuple[Closing, Sequence[UnkeptBid], datetime]:
    """The closing with all that it decides, locked, and what we lost of it. Who is interested in it decides nothing."""
    actor.needs(step, Role.BROKER)
    found = find(session, Closing, ref=closing_ref)
    if found is None or not has_part(session, found, actor):
        raise NotFound(kind="closing", ref=closing_ref)
    closing = locked_one(session, Closing, found.id)
    rounds = find_all(session, Round, closing_id=closing.id)
    locked(session, Referral, *(round_.referral_id for round_ in rounds))
    rounds = locked(session, Round, *(round_.id for round_ in rounds))
    now = ports.clock.read(session)
    lost = lost_of(session, closing.id)
    if closing.state not in (ClosingState.GATHERING, ClosingState.CLOSED):
        raise RuleNotMet(reason="The bids of this closing are open: nothing can change for it any more.")
    if not lost or not any(round_.state is RoundState.CLOSED for round_ in rounds):
        raise RuleNotMet(reason="No lost bid of this closing waits for a decision.")
    for round_ in rounds:
        refuse_interested(session, round_, actor, step)
    return closing, lost, now


def _anew(
    session: Session, ports: Ports, referral: Referral, before: Round, closing: Closing, actor: Actor, now: datetime
) -> Round:
    """The same stage asked of the same providers in the same order, in the place of a round that is cancelled."""
    round_ = Round(
        ref=new_reference(Kind.ROUND, ports.entropy),
        closing_id=closing.id,
        predecessor_id=before.id,
        attempt=attempt_of(session, referral, before.stage_no),
        state=RoundState.PLANNED,
        opens_at=now,
        closes_at=closing.closes_at,
        **{name: getattr(before, name) for name in _SAME},
    )
    session.add(round_)
    session.flush()
    advance(session, before, "cancel", actor, now, facts={"reason": WHY, "asked_again": round_.ref})
    invited = invitations_of(session, before.id)
    facts = {
        "referral": referral.ref,
        "stage": round_.stage_key,
        "closes_at": closing.closes_at.isoformat(),
        "closing": closing.ref,
        "invited": len(invited),
        "in_place_of": before.ref,
    }
    advance(session, round_, "publish", actor, now, facts=facts)
    report = find(session, EligibilityReport, round_id=before.id)
    if report is not None:
        kept = {"at": report.at, "eligible": report.eligible, "assessed": report.assessed, "answers": report.answers}
        session.add(EligibilityReport(round_id=round_.id or 0, **kept))
    rows = [
        {
            "ref": new_reference(Kind.INVITATION, ports.entropy),
            "round_id": round_.id,
            "provider": one.provider,
            "position": one.position,
            "state": InvitationState.INVITED,
            "travel": one.travel,
            "invited_at": now,
        }
        for one in invited
    ]
    session.execute(insert(Invitation), rows)
    lapse_invitations(session, before, now)
    return round_


def _hand_over(
    session: Session,
    ports: Ports,
    closing: Closing,
    again: Closing,
    new: Mapping[int, Round],
    scheme: Scheme,
    now: datetime,
) -> set[tuple[int | None, str]]:
    """Let what stood at the closing stand in the next one, as shut as it is; returns the rounds and their bidders.

    The same ciphertext and commitment under a new reference and receipt: nobody has to bid again, everybody may.
    """
    bids = bids_of_closing(session, closing.id, BidState.SEALED)
    links = rounds_of_bids(session, [bid.id for bid in bids])
    valid_until = scheme.award.bid_valid.end(again.closes_at, scheme.calendar())
    done: set[tuple[int | None, str]] = set()
    for bid in bids:
        rounds = [new[link.round_id] for link in links[bid.id or 0]]
        first = find(session, Invitation, round_id=rounds[0].id, provider=bid.provider)
        assert first is not None
        made = Bid(
            **row_of(
                ports,
                Sealed(bid.ciphertext, bid.ciphertext_sha256, bid.commitment),
                provider=bid.provider,
                names=sorted(round_.ref for round_ in rounds),
                stream=first.ref,
                closing=again,
                valid_until=valid_until,
                typed_by=bid.typed_by,
                now=now,
            )
        )
        made.handed_over_from = bid.ref
        # What its provider has confirmed stays confirmed, and who typed it stays kept from deciding.
        made.confirmed_at = bid.confirmed_at
        advance(session, bid, "lapse", CLOCK, now, facts={"cause": LapseCause.ASKED_AGAIN, "handed_over_to": made.ref})
        session.add(made)
        session.flush()
        session.add_all(BidRound(bid_id=made.id or 0, round_id=one.id or 0, version=one.version) for one in rounds)
        by = Actor(bid.typed_by, Role.BROKER) if bid.typed_by else CLOCK
        audit.append(session, made.stream, "bid.sealed", by, now, {"receipt": made.receipt, "handed_over": bid.ref})
        facts = {"closes_at": again.closes_at.isoformat()}
        _tell(session, ports, bid.provider, "bid_handed_over", made.ref, now, facts)
        done |= {(round_.id, bid.provider) for round_ in rounds}
    return done


def _settle(session: Session, closing: Closing, lost: Sequence[UnkeptBid], now: datetime) -> None:
    """Nothing waits any more: the next sweep finds the closing."""
    for row in lost:
        row.settled_at = now
        session.add(row)
    closing.wakes_at = None
    session.add(closing)


def _tell(
    session: Session, ports: Ports, provider: str, kind: str, about: str, now: datetime, facts: Mapping[str, str]
) -> None:
    post(session, ports.entropy, recipient=f"provider:{provider}", kind=kind, about=about, now=now, facts=facts)
