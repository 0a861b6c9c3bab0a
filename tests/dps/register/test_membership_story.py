"""A membership through any history: removed stays removed, suspended stays suspended until the clock says so."""

from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlmodel import Session

from dps.kernel.actors import CLOCK
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, NotAdmitted
from dps.kernel.ports import Ports
from dps.register import membership, suspensions
from dps.register.membership import MembershipState
from dps.register.suspensions import Suspension
from tests.dps.register.builders import (
    HERE,
    OFFICER,
    THERE,
    WORCESTERSHIRE,
    a_member,
    a_provider,
    id_of,
    removed,
    states,
    step,
    suspended,
)

ACTIVE, SUSPENDED, REMOVED = MembershipState
DAY = timedelta(days=1)


class MembershipStory(RuleBasedStateMachine):
    """One provider through any history of admissions, suspensions, ends and removals, against a model in plain sets."""

    session: Session
    ports: Ports

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[str, str] = {}
        self.suspensions: list[tuple[Suspension, set[str], datetime, datetime | None]] = []
        self.lifted: dict[str, datetime] = {}

    @initialize()
    def join(self) -> None:
        self.provider = a_provider(self.session, self.ports)

    @property
    def now(self) -> datetime:
        return self.ports.clock.read(self.session)

    @rule(place=st.sampled_from([HERE, THERE]))
    def admit(self, place: str) -> None:
        made = a_member(self.session, self.ports, self.provider, localities=[place])
        assert len(made) == (self.held.get(place) != "held")
        self.held[place] = "held"

    @rule(places=st.sets(st.sampled_from([HERE, THERE])), wait=st.integers(0, 2), days=st.none() | st.integers(1, 3))
    def suspend(self, places: set[str], wait: int, days: int | None) -> None:
        covered = {place for place, state in self.held.items() if state == "held" and (not places or place in places)}
        starts = self.now + wait * DAY
        ends = None if days is None else starts + days * DAY
        facts = {"localities": sorted(places), "starts_at": starts, "ends_at": ends}
        if not covered:
            with pytest.raises(NotAdmitted):
                suspended(self.session, self.ports, self.provider, **facts)
            return
        if self._says_already(places, starts, ends):
            with pytest.raises(BadInput):
                suspended(self.session, self.ports, self.provider, **facts)
            return
        one = suspended(self.session, self.ports, self.provider, **facts)
        self.suspensions.append((one, places or {HERE, THERE}, starts, ends))

    @precondition(lambda self: any(one.ref not in self.lifted for one, *_ in self.suspensions))
    @rule(number=st.integers(0, 9))
    def lift(self, number: int) -> None:
        standing_ones = [one for one, *_ in self.suspensions if one.ref not in self.lifted]
        one = standing_ones[number % len(standing_ones)]
        suspensions.lift(self.session, self.ports, one, scheme=WORCESTERSHIRE, because="Mended.", actor=OFFICER)
        self.lifted[one.ref] = self.now

    @rule(place=st.sampled_from([HERE, THERE]))
    def remove(self, place: str) -> None:
        if self.held.get(place) != "held":
            with pytest.raises(NotAdmitted):
                removed(self.session, self.ports, self.provider, localities=[place])
            return
        removed(self.session, self.ports, self.provider, localities=[place])
        self.held[place] = "removed"

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        step(self.ports, timedelta(hours=hours))

    @rule()
    def sweep(self) -> None:
        for provider_id, scheme_key in suspensions.not_yet_recorded(self.session, self.now):
            suspensions.record_suspensions(
                self.session, provider_id=provider_id, scheme_key=scheme_key, actor=CLOCK, now=self.now
            )
        rows = membership.held_by(self.session, id_of(self.provider), WORCESTERSHIRE.key)
        assert {one.locality: one.state for one in rows} == {
            place: state for place, state in self._expected().items() if state is not REMOVED
        }

    @invariant()
    def standing_says_what_happened(self) -> None:
        assert states(self.session, self.provider, self.now) == self._expected()

    def _expected(self) -> dict[str, MembershipState]:
        return {
            place: REMOVED if state == "removed" else SUSPENDED if self._is_suspended(place) else ACTIVE
            for place, state in self.held.items()
        }

    def _says_already(self, places: set[str], starts: datetime, ends: datetime | None) -> bool:
        """Whether one that stands stops the same places for all of this time."""
        return any(
            set(one.localities) == places
            and begins <= starts
            and (until is None or (ends is not None and ends <= until))
            for one, _, begins, until in self.suspensions
            if one.ref not in self.lifted
        )

    def _is_suspended(self, place: str) -> bool:
        return any(
            place in places and starts <= self.now and (ends is None or self.now < ends) and one.ref not in self.lifted
            for one, places, starts, ends in self.suspensions
        )


def test_no_history_makes_a_removed_or_suspended_member_active(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        story = type("Story", (MembershipStory,), {"session": session, "ports": ports})
        run_state_machine_as_test(
            story,
            settings=settings(
                max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=[HealthCheck.too_slow]
            ),
        )
