"""The crowd: how many people a published combination fits, counted as a person would count them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from dps.kernel.database import Database
from dps.packages.crowd import COUNTED_FOR, Crowd, Grain, crowd_of, district_of
from dps.packages.facts import Flag
from dps.packages.identity import AgeBand
from dps.packages.packages import Package, note_referred
from dps.packages.persons import Person
from tests.dps.packages.cases import NOON, a_package, a_person, an_unsaved_package, some_facts

DAY = timedelta(days=1)


def _referred(session: Session, at: datetime = NOON - DAY, person: Person | None = None, **facts: object) -> Package:
    package = a_package(session, person, facts=facts)
    note_referred(session, package, now=at)
    return package


def test_the_person_asked_about_counts_as_one(database: Database) -> None:
    with database.transaction() as session:
        crowd = crowd_of(session, a_package(session), now=NOON)

    assert crowd == Crowd(0, dict.fromkeys([*Grain][:-1], 1))


def test_each_grain_counts_the_people_who_fit_it(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)
        _referred(session)
        _referred(session, age_band=AgeBand.FROM_85)
        _referred(session, needs=frozenset())
        _referred(session, flags=frozenset({Flag.SMOKER}))
        _referred(session, needs=None)

        crowd = crowd_of(session, package, now=NOON)

    assert crowd.referrals_last_year == 5
    assert crowd.people == {Grain.SECTOR: 2, Grain.DISTRICT: 2, Grain.LOCALITY: 2, Grain.WITHOUT_AGE: 3}


def test_one_person_referred_often_is_one_person(database: Database) -> None:
    with database.transaction() as session:
        person = a_person(session)
        for _ in range(6):
            _referred(session, person=person)

        crowd = crowd_of(session, a_package(session), now=NOON)

    assert (crowd.referrals_last_year, crowd.people[Grain.SECTOR]) == (6, 2)


def test_only_the_last_twelve_months_count(database: Database) -> None:
    with database.transaction() as session:
        _referred(session, NOON)
        _referred(session, NOON - COUNTED_FOR + DAY)
        _referred(session, NOON - COUNTED_FOR)
        _referred(session, NOON + DAY)
        a_package(session)  # never referred

        crowd = crowd_of(session, a_package(session), now=NOON)

    assert (crowd.referrals_last_year, crowd.people[Grain.SECTOR]) == (2, 3)


def test_what_is_unknown_fits_what_is_unknown(database: Database) -> None:
    with database.transaction() as session:
        _referred(session, needs=None, flags=None)
        _referred(session, needs=None, flags=frozenset())

        crowd = crowd_of(session, a_package(session, facts={"needs": None, "flags": None}), now=NOON)

    assert crowd.people[Grain.WITHOUT_AGE] == 2


def test_a_district_is_the_first_half_of_its_sectors() -> None:
    assert [district_of(sector) for sector in ("L6 1", "SW1A 1")] == ["L6", "SW1A"]


@pytest.mark.parametrize(
    ("referrals", "people", "grain"),
    [
        (200, {Grain.SECTOR: 5}, Grain.SECTOR),
        (199, {Grain.SECTOR: 5}, Grain.LEAST),
        (200, {Grain.SECTOR: 4, Grain.DISTRICT: 5}, Grain.DISTRICT),
        (200, {Grain.SECTOR: 4, Grain.DISTRICT: 4, Grain.LOCALITY: 5}, Grain.LOCALITY),
        (200, {Grain.WITHOUT_AGE: 5}, Grain.WITHOUT_AGE),
        (200, {Grain.WITHOUT_AGE: 4}, Grain.LEAST),
    ],
)
def test_the_finest_grain_with_enough_people_is_shown(referrals: int, people: dict[Grain, int], grain: Grain) -> None:
    assert Crowd(referrals, people).finest(full_from_referrals=200, smallest_group=5) is grain


@dataclass(frozen=True)
class Someone:
    """A referred person, as the property draws them."""

    sector: str
    age_band: AgeBand
    flags: frozenset[Flag]
    days_ago: int


PEOPLE = st.builds(
    Someone,
    sector=st.sampled_from(["L6 1", "L6 2", "L7 1", "L8 1", "L8 2", "L9 1"]),
    age_band=st.sampled_from([AgeBand.FROM_75, AgeBand.FROM_85]),
    flags=st.sampled_from([frozenset(), frozenset({Flag.PETS})]),
    days_ago=st.integers(0, 400),
)


@pytest.mark.parametrize("database_kind", ["sqlite"])
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PEOPLE, st.lists(PEOPLE, max_size=25))
def test_the_database_counts_as_a_person_would(database: Database, asked: Someone, others: list[Someone]) -> None:
    with database.transaction() as session:
        rows = [_row(session, someone) for someone in [asked, *others]]
        rows[0].referred_at = None

        crowd = crowd_of(session, rows[0], now=NOON)
        session.rollback()

    crowded = [asked] + [someone for someone in others if someone.days_ago < 365]
    alike = [someone for someone in crowded if someone.flags == asked.flags]
    near = [someone for someone in alike if _is_harbour(someone) == _is_harbour(asked)]
    same_age = [someone for someone in near if someone.age_band is asked.age_band]
    in_district = [someone for someone in same_age if someone.sector.split()[0] == asked.sector.split()[0]]
    assert crowd.referrals_last_year == len(crowded) - 1
    assert crowd.people == {
        Grain.SECTOR: len([someone for someone in same_age if someone.sector == asked.sector]),
        Grain.DISTRICT: len(in_district),
        Grain.LOCALITY: len(same_age),
        Grain.WITHOUT_AGE: len(near),
    }


def _is_harbour(someone: Someone) -> bool:
    return someone.sector == "L8 1" or someone.sector.split()[0] in ("L6", "L7")


def _row(session: Session, someone: Someone) -> Package:
    person = a_person(session)
    package = an_unsaved_package(
        some_facts(
            sector=someone.sector,
            locality="harbour" if _is_harbour(someone) else "hills",
            age_band=someone.age_band,
            flags=someone.flags,
        )
    )
    package.ref, package.person_id = person.ref, person.id or 0
    package.referred_at = NOON - DAY * someone.days_ago
    session.add(package)
    session.flush()
    return package
