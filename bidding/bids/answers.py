"""What a provider that was asked has answered, as an office reads it: that it bid, once bids are open (law 2)."""

from enum import StrEnum

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import col, exists

from bidding.bids.records import Bid, BidRound, BidState
from bidding.closings import Closing, ClosingState
from bidding.rounds import Invitation, InvitationState, Round, RoundState

_OPENED = (BidState.OPENED, BidState.INVALID, BidState.AWARDED, BidState.UNSUCCESSFUL)
_OPEN = (ClosingState.OPENED, ClosingState.SCORED, ClosingState.ALLOCATED)


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


def has_bid_at_closing() -> ColumnElement[bool]:
    """Whether this invitation's provider had a bid in its round at the closing: of nobody while bids are sealed.

    One that lapsed there, or that nobody could read, is an answer too; one that was taken back is none. Of a round that
    was cancelled a lapsed bid tells nothing: it was never looked at. The query joins `Round`.
    """
    return exists().where(
        col(BidRound.round_id) == col(Invitation.round_id),
        col(Bid.id) == col(BidRound.bid_id),
        col(Bid.provider) == col(Invitation.provider),
        or_(
            col(Bid.state).in_(_OPENED),
            and_(col(Bid.state) == BidState.LAPSED, col(Round.state) != RoundState.CANCELLED),
        ),
        col(Closing.id) == col(Bid.closing_id),
        col(Closing.state).in_(_OPEN),
    )
