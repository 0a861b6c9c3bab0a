"""Custodians: named key-holders of a scheme, of whom several must help before its dearest bids can be opened.

Each keeps a key of their own off this installation and registers its public half. A closing of such bids freezes who
holds shares; once its instant has passed a custodian is handed the shares, opens them with the key elsewhere, and hands
them in sealed to the worker. Until enough have, nothing of the closing opens (`deadline.open_bids`), and that is said.
"""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import pyrage
from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.bids.records import BidState, bids_of_closing
from bidding.closings import Closing, ClosingState
from bidding.referrals import Referral
from bidding.rounds import Round
from bidding.sealing.sharing import Holder, hand_out_of, released_shares
from bidding.tenders.records import Tender
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.columns import id_column, json_column, link_column, ref_column, state_column, utc_column
from dps.kernel.database import Database, find, find_all, locked_one
from dps.kernel.errors import BadInput, DpsError, NotFound, PriceStillSealed, RuleNotMet
from dps.kernel.money import round_half_up
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.packages.packages import Package
from dps.register.texts import known
from dps.schemes.custody import Custody
from dps.schemes.model import Ladder, Mode, Scheme

LOOK_AGAIN = timedelta(hours=1)
"""How long after a try to open without enough shares the next comes where none is handed in; assumed."""

AWAITED = "custodians_awaited"
"""The message by which a council hears that bids wait for its custodians."""


class CustodianState(StrEnum):
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"


_S = CustodianState


class Custodian(SQLModel, table=True):
    """A key-holder of one scheme. Bids that were sealed while it was active keep its share for ever.

    `account` is the one with which the holder takes and gives its shares by itself; else an administrator carries them.
    """

    __tablename__ = "custodian"
    __table_args__ = (UniqueConstraint("scheme", "recipient"),)
    STEPS: ClassVar[StateTable] = StateTable(
        "custodian", _S.ACTIVE, (_S.ACTIVE, "withdraw", _S.WITHDRAWN, (Role.ADMINISTRATOR,))
    )

    id: int | None = id_column()
    ref: str = ref_column()
    state: CustodianState = state_column(CustodianState, index=False)
    scheme: str = Field(max_length=40)
    holder: str = Field(max_length=80)
    recipient: str = Field(max_length=80)
    account: str | None = Field(default=None, max_length=24, index=True)
    registered_at: datetime = utc_column()
    rehearsed_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return self.ref


class CustodyRelease(SQLModel, table=True):
    """What one custodian handed in for one closing: its shares, sealed to the worker, by the bids' SHA-256."""

    __tablename__ = "custody_release"
    __table_args__ = (UniqueConstraint("closing_id", "custodian"),)

    id: int | None = id_column()
    closing_id: int = link_column("closing.id", index=False)
    custodian: str = Field(max_length=24)
    shares: Any = json_column()
    handed_in_at: datetime = utc_column()


# Who holds keys


def register_custodian(
    session: Session,
    ports: Ports,
    *,
    scheme: Scheme,
    holder: str,
    recipient: str,
    actor: Actor,
    account: str | None = None,
) -> Custodian:
    """Name a key-holder. Closings published from now on deal a share to them."""
    actor.needs("register a custodian", Role.ADMINISTRATOR)
    name = " ".join(holder.split())
    if not 1 <= len(name) <= 80:
        raise BadInput("say who holds the key, in at most 80 characters", field="holder")
    try:
        pyrage.x25519.Recipient.from_str(recipient)
    except pyrage.RecipientError:
        raise BadInput("is no public part of a key: it begins with age1", field="recipient") from None
    if find(session, Custodian, scheme=scheme.key, recipient=recipient) is not None:
        raise BadInput("is registered already: every custodian has a key of their own", field="recipient")
    now = ports.clock.read(session)
    made = Custodian(
        ref=new_reference(Kind.CUSTODIAN, ports.entropy),
        state=_S.ACTIVE,
        scheme=scheme.key,
        holder=name,
        recipient=recipient,
        account=account,
        registered_at=now,
    )
    session.add(made)
    session.flush()
    facts = {"scheme": scheme.key, "key": recipient, "account": account}
    audit.append(session, made.stream, "custodian.registered", actor, now, facts)
    return made


def withdraw_custodian(session: Session, ports: Ports, *, custodian_ref: str, scheme: Scheme, actor: Actor) -> None:
    """Deal no more shares to one whose key is lost or who leaves. RuleNotMet where too few would be left."""
    row = locked_one(session, Custodian, custodian_named(session, custodian_ref).id)
    left = len(active_custodians(session, row.scheme)) - 1
    least = scheme.custody.custodians if scheme.custody and scheme.key == row.scheme else 0
    if row.state is _S.ACTIVE and left < least:
        raise RuleNotMet(
            reason=f"The scheme wants {least} custodians and {left} would be left. Register another first."
        )
    advance(session, row, "withdraw", actor, ports.clock.read(session))


