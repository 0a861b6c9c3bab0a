"""Requests that come too slowly: the web process waits for a head and for a body so long and no longer.

The server behind it waits for ever on what is half-sent. A proxy keeps that away (deploy/nginx.conf); this holds where
none stands before the process, or one that passes bodies on as they come.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S = 20.0
"""From a connection, or the first byte of a further request, to the end of the request's head."""
BODY_S = 120.0
"""From there to the end of its body: 11 MB at a hundred kilobytes a second."""

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class PatientProtocol(H11Protocol):
    """uvicorn's own, which ends a connection that keeps it waiting; 408 where nothing was answered yet."""

    head_s, body_s = HEAD_S, BODY_S
    _waits_for: Any = None
    _ends: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_for(None)
        super().connection_lost(exc)

    def _look(self) -> None:
        """Whether what the other side still owes is the same as before."""
        owes = self.conn.their_state
        if owes is not self._waits_for:
            self._wait_for(owes if owes in (h11.IDLE, h11.SEND_BODY) else None)

    def _wait_for(self, owes: Any) -> None:
        self._waits_for = owes
        if self._ends is not None:
            self._ends.cancel()
            self._ends = None
        if owes is not None:
            after = self.head_s if owes is h11.IDLE else self.body_s
            self._ends = self.loop.call_later(after, self._too_slow)

    def _too_slow(self) -> None:
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_TOO_SLOW)
        self.transport.close()
