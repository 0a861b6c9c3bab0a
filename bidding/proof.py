"""Proof that no stored bid was changed, added or taken away since it was received (law 2 and 3).

Each bid is held against its signed receipt, the trail and its closing's manifest; each opened one against what was
committed when it was sealed. Reads the database and the public keys alone: whoever checks need not trust the server.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Text, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from bidding.bids.records import Bid, BidRound, BidState, OpenedBid
from bidding.closing_proof import KnownClosing, check_closing
from bidding.closings import Closing, ClosingState
from bidding.otherwise.proof import placement_faults
from bidding.rounds import Invitation, Round
from bidding.sealing.seal import commitment_of, in_milliseconds
from bidding.tenders.proof import tender_faults
from bidding.tenders.records import Tender
from dps.kernel.actors import Role
from dps.kernel.audit import AuditEvent
from dps.kernel.columns import canonical_json
from dps.kernel.errors import Corrupted, NotFound
from dps.kernel.keys import signature_holds
from dps.kernel.parts import verify_quickly
from dps.kernel.verify import TrailReport
from dps.schemes.stored import rules_by_hash

_TAKEN_BACK = (BidState.REPLACED, BidState.WITHDRAWN)
_UNOPENED = (BidState.SEALED, BidState.LAPSED, *_TAKEN_BACK)
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, Corrupted, DBAPIError)
_FORMAT = "dps-receipt-1"


@dataclass
class BidsReport:
    """What was checked and every fault found, in words; `ok` means none."""

    bids: int = 0
    closings: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults


@dataclass
class _Story:
    """What the trail says of one bid."""

    sealed: AuditEvent | None = None
    left_in: str = str(BidState.SEALED)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a bid stands: its closing, its invitation, its rounds and what it said once it was opened.

    A bid for an area has no invitation: its tender stands for its rounds, and the trail says whose it is.
    """

    closing: Closing
    dues: tuple[datetime, ...]
    provider: str | None
    rounds: tuple[str, ...]
    opened: OpenedBid | None
    receipt_text: str
    content_text: str | None


def verify(session: Session, public_keys: Mapping[str, bytes], *, processes: int = 1) -> tuple[TrailReport, BidsReport]:
    """Check the trail, then every bid. What was changed so that it can't even be read is a fault too.

    With more `processes` than one, which needs a session of `Database.reading`, a long trail takes less time.
    """
    trail = verify_quickly(session, public_keys, processes=processes)
    try:
        bids = verify_bids(session, public_keys)
    except _UNREADABLE as broken:
        bids = BidsReport(faults=[f"the bids: something of them can't be read any more ({type(broken).__name__})"])
    return trail, bids


def verify_bids(session: Session, public_keys: Mapping[str, bytes]) -> BidsReport:
    """Check every bid and every closing. `public_keys` are those of all signing keys ever used, by key id."""
    report = BidsReport()
    stories = _stories(session)
    closings = {closing.id: closing for closing in session.exec(select(Closing).order_by(col(Closing.id)))}
    known = {}
    for closing in closings.values():
        known[closing.ref], faults = check_closing(session, closing)
        report.faults += [f"closing {closing.ref}: {fault}" for fault in faults]
    report.closings = len(closings)
    found: dict[str, set[str]] = {ref: set() for ref in known}
    for bid, place in _bids(session, closings, known):
        report.bids += 1
        found[place.closing.ref].add(bid.ref)
        story = stories.pop(bid.ref, _Story())
        faults = [*_faults(session, bid, place, story, public_keys)]
        if place.closing.state is not ClosingState.GATHERING:
            faults += _manifest_faults(bid, known[place.closing.ref].manifest.get(bid.ref))
        report.faults += [f"bid {bid.ref}: {fault}" for fault in faults]
    for closing_ref, told in known.items():
        for ref in sorted(told.manifest.keys() - found[closing_ref]):
            report.faults.append(f"bid {ref}: the manifest of closing {closing_ref} lists it, and it is gone")
    report.faults += tender_faults(session)
    report.faults += placement_faults(session)
    for ref in sorted(stories):
        report.faults.append(f"bid {ref}: the trail received it, and it is gone")
    return report


