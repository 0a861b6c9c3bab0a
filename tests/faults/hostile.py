"""Requests that no browser and no program sends, against the real web process: none is our fault, none costs much.

Each is bytes on a connection of its own, so that nothing on the way makes them well-formed. What comes back is an
answer below 500, or the connection is ended; the process lives, holds hardly more memory, and says of nothing that it
failed.
"""

import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from litestar.routes import HTTPRoute

from bidding.closings import Closing
from dps.kernel.clock import DatabaseClock
from tests.faults.figures import Figure
from tests.faults.fleet import Processes
from tests.faults.hostile_bodies import bodies, forms, heads, targets
from tests.faults.instants import run_in_real_time
from tests.faults.mailing import MailHouse
from tests.support.schema import stamp
from tests.web.pages.browsing import an_account
from tests.web.served import Served
from web.security import sessions
from web.security.accounts import Part

LONGEST_S = 20.0
"""No answer may take longer, on a machine at work elsewhere too."""
MOST_MORE_MIB = 150
PATIENCE_S = 2.0
"""How long the process waits for what comes slowly: as short as a test can wait for."""
SEATS = {
    "portal": Part.PROVIDER_ADMIN,
    "desk": Part.BROKER,
    "office": Part.COMMISSIONER,
    "register": Part.REGISTER_OFFICER,
    "requests": Part.REQUESTER,
}
"""Who is let in where: the first part of an address."""
VALUES = ("%00", "%ED%A0%80", "x" * 5_000, "..%2F..%2Fetc%2Fpasswd", "%F0%9F%92%A9", quote("'; DROP TABLE bid; --"))


