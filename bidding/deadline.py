"""The instant itself: extending a closing for all, closing it, opening and scoring what was sealed.

Each step is one command and one transaction, found as due rows; a step that died is done by the next sweep. Nothing
published for a closing changes once any of its bids is open.
"""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import insert
from sqlmodel import Session, col, select

from bidding.asking import barred_from, best_rating_score, judged_by, packages_of
from bidding.bids.content import BidContent
from bidding.bids.records import (
    Bid,
    BidState,
    LapseCause,
    OpenedBid,
    ScoredBid,
    bids_of_closing,
    rounds_of_bids,
    scores_sha256,
)
from bidding.closings import TENDER, Closing, ClosingState, ExtensionReason
from bidding.custody import released_for, waits_for_custodians
from bidding.evaluation import Entry, Score, score_round
from bidding.referrals import Referral
from bidding.rounds import Round, RoundState, invitations_of, rounds_of_closing
from bidding.sealing.sharing import TooFewShares
from bidding.tenders.content import AreaBid
from bidding.ties import refuse_moving
from bidding.unkept import lose_what_was_not_kept, waits_for_a_broker
from bidding.waypoints import Waypoint
from dps.contracts.quality.recognition import score_or_usual, scores_in_force
from dps.contracts.standing import minutes_won
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.columns import canonical_json
from dps.kernel.database import find_all, locked, locked_one
from dps.kernel.errors import BadInput, DpsError, NotFound, TooLate
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.states import advance, advance_all
from dps.schemes.model import Evaluation, EvaluationRule, Mode, PriceFormula, Scheme
from dps.schemes.stored import rules_by_hash


class Opener(Protocol):
    """What can open a sealed bid; only the worker holds one."""

    def open(
        self, ciphertext: bytes, *, ciphertext_sha256: str, commitment: str, released: Sequence[bytes] = ()
    ) -> dict[str, Any]: ...


def _locked_closing(session: Session, closing_id: int) -> tuple[Closing, list[Round]]:
    """The closing and all its rounds, exclusively: no bidder is inside while this transaction runs."""
    closing = locked_one(session, Closing, closing_id)
    ids = session.exec(select(Round.id).where(Round.closing_id == closing_id)).all()
    return closing, list(locked(session, Round, *ids))


def extend(
    session: Session,
    ports: Ports,
    *,
    closing_ref: str,
    until: datetime,
    reason: ExtensionReason,
    actor: Actor,
    is_due: bool = False,
) -> None:
    """Move a whole closing later, for everybody alike, with a reason; nothing is opened or sealed again.

    Who declared a tie to somebody asked in it moves none, unless the rules ask for it (`is_due`).
    """
    actor.needs("extend a closing", Role.BROKER)
    found = session.exec(select(Closing).where(Closing.ref == closing_ref)).first()
    if found is None or found.id is None or not has_part(session, found, actor):
        raise NotFound(kind="closing", ref=closing_ref)
    if not is_due:
        refuse_moving(session, actor, closing_ref)
    closing, rounds = _locked_closing(session, found.id)
    now = ports.clock.read(session)
    if closing.state is not ClosingState.GATHERING or now >= closing.closes_at:
        raise TooLate(closes_at=closing.closes_at, now=now)
    if until <= closing.closes_at:
        raise BadInput("a closing is only ever moved later", field="until")
    before, closing.closes_at = closing.closes_at, until
    # A moved closing no longer is the published one of its hour: a round published later makes a new one.
    closing.published = False
    session.add(closing)
    facts = {"from": before.isoformat(), "to": until.isoformat(), "reason": str(reason)}
    audit.append(session, closing.stream, "closing.extended", actor, now, facts)
    for round_ in rounds:
        if round_.state is RoundState.PUBLISHED:
            round_.closes_at = until
            session.add(round_)
            for invitation in invitations_of(session, round_.id):
                post(
                    session,
                    ports.entropy,
                    recipient=f"provider:{invitation.provider}",
                    kind="closing_extended",
                    about=round_.ref,
                    now=now,
                    facts={"closes_at": until.isoformat()},
                )


def has_part(session: Session, closing: Closing, actor: Actor) -> bool:
    """Whether this office has a round of its own in the closing."""
    query = (
        select(Round.id)
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .where(Round.closing_id == closing.id, Referral.authority == actor.authority)
    )
    return session.exec(query).first() is not None