# One bid


def _faults(
    session: Session, bid: Bid, place: _Place, story: _Story, public_keys: Mapping[str, bytes]
) -> Iterator[str]:
    receipt: dict[str, Any] = bid.receipt
    said = {name: value for name, value in receipt.items() if name not in ("key_id", "signature")}
    public = public_keys.get(str(receipt.get("key_id")))
    if public is None:
        yield f"its receipt is signed with the unknown key {receipt.get('key_id')}"
    elif not signature_holds(public, str(receipt.get("signature")), canonical_json(said).encode()):
        yield "the signature of its receipt does not hold"
    if place.receipt_text != canonical_json(receipt):
        yield "its receipt is not written as it was"
    if hashlib.sha256(bid.ciphertext).hexdigest() != bid.ciphertext_sha256:
        yield "its ciphertext is not what was received"
    for name, value in _expected(bid, place).items():
        if said.get(name) != value:
            yield f"its {name} is not what its receipt says"
    if bid.rounds_key != hashlib.sha256("\n".join(place.rounds).encode()).hexdigest():
        yield "its rounds are not those it was sealed for"
    if bid.provider != (place.provider or (story.sealed.body.get("provider") if story.sealed else None)):
        yield "it does not belong to the provider that was invited"
    yield from _trail_faults(bid, story)
    if bid.handed_over_from is not None and not _is_what_stood_before(session, bid):
        yield "it is not what its provider had handed in before everybody was asked again"
    yield from _opening_faults(bid, place)
    if not _stands_as_long_as_it_should(session, bid, place):
        yield "it stands for longer or shorter than the rules say"


def _expected(bid: Bid, place: _Place) -> dict[str, Any]:
    """What the receipt must say of this row. The closing's instant is left out: it may have been moved since."""
    return {
        "format": _FORMAT,
        "bid": bid.ref,
        "rounds": list(place.rounds),
        "closing": place.closing.ref,
        "received_at": in_milliseconds(bid.received_at),
        "ciphertext_sha256": bid.ciphertext_sha256,
        "ciphertext_bytes": len(bid.ciphertext),
        "commitment": bid.commitment,
        "recipients_id": place.closing.recipients_id,
    }


def _trail_faults(bid: Bid, story: _Story) -> Iterator[str]:
    if story.sealed is None:
        yield "the trail does not know it"
        return
    if story.sealed.stream != bid.invitation_ref or story.sealed.body.get("receipt") != bid.receipt:
        yield "the trail received something else"
    if story.sealed.at != bid.received_at:
        yield "the trail received it at another instant"
    if story.left_in != str(bid.state):
        yield f"it is {bid.state}, and the trail says {story.left_in}"
    typed_by = story.sealed.actor if story.sealed.role == Role.BROKER else None
    if typed_by != bid.typed_by:
        yield "the trail says that somebody else handed it in"
    if story.sealed.body.get("handed_over") != bid.handed_over_from:
        yield "the trail says otherwise of the bid in whose place it stands"


def _is_what_stood_before(session: Session, bid: Bid) -> bool:
    """Whether a bid that was handed over holds the very bytes that its provider had sealed."""
    query = select(Bid.provider, Bid.ciphertext_sha256, Bid.commitment).where(Bid.ref == bid.handed_over_from)
    return session.exec(query).first() == (bid.provider, bid.ciphertext_sha256, bid.commitment)


def _manifest_faults(bid: Bid, listed: tuple[str, str] | None) -> Iterator[str]:
    """A bid that was taken back is not listed; one that stood is; one may have lapsed before or after."""
    if listed is None and bid.state not in (*_TAKEN_BACK, BidState.LAPSED):
        yield f"it is {bid.state}, and the manifest of its closing does not list it"
    elif listed is not None and bid.state in _TAKEN_BACK:
        yield f"it is {bid.state}, and the manifest of its closing lists it"
    elif listed is not None and listed != (bid.ciphertext_sha256, bid.commitment):
        yield "it is not what the manifest of its closing lists"


