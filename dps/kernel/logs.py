"""Structured logs: events and references, never a name, a postcode, a price or a note."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# What a log line may say, besides the event itself. Anything else is dropped, loudly, by name only.
_ALLOWED = frozenset(
    {
        "actor", "attempt", "authority", "closing", "code", "count", "error", "event", "kind", "level", "method",
        "package", "path", "provider", "ref", "referral", "role", "round", "scheme", "seconds", "seq", "state",
        "status", "stream", "sweep", "timestamp", "url_rule",
    }
)  # fmt: skip


def only_references(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list of what logs may say."""
    dropped = sorted(event.keys() - _ALLOWED)
    for field in dropped:
        del event[field]
    if dropped:
        event["error"] = f"dropped fields: {', '.join(dropped)}"
    return event


def configure(level: str = "info") -> None:
    """One JSON object a line on standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_references,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def log() -> Any:
    return structlog.get_logger()
