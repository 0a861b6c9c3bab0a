"""Who may not decide a round: who typed a bid of it, and who declared an interest in one of its providers (law 9)."""

from sqlmodel import Session, col, select

from bidding.awards.records import Interest
from bidding.bids.records import Bid, BidRound
from bidding.rounds import Invitation, Round
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NeedsSecondPerson
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, parse_reference


def declare_interest(session: Session, ports: Ports, *, provider: str, actor: Actor) -> None:
    """A member of staff declares a tie to a provider, for good; declared twice it is written once."""
    actor.needs("declare an interest", Role.BROKER, Role.APPROVER)
    named = parse_reference(provider, Kind.PROVIDER)
    known = select(Interest.id).where(Interest.account == actor.ref, Interest.provider == named)
    if session.exec(known).first() is not None:
        return
    now = ports.clock.read(session)
    session.add(Interest(account=actor.ref, provider=named, declared_at=now))
    session.flush()
    audit.append(session, actor.ref, "interest.declared", actor, now, {"provider": named})


def refuse_interested(session: Session, round_: Round, actor: Actor, step: str, *providers: str) -> None:
    """Refuse who typed a bid of this round, or has an interest in one of those invited or in one of `providers`."""
    typed = (
        select(Bid.id)
        .join(BidRound, col(BidRound.bid_id) == col(Bid.id))
        .where(BidRound.round_id == round_.id, Bid.typed_by == actor.ref)
    )
    invited = select(Invitation.provider).where(Invitation.round_id == round_.id)
    interested = select(Interest.id).where(
        Interest.account == actor.ref,
        col(Interest.provider).in_(invited) | col(Interest.provider).in_(providers),
    )
    if session.exec(typed).first() is not None or session.exec(interested).first() is not None:
        raise NeedsSecondPerson(actor=actor.ref, step=step)
