"""What a declared tie bars beside the decision itself (law 9): steps on a search that could favour the tied provider.

Barred, for somebody else to do: moving a closing in which the tied provider is asked, seeking again what was held,
ending a search once its bids may be open or an award is under way, keeping another provider of the scheme from the
person, letting the tied one serve the person again. What protects the person is done at once by whoever is there,
holding, withdrawing and amending: it stands in the trail as done by somebody tied, and the approvers are told.
"""

from datetime import datetime

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from bidding.awards.records import live_award
from bidding.closings import Closing
from bidding.referrals import Referral
from bidding.rounds import Invitation, Round, RoundState, current_round
from dps.kernel.actors import Actor
from dps.kernel.errors import NeedsSecondPerson
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.register.interests import Interest
from dps.register.membership import Membership, MembershipState

FACT = {"tied": True}
"""What the event of a step says that somebody with a tie took."""


def is_tied_to_asked(session: Session, actor: Actor, referral: Referral) -> bool:
    """Whether the actor declared a tie to a provider that was ever asked for this package."""
    asked = (
        select(Invitation.provider)
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .where(Round.referral_id == referral.id)
    )
    return _has_tie(session, actor, asked)


def is_tied_in_closing(session: Session, actor: Actor, closing: str) -> bool:
    """Whether the actor declared a tie to a provider that is asked in a round of this closing."""
    asked = (
        select(Invitation.provider)
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .join(Closing, col(Closing.id) == col(Round.closing_id))
        .where(Closing.ref == closing)
    )
    return _has_tie(session, actor, asked)


def refuse_moving(session: Session, actor: Actor, closing: str) -> None:
    """More time for everybody is more time for the tied provider, too."""
    if is_tied_in_closing(session, actor, closing):
        raise NeedsSecondPerson(actor=actor.ref, step="extend this closing")


def refuse_seeking_again(session: Session, actor: Actor, referral: Referral) -> None:
    """What was held opens a new round with a new window: with that a missed deadline would be undone."""
    if is_tied_to_asked(session, actor, referral):
        raise NeedsSecondPerson(actor=actor.ref, step="seek again")


def is_open_to_see(session: Session, referral: Referral, now: datetime) -> bool:
    """Whether bids for the package may be open, or an award of it is under way: who ends it then may know who wins."""
    if live_award(session, referral.id) is not None:
        return True
    last = current_round(session, referral.id)
    if last is None or last.state not in (RoundState.PUBLISHED, RoundState.CLOSED):
        return False
    return last.closes_at is not None and now >= last.closes_at


def tied_stop(session: Session, actor: Actor, referral: Referral, step: str, now: datetime) -> bool:
    """Whether somebody tied holds or withdraws the search; NeedsSecondPerson once that could undo what others won."""
    if not is_tied_to_asked(session, actor, referral):
        return False
    if is_open_to_see(session, referral, now):
        raise NeedsSecondPerson(actor=actor.ref, step=step)
    return True


def tell_of_tie(session: Session, ports: Ports, referral: Referral, now: datetime) -> None:
    """The approvers are told of what somebody tied did on a search."""
    recipient = f"authority:{referral.authority}"
    post(session, ports.entropy, recipient=recipient, kind="tied_step", about=referral.ref, now=now)


def ties_in_scheme(session: Session, actor: Actor, scheme: str) -> set[str]:
    """The providers of a scheme, by reference, to which the actor declared a tie."""
    members = select(Membership.provider_ref).where(
        Membership.scheme == scheme, col(Membership.state) != MembershipState.REMOVED
    )
    ties = select(Interest.provider).where(Interest.account == actor.ref, col(Interest.provider).in_(members))
    return set(session.exec(ties).all())


def refuse_excluding(session: Session, actor: Actor, scheme: str, provider: str) -> None:
    """Who is tied to one provider of the scheme keeps none of its rivals from a person."""
    if ties_in_scheme(session, actor, scheme) - {provider}:
        raise NeedsSecondPerson(actor=actor.ref, step="keep another provider from the person")


def _has_tie(session: Session, actor: Actor, asked: SelectOfScalar[str]) -> bool:
    tie = select(Interest.id).where(Interest.account == actor.ref, col(Interest.provider).in_(asked))
    return session.exec(tie).first() is not None
