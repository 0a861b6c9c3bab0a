"""The call sheet: whom a broker rings about a package that can't wait, what each said last, every call's outcome.

A telephone bid is typed by one person (`bids/submitting`), who can't decide that round, and stands only if the provider
confirms it before the closing: who has dictated nothing has bid nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.bids.answers import Answer, answer_of, has_bid_at_closing
from bidding.referrals import Referral
from bidding.rounds import Invitation, InvitationState, Round, RoundState, current_round
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import id_column, link_column, state_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.ports import Ports
from dps.register.providers import Provider
from dps.schemes.model import Urgency

CALLED_ABOUT = (Urgency.DISCHARGE, Urgency.CRISIS)
"""People wait in a bed or at home without care: brokers ring instead of waiting for an answer."""


class CallOutcome(StrEnum):
    """How a call ended."""

    NO_ANSWER = "no_answer"
    CALL_BACK = "call_back"
    WILL_ANSWER = "will_answer"
    CAN_NOT_TAKE_IT = "can_not_take_it"
    WRONG_NUMBER = "wrong_number"


class Call(SQLModel, table=True):
    """One call to one provider about one round."""

    __tablename__ = "call"

    id: int | None = id_column()
    round_id: int = link_column("round.id")
    provider: str = Field(max_length=24)
    outcome: CallOutcome = state_column(CallOutcome, index=False)
    called_at: datetime = utc_column()
    called_by: str = Field(max_length=64)


@dataclass(frozen=True, slots=True)
class Line:
    """One provider on the sheet. `last_answer` is what it said when this council asked it last, in a decided round."""

    provider: str
    name: str
    phone: str | None
    state: InvitationState
    last_answer: Answer | None
    calls: tuple[tuple[datetime, CallOutcome], ...]


def record_call(
    session: Session, ports: Ports, *, round_ref: str, provider: str, outcome: CallOutcome, actor: Actor
) -> None:
    """Write down how a call ended; only about an open round, and to a provider that is asked in it."""
    actor.needs("record a call", Role.BROKER)
    round_ = open_round_of(session, round_ref, actor)
    _invited(session, round_, provider)
    now = ports.clock.read(session)
    if round_.state is not RoundState.PUBLISHED:
        raise BadInput("this round is over: nobody is rung about it", field="outcome")
    session.add(Call(round_id=round_.id or 0, provider=provider, outcome=outcome, called_at=now, called_by=actor.ref))
    session.flush()
    audit.append(session, round_.stream, "round.called", actor, now, {"provider": provider, "outcome": outcome})


def note_phone(session: Session, ports: Ports, *, round_ref: str, provider: str, phone: str, actor: Actor) -> None:
    """Keep the number under which a provider was reached, for whoever rings next."""
    actor.needs("note a telephone number", Role.BROKER)
    _invited(session, open_round_of(session, round_ref, actor), provider)
    number = " ".join(phone.split())
    if not 6 <= len(number) <= 24 or not number.replace(" ", "").replace("+", "", 1).isdigit():
        raise BadInput("write a telephone number in digits, such as 01632 960001", field="phone")
    found = session.exec(select(Provider.id).where(Provider.ref == provider)).one()
    row = locked_one(session, Provider, found)
    row.phone = number
    session.add(row)
    now = ports.clock.read(session)
    audit.append(session, row.stream, "provider.phone_noted", actor, now, {"authority": actor.authority})


def call_sheet(session: Session, *, referral_ref: str, actor: Actor) -> tuple[Round | None, list[Line]]:
    """The referral's latest round and everybody asked in it, in the published order; nobody before it is published."""
    actor.needs("read a call sheet", Role.BROKER, Role.APPROVER)
    referral = session.exec(select(Referral).where(Referral.ref == referral_ref)).first()
    if referral is None:
        raise NotFound(kind="referral", ref=referral_ref)
    actor.sees("referral", referral_ref, authority=referral.authority)
    round_ = current_round(session, referral.id)
    if round_ is None:
        return None, []
    query = (
        select(Invitation, Provider.name, Provider.phone)
        .join(Provider, col(Provider.ref) == col(Invitation.provider))
        .where(Invitation.round_id == round_.id)
        .order_by(col(Invitation.position))
    )
    rows = list(session.exec(query))
    before = _last_answers(session, round_, referral.authority, [invitation.provider for invitation, _, _ in rows])
    calls: dict[str, list[tuple[datetime, CallOutcome]]] = {}
    for call in session.exec(select(Call).where(Call.round_id == round_.id).order_by(col(Call.id))):
        calls.setdefault(call.provider, []).append((call.called_at, call.outcome))
    return round_, [
        Line(
            provider=invitation.provider,
            name=name,
            phone=phone,
            state=invitation.state,
            last_answer=before.get(invitation.provider),
            calls=tuple(calls.get(invitation.provider, ())),
        )
        for invitation, name, phone in rows
    ]


def _last_answers(session: Session, round_: Round, authority: str, providers: list[str]) -> dict[str, Answer]:
    last = (
        select(func.max(Invitation.id))
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .where(
            col(Invitation.provider).in_(providers),
            Invitation.round_id != round_.id,
            col(Invitation.state) != InvitationState.WAITING,
            col(Round.state) == RoundState.DECIDED,
            Referral.authority == authority,
        )
        .group_by(col(Invitation.provider))
    )
    query = (
        select(Invitation.provider, Invitation.state, Round.state, has_bid_at_closing())
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .where(col(Invitation.id).in_(last))
    )
    return {
        provider: answer_of(InvitationState(state), RoundState(round_state), has_bid=has_bid)
        for provider, state, round_state, has_bid in session.exec(query)
    }


def open_round_of(session: Session, round_ref: str, actor: Actor) -> Round:
    """The round, if it is of this office; NotFound to any other."""
    found = session.exec(
        select(Round, Referral.authority)
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .where(Round.ref == round_ref)
    ).first()
    if found is None:
        raise NotFound(kind="round", ref=round_ref)
    round_, authority = found
    actor.sees("round", round_ref, authority=authority)
    return round_


def _invited(session: Session, round_: Round, provider: str) -> None:
    query = select(Invitation.id).where(Invitation.round_id == round_.id, Invitation.provider == provider)
    if session.exec(query).first() is None:
        raise NotFound(kind="invitation", ref=provider)
