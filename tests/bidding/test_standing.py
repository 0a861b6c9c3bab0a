"""From the register's rows to eligibility's candidates."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from bidding.standing import Taken, candidates
from dps.kernel.database import Database
from dps.kernel.ports import Ports
from dps.register import capacity, holds
from dps.register.limits import LimitPart, set_take_limit
from dps.register.providers import Provider, change_service
from dps.register.suspensions import SuspensionScope
from dps.schemes.model import Rating
from matching import eligibility
from matching.eligibility import Candidate, DaySpan, MembershipState, Need, TakeLimit, assess
from tests.dps.register import builders
from tests.dps.register.builders import (
    AUTHORITY,
    BROKER,
    HERE,
    LIST,
    LOT,
    NOON,
    OFFICER,
    THERE,
    WORCESTERSHIRE,
    a_location,
    a_member,
    a_provider,
    free_hours,
    good_documents,
    id_of,
    its_own,
    the_ports,
)

DAY = timedelta(days=1)


@dataclass
class Register:
    """One provider that could do everything, and the session it was made in."""

    session: Session
    ports: Ports
    provider: Provider

    def candidate(
        self, *, at: datetime = NOON, in_play: Mapping[str, Sequence[Taken]] | None = None, **asked: Any
    ) -> Candidate:
        [found] = candidates(self.session, WORCESTERSHIRE, authority=AUTHORITY, at=at, in_play=in_play, **asked)
        return found

    def reasons(self, *, at: datetime = NOON, **wanted: Any) -> set[str]:
        return {reason.code for reason in assess(need(at=at, **wanted), self.candidate(at=at)).reasons}


def need(*, at: datetime = NOON, **wanted: Any) -> Need:
    facts: dict[str, Any] = {
        "ref": "REF-1",
        "at": at,
        "lot": LOT,
        "locality": HERE,
        "lists": frozenset({LIST}),
        "reach": frozenset({HERE}),
        "weekly_minutes": 420,
        "required_documents": frozenset(WORCESTERSHIRE.admission.documents),
        "accepted_ratings": frozenset(rating.value for rating in WORCESTERSHIRE.quality.accepted),
    }
    return Need(**(facts | wanted))


@pytest.fixture
def ports(tmp_path: Path) -> Ports:
    return the_ports(tmp_path)


@pytest.fixture
def register(database: Database, ports: Ports) -> Any:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_location(session, ports, provider, rating=Rating.GOOD)
        a_member(session, ports, provider, localities=[HERE, THERE])
        good_documents(session, ports, provider)
        free_hours(session, ports, provider, 600, days=300)
        yield Register(session, ports, provider)


def suspended(register: Register, scope: SuspensionScope = SuspensionScope.NEW_WORK) -> None:
    builders.suspended(register.session, register.ports, register.provider, scope=scope, ends_at=NOON + 2 * DAY)


def removed(register: Register) -> None:
    builders.removed(register.session, register.ports, register.provider)


def full(register: Register) -> None:
    provider = register.provider
    capacity.say_full(register.session, register.ports, provider_id=id_of(provider), actor=its_own(provider))


def full_again(register: Register) -> None:
    full(register)
    provider = register.provider
    capacity.say_not_full(register.session, register.ports, provider_id=id_of(provider), actor=its_own(provider))


def nothing(register: Register) -> None:
    """Leave everything as it is."""


@pytest.mark.parametrize(
    ("happened", "days", "codes"),
    [
        (nothing, 0, set()),
        (suspended, 0, {"suspended"}),
        (suspended, 2, set()),
        (removed, 0, {"removed"}),
        (full, 0, {"full", "too_few_free_minutes"}),
        (full_again, 0, set()),
        (nothing, 300, {"declaration_expired"}),
    ],
)
def test_what_happened_in_the_register_is_what_eligibility_says(
    register: Register, happened: Callable[[Register], None], days: int, codes: set[str]
) -> None:
    happened(register)

    assert register.reasons(at=NOON + days * DAY) == codes


def test_a_document_counts_until_its_last_day(register: Register) -> None:
    good_documents(register.session, register.ports, register.provider, expires_on=date(2018, 3, 15))

    assert [register.reasons(at=NOON + days * DAY) for days in (1, 2)] == [set(), {"document_expired"}]


@pytest.mark.parametrize(
    ("scope", "barred"),
    [
        (SuspensionScope.NEW_WORK, False),
        (SuspensionScope.RESTARTS_AND_INCREASES, True),
        (SuspensionScope.ALL, True),
    ],
)
def test_a_suspension_from_new_work_leaves_an_increase_alone(
    register: Register, scope: SuspensionScope, barred: bool
) -> None:
    suspended(register, scope)
    increase: dict[str, Any] = {
        "direct_route": eligibility.DirectRoute.INCREASE,
        "direct_to": register.provider.ref,
        "lists": frozenset(),
    }

    assert ("suspended" in register.reasons(**increase)) is barred


def test_a_provider_readmitted_after_removal_is_active_again(register: Register) -> None:
    removed(register)
    a_member(register.session, register.ports, register.provider, localities=[HERE])

    found = {one.locality: one.state for one in register.candidate().memberships}

    assert found == {HERE: MembershipState.ACTIVE, THERE: MembershipState.REMOVED}
    assert register.reasons() == set()


def test_the_ledger_is_read_for_the_packages_own_authority(register: Register) -> None:
    holds.reserve(
        register.session,
        provider_id=id_of(register.provider),
        authority=AUTHORITY,
        locality=HERE,
        minutes=200,
        award_ref="AWD-1",
        actor=BROKER,
        now=NOON,
    )

    [elsewhere] = candidates(register.session, WORCESTERSHIRE, authority="kent", at=NOON)

    assert (register.candidate().free_minutes, elsewhere.free_minutes) == (400, 0)


def test_who_declares_by_locality_alone_has_nothing_free_elsewhere(database: Database, ports: Ports) -> None:
    with database.transaction() as session:
        provider = a_provider(session, ports)
        a_member(session, ports, provider, localities=[HERE, THERE])
        free_hours(session, ports, provider, 300, locality=HERE)

        found = Register(session, ports, provider).candidate()

        assert found.free_minutes is None
        assert found.free_minutes_by_locality == {
            place.key: 300 if place.key == HERE else 0 for place in WORCESTERSHIRE.localities
        }


def test_a_locality_with_its_own_figure_limits_itself_alone(register: Register) -> None:
    free_hours(register.session, register.ports, register.provider, 60, locality=THERE)

    found = register.candidate()

    assert (found.free_minutes, found.free_minutes_by_locality) == (600, {THERE: 60})


def test_service_and_places_are_carried_over(register: Register) -> None:
    change_service(
        register.session,
        register.ports,
        provider_id=id_of(register.provider),
        actor=OFFICER,
        skills=["dementia"],
        accepted_flags=["pets"],
        service_minutes=(1320, 1860),
        most_carers=1,
    )

    found = register.candidate()

    assert (found.skills, found.accepted_flags) == (frozenset({"dementia"}), frozenset({"pets"}))
    assert (found.service_hours, found.most_carers) == (DaySpan(1320, 1860), 1)
    assert [(place.ref, place.lad, place.rating) for place in found.locations] == [("1-100", "E07000237", "good")]


MORNING, EVENING = DaySpan(420, 540), DaySpan(1080, 1200)
TAKEN = [
    Taken(locality=HERE, minutes=100, hours=MORNING, starts_on=date(2018, 3, 16)),  # this week
    Taken(locality=THERE, minutes=200, hours=EVENING, starts_on=date(2018, 3, 19)),  # next Monday
    Taken(locality=THERE, minutes=400),
]


@pytest.mark.parametrize(
    ("part", "left"),
    [
        (
            LimitPart(packages=5, minutes=1000, starts_a_week=3),
            TakeLimit(packages_left=2, minutes_left=300, starts_left=1),
        ),
        (LimitPart(packages=2), TakeLimit(packages_left=0)),
        (LimitPart(locality=HERE, minutes=150), TakeLimit(minutes_left=50, locality=HERE)),
        (LimitPart(locality=THERE, packages=2), TakeLimit(packages_left=0, locality=THERE)),
        (
            LimitPart(from_minute=480, until_minute=720, packages=4),
            TakeLimit(packages_left=2, hours=DaySpan(480, 720)),
        ),
        (
            LimitPart(locality=THERE, from_minute=480, until_minute=720, packages=4),
            TakeLimit(packages_left=3, locality=THERE, hours=DaySpan(480, 720)),
        ),
    ],
)
def test_what_is_taken_counts_against_the_limit_it_touches(
    register: Register, part: LimitPart, left: TakeLimit
) -> None:
    set_take_limit(
        register.session,
        register.ports,
        provider_id=id_of(register.provider),
        scheme=WORCESTERSHIRE,
        parts=[part],
        actor=its_own(register.provider),
    )

    assert register.candidate(in_play={register.provider.ref: TAKEN}).take_limits == (left,)


def test_starts_are_counted_in_the_week_of_the_package(register: Register) -> None:
    set_take_limit(
        register.session,
        register.ports,
        provider_id=id_of(register.provider),
        scheme=WORCESTERSHIRE,
        parts=[LimitPart(starts_a_week=3)],
        actor=its_own(register.provider),
    )
    taken = {register.provider.ref: TAKEN[:2]}

    left = [
        register.candidate(in_play=taken, start_week=day).take_limits[0].starts_left
        for day in (None, date(2018, 3, 18), date(2018, 3, 19), date(2018, 4, 2))
    ]

    assert left == [2, 2, 2, 3]
