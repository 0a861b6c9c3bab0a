"""So many connections that send one request after another over HTTP/1.1, or at a given pace; and how long each took."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    path: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def wire(self) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        head = f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}Content-Length: {len(self.body)}\r\n\r\n"
        return head.encode() + self.body


@dataclass
class Load:
    """What came of it. `seconds` runs from the first request to the last answer."""

    taken_ms: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    answers: list[tuple[str, str, bytes]] = field(default_factory=list)
    """Of each request that said yes: its path, where it leads to, its body."""
    seconds: float = 0.0

    @property
    def done(self) -> int:
        return sum(number for status, number in self.statuses.items() if status in (200, 201, 303))

    @property
    def per_second(self) -> float:
        return self.done / self.seconds

    def quantile(self, share: float) -> float:
        """Milliseconds that this share of the requests took at most."""
        ordered = sorted(self.taken_ms)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class _Connection(asyncio.Protocol):
    """One connection with one request under way."""

    transport: asyncio.Transport
    _answer: "asyncio.Future[tuple[int, str, bytes]]"

    def __init__(self) -> None:
        self._came = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._came += data
        head, parted, body = bytes(self._came).partition(b"\r\n\r\n")
        if not parted:
            return
        status, headers = _head(head)
        if len(body) >= int(headers.get("content-length", "0")):
            self._came.clear()
            self._answer.set_result((status, headers.get("location", ""), body))

    def connection_lost(self, _fault: Exception | None) -> None:
        if hasattr(self, "_answer") and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))

    async def ask(self, wire: bytes) -> tuple[int, str, bytes]:
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(wire)
        return await self._answer


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in headers}


def send(
    port: int, requests: Iterator[Asked], *, connections: int, seconds: float, per_second: float | None = None
) -> Load:
    """Send for so long; with `per_second` the requests are due one after another at that pace.

    What a request waits for a connection to be free counts as its own time.
    """
    return asyncio.run(_send(port, requests, connections, seconds, per_second))


async def _send(
    port: int, requests: Iterator[Asked], connections: int, seconds: float, per_second: float | None
) -> Load:
    loop = asyncio.get_running_loop()
    made = [await loop.create_connection(_Connection, "127.0.0.1", port) for _ in range(connections)]
    load, began = Load(), time.perf_counter()
    due = iter(range(10**9))

    async def work(connection: _Connection) -> None:
        while time.perf_counter() < began + seconds:
            asked = next(requests, None)
            if asked is None:
                return
            start = time.perf_counter()
            if per_second is not None:
                start = began + next(due) / per_second
                if start > began + seconds:
                    return
                await asyncio.sleep(max(start - time.perf_counter(), 0))
            try:
                status, place, body = await connection.ask(asked.wire())
            except ConnectionError:
                return
            load.taken_ms.append((time.perf_counter() - start) * 1000)
            load.statuses[status] += 1
            if status in (200, 201, 303):
                load.answers.append((asked.path, place, body))

    await asyncio.gather(*(work(connection) for _, connection in made))
    load.seconds = time.perf_counter() - began
    for transport, _ in made:
        transport.close()
    return load
