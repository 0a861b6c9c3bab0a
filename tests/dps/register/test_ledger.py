"""The ledger under any sequence of steps: nothing is sold twice (law 5)."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from dps.kernel.actors import CLOCK
from dps.kernel.database import Database
from dps.kernel.errors import DpsError
from dps.kernel.ports import Ports
from dps.register import capacity, holds
from dps.register.holds import Hold, HoldState
from dps.register.providers import Provider
from tests.dps.register.builders import (
    AUTHORITY,
    HERE,
    THERE,
    a_provider,
    free_hours,
    id_of,
    its_own,
    raised,
    reserved,
    step,
)

PLACES = ("", HERE, THERE)


class Promises:
    """What a ledger must never exceed, kept without looking at its rows.

    Since a declaration, the reservations that are open and the commitments made come to no more than it said.
    """

    def __init__(self) -> None:
        self.declared: dict[str, int] = {}
        self.open: dict[str, tuple[str, int]] = {}
        self.committed: dict[str, int] = dict.fromkeys(PLACES, 0)

    def declare(self, place: str, minutes: int | None) -> None:
        self.committed[place] = 0
        if minutes is None:
            self.declared.pop(place, None)
        else:
            self.declared[place] = minutes

    def reserve(self, award: str, place: str, minutes: int) -> None:
        if award not in self.open:
            self.open[award] = (place, minutes)
            for limited in {"", place} & self.declared.keys():
                assert self._promised(limited) <= self.declared[limited]
            assert {"", place} & self.declared.keys()

    def commit(self, award: str) -> None:
        place, minutes = self.open.pop(award, ("", 0))
        for counted in {"", place}:
            self.committed[counted] += minutes

    def release(self, award: str) -> None:
        self.open.pop(award, None)

    def _promised(self, limited: str) -> int:
        return self.committed[limited] + sum(n for place, n in self.open.values() if limited in ("", place))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["declare", "reserve", "reserve", "commit", "release", "raise", "full", "wait", "take_back"]),
        st.integers(min_value=0, max_value=400),
        st.integers(min_value=0, max_value=9),
        st.sampled_from(PLACES),
    ),
    max_size=20,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS)
def test_no_sequence_of_steps_oversells(
    database: Database, ports: Ports, steps: list[tuple[str, int, int, str]]
) -> None:
    promises = Promises()
    with database.transaction() as session:
        provider = a_provider(session, ports)
        for kind, minutes, number, place in [("declare", 600, 0, ""), *steps]:
            award = f"AWD-{provider.ref}-{number}"
            before = _free_everywhere(session, ports, id_of(provider))
            try:
                _take_step(session, ports, provider, promises, kind, minutes, award, place)
            except DpsError:
                assert _free_everywhere(session, ports, id_of(provider)) == before
            _compare(session, id_of(provider))


def _free_everywhere(session: Session, ports: Ports, provider: int) -> list[int]:
    at = ports.clock.read(session)
    return [
        capacity.free_minutes(session, provider_id=provider, authority=AUTHORITY, locality=place, at=at)
        for place in PLACES
    ]


def _take_step(
    session: Session,
    ports: Ports,
    provider: Provider,
    promises: Promises,
    kind: str,
    minutes: int,
    award: str,
    place: str,
) -> None:
    own, id_, now = its_own(provider), id_of(provider), ports.clock.read(session)
    match kind:
        case "declare":
            free_hours(session, ports, provider, minutes, locality=place, days=3)
            promises.declare(place, minutes)
        case "take_back":
            capacity.take_back(session, ports, provider_id=id_, authority=AUTHORITY, locality=place, actor=own)
            promises.declare(place, None)
        case "reserve":
            reserved(session, id_, minutes, award, locality=place or HERE, now=now)
            promises.reserve(award, place or HERE, minutes)
        case "commit":
            holds.commit(session, award_ref=award, actor=CLOCK, now=now)
            promises.commit(award)
        case "release":
            holds.release(session, award_ref=award, actor=CLOCK, now=now)
            promises.release(award)
        case "raise":
            raised(session, id_, minutes, f"VAR{award[3:]}", now=now)
        case "full":
            say = capacity.say_not_full if provider.full_since else capacity.say_full
            say(session, ports, provider_id=id_, actor=own)
        case _:
            step(ports, timedelta(days=1))
            capacity.settle_expired(session, actor=CLOCK, now=ports.clock.read(session))


def _compare(session: Session, provider: int) -> None:
    """The rows say what the holds say."""
    held = session.exec(select(Hold).where(Hold.provider_id == provider)).all()
    for place, row in capacity.rows_of(session, provider, AUTHORITY).items():
        here = [hold for hold in held if place in ("", hold.locality)]
        by_state = {state: sum(hold.weekly_minutes for hold in here if hold.state is state) for state in HoldState}
        assert row.reserved_minutes == by_state[HoldState.RESERVED]
        assert row.committed_minutes == by_state[HoldState.COMMITTED]
        assert row.reserved_minutes + row.committed_minutes <= row.ceiling_minutes
