"""What a simulated council stands among: a clock that can be put back, deaths on order, a postman, a mail server."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import event

from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.outbox import OutboxMessage, Postman
from web.sending.letters import Channel, Parcel


class Died(BaseException):
    """The process that was at it is no more: nothing may catch this and go on."""


class SkewedClock(SteppedClock):
    """A clock that can be put back, as a machine's can."""

    def put(self, instant: datetime) -> None:
        self._instant = instant


@dataclass
class Reaper:
    """Death on order: at the n-th waypoint, before the n-th commit, or after it."""

    database: Database
    kind: str = ""
    left: int = 0

    def __post_init__(self) -> None:
        event.listen(self.database.engine, "commit", lambda _: self._passed("before commit"))
        event.listen(self.database._write, "after_commit", lambda _: self._passed("after commit"))

    def arm(self, kind: str, number: int) -> None:
        self.kind, self.left = kind, number

    def disarm(self) -> None:
        self.kind = ""

    def waypoint(self, _name: str) -> None:
        self._passed("waypoint")

    def _passed(self, kind: str) -> None:
        if kind == self.kind:
            self.left -= 1
            if self.left == 0:
                self.disarm()
                raise Died


@dataclass
class Counted:
    """The worker's own postman, which fails as it is told; what it carried is counted."""

    inner: Postman
    fails: bool = False
    carried: list[str] = field(default_factory=list)

    def carry(self, message: OutboxMessage) -> None:
        if self.fails:
            raise OSError("synthetic: the feed can't be written")
        self.inner.carry(message)
        self.carried.append(message.ref)


@dataclass
class MailServer:
    """Takes letters over, or is away until an instant of the council's clock, which may be hours."""

    clock: SteppedClock
    channels: Sequence[Channel] = (Channel.MAIL,)
    away_until: datetime | None = None
    delivered: list[str] = field(default_factory=list)

    @property
    def is_away(self) -> bool:
        return self.away_until is not None and self.clock.instant < self.away_until

    def carry(self, parcels: Sequence[Parcel], note: Callable[[Parcel, Exception | None], None]) -> None:
        for parcel in parcels:
            if self.is_away:
                note(parcel, ConnectionRefusedError("synthetic: the mail server is away"))
            else:
                # Taken over before it is noted: who dies between has it sent again, under the same reference.
                self.delivered += [letter.ref for letter in parcel.letters]
                note(parcel, None)
