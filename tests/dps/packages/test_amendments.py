"""Changing a package: new versions, corrections, and nothing lost between two brokers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session, select

from dps.kernel import ending
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NotACorrection, NotFound, NothingChanged, StateChanged
from dps.packages.amendments import amend, correct
from dps.packages.facts import CORRECTABLE, Confidential, Flag, FreeText, FundingStream
from dps.packages.identity import AgeBand
from dps.packages.packages import confirm_free_text, find_package, free_text_of, versions_of
from dps.packages.schedule import Schedule
from dps.schemes.model import Urgency
from tests.dps.packages.builders import a_visit
from tests.dps.packages.cases import (
    APPROVER,
    AUDITOR,
    BROKER,
    HOME,
    KEYRING,
    NEIGHBOUR,
    NOON,
    PROVIDER,
    PROVIDER_REF,
    REQUESTER,
    SCHEME,
    WORDS,
    a_package,
    some_facts,
)

LATER = NOON.replace(hour=15)
EVENINGS = Schedule.of([a_visit(minutes=45)])

CHANGES: dict[str, Any] = {
    "urgency": Urgency.URGENT,
    "lot": "enablement",
    "schedule": EVENINGS,
    "schedule_is_provisional": True,
    "needs": frozenset({"hoist"}),
    "flags": frozenset({Flag.PARKING}),
    "funding": FundingStream.CHC,
    "age_band": AgeBand.FROM_85,
    "earliest_start": date(2026, 3, 10),
    "latest_start": date(2026, 3, 17),
    "preferred_provider": PROVIDER_REF,
    "existing_provider": PROVIDER_REF,
    "other_minutes_allowed": True,
}


def test_an_amendment_is_the_next_version_and_names_what_changed(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)
        facts = replace(package.facts, schedule=EVENINGS, latest_start=date(2026, 3, 20))

        change = amend(session, KEYRING, package, facts=facts, scheme=SCHEME, actor=BROKER, now=LATER)

        kept = [(version.number, version.correction, version.changed) for version in versions_of(session, package)]
        weeks = [version.facts["schedule"] for version in versions_of(session, package)]
        ending.write(session)
        event = session.exec(select(AuditEvent).where(AuditEvent.kind == "package.amended")).one()

    assert (change.version, change.changed, change.is_new_version) == (2, ("latest_start", "schedule"), True)
    assert (package.version, package.weekly_minutes, package.changed_at) == (2, 7 * 45, LATER)
    assert kept == [(1, 0, []), (2, 0, ["latest_start", "schedule"])]
    assert weeks == [Schedule.of([a_visit()]).to_dict(), EVENINGS.to_dict()]
    assert event.body["changed"] == ["latest_start", "schedule"]


def test_a_correction_stays_in_its_version(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)
        facts = replace(package.facts, age_band=AgeBand.FROM_85)

        change = correct(session, KEYRING, package, facts=facts, scheme=SCHEME, actor=BROKER, now=LATER)

        kept = [(version.number, version.correction) for version in versions_of(session, package)]

    assert (change.version, change.is_new_version) == (1, False)
    assert kept == [(1, 0), (1, 1)]


def test_what_bids_rest_on_is_amended_and_the_rest_may_be_corrected(database: Database) -> None:
    with database.transaction() as session:
        corrected = {name for name, value in CHANGES.items() if _is_corrected(session, name, value)}

    assert corrected == {name for name in CHANGES if name in CORRECTABLE}


def _is_corrected(session: Session, name: str, value: Any) -> bool:
    package = a_package(session)
    facts = replace(package.facts, **{name: value})
    try:
        correct(session, KEYRING, package, facts=facts, scheme=SCHEME, actor=BROKER, now=LATER)
    except NotACorrection as refusal:
        return bool(refusal.fields != name)
    return True


def test_outcomes_are_what_bids_rest_on_and_a_pen_picture_is_not(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)
        retold = replace(WORDS, pen_picture="Likes quiet.")
        other = replace(WORDS, outcomes=("Cooks without help",))

        correct(session, KEYRING, package, free_text=retold, scheme=SCHEME, actor=BROKER, now=LATER)
        with pytest.raises(NotACorrection, match="outcomes"):
            correct(session, KEYRING, package, free_text=other, scheme=SCHEME, actor=BROKER, now=LATER)

        assert free_text_of(session, KEYRING, package) == retold


@pytest.mark.parametrize("command", [amend, correct])
def test_changed_words_are_held_back_again_and_others_are_not(database: Database, command: Any) -> None:
    with database.transaction() as session:
        package = a_package(session)
        confirm_free_text(session, package, actor=BROKER, now=NOON)
        older = replace(package.facts, age_band=AgeBand.FROM_85)

        command(session, KEYRING, package, facts=older, scheme=SCHEME, actor=BROKER, now=LATER)
        after_facts = package.free_text_confirmed_by
        retold = replace(WORDS, pen_picture="Zebedee likes quiet.")
        command(session, KEYRING, package, free_text=retold, scheme=SCHEME, actor=BROKER, now=LATER)

    assert (after_facts, package.free_text_confirmed_by) == ("USR-BROKER", None)


def test_a_move_to_another_sector_takes_an_amendment_with_its_postcode(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)
        there = Confidential(postcode="L7 2AA", address="9 Sorrel Way")
        moved = replace(package.facts, sector="L7 2")

        for one_half in ({"facts": moved}, {"confidential": there}):
            with pytest.raises(BadInput, match="sector"):
                amend(session, KEYRING, package, **one_half, scheme=SCHEME, actor=BROKER, now=LATER)
        change = amend(
            session, KEYRING, package, facts=moved, confidential=there, scheme=SCHEME, actor=BROKER, now=LATER
        )

    assert set(change.changed) >= {"sector", "postcode", "address"}


@pytest.mark.parametrize("command", [amend, correct])
def test_the_same_again_is_no_change(database: Database, command: Any) -> None:
    with database.transaction() as session:
        package = a_package(session)

        with pytest.raises(NothingChanged):
            command(
                session,
                KEYRING,
                package,
                facts=some_facts(),
                confidential=HOME,
                free_text=FreeText(pen_picture=f" {WORDS.pen_picture} ", outcomes=WORDS.outcomes),
                scheme=SCHEME,
                actor=BROKER,
                now=LATER,
            )

        assert len(versions_of(session, package)) == 1


@pytest.mark.parametrize("actor", [NEIGHBOUR, APPROVER, AUDITOR, PROVIDER, CLOCK])
@pytest.mark.parametrize("command", [amend, correct])
def test_only_the_authoritys_brokers_and_requesters_change_it(database: Database, command: Any, actor: Actor) -> None:
    with database.transaction() as session:
        package = a_package(session)
        facts = replace(package.facts, age_band=AgeBand.FROM_85)

        with pytest.raises((Forbidden, NotFound)):
            command(session, KEYRING, package, facts=facts, scheme=SCHEME, actor=actor, now=LATER)


def test_of_four_brokers_who_read_the_same_version_one_changes_it(database: Database) -> None:
    with database.transaction() as session:
        ref = a_package(session).ref
    start = Barrier(4)

    def change(day: int) -> str:
        start.wait()
        try:
            with database.transaction() as session:
                package = find_package(session, ref, actor=BROKER)
                facts = replace(package.facts, latest_start=date(2026, 3, day))
                amend(session, KEYRING, package, facts=facts, edition="1.0", scheme=SCHEME, actor=REQUESTER, now=LATER)
        except StateChanged:
            return "changed meanwhile"
        return "amended"

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(change, range(20, 24)))

    assert answers == ["amended"] + ["changed meanwhile"] * 3
    with database.reading() as session:
        package = find_package(session, ref, actor=BROKER)
        assert (package.version, len(versions_of(session, package))) == (2, 2)


@pytest.mark.parametrize("database_kind", ["sqlite"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.booleans(), st.sampled_from(sorted(CHANGES)), st.booleans()), max_size=12))
def test_versions_count_up_and_the_last_is_the_package(database: Database, steps: list[tuple[bool, str, bool]]) -> None:
    with database.transaction() as session:
        package = a_package(session)
        for is_correction, name, back in steps:
            value = getattr(some_facts(), name) if back else CHANGES[name]
            facts = replace(package.facts, **{name: value})
            try:
                (correct if is_correction else amend)(
                    session, KEYRING, package, facts=facts, scheme=SCHEME, actor=BROKER, now=LATER
                )
            except (NothingChanged, NotACorrection):
                continue
        versions = versions_of(session, package)

    numbers = [(version.number, version.correction) for version in versions]
    following = [
        (number, correction + 1) if after == (number, correction + 1) else (number + 1, 0)
        for (number, correction), after in pairwise(numbers)
    ]
    assert numbers == [(1, 0), *following]
    assert versions[-1].facts == package.facts.snapshot()
    assert numbers[-1] == (package.version, package.correction)
    assert all(set(version.changed) <= CORRECTABLE for version in versions if version.correction)
