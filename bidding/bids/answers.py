"""What a provider that was asked has answered, as an office reads it: that it bid, once bids are open (law 2)."""

from enum import StrEnum

from sqlalchemy import ColumnElement
from sqlmodel import col, exists

from bidding.bids.records import ScoredBid
from bidding.rounds import Invitation, InvitationState, RoundState


class Answer(StrEnum):
    """An invitation's state, and the two that only an opening tells: who bid, and who said nothing."""

    WAITING = "waiting"
    INVITED = "invited"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    BID = "bid"
    SILENT = "silent"


def answer_of(state: InvitationState, round_state: RoundState, *, has_bid: bool) -> Answer:
    """What came of an invitation. Pure. Of a round that was cancelled nobody can say who would have answered."""
    if has_bid:
        return Answer.BID
    if round_state is RoundState.DECIDED and state in (InvitationState.INVITED, InvitationState.LAPSED):
        return Answer.SILENT
    return Answer(state)


def has_opened_bid() -> ColumnElement[bool]:
    """Whether a bid of this invitation's provider was opened in its round; false of everybody while it is sealed."""
    return exists().where(
        col(ScoredBid.round_id) == col(Invitation.round_id), col(ScoredBid.provider) == col(Invitation.provider)
    )