def _opening_faults(bid: Bid, place: _Place) -> Iterator[str]:
    opened = place.opened
    if opened is not None and bid.state in _UNOPENED:
        yield "it was never to be opened, and its content is there"
    elif opened is None and bid.state not in (*_UNOPENED, BidState.INVALID):
        yield "it was opened, and its content is gone"
    elif opened is not None and commitment_of(opened.content, opened.nonce) != bid.commitment:
        yield "what it is said to say is not what was committed"
    elif opened is not None and place.content_text != canonical_json(opened.content):
        yield "what it says is not written as it was"
    elif opened is not None and opened.opened_at != place.closing.opened_at:
        yield "it was not opened together with its closing"


def _stands_as_long_as_it_should(session: Session, bid: Bid, place: _Place) -> bool:
    """`valid_until` follows from the rules and the instant at which its closing was due when the bid came in.

    The receipt gives that instant to the millisecond, the trail exactly.
    """
    due = [at for at in place.dues if in_milliseconds(at) == bid.receipt.get("closes_at")]
    try:
        scheme = rules_by_hash(session, place.closing.rule_hash)
    except NotFound:
        return False
    return bool(due) and bid.valid_until == scheme.award.bid_valid.end(due[-1], scheme.calendar())


def _bids(
    session: Session, closings: Mapping[int | None, Closing], known: Mapping[str, KnownClosing]
) -> Iterator[tuple[Bid, _Place]]:
    """Every bid with what it must agree with, a few hundred at a time."""
    last = 0
    while page := session.exec(select(Bid).where(col(Bid.id) > last).order_by(col(Bid.id)).limit(500)).all():
        last = page[-1].id or 0
        ids = [bid.id for bid in page]
        rounds = _rounds(session, ids)
        refs = [bid.invitation_ref for bid in page]
        tenders = dict(session.exec(select(Tender.closing_id, Tender.ref).where(col(Tender.ref).in_(refs))).all())
        invited = dict(
            session.exec(select(Invitation.ref, Invitation.provider).where(col(Invitation.ref).in_(refs))).all()
        )
        opened = {row.bid_id: row for row in session.exec(select(OpenedBid).where(col(OpenedBid.bid_id).in_(ids)))}
        receipts = _texts(session, Bid.id, Bid.receipt, ids)
        contents = _texts(session, OpenedBid.bid_id, OpenedBid.content, ids)
        for bid in page:
            assert bid.id is not None
            yield (
                bid,
                _Place(
                    closing=closings[bid.closing_id],
                    dues=known[closings[bid.closing_id].ref].dues,
                    provider=invited.get(bid.invitation_ref),
                    rounds=tuple(sorted(rounds.get(bid.id, ())))
                    or tuple(ref for ref in (tenders.get(bid.closing_id),) if ref == bid.invitation_ref),
                    opened=opened.get(bid.id),
                    receipt_text=receipts[bid.id],
                    content_text=contents.get(bid.id),
                ),
            )


def _rounds(session: Session, ids: Sequence[int | None]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    links = select(BidRound.bid_id, Round.ref).join(Round, col(Round.id) == col(BidRound.round_id))
    for bid_id, ref in session.exec(links.where(col(BidRound.bid_id).in_(ids))):
        found.setdefault(bid_id, []).append(ref)
    return found


def _texts(session: Session, key: Any, column: Any, ids: Sequence[int | None]) -> dict[int, str]:
    """A JSON column as it is stored: a byte that reads the same is still a changed one."""
    return dict(session.exec(select(key, type_coerce(column, Text)).where(col(key).in_(ids))).all())


def _stories(session: Session) -> dict[str, _Story]:
    """By bid: how the trail received it, and the state it left it in."""
    found: dict[str, _Story] = {}
    query = select(AuditEvent).where(col(AuditEvent.kind).like("bid.%")).order_by(col(AuditEvent.id))
    for event in session.exec(query.execution_options(yield_per=2000)):
        if event.kind == "bid.sealed":
            found[event.body["receipt"]["bid"]] = _Story(sealed=event)
        elif "to" in event.body and event.body.get("ref") in found:
            found[event.body["ref"]].left_in = event.body["to"]
    return found
