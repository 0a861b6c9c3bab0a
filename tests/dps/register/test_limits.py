"""Take limits: what a provider said, in force until it says otherwise."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from dps.kernel.actors import CLOCK, Actor
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NotAdmitted, NotFound
from dps.kernel.ports import Ports
from dps.register.limits import LimitPart, TakeLimit, set_take_limit, take_limit_of
from dps.register.providers import Provider
from tests.dps.register.builders import (
    HERE,
    NOON,
    OFFICER,
    WORCESTERSHIRE,
    a_member,
    a_provider,
    all_at_once,
    id_of,
    its_own,
    step,
)

TWO_PACKAGES = LimitPart(packages=2)
MORNINGS_HERE = LimitPart(locality=HERE, from_minute=360, until_minute=660, minutes=600, starts_a_week=1)


def limit(
    session: Session, ports: Ports, provider: Provider, *parts: LimitPart, actor: Actor | None = None
) -> TakeLimit:
    return set_take_limit(
        session,
        ports,
        provider_id=id_of(provider),
        scheme=WORCESTERSHIRE,
        parts=parts,
        actor=actor or its_own(provider),
    )


def in_force(session: Session, provider: Provider) -> tuple[LimitPart, ...] | None:
    found = take_limit_of(session, id_of(provider), WORCESTERSHIRE.key)
    return None if found is None else found.as_parts()


def test_a_limit_is_in_force_until_it_is_replaced(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)
        before = in_force(session, provider)

        limit(session, ports, provider, TWO_PACKAGES, MORNINGS_HERE)
        first = in_force(session, provider)
        later = step(ports, timedelta(days=400))
        limit(session, ports, provider)

        replaced = session.exec(select(TakeLimit.replaced_at).order_by(TakeLimit.id)).all()  # type: ignore[arg-type]

        assert (before, first, in_force(session, provider)) == (None, (TWO_PACKAGES, MORNINGS_HERE), ())
        assert list(replaced) == [later, None]


def test_a_limit_is_set_by_the_provider_or_for_it(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider, stranger = a_provider(session, ports), a_provider(session, ports, name="Alder Care")
        a_member(session, ports, provider)

        assert limit(session, ports, provider, TWO_PACKAGES, actor=OFFICER).set_by == OFFICER.ref
        with pytest.raises(NotFound):
            limit(session, ports, provider, TWO_PACKAGES, actor=its_own(stranger))
        with pytest.raises(NotAdmitted):
            limit(session, ports, stranger, TWO_PACKAGES)
        with pytest.raises(Forbidden):
            limit(session, ports, provider, TWO_PACKAGES, actor=CLOCK)


@pytest.mark.parametrize(
    "parts",
    [
        [LimitPart()],
        [LimitPart(packages=-1)],
        [LimitPart(minutes=True)],
        [LimitPart(starts_a_week=10_000_001)],
        [LimitPart(locality="atlantis", packages=1)],
        [LimitPart(from_minute=600, packages=1)],
        [LimitPart(from_minute=600, until_minute=600, packages=1)],
        [LimitPart(from_minute=1440, until_minute=1500, packages=1)],
        [LimitPart(packages=1), LimitPart(packages=2)],
        [LimitPart(from_minute=n, until_minute=n + 1, packages=1) for n in range(51)],
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(database: Database, ports: Ports, parts: list[LimitPart]) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)

        with pytest.raises(BadInput):
            limit(session, ports, provider, *parts)


def test_of_many_set_at_once_one_is_in_force(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider)

    def race(number: int) -> None:
        with database.transaction() as session:
            limit(session, ports, provider, LimitPart(packages=number))

    failed = all_at_once(8, race)

    with database.reading() as session:
        rows = session.exec(select(TakeLimit)).all()
        assert (failed, len(rows), sum(row.replaced_at is None for row in rows)) == ([], 8, 1)
        assert {row.set_at for row in rows} == {NOON}
