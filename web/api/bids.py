"""Bids: handed in, taken back, looked at again. The answer to a bid is its signed receipt."""

import asyncio
import hashlib
from dataclasses import replace
from typing import Any

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import ValidationError, convert
from sqlmodel import Session

from bidding.bids import submitting
from bidding.looking.answered import with_reasons
from bidding.looking.debriefed import Debrief, debrief_in
from bidding.looking.invited import OwnBid, own_bids
from dps.kernel.actors import Actor
from dps.kernel.errors import DpsError, NotFound
from web.api.guards import BROKER, PROVIDER
from web.api.once import Answer, Write
from web.api.problems import BAD_REQUEST, status_of, unread
from web.api.shapes import BidFile, BidRow, Moved, NewBid, TelephoneBid
from web.assembly import Installation
from web.receiving import Envelope, Sent, as_json, receiving


def _sent(envelope: Envelope) -> list[Sent]:
    return [Sent(tuple(as_json(envelope)["rounds"]), envelope.headers["idempotency-key"])]


def _sent_in_file(envelope: Envelope) -> list[Sent]:
    key = envelope.headers["idempotency-key"]
    rows = enumerate(as_json(envelope)["rows"], start=1)
    return [Sent(rounds, _key_of_row(key, number)) for number, row in rows if (rounds := _rounds_in(row))]


def _rounds_in(row: Any) -> tuple[str, ...]:
    """The rounds that a row names; none where it can't be read."""
    named = row.get("rounds") if isinstance(row, dict) else None
    return tuple(one for one in named if isinstance(one, str)) if isinstance(named, list) else ()


def _key_of_row(key: str, number: int) -> str:
    """The key of one bid of a file."""
    return hashlib.sha256(f"{key} row {number}".encode()).hexdigest()


class Bids(Controller):
    """A provider's own bids. What a sealed bid says is shown to nobody, its bidder included."""

    path = "/bids"
    tags = ("Bids",)

    @post("/", guards=[PROVIDER], middleware=[receiving(_sent)])
    async def submit(self, data: JSONBody[NewBid], write: NamedDependency[Write]) -> dict[str, Any]:
        """Hand in a bid, or replace the one that stands for the same rounds; returns the signed receipt."""
        return await _receipt(write, data)

    @post("/file", guards=[PROVIDER], middleware=[receiving(_sent_in_file)])
    async def submit_file(self, data: JSONBody[BidFile], write: NamedDependency[Write]) -> list[BidRow]:
        """Hand in many bids, row by row: one that is refused holds up no other. A retry reads the same receipts."""
        return await asyncio.gather(*(_row(write, number, row) for number, row in enumerate(data.rows, start=1)))

    @post("/by-telephone", guards=[BROKER])
    async def dictate(self, data: JSONBody[TelephoneBid], write: NamedDependency[Write]) -> dict[str, Any]:
        """Type a bid that a provider dictates; whoever types it can't decide the round."""
        return await _receipt(write, data, provider=data.provider)

    @get("/", guards=[PROVIDER], sync_to_thread=True)
    def own(
        self,
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
        after: FromQuery[str | None] = None,
    ) -> list[OwnBid]:
        """This provider's bids in the order they were received, a hundred at a time."""
        with installation.database.reading() as session:
            return with_reasons(session, request.user, own_bids(session, request.user, after=after))

    @get("/{ref:str}", guards=[PROVIDER], sync_to_thread=True)
    def one(
        self, ref: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> OwnBid:
        """One bid, with its receipt; of one that was never opened, `why_unread` says why."""
        with installation.database.reading() as session:
            return _one(session, ref, request.user)

    @post("/{ref:str}/withdrawal", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def withdraw(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Take a sealed bid back before its closing."""

        def command(session: Session) -> Answer:
            submitting.withdraw(session, write.ports, bid_ref=ref, actor=write.actor)
            return _state(session, ref, write.actor)

        return Moved(**write.once(command))

    @post("/{ref:str}/reconfirmation", guards=[PROVIDER], sync_to_thread=True, status_code=200)
    def reconfirm(self, ref: FromPath[str], write: NamedDependency[Write]) -> Moved:
        """Let a sealed bid stand for a referral that was amended after it came in."""

        def command(session: Session) -> Answer:
            submitting.reconfirm(session, write.ports, bid_ref=ref, actor=write.actor)
            return _state(session, ref, write.actor)

        return Moved(**write.once(command))

    @get("/{ref:str}/debriefs/{round_ref:str}", guards=[PROVIDER], sync_to_thread=True)
    def debrief(
        self,
        ref: FromPath[str],
        round_ref: FromPath[str],
        request: Request[Actor, Any, Any],
        installation: NamedDependency[Installation],
    ) -> Debrief:
        """How this bid fared in a decided round: own score, rank of how many, the main reason, the winner's band."""
        return debrief_in(
            installation.database, installation.ports, bid_ref=ref, round_ref=round_ref, actor=request.user
        )


async def _row(write: Write, number: int, said: dict[str, Any]) -> BidRow:
    """One row of a file, under a key of its own that follows from the file's; what can't be read stops no other."""
    try:
        data = convert(said, NewBid, strict=False)
    except ValidationError as fault:
        return BidRow(row=number, code=BAD_REQUEST, detail="This row can't be read.", errors=[unread(fault, NewBid)])
    try:
        return BidRow(row=number, receipt=await _receipt(replace(write, key=_key_of_row(write.key, number)), data))
    except DpsError as refused:
        if status_of(refused) >= 500:
            raise
        return BidRow(row=number, code=refused.code, detail=str(refused))


async def _receipt(write: Write, data: NewBid | TelephoneBid, *, provider: str | None = None) -> dict[str, Any]:
    """Submit; the receipt in one order of members, so that a retry reads the same to the letter."""
    receipt = await write.installation.intake.submitted(
        rounds=data.rounds,
        content=data.bid.content(),
        actor=write.actor,
        idempotency_key=write.key,
        provider=provider,
        waited=write.waited,
    )
    return dict(sorted(receipt.items()))


def _one(session: Session, ref: str, actor: Actor) -> OwnBid:
    found = own_bids(session, actor, ref=ref)
    if not found:
        raise NotFound(kind="bid", ref=ref)
    return with_reasons(session, actor, found)[0]


def _state(session: Session, ref: str, actor: Actor) -> Answer:
    return {"ref": ref, "state": _one(session, ref, actor).state}