def active_custodians(session: Session, scheme: str) -> Sequence[Custodian]:
    return find_all(session, Custodian, scheme=scheme, state=_S.ACTIVE)


def every_custodian(session: Session, scheme: str) -> Sequence[Custodian]:
    return find_all(session, Custodian, scheme=scheme)


def custodian_named(session: Session, ref: str) -> Custodian:
    found = find(session, Custodian, ref=ref)
    if found is None:
        raise NotFound(kind="custodian", ref=ref)
    return found


def note_rehearsed(session: Session, ports: Ports, *, custodians: Sequence[str], actor: Actor) -> None:
    """Write down that these could open what was dealt to them."""
    actor.needs("rehearse an opening", Role.ADMINISTRATOR)
    now = ports.clock.read(session)
    for ref in custodians:
        row = custodian_named(session, ref)
        row.rehearsed_at = now
        session.add(row)
        session.flush()
        audit.append(session, row.stream, "custodian.rehearsed", actor, now, {})


# Which bids need them


def greatest_weekly_pence(package: Package, scheme: Scheme, day: date) -> int | None:
    """What the package costs a week at the ceiling; None while its minutes are not known."""
    if package.weekly_minutes is None:
        return None
    ceiling = scheme.lot(package.lot).envelope_on(day, package.locality).ceiling_pence_per_hour
    return round_half_up(package.weekly_minutes * ceiling, 60)


def custody_of(package: Package, scheme: Scheme, mode: Mode, day: date) -> Custody | None:
    """The scheme's rule where it holds for sealed bids on this package; None where the worker opens alone."""
    rule = scheme.custody
    if rule is None or mode is not Mode.SEALED_BID or package.lot not in rule.lots:
        return None
    most = greatest_weekly_pence(package, scheme, day)
    return rule if most is None or most > rule.above_weekly_pence else None


def custody_of_area(scheme: Scheme, key: str) -> Custody | None:
    """The scheme's rule where it holds for bids for this area contract; None where the worker opens alone."""
    rule = scheme.custody
    return rule if rule is not None and key in rule.area_contracts else None


def holders_of(session: Session, scheme: Scheme, rule: Custody | None) -> tuple[Holder, ...]:
    """Those to whom shares are dealt now, none without a rule. RuleNotMet where fewer are registered than it wants."""
    if rule is None:
        return ()
    found = active_custodians(session, scheme.key)
    if len(found) < rule.custodians:
        raise RuleNotMet(
            reason=f"These bids are opened by custodians. The scheme wants {rule.custodians} and "
            f"{len(found)} are registered: an administrator registers them (dps custody register)."
        )
    return tuple(Holder(one.ref, one.recipient) for one in found)


def refuse_without_custodians(session: Session, package: Package, scheme: Scheme, ladder: Ladder, day: date) -> None:
    """RuleNotMet where a stage of this ladder would need custodians that are not there: said before it begins."""
    for stage in ladder.stages:
        holders_of(session, scheme, custody_of(package, scheme, stage.mode, day))


# Handed out, handed in, waited for


def hand_out_in(
    database: Database, ports: Ports, *, closing_ref: str, custodian_ref: str, actor: Actor
) -> dict[str, Any]:
    """A custodian's shares of what a closing holds, once it has closed; asked for before, an event, and refused."""
    answer = database.run(
        lambda session: _hand_out(session, ports, closing_ref=closing_ref, custodian_ref=custodian_ref, actor=actor)
    )
    if isinstance(answer, DpsError):
        raise answer
    return answer


def _hand_out(
    session: Session, ports: Ports, *, closing_ref: str, custodian_ref: str, actor: Actor
) -> dict[str, Any] | DpsError:
    closing = _closing_in_custody(session, closing_ref, custodian_ref, actor)
    now = ports.clock.read(session)
    if closing.state is ClosingState.GATHERING or now < closing.closes_at:
        return _too_early(session, closing, actor, now, custodian_ref)
    bids = bids_of_closing(session, closing.id, BidState.SEALED)
    audit.append(session, closing.stream, "custody.handed_out", actor, now, {"custodian": custodian_ref})
    return hand_out_of(
        {bid.ciphertext_sha256: bid.ciphertext for bid in bids},
        closing=closing.ref,
        custodian=custodian_ref,
        recipients=closing.recipients,
    )


