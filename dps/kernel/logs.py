"""Structured logs: events and references, never a name, a postcode, a price or a note."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# What a log line may say, besides the event itself. Anything else is dropped, loudly, by name only.
_ALLOWED = frozenset(
    {
        "actor", "attempt", "authority", "closing", "code", "count", "dropped", "error", "event", "kind", "level",
        "method", "package", "path", "provider", "ref", "referral", "role", "round", "scheme", "seconds", "seq",
        "state", "status", "stream", "sweep", "timestamp", "url_rule",
    }
)  # fmt: skip
_PLAIN = (str, int, float, type(None))


def only_references(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list of what logs may say, and every value that holds others."""
    dropped = sorted(name for name, value in event.items() if name not in _ALLOWED or not isinstance(value, _PLAIN))
    for name in dropped:
        del event[name]
    if dropped:
        event["dropped"] = ", ".join(dropped)
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
