"""What the worker looks for, to ring in time."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from bidding.closings import Closing, ClosingState


def next_closing_at(session: Session, now: datetime) -> datetime | None:
    """When the next closing is due; None where none is gathering."""
    query = select(func.min(Closing.closes_at)).where(
        col(Closing.state) == ClosingState.GATHERING, col(Closing.closes_at) > now
    )
    return session.exec(query).one()