def close(session: Session, ports: Ports, closing_id: int) -> bool:
    """Close what is due: lapse bids that no longer stand, fix the manifest, derive the lot's seed.

    False where there is nothing to do: another sweep was first, or the closing was moved.
    """
    closing, rounds = _locked_closing(session, closing_id)
    now = ports.clock.read(session)
    if closing.state is not ClosingState.GATHERING or now < closing.closes_at:
        return False
    running = [round_ for round_ in rounds if round_.state is RoundState.PUBLISHED]
    _lapse_outdated(session, closing, running, now)
    manifest = sorted(
        [bid.ref, bid.ciphertext_sha256, bid.commitment]
        for bid in bids_of_closing(session, closing.id, BidState.SEALED)
    )
    number = ports.keyring.application.open(closing.sealed_number, about=closing.ref)
    seed = hashlib.sha256(number + "\n".join(sorted(line[2] for line in manifest)).encode()).hexdigest()
    digest = hashlib.sha256(canonical_json(manifest).encode()).hexdigest()
    advance(
        session,
        closing,
        "close",
        CLOCK,
        now,
        closed_at=now,
        manifest_sha256=digest,
        lot_seed=seed,
        facts={"manifest": manifest, "number": number.hex(), "lot_seed": seed, "rounds": [r.ref for r in running]},
    )
    ports.reached(Waypoint.CLOSING_FIXED)
    for round_ in running:
        advance(session, round_, "close", CLOCK, now)
    lose_what_was_not_kept(session, ports, closing, now)
    ports.reached(Waypoint.CLOSING_CLOSED)
    return True


def _lapse_outdated(session: Session, closing: Closing, rounds: Sequence[Round], now: datetime) -> None:
    """Bids on an amended referral that were not reconfirmed, on a cancelled round, of a barred provider, or typed by a
    broker and not confirmed by the provider."""
    versions = {round_.id: round_.version for round_ in rounds}
    bids = bids_of_closing(session, closing.id, BidState.SEALED)
    if not bids:
        return
    links = rounds_of_bids(session, [bid.id for bid in bids])
    barred = barred_from(session, rounds_of(links, rounds, bids), rules_by_hash(session, closing.rule_hash), now)
    for bid in bids:
        mine = links[bid.id or 0]
        if any(versions.get(link.round_id) != link.version for link in mine):
            advance(session, bid, "lapse", CLOCK, now, facts={"cause": LapseCause.ANOTHER_VERSION})
        elif any((bid.provider, link.round_id) in barred for link in mine):
            advance(session, bid, "lapse", CLOCK, now, facts={"cause": LapseCause.BARRED})
        elif bid.typed_by is not None and bid.confirmed_at is None:
            advance(session, bid, "lapse", CLOCK, now, facts={"cause": LapseCause.NOT_CONFIRMED})


def rounds_of(links: dict[int, Any], rounds: Sequence[Round], bids: Sequence[Bid]) -> list[tuple[str, Round]]:
    """Each (provider, round) that a live bid stands for."""
    by_id = {round_.id: round_ for round_ in rounds}
    return [
        (bid.provider, by_id[link.round_id]) for bid in bids for link in links[bid.id or 0] if link.round_id in by_id
    ]


def open_bids(session: Session, ports: Ports, closing_id: int, opener: Opener) -> bool:
    """Open every bid of a closed closing, once, in the worker; an unreadable bid is invalid, with the reason.

    False where there is nothing to do, and while a broker may decide about a bid that was lost; before the closing's
    instant, or before its custodians have released their shares of every bid, that is a refusal, and an event.
    """
    closing = locked_one(session, Closing, closing_id)
    now = ports.clock.read(session)
    # Before the end by the clock as it is now, even where it was put back since the closing. Who asks is written down.
    if now < closing.closes_at and closing.state in (ClosingState.GATHERING, ClosingState.CLOSED):
        facts = {"ref": closing.ref, "closes_at": closing.closes_at.isoformat()}
        audit.append(session, closing.stream, "closing.opening_refused", CLOCK, now, facts)
        return False
    if closing.state is not ClosingState.CLOSED or waits_for_a_broker(session, closing, now):
        return False
    bids = bids_of_closing(session, closing.id, BidState.SEALED)
    released = released_for(session, closing) if closing.custodians_needed else {}
    says = AreaBid.from_dict if closing.mode == TENDER else BidContent.from_dict
    try:
        read = [(bid, _read(opener, bid, released.get(bid.ciphertext_sha256, ()), says)) for bid in bids]
    except TooFewShares as few:
        waits_for_custodians(session, ports, closing, few.usable, now)
        return False
    opened: list[Bid] = []
    contents: list[dict[str, Any]] = []
    for bid, content in read:
        if isinstance(content, str):
            advance(session, bid, "reject", CLOCK, now, facts={"cause": content})
            continue
        raw, nonce = content
        opened.append(bid)
        contents.append({"bid_id": bid.id, "opened_at": now, "content": raw, "nonce": nonce})
    if contents:
        session.execute(insert(OpenedBid), contents)
    ports.reached(Waypoint.CONTENTS_WRITTEN)
    advance_all(session, opened, "open", CLOCK, now, facts={"recipients_id": closing.recipients_id})
    advance(session, closing, "open", CLOCK, now, opened_at=now, facts={"opened": len(opened)})
    ports.reached(Waypoint.OPENING_DONE)
    return True