def hand_in_in(database: Database, ports: Ports, *, release: Mapping[str, Any], actor: Actor) -> str:
    """Keep what a custodian released; one that is handed in again takes the place of the first. Returns the closing.

    A release before the closing is an event, and refused. Whether its shares hold is for the worker alone to see.
    """
    closing_ref, custodian_ref, shares = released_shares(release)

    def hand_in(session: Session) -> DpsError | None:
        closing = _closing_in_custody(session, closing_ref, custodian_ref, actor)
        now = ports.clock.read(session)
        if closing.state is ClosingState.GATHERING or now < closing.closes_at:
            return _too_early(session, closing, actor, now, custodian_ref)
        kept = find(session, CustodyRelease, closing_id=closing.id, custodian=custodian_ref)
        row = kept or CustodyRelease(closing_id=closing.id or 0, custodian=custodian_ref, shares={}, handed_in_at=now)
        row.shares, row.handed_in_at = shares, now
        closing.wakes_at = None
        session.add_all([row, closing])
        session.flush()
        facts = {"custodian": custodian_ref, "shares": len(shares), "again": kept is not None}
        audit.append(session, closing.stream, "custody.handed_in", actor, now, facts)
        return None

    refused = database.run(hand_in)
    if refused is not None:
        raise refused
    return closing_ref


def released_for(session: Session, closing: Closing) -> dict[str, list[bytes]]:
    """The shares that were handed in for a closing, by the SHA-256 of the bid that each is for."""
    found: dict[str, list[bytes]] = {}
    for row in find_all(session, CustodyRelease, closing_id=closing.id):
        for name, share in row.shares.items():
            found.setdefault(name, []).append(b64decode(share))
    return found


def waits_for_custodians(session: Session, ports: Ports, closing: Closing, usable: int, now: datetime) -> None:
    """Say, once for each number of shares that hold, that the closing stays shut; the first time tell its councils.

    No sweep tries again before a share is handed in, but once in a while for what else may have changed.
    """
    closing.wakes_at = now + LOOK_AGAIN
    session.add(closing)
    if closing.shares_usable == usable:
        return
    is_first, closing.shares_usable = closing.shares_usable is None, usable
    session.flush()
    facts = {"usable": usable, "needed": closing.custodians_needed}
    audit.append(session, closing.stream, "custody.opening_refused", CLOCK, now, facts)
    for authority, about in sought_in(session, closing.id) if is_first else ():
        told = {"referral": about}
        recipient = f"authority:{authority}"
        post(session, ports.entropy, recipient=recipient, kind=AWAITED, about=closing.ref, now=now, facts=told)
    holding = find_all(session, Custodian, ref=[one.ref for one in closing.holders]) if is_first else ()
    for account in sorted({one.account for one in holding if one.account is not None}):
        recipient = f"account:{account}"
        post(session, ports.entropy, recipient=recipient, kind="custody_due", about=closing.ref, now=now)


def sought_in(session: Session, closing_id: int | None) -> list[tuple[str, str]]:
    """What is sought in a closing: each referral or tender, behind its authority."""
    referrals = (
        select(Referral.authority, Referral.ref)
        .join(Round, col(Round.referral_id) == col(Referral.id))
        .where(Round.closing_id == closing_id)
    )
    tenders = select(Tender.authority, Tender.ref).where(Tender.closing_id == closing_id)
    return sorted((*session.exec(referrals).all(), *session.exec(tenders).all()), key=lambda one: one[1])


def _closing_in_custody(session: Session, closing_ref: str, custodian_ref: str, actor: Actor) -> Closing:
    """The closing, locked, for whoever may carry this custodian's shares: the holder itself, or an administrator."""
    found = find(session, Closing, ref=closing_ref)
    if found is None or not may_carry(session, found, custodian_ref, actor):
        raise NotFound(kind="closing", ref=closing_ref)
    closing = locked_one(session, Closing, found.id)
    if not closing.custodians_needed:
        raise BadInput(f"{closing_ref} needs no custodians: the worker opens it alone", field="closing")
    known([custodian_ref], (one.ref for one in closing.holders), "custodian of this closing", "custodian")
    return closing


def may_carry(session: Session, closing: Closing, custodian_ref: str, actor: Actor) -> bool:
    """Whether this is the custodian's own account, or an administrator of a council that seeks something there."""
    if actor.role is Role.ADMINISTRATOR:
        return keeps(actor, sought_in(session, closing.id))
    own = find(session, Custodian, ref=custodian_ref)
    return own is not None and own.account == actor.ref


def keeps(actor: Actor, sought: Sequence[tuple[str, str]]) -> bool:
    """Whether this is an administrator who carries shares of a closing in which all this is sought (`sought_in`)."""
    is_its_own = actor.authority is None or any(authority == actor.authority for authority, _ in sought)
    return actor.role is Role.ADMINISTRATOR and is_its_own


def _too_early(session: Session, closing: Closing, actor: Actor, now: datetime, custodian: str) -> DpsError:
    facts = {"ref": closing.ref, "custodian": custodian, "closes_at": closing.closes_at.isoformat()}
    audit.append(session, closing.stream, "custody.refused_early", actor, now, facts)
    return PriceStillSealed(ref=closing.ref)