@dataclass
class _Attack:
    """One council's web process, and what it answered."""

    council: Served
    folder: Path
    fleet: Processes = field(init=False)
    answers: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        world = self.council.world
        self.provider = self.council.provider("Synthetic Oak")
        self.broker = self.council.broker()
        self.referral = world.referral()
        self.body = self.council.bid_body(self.referral, 1650)
        with world.database.transaction() as session:
            real = DatabaseClock().read(session)
            provider = self.provider.provider  # type: ignore[attr-defined]
        accounts = {
            seat: an_account(self.council, part, provider=provider if seat == "portal" else None)
            for seat, part in SEATS.items()
        }
        with world.database.transaction() as session:
            self.seats = {
                seat: sessions.begin(session, account, is_half=False, now=real) for seat, account in accounts.items()
            }
        run_in_real_time(world, world.now)
        url = world.database.url.render_as_string(hide_password=False)
        mail = MailHouse(self.folder / "mailed")
        self.fleet = Processes(self.folder, url, mail, webs=1, workers=0, patience_s=PATIENCE_S)

    def figure(self, values: tuple[str, ...]) -> Figure:
        held = self._held_mib()
        try:
            slow = [threading.Thread(target=self._slow, args=one) for one in self._slowly()]
            for thread in slow:
                thread.start()
            for name, content in self._requests(values):
                self._sent(name, content)
            for thread in slow:
                thread.join()
            more = self._held_mib() - held
            self._is_well(more)
        finally:
            self.fleet.end()
            self.fleet.mail.go_away()
        self._closes()
        counted: dict[str, int | str] = {
            "requests": len(self.answers),
            "answered": sum(status > 0 for status in self.answers.values()),
            "MiB more at most": round(more),
        }
        return Figure(13, "hostile heads, bodies and addresses", counted, self.faults)

    def _requests(self, values: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
        key = self.provider.key or ""
        visit = "v" * 43
        yield from heads(key).items()
        yield from targets(key).items()
        yield from bodies(key, self.body).items()
        yield from forms(f"dps-visit={visit}", sessions.csrf_of(visit)).items()
        for path in self._paths():
            for value in values:
                target = re.sub(r"\{[^}]+\}", lambda _, value=value: value, path)  # type: ignore[misc]
                for name, credential in self._credentials(path):
                    yield f"{name} {path} {value[:20]}", _get(target, credential)

    def _paths(self) -> list[str]:
        """Every address that names something, and the lists that go on after something."""
        found = {
            route.path
            for route in self.council.app.routes
            if isinstance(route, HTTPRoute) and "GET" in route.methods and "{" in route.path
        }
        return [
            *sorted(found),
            "/api/bids?after={x}",
            "/api/referrals?after={x}",
            "/sign-in?next={x}",
            "/desk?place={x}",
        ]

    def _credentials(self, path: str) -> list[tuple[str, str]]:
        if path.startswith("/api"):
            callers = (("provider", self.provider), ("broker", self.broker))
            return [(name, f"Authorization: Bearer {caller.key}") for name, caller in callers]
        seat = next((seat for seat in self.seats if path.startswith(f"/{seat}")), "desk")
        return [(seat, f"Cookie: dps-session={self.seats[seat]}")]

    def _sent(self, name: str, content: bytes) -> None:
        began = time.monotonic()
        status = self._answered(content)
        took = time.monotonic() - began
        self.answers[name] = status
        if status >= 500:
            self.faults.append(f"{name}: {status}")
        if took > LONGEST_S:
            self.faults.append(f"{name}: {took:.0f} s")

    def _answered(self, content: bytes) -> int:
        """The status; 0 where the connection was ended without one."""
        with socket.create_connection(("127.0.0.1", self.fleet.port), timeout=LONGEST_S * 2) as connection:
            try:
                connection.sendall(content)
                return _status(connection)
            except (BrokenPipeError, ConnectionResetError):
                try:
                    return _status(connection)
                except OSError:
                    return 0

    # What comes slowly

    def _slowly(self) -> list[tuple[str, bytes]]:
        key = self.provider.key or ""
        head = f"POST /api/bids HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n".encode()
        return [
            ("nothing at all", b""),
            ("half a head", b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: "),
            ("half a body", head + b"Idempotency-Key: slow\r\nContent-Length: 1000\r\n\r\n{"),
            ("half a chunk", head + b"Idempotency-Key: slow\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"),
            ("a second head", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /health HT"),
        ]

    def _slow(self, name: str, begins: bytes) -> None:
        """Send a byte now and then until the process has had enough."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.fleet.port), timeout=LONGEST_S * 2) as connection:
            connection.sendall(begins)
            connection.settimeout(0.2)
            while time.monotonic() - began < LONGEST_S:
                try:
                    if begins:
                        connection.sendall(b" " if name != "a second head" else b"T")
                    if not connection.recv(65_536):
                        return
                except TimeoutError:
                    continue
                except OSError:
                    return
        self.faults.append(f"{name}: the process still waits for the rest of it after {LONGEST_S:.0f} s")

    # Afterwards

    def _is_well(self, more: float) -> None:
        if more > MOST_MORE_MIB:
            self.faults.append(f"the process held {more:.0f} MiB more than before")
        if self._answered(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") != 200:
            self.faults.append("the process does not answer any more")
        said = (self.folder / "log-web-0").read_text(errors="replace")
        self.faults += [
            f"the process says: {line[:300]}" for line in said.splitlines() if "failed" in line or "Traceback" in line
        ]

    def _closes(self) -> None:
        """What was taken can be opened, scored and allocated: nobody's strange bid holds up the others'."""
        world = self.council.world
        run_in_real_time(world, world.closes_at(self.referral))
        try:
            world.timetable.sweep()
        except ExceptionGroup as left:
            self.faults.append(f"the closing was left undone: {left.exceptions!r}")
        self.faults += [f"{row.ref} is {row.state}" for row in world.rows(Closing) if row.state != "allocated"]
        self.faults += world.faults()

    def _held_mib(self) -> float:
        """The most that the process held so far."""
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{self.fleet.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024


def _get(target: str, credential: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: x\r\n{credential}\r\nConnection: close\r\n\r\n".encode()


def _status(connection: socket.socket) -> int:
    """Of the first answer; the rest is read away, so that the process can finish sending it."""
    answer = b""
    while chunk := connection.recv(65_536):
        answer = answer or chunk
    found = re.match(rb"HTTP/1\.1 (\d{3})", answer)
    return int(found[1]) if found else 0


def campaign(council: Served, folder: Path, *, values: tuple[str, ...] = VALUES) -> Figure:
    """Everything that is hostile, once; each of `values` in the place of every reference in an address."""
    stamp(council.world.database)
    return _Attack(council, folder).figure(values)