def _read(
    opener: Opener, bid: Bid, released: Sequence[bytes], says: Callable[[dict[str, Any]], object]
) -> tuple[dict[str, Any], str] | str:
    """What a bid says, and its nonce; or why nobody can read it: `says` takes what such a bid may say."""
    sealed = {"ciphertext_sha256": bid.ciphertext_sha256, "commitment": bid.commitment}
    try:
        raw = opener.open(bid.ciphertext, **sealed, released=released)
        nonce = str(raw.pop("nonce", ""))
        says(raw)
    except (ValueError, DpsError) as fault:
        return str(fault)
    return raw, nonce


def score(session: Session, ports: Ports, closing_id: int) -> bool:
    """Evaluate every round of an opened closing and store scores with their workings."""
    closing = locked_one(session, Closing, closing_id)
    now = ports.clock.read(session)
    if closing.state is not ClosingState.OPENED:
        return False
    scheme = rules_by_hash(session, closing.rule_hash)
    rounds = {round_.id: round_ for round_ in rounds_of_closing(session, closing.id, RoundState.CLOSED)}
    bids = bids_of_closing(session, closing.id, BidState.OPENED)
    links = rounds_of_bids(session, [bid.id for bid in bids])
    contents = _contents(session, bids)
    # As they stood at the instant, however late the sweep is that got here.
    won = minutes_won(session, scheme=scheme.key, until=closing.closes_at)
    providers = {bid.provider for bid in bids}
    ratings = best_rating_score(session, scheme, scheme.authorities[0].key, now, providers)
    recognised = scores_in_force(session, scheme.key, at=closing.closes_at, providers=providers) if providers else {}
    packages = packages_of(session, rounds.values())
    rows: list[dict[str, Any]] = []
    for round_id, round_ in sorted(rounds.items(), key=lambda item: item[0] or 0):
        here = [bid for bid in bids if any(link.round_id == round_id for link in links[bid.id or 0])]
        package = packages[round_.id or 0]
        asked = judged_by(package, scheme, closing.closes_at)
        entries = [
            Entry(
                bid=bid.ref,
                provider=bid.provider,
                content=contents[bid.id or 0],
                asked=asked,
                rating_score=ratings[bid.provider],
                is_existing_provider=package.existing_provider == bid.provider,
                minutes_won_28_days=won.get((bid.provider, round_.locality), 0),
                recognition_score=score_or_usual(scheme, recognised, bid.provider),
            )
            for bid in here
        ]
        scores = score_round(entries, evaluation=evaluation_of(scheme, Mode(round_.mode)), ties=scheme.ties)
        by_ref = {bid.ref: bid for bid in here}
        rows += [_row(by_ref[each.bid], round_, each) for each in scores]
    if rows:
        session.execute(insert(ScoredBid), rows)
    ports.reached(Waypoint.SCORES_WRITTEN)
    invalid = {row["bid_id"] for row in rows if not row["is_valid"]}
    advance_all(session, [bid for bid in bids if bid.id in invalid], "invalidate", CLOCK, now)
    facts = {"scored": len(bids), "invalid": len(invalid), "scores_sha256": scores_sha256(session, closing.id)}
    advance(session, closing, "score", CLOCK, now, facts=facts)
    return True


def evaluation_of(scheme: Scheme, mode: Mode) -> Evaluation:
    """The scheme's evaluation; an acceptance window has one price for all, so that the published order decides."""
    if mode is Mode.ACCEPTANCE_WINDOW:
        return Evaluation(rule=EvaluationRule.LOWEST_PRICE, formula=PriceFormula.FIXED_PRICE)
    return scheme.evaluation


def _contents(session: Session, bids: Sequence[Bid]) -> dict[int, BidContent]:
    opened = find_all(session, OpenedBid, bid_id=[bid.id for bid in bids]) if bids else ()
    return {one.bid_id: BidContent.from_dict(one.content) for one in opened}


def _row(bid: Bid, round_: Round, score: Score) -> dict[str, Any]:
    """The columns of a scored bid."""
    return {
        "bid_id": bid.id,
        "round_id": round_.id,
        "provider": bid.provider,
        "is_valid": score.is_valid,
        "reasons": list(score.reasons),
        "flags": list(score.flags),
        "weekly_pence": score.weekly_pence,
        "weekly_minutes": score.weekly_minutes,
        "price_points": score.price_points,
        "quality_points": score.quality_points,
        "total_points": score.total_points,
        "rank": score.rank,
        "ties": list(score.ties),
        "workings": score.workings,
    }
