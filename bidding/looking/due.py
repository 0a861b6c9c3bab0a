"""What the worker looks for, to ring in time."""

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from bidding.closings import Closing, ClosingState


def next_closing_at(session: Session, now: datetime, patience: timedelta = timedelta(0)) -> datetime | None:
    """When the next closing is due, or one that was closed is to be opened; None where there is neither."""
    gathering = select(func.min(Closing.closes_at)).where(
        col(Closing.state) == ClosingState.GATHERING, col(Closing.closes_at) > now
    )
    shut = select(func.min(Closing.closed_at)).where(
        col(Closing.state) == ClosingState.CLOSED, col(Closing.closed_at) > now - patience
    )
    closes_at, closed_at = session.exec(gathering).one(), session.exec(shut).one()
    return min((at for at in (closes_at, closed_at and closed_at + patience) if at is not None), default=None)
