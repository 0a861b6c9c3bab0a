"""A lead's contracts in the demonstration: every second one is passed on to its subcontractors, who take turns."""

from collections.abc import Sequence
from itertools import cycle

from dps.contracts.contracts import Contract
from dps.contracts.passing_on import pass_on
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.ports import Ports
from dps.register.arrangements import ArrangementKind, arrangement_of_lead, members_of


def pass_work_on(database: Database, ports: Ports, clock: SteppedClock, contracts: Sequence[Contract]) -> int:
    """Pass every second contract of a lead on, from today; how many were."""
    today = clock.instant.astimezone(LONDON).date()
    passed = 0
    for lead in sorted({one.provider for one in contracts}):
        its = [one for one in contracts if one.provider == lead]
        with database.reading() as session:
            arrangement = arrangement_of_lead(session, scheme=its[0].scheme, lead=lead, on=today)
            if arrangement is None or arrangement.kind is not ArrangementKind.LEAD:
                continue
            members = list(members_of(session, arrangement))
        actor = Actor(f"demo-user-{lead}", Role.PROVIDER, provider=lead)
        for contract, to in zip(its[::2], cycle(members), strict=False):
            with database.transaction() as session:
                pass_on(session, ports, contract_ref=contract.ref, to=to, from_day=today, actor=actor)
            passed += 1
    return passed
