"""What pages of several parts read alike of a row and of the day."""

from datetime import date, datetime

from dps.kernel.calendar import LONDON
from dps.register.providers import Provider


def row_id(provider: Provider) -> int:
    """The key of a provider's row, which one that was read has."""
    assert provider.id is not None
    return provider.id


def today_of(now: datetime) -> date:
    """The local day."""
    return now.astimezone(LONDON).date()
