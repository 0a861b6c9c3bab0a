"""Valid things of the register, for tests: providers, members, documents, hours."""

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import Session

from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.clock import SteppedClock
from dps.kernel.entropy import SeededEntropy
from dps.kernel.errors import NoSuchStep
from dps.kernel.keys import load_keyring
from dps.kernel.ports import Ports
from dps.kernel.states import Stateful, advance
from dps.register import capacity, documents, holds, membership, providers, suspensions
from dps.register.capacity import Ledger
from dps.register.holds import Hold
from dps.register.membership import Membership, MembershipState
from dps.register.providers import Location, Provider
from dps.register.standing import standing
from dps.register.suspensions import RunningContracts, Suspension, SuspensionScope
from dps.schemes.loader import preset
from dps.schemes.model import Rating
from tests.support.keys import put_keys

NOON = datetime(2018, 3, 14, 12, tzinfo=UTC)
WORCESTERSHIRE = preset("worcestershire")
ST_HELENS = preset("st-helens")
LOT = WORCESTERSHIRE.lots[0].key
LIST = WORCESTERSHIRE.lists[0].key
HERE, THERE = (place.key for place in WORCESTERSHIRE.localities[:2])
HOUR = 60
AUTHORITY = WORCESTERSHIRE.authorities[0].key

OFFICER = Actor(ref="USR-OFFICER", role=Role.REGISTER_OFFICER, authority=AUTHORITY)
BROKER = Actor(ref="USR-BROKER", role=Role.BROKER, authority=AUTHORITY)


def the_ports(keys: Path, instant: datetime = NOON) -> Ports:
    """A clock that stands still until it is stepped, seeded chance, and the keys of a test."""
    put_keys(keys / "keys", keys / "identities")
    return Ports(clock=SteppedClock(instant), entropy=SeededEntropy("register"), keyring=load_keyring(keys / "keys"))


def step(ports: Ports, delta: timedelta) -> datetime:
    """Let time pass; the new instant."""
    assert isinstance(ports.clock, SteppedClock)
    return ports.clock.step(delta)


def a_provider(session: Session, ports: Ports, *, name: str = "Ember Home Care", number: str | None = None) -> Provider:
    return providers.register_provider(session, ports, name=name, company_number=number, actor=OFFICER)


def a_location(
    session: Session, ports: Ports, provider: Provider, *, regulator_id: str = "1-100", rating: Rating = Rating.GOOD
) -> Location:
    return providers.add_location(
        session,
        ports,
        provider_id=id_of(provider),
        regulator_id=regulator_id,
        name="Ember House",
        place="WR1 1",
        lad="E07000237",
        rating=rating,
        registered_on=date(2015, 6, 1),
        actor=OFFICER,
    )


def its_own(provider: Provider) -> Actor:
    """An account of this provider."""
    return Actor(ref=f"USR-{provider.ref}", role=Role.PROVIDER, provider=provider.ref)


def id_of(provider: Provider) -> int:
    assert provider.id is not None
    return provider.id


def good_documents(session: Session, ports: Ports, provider: Provider, *, expires_on: date = date(2019, 3, 31)) -> None:
    """Every document that the scheme asks for."""
    for number, kind in enumerate(WORCESTERSHIRE.admission.documents):
        documents.receive(
            session,
            ports,
            provider_id=id_of(provider),
            kind=kind,
            sha256=f"{number:064x}",
            expires_on=expires_on,
            actor=OFFICER,
        )


def a_member(
    session: Session,
    ports: Ports,
    provider: Provider,
    *,
    localities: Sequence[str] = (HERE,),
    lists: Sequence[str] = (LIST,),
) -> Sequence[Membership]:
    return membership.admit(
        session,
        ports,
        provider_id=id_of(provider),
        scheme=WORCESTERSHIRE,
        lists=lists,
        lots=[LOT],
        localities=localities,
        actor=OFFICER,
    )


def free_hours(
    session: Session, ports: Ports, provider: Provider, minutes: int, *, locality: str = "", days: int = 7
) -> Ledger:
    return capacity.declare(
        session,
        ports,
        provider_id=id_of(provider),
        authority=AUTHORITY,
        locality=locality,
        minutes=minutes,
        expires_at=ports.clock.read(session) + timedelta(days=days),
        actor=its_own(provider),
    )


def all_at_once(threads: int, race: Callable[[int], None]) -> list[Exception]:
    """Run `race` in so many threads, begun together; what they raised."""
    ready, failed = threading.Barrier(threads), list[Exception]()

    def run(number: int) -> None:
        ready.wait()
        try:
            race(number)
        except Exception as fault:
            failed.append(fault)

    racers = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    return failed


def reserved(
    session: Session, provider_id: int, minutes: int, award: str, *, locality: str = HERE, now: datetime = NOON
) -> Hold:
    return holds.reserve(
        session,
        provider_id=provider_id,
        authority=AUTHORITY,
        locality=locality,
        minutes=minutes,
        award_ref=award,
        actor=CLOCK,
        now=now,
    )


def raised(session: Session, provider_id: int, minutes: int, ref: str, *, now: datetime = NOON) -> Hold:
    return holds.raise_for_existing(
        session,
        provider_id=provider_id,
        authority=AUTHORITY,
        locality=HERE,
        minutes=minutes,
        ref=ref,
        actor=CLOCK,
        now=now,
    )


def free(session: Session, provider_id: int, *, locality: str = HERE, at_day: int = 0) -> int:
    return capacity.free_minutes(
        session, provider_id=provider_id, authority=AUTHORITY, locality=locality, at=NOON + timedelta(days=at_day)
    )


def numbers(session: Session, provider_id: int, locality: str = "") -> tuple[int, int, int]:
    row = capacity.rows_of(session, provider_id, AUTHORITY)[locality]
    return row.ceiling_minutes, row.reserved_minutes, row.committed_minutes


def suspended(session: Session, ports: Ports, provider: Provider, **facts: Any) -> Suspension:
    decision: dict[str, Any] = {
        "scope": SuspensionScope.NEW_WORK,
        "running_contracts": RunningContracts.CONTINUE,
        "because": "Two missed visits in a week.",
        "actor": OFFICER,
    }
    return suspensions.suspend(session, ports, provider_id=id_of(provider), scheme=WORCESTERSHIRE, **(decision | facts))


def removed(session: Session, ports: Ports, provider: Provider, **facts: Any) -> None:
    decision: dict[str, Any] = {"because": "Registration cancelled.", "actor": OFFICER}
    membership.remove(session, ports, provider_id=id_of(provider), scheme=WORCESTERSHIRE, **(decision | facts))


def states(session: Session, provider: Provider, at: datetime) -> dict[str, MembershipState]:
    """The state in each locality, as standing derives it at `at`."""
    [found] = standing(session, WORCESTERSHIRE.key, at, providers=[id_of(provider)])
    return {one.place[2]: one.state for one in found.memberships}


def walk(session: Session, row: Stateful, name: str) -> tuple[str | None, str | None]:
    """Where `advance` leads from this state, and where the table says: None for nowhere, the row being left alone."""
    before = row.state
    session.add(row)
    said = row.STEPS.step(before, name, row.ref).target if row.STEPS.allows(before, name) else None
    try:
        advance(session, row, name, OFFICER if OFFICER.role in movers(row, name) else CLOCK, NOON)
    except NoSuchStep:
        assert row.state is before
        return None, said
    return row.state, said


def movers(row: Stateful, name: str) -> set[Role]:
    """Who moves this step, from whatever state."""
    return {role for step in row.STEPS.steps if step.name == name for role in step.movers}
