"""A council's desk for tests: a clock that is moved, a scheme that allows every variation, a contract under way."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from sqlmodel import Session

from dps.contracts.contracts import Contract, start
from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.deliveries.recording import Recorded, record_deliveries
from dps.contracts.reasons import ChangeReason
from dps.contracts.variations.rescheduling import WeekWanted
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.kernel.clock import SteppedClock
from dps.kernel.ports import Ports
from dps.packages.schedule import parse_schedule
from dps.schemes.model import Scheme
from tests.dps.contracts.cases import TODAY, a_contract
from tests.dps.packages.cases import BROKER, ENTROPY, KEYRING, NOON, PROVIDER, a_package, a_scheme

Answer = TypeVar("Answer")

DELIVERED = {"lots": ["personal-care"], "model": "delivered", "tolerance_minutes": 5}
VARIATIONS: dict[str, Any] = {
    "flex": {
        "most_hours_a_day": 24,
        "most_days": 7,
        "weekly_limit_pence": 300_000,
        "groups": ["older_people"],
        "begun_by": ["provider"],
        "exclusions": [{"circumstance": "direct_payment"}],
    },
    "reduction": {"document": "trusted_assessor", "most_percent": 50},
    "review": {"earliest_weeks": 3, "due_weeks": 6},
    "retainer": {"most_weeks": 4, "percent": 50},
    "increase": {"most_percent": 100},
    "uplift": {"most_basis_points": 500},
    "hand_back": {"notice_days": 28, "without_notice": ["safety"]},
}

MORNINGS = "Mon-Sun 07:30-09:30 30m personal_care"
SHORTER = "Mon-Fri 07:30-09:30 30m personal_care"
LONGER = "Mon-Sun 07:30-09:30 60m personal_care"


def rules(**sections: Any) -> Scheme:
    """A scheme that allows every variation and pays for what was delivered, unless told otherwise."""
    return a_scheme(**{"variations": VARIATIONS, "payments": [DELIVERED], **sections})


class Desk:
    """One contract for half an hour every morning (£18.00 an hour would be 900 pence; here £21.00, £23.00 weekends)."""

    def __init__(self, session: Session, *, scheme: Scheme | None = None, **facts: Any) -> None:
        self.session = session
        self.scheme = scheme or rules()
        self.clock = SteppedClock(NOON)
        self.ports = Ports(clock=self.clock, entropy=ENTROPY, keyring=KEYRING)
        self.package = a_package(session, facts={"schedule": parse_schedule(MORNINGS), **facts})
        self.contract: Contract = a_contract(session, self.package)
        start(session, ENTROPY, self.contract, first_visit_on=TODAY, actor=BROKER, now=NOON)

    @property
    def ref(self) -> str:
        return self.contract.ref

    @property
    def today(self) -> date:
        return self.clock.instant.astimezone(LONDON).date()

    def after(self, **delta: int) -> None:
        """Let so much time pass."""
        self.clock.step(timedelta(**delta))

    def run(self, command: Callable[..., Answer], **request: Any) -> Answer:
        return command(self.session, self.ports, **request)

    def week(self, text: str, *, from_day: date | None = None, note: str | None = None) -> WeekWanted:
        return WeekWanted(
            schedule=parse_schedule(text),
            from_day=from_day or self.today,
            reason=ChangeReason.MORE_INDEPENDENT,
            note=note,
        )

    def record(self, *records: VisitRecord, actor: Actor = PROVIDER) -> Recorded:
        return self.run(record_deliveries, contract_ref=self.ref, scheme=self.scheme, records=records, actor=actor)

    def deliver(self, days: int, *, minutes: int = 30) -> None:
        """Record the mornings of so many days from the first one on."""
        self.record(*(morning(TODAY + timedelta(days=n), minutes=minutes) for n in range(days)))


def morning(day: date, *, minutes: int = 30, **more: Any) -> VisitRecord:
    """A visit from 08:00 on."""
    begun = datetime.combine(day, time(8), tzinfo=UTC)
    ended = (begun + timedelta(minutes=minutes)).time()
    form = {"visit_ref": f"M-{day}", "day": day, "started": time(8), "ended": ended, **more}
    return VisitRecord(**form)
