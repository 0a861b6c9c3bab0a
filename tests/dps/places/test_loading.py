"""Loading a directory into the database: whole districts, all or nothing, on both databases."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import Forbidden
from dps.places import packaged
from dps.places.directory import (
    DirectoryEntry,
    Existence,
    PlacesLoad,
    entry,
    existence,
    loaded_districts,
    sector_centres,
)
from dps.places.editions import Edition, Unit
from dps.places.loading import Loaded, load
from dps.places.positions import Grid, Position
from dps.places.postcodes import parse

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ADMINISTRATOR = Actor("admin", Role.ADMINISTRATOR)


def a_unit(postcode: str, *, live: bool | None = True, at: tuple[int, int] | None = (336000, 391000)) -> Unit:
    return Unit(
        postcode=postcode,
        lad_code="E08000012",
        easting=at[0] if at else None,
        northing=at[1] if at else None,
        grid=Grid.BRITISH if at else Grid.NONE,
        live=live,
        terminated="2019-06" if live is False else None,
    )


def an_edition(units: Iterable[Unit], *, knows_liveness: bool = True, vintage: str = "2025-11") -> Edition:
    digest = hashlib.sha256(vintage.encode()).hexdigest()
    return Edition("ONSPD" if knows_liveness else "package", vintage, digest, knows_liveness, tuple(units))


def loaded(database: Database, edition: Edition, *, replace_better: bool = False) -> Loaded:
    with database.transaction() as session:
        return load(session, edition, ADMINISTRATOR, NOON, replace_better=replace_better)


def codes(session: Session) -> list[str]:
    return sorted(session.exec(select(DirectoryEntry.canonical)))


def test_a_load_is_recorded_with_its_edition_and_in_the_trail(database: Database) -> None:
    edition = an_edition([a_unit("L6 1AB"), a_unit("L7 1AB", at=None), a_unit("L6 1AD", live=False)])

    report = loaded(database, edition)

    with database.reading() as session:
        record = session.exec(select(PlacesLoad)).one()
        event = session.exec(select(AuditEvent)).one()
        assert (record.source, record.vintage, record.sha256) == ("ONSPD", "2025-11", edition.sha256)
        assert (record.rows, record.districts, record.loaded_at, record.loaded_by) == (3, ["L6", "L7"], NOON, "admin")
        assert (event.stream, event.kind, event.actor) == ("PLACES", "places.loaded", "admin")
    assert (report.postcodes, report.terminated, report.without_position) == (3, 1, 1)


def test_what_the_directory_knows_of_a_postcode_is_told_apart(database: Database) -> None:
    loaded(database, an_edition([a_unit("L6 1AB"), a_unit("L6 1AD", live=False)]))
    loaded(database, an_edition([a_unit("L7 1AB", live=None)], knows_liveness=False))

    with database.reading() as session:
        known = {code: existence(session, parse(code)) for code in ("L6 1AB", "L6 1AD", "L6 1AE", "L7 1AB", "L8 1AB")}
        found = entry(session, parse("L7 1AB"))
        assert found is not None
        assert (found.live, found.sector, found.lad_code) == (None, "L7 1", "E08000012")

    assert known == {
        "L6 1AB": Existence.EXISTS,
        "L6 1AD": Existence.WAS_TERMINATED,
        "L6 1AE": Existence.UNKNOWN,
        "L7 1AB": Existence.EXISTS,
        "L8 1AB": Existence.NOT_LOADED,
    }


def test_a_later_load_replaces_its_districts_and_no_others(database: Database) -> None:
    loaded(database, an_edition([a_unit("L6 1AB"), a_unit("L6 1AD"), a_unit("L7 1AB")]))

    report = loaded(database, an_edition([a_unit("L6 1AB"), a_unit("L6 1AE")], vintage="2026-02"))

    with database.reading() as session:
        assert codes(session) == ["L6 1AB", "L6 1AE", "L7 1AB"]
        assert loaded_districts(session) == {"L6", "L7"}
        again = entry(session, parse("L6 1AB"))
        untouched = entry(session, parse("L7 1AB"))
        assert again is not None
        assert untouched is not None
        assert again.load_id > untouched.load_id
    assert (report.vanished, report.districts) == (1, ("L6",))


def test_a_directory_that_cannot_tell_the_living_never_replaces_one_that_can(database: Database) -> None:
    loaded(database, an_edition([a_unit("L6 1AB"), a_unit("L6 1AD", live=False)]))
    poorer = an_edition([a_unit("L6 1AE", live=None), a_unit("L7 1AB", live=None)], knows_liveness=False)

    report = loaded(database, poorer)

    with database.reading() as session:
        assert codes(session) == ["L6 1AB", "L6 1AD", "L7 1AB"]
    assert (report.kept, report.districts) == (("L6",), ("L7",))

    again = loaded(database, an_edition(poorer.units[:1], knows_liveness=False))

    with database.reading() as session:
        assert len(session.exec(select(PlacesLoad)).all()) == 2
    assert (again.kept, again.districts, again.postcodes) == (("L6",), (), 0)

    told = loaded(database, poorer, replace_better=True)

    with database.reading() as session:
        assert codes(session) == ["L6 1AE", "L7 1AB"]
    assert (told.kept, told.vanished) == ((), 2)


def test_a_load_that_fails_leaves_everything_as_it_was(database: Database) -> None:
    loaded(database, an_edition([a_unit("L6 1AB")]))
    broken = an_edition([a_unit("L6 1AE"), a_unit("L6 1AD")._replace(northing=None)])

    with pytest.raises(IntegrityError):
        loaded(database, broken)

    with database.reading() as session:
        assert codes(session) == ["L6 1AB"]
        assert len(session.exec(select(PlacesLoad)).all()) == 1
        assert len(session.exec(select(AuditEvent)).all()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"easting": None},
        {"grid": Grid.NONE},
        {"easting": None, "northing": None},
        {"terminated": "2019-06"},
        {"live": False},
    ],
)
def test_the_database_refuses_an_entry_that_contradicts_itself(database: Database, fault: dict[str, object]) -> None:
    with pytest.raises(IntegrityError):
        loaded(database, an_edition([a_unit("L6 1AB")._replace(**fault)]))  # type: ignore[arg-type]


@pytest.mark.parametrize("role", [Role.BROKER, Role.PROVIDER, Role.AUDITOR, Role.CLOCK])
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_only_those_who_set_up_may_load(database: Database, role: Role) -> None:
    with pytest.raises(Forbidden), database.transaction() as session:
        load(session, an_edition([a_unit("L6 1AB")]), Actor("somebody", role), NOON)


def test_the_centre_of_a_sector_is_the_median_of_its_live_postcodes(database: Database) -> None:
    far = (147071, 30311)
    units = [
        a_unit("L6 1AB", at=(100, 10)),
        a_unit("L6 1AD", at=(200, 30)),
        a_unit("L6 1AE", at=(300, 20)),
        a_unit("L6 1AF", live=False, at=far),
        a_unit("L6 1AG", live=False, at=far),
        a_unit("L6 1AH", live=False, at=far),
        a_unit("L6 2AB", live=False, at=(7, 8)),
        a_unit("L6 3AB", at=None),
    ]
    loaded(database, an_edition(units))

    with database.reading() as session:
        centres = sector_centres(session, ["L6 1", "L6 2", "L6 3", "L6 4"])

    assert centres == {"L6 1": Position(200, 20), "L6 2": Position(7, 8)}


def test_the_packaged_directory_fills_a_council(database: Database) -> None:
    report = loaded(database, packaged.read(["L6", "BT1", "JE2"]))

    with database.reading() as session:
        assert existence(session, parse("L6 1AB")) is Existence.EXISTS
        assert existence(session, parse("L6 0ZZ")) is Existence.UNKNOWN
        centres = sector_centres(session, ["L6 1", "BT1 5", "JE2 3"])
    assert (report.districts, report.terminated) == (("BT1", "JE2", "L6"), 0)
    assert report.irish_grid > 100
    assert centres.keys() == {"L6 1", "BT1 5"}
    assert centres["BT1 5"].grid is Grid.IRISH
