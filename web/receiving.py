"""When a request that hands in bids was received whole: read before anybody asks who sent it, and noted with it.

What follows (who is it, what does it say, whose turn is it) takes time that is ours and not the bidder's. Of a request
that is answered with a fault of ours the page, or the API, leaves a note (`notes`): which bids came when, and nothing
of what they say.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from litestar.connection import ASGIConnection
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send

from dps.kernel.clock import machine_time

BODY_BYTES = 1_048_576
"""The largest body that is read: a bid of 256 KiB and its wrapping fit several times."""

_HERE = "dps.received"
_PROOFS = (b"cookie", b"authorization")


@dataclass(frozen=True, slots=True)
class Sent:
    """One bid of a request: the rounds that it is for, and the key under which it comes again."""

    rounds: tuple[str, ...]
    key: str


@dataclass(frozen=True, slots=True)
class Received:
    """A request that was received whole at this instant of the machine's clock."""

    at: datetime
    since: float
    body: bytes
    bids_in: "BidsIn"

    def ago(self) -> timedelta:
        """How long ago that was; the machine's clock may be put meanwhile, this one can't."""
        return timedelta(seconds=time.monotonic() - self.since)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is read of a request to find its bids: its address, its headers, its body."""

    parts: Mapping[str, Any]
    headers: Mapping[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))


BidsIn = Callable[[Envelope], Sequence[Sent]]
"""Finds the bids of a request; what it raises means that there are none to be found."""


def receiving(bids_in: BidsIn) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware of a route on which bids are handed in."""

    def around(app: ASGIApp) -> ASGIApp:
        async def received(scope: Scope, receive: Receive, send: Send) -> None:
            # Nobody is made to hold a body for somebody who shows nothing that could be known.
            if any(name in _PROOFS for name, _ in scope["headers"]):
                receive = await _read(scope, receive, bids_in)
            await app(scope, receive, send)

        return received

    return around


async def _read(scope: Scope, receive: Receive, bids_in: BidsIn) -> Receive:
    """Read the body up to the largest that is taken, note when it was whole; returns what reads it again."""
    messages: list[HTTPReceiveMessage] = []
    body, is_whole = b"", False
    while not is_whole and len(body) <= BODY_BYTES:
        message: Any = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            break
        body += message.get("body", b"")
        is_whole = not message.get("more_body", False)
    if is_whole:
        scope[_HERE] = Received(machine_time(), time.monotonic(), body, bids_in)  # type: ignore[literal-required]

    async def again() -> Any:
        return messages.pop(0) if messages else await receive()

    return again


def received(connection: ASGIConnection[Any, Any, Any, Any]) -> Received | None:
    """When this request was received whole, if bids are handed in with it."""
    found: Received | None = connection.scope.get(_HERE)  # type: ignore[assignment]
    return found


def waited(connection: ASGIConnection[Any, Any, Any, Any]) -> Callable[[], timedelta]:
    """How long this request waits for its answer; nothing where that is not noted."""
    found = received(connection)
    return timedelta if found is None else found.ago


def bids_of(connection: ASGIConnection[Any, Any, Any, Any], found: Received) -> Sequence[Sent]:
    """The bids that a request was to hand in; none where it can't be read."""
    headers = {name.lower(): value for name, value in connection.headers.items()}
    envelope = Envelope(connection.path_params, headers, found.body)
    try:
        sent = found.bids_in(envelope)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ()
    return [one for one in sent if one.rounds and one.key]


def as_json(envelope: Envelope) -> Any:
    """The body as a program sends it."""
    return json.loads(envelope.body)
