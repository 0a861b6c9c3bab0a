"""Instants as the records hold them: aware, never naive."""

from datetime import datetime

from dps.kernel.errors import BadInput


def refuse_naive(instant: datetime | None, field: str) -> None:
    """Raise `BadInput` for a time without a zone; None is no time and passes."""
    if instant is not None and instant.tzinfo is None:
        raise BadInput(f"{instant.isoformat()} has no zone", field=field)
