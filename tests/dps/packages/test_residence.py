"""A council takes in those who live in its own districts; where the directory knows nothing, nobody is refused."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session

from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput
from dps.packages.amendments import correct
from dps.packages.packages import Package, create_package
from dps.packages.residence import refuse_other_council
from dps.places.editions import Edition, Unit
from dps.places.loading import load
from dps.places.positions import Grid
from dps.schemes.loader import preset, presets
from dps.schemes.model import Scheme
from tests.dps.packages.cases import BROKER, ENTROPY, HOME, KEYRING, NOON, WORDS, a_person, a_scheme, some_facts

OWN, JOINED, STRANGE = "E08000012", "E08000011", "E08000014"
BODIES = [
    {"key": "westshire", "name": "Westshire", "lads": [OWN]},
    {"key": "eastshire", "name": "Eastshire", "lads": [JOINED]},
]
SCHEME = a_scheme(authorities=BODIES)
DISTRICTS = {"L6 1AB": OWN, "L6 1AD": JOINED, "L6 1AE": STRANGE, "L6 1AF": None}


@pytest.fixture
def places(database: Database) -> Database:
    """A directory in which one sector lies in three councils, and of one postcode in nobody knows which."""
    units = tuple(
        Unit(code, lad, 336000, 391000, Grid.BRITISH, live=True, terminated=None) for code, lad in DISTRICTS.items()
    )
    edition = Edition("ONSPD", "2025-11", hashlib.sha256(b"synthetic").hexdigest(), True, units)
    with database.transaction() as session:
        load(session, edition, Actor("admin", Role.ADMINISTRATOR), NOON)
    return database


def a_package_at(session: Session, postcode: str, scheme: Scheme = SCHEME) -> Package:
    return create_package(
        session,
        KEYRING,
        ENTROPY,
        a_person(session),
        facts=some_facts(),
        confidential=replace(HOME, postcode=postcode),
        free_text=WORDS,
        scheme=scheme,
        actor=BROKER,
        now=NOON,
    )


@pytest.mark.parametrize("postcode", ["L6 1AB", "L6 1AF", "L6 1XY"])
def test_an_own_postcode_and_one_of_which_nothing_is_known_are_taken(places: Database, postcode: str) -> None:
    with places.transaction() as session:
        assert a_package_at(session, postcode).sector == "L6 1"


@pytest.mark.parametrize(
    ("postcode", "words"),
    [
        ("L6 1AD", r"postcode lies in Eastshire \(E08000011\), not in Westshire \(E08000012\)"),
        ("L6 1AE", r"postcode lies in the district E08000014, not in Westshire \(E08000012\)"),
    ],
)
def test_a_postcode_of_another_council_is_refused_and_both_are_named(
    places: Database, postcode: str, words: str
) -> None:
    with places.transaction() as session, pytest.raises(BadInput, match=words) as refused:
        a_package_at(session, postcode)

    assert refused.value.field == "postcode"


def test_a_body_without_districts_takes_those_of_the_whole_scheme_and_no_others(places: Database) -> None:
    bodies: list[dict[str, Any]] = [{"key": "westshire", "name": "Westshire NHS"}, BODIES[1]]
    scheme = a_scheme(authorities=bodies)

    with places.transaction() as session:
        a_package_at(session, "L6 1AD", scheme)
        with pytest.raises(BadInput, match="not in Eastshire"):
            a_package_at(session, "L6 1AE", scheme)


def test_a_scheme_that_names_no_district_at_all_turns_nobody_away(places: Database) -> None:
    with places.transaction() as session:
        refuse_other_council(session, "L6 1AE", a_scheme(), "westshire")


def test_a_correction_takes_the_person_over_no_border(places: Database) -> None:
    with places.transaction() as session:
        package = a_package_at(session, "L6 1AB")
        moved = replace(HOME, postcode="L6 1AE")

        with pytest.raises(BadInput, match="lies in the district"):
            correct(session, KEYRING, package, confidential=moved, scheme=SCHEME, actor=BROKER, now=NOON)


@pytest.mark.parametrize("key", presets())
def test_every_preset_says_which_districts_are_bought_for_and_by_whom(key: str) -> None:
    lads = [lad for body in preset(key).authorities for lad in body.lads]

    assert lads
    assert len(lads) == len(set(lads))
