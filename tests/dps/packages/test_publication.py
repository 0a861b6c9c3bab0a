"""The published part: nothing confidential in it, and nothing that fits too few people."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from dps.kernel.columns import canonical_json
from dps.kernel.database import Database
from dps.packages.amendments import correct
from dps.packages.crowd import Crowd, Grain, crowd_of
from dps.packages.exclusions import Ground, Reason, exclude
from dps.packages.facts import Confidential, Flag, FreeText, PackageFacts
from dps.packages.identity import AgeBand
from dps.packages.packages import Package, confirm_free_text, free_text_of, note_referred
from dps.packages.publication import published_part
from tests.dps.packages.cases import (
    BROKER,
    ENTROPY,
    KEYRING,
    NOON,
    OTHER_PROVIDER_REF,
    PROVIDER_REF,
    SCHEME,
    WORDS,
    a_package,
    a_person,
    a_scheme,
    an_unsaved_package,
    some_facts,
)
from tests.dps.packages.test_facts import all_facts

EVERYONE = Crowd(1000, dict.fromkeys(Grain, 100))
NOBODY = Crowd(1000, {})
LEAST = {
    *("grain", "version", "lot", "locality", "schedule", "weekly_minutes", "earliest_start", "latest_start"),
    *("budget_pence", "budget_weeks", "other_minutes_allowed"),
}
CROWDS = st.builds(
    Crowd, st.integers(150, 250), st.dictionaries(st.sampled_from([*Grain][:-1]), st.integers(0, 10), max_size=4)
)


def _publish(facts: PackageFacts, crowd: Crowd, *, words: FreeText = WORDS, confirmed: bool = False) -> dict[str, Any]:
    package = an_unsaved_package(facts, words=words, confirmed_by="USR-BROKER" if confirmed else None)
    return published_part(package, scheme=SCHEME, crowd=crowd, free_text=words)


def test_a_crowd_shows_everything_that_may_be_shown() -> None:
    shown = _publish(some_facts(), EVERYONE, confirmed=True)

    assert shown == {
        "grain": "sector",
        "version": 1,
        "lot": "personal-care",
        "locality": "harbour",
        "sector": "L6 1",
        "urgency": "standard",
        "age_band": "75-84",
        "needs": ["peg_feeding"],
        "flags": ["pets", "smoker"],
        "schedule": some_facts().columns()["schedule"],
        "weekly_minutes": 210,
        "earliest_start": "2026-03-09",
        "latest_start": "2026-03-16",
        "budget_pence": None,
        "budget_weeks": None,
        "other_minutes_allowed": False,
        "pen_picture": WORDS.pen_picture,
        "outcomes": list(WORDS.outcomes),
    }


def test_few_referrals_or_few_people_show_locality_lot_and_schedule() -> None:
    small_scheme = replace(EVERYONE, referrals_last_year=199)

    for crowd in (small_scheme, NOBODY):
        assert set(_publish(some_facts(), crowd, confirmed=True)) == LEAST


@pytest.mark.parametrize(
    ("grain", "added"),
    [
        (Grain.DISTRICT, {"district", "age_band"}),
        (Grain.LOCALITY, {"age_band"}),
        (Grain.WITHOUT_AGE, set()),
    ],
)
def test_a_thinner_crowd_coarsens_place_and_then_age(grain: Grain, added: set[str]) -> None:
    shown = _publish(some_facts(), Crowd(200, {grain: 5}))

    assert set(shown) == LEAST | {"urgency", "needs", "flags"} | added
    assert shown.get("district", "L6") == "L6"


def test_the_schemes_own_thresholds_count() -> None:
    strict = a_scheme(publication={"full_from_referrals": 1001, "smallest_group": 5})
    package = an_unsaved_package(some_facts())

    assert published_part(package, scheme=strict, crowd=EVERYONE)["grain"] == "least"


def test_words_are_held_back_until_they_are_confirmed(database: Database) -> None:
    with database.transaction() as session:
        package = a_package(session)

        def shown() -> bool:
            words = free_text_of(session, KEYRING, package)
            return "pen_picture" in published_part(package, scheme=SCHEME, crowd=EVERYONE, free_text=words)

        before = shown()
        confirm_free_text(session, package, actor=BROKER, now=NOON)
        confirmed = shown()
        retold = replace(WORDS, pen_picture="Zebedee likes the radio on.")
        correct(session, KEYRING, package, free_text=retold, scheme=SCHEME, actor=BROKER, now=NOON)

        assert (before, confirmed, shown()) == (False, True, False)


def test_a_package_of_another_scheme_or_without_a_week_has_no_published_part() -> None:
    for facts in (some_facts(scheme="northshire"), some_facts(schedule=None)):
        with pytest.raises(ValueError, match="published part"):
            _publish(facts, EVERYONE)


@given(all_facts(), CROWDS, st.booleans())
def test_no_combination_is_published_that_fits_too_few(facts: PackageFacts, crowd: Crowd, confirmed: bool) -> None:
    assume(facts.schedule is not None)

    shown = _publish(facts, crowd, confirmed=confirmed)

    if set(shown) > LEAST:
        assert crowd.referrals_last_year >= 200
        assert crowd.people[Grain(shown["grain"])] >= 5
    assert ("sector" in shown) is (shown["grain"] == "sector")
    assert ("district" in shown) is (shown["grain"] == "district")
    assert "sector" in shown or facts.sector not in canonical_json(shown)
    assert ("pen_picture" in shown) <= confirmed


CANARY = st.text("QXZ", min_size=9, max_size=12).map(lambda text: f"Canary{text}")


@pytest.mark.parametrize("database_kind", ["sqlite"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(canary=CANARY, facts=all_facts(), crowd=CROWDS | st.just(EVERYONE), with_words=st.booleans())
def test_nothing_confidential_is_ever_in_it(
    database: Database, canary: str, facts: PackageFacts, crowd: Crowd, with_words: bool
) -> None:
    assume(facts.schedule is not None)
    fields: dict[str, Any] = dict.fromkeys(("name", "address", "phone", "contact", "notes"), canary)
    with database.transaction() as session:
        person = a_person(session, **fields, postcode="L6 1ZZ", date_of_birth=date(1931, 7, 19))
        package = a_package(
            session,
            person,
            facts={name: getattr(facts, name) for name in ("schedule", "needs", "flags", "urgency", "age_band")}
            | {"preferred_provider": PROVIDER_REF, "existing_provider": OTHER_PROVIDER_REF},
            confidential=Confidential(postcode="L6 1YY", address=canary, access=canary, preference_reason=canary),
            free_text=FreeText(pen_picture=canary, outcomes=(canary,)) if with_words else None,
        )
        reason = Reason(Ground.SAFEGUARDING, canary)
        exclude(session, KEYRING, ENTROPY, person, provider=PROVIDER_REF, reason=reason, actor=BROKER, now=NOON)

        words = free_text_of(session, KEYRING, package)
        published = canonical_json(published_part(package, scheme=SCHEME, crowd=crowd, free_text=words))
        told = [canary, "L6 1ZZ", "L6 1YY", "1931", PROVIDER_REF, OTHER_PROVIDER_REF, person.ref, "safeguarding"]
        session.rollback()

    assert not [secret for secret in told if secret in published]


def test_a_scheme_of_two_hundred_referrals_publishes_what_five_people_share(database: Database) -> None:
    with database.transaction() as session:
        rare = a_package(session, facts={"needs": frozenset({"stoma"})})
        for number in range(200):
            needs = frozenset({"stoma"}) if number < 3 else frozenset({"dementia"})
            note_referred(session, a_package(session, facts={"needs": needs}), now=NOON)
        usual = a_package(session, facts={"needs": frozenset({"dementia"})})

        grains = [
            published_part(package, scheme=SCHEME, crowd=crowd_of(session, package, now=NOON))["grain"]
            for package in (rare, usual)
        ]

    assert grains == ["least", "sector"]


ANYBODY = st.tuples(
    st.sampled_from(["L6 1", "L6 2", "L7 1", "L8 1", "L8 2", "L9 1"]),
    st.sampled_from([AgeBand.FROM_75, AgeBand.FROM_85]),
    st.sampled_from([frozenset({"dementia"}), frozenset({"stoma"}), frozenset()]),
    st.sampled_from([frozenset(), frozenset({Flag.PETS})]),
)


DESCRIBING = ("locality", "sector", "district", "age_band", "needs", "flags")


def _fits(row: Package, told: Mapping[str, Any]) -> bool:
    """Whether this person might be the one of whom all this was told, read as a reader would."""
    said = {
        "locality": row.locality,
        "sector": row.sector,
        "district": row.sector.partition(" ")[0],
        "age_band": row.age_band.value,
        "needs": row.needs,
        "flags": row.flags,
    }
    return all(said[name] == value for name, value in told.items() if name in said)


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["sqlite"])
# Not shrunk: that asks the database for minutes, and what was told says enough.
@settings(
    max_examples=15,
    phases=(Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(ANYBODY, min_size=30, max_size=60),
    st.lists(st.tuples(st.integers(0, 29), ANYBODY), min_size=5, max_size=25),
)
def test_in_no_population_does_what_was_told_fit_fewer_than_five(
    database: Database, people: list[Any], changes: list[Any]
) -> None:
    """Everybody is published, some again with other needs; a reader keeps all that was ever told of the place.

    What was told before tells nothing more when it is told again, though others may have left its crowd since.
    """
    scheme = a_scheme(publication={"full_from_referrals": 10})
    with database.transaction() as session:
        rows = [_somebody(session, one) for one in people]
        parts: dict[int, list[dict[str, Any]]] = {number: [] for number in range(len(rows))}
        known: dict[int, list[dict[str, Any]]] = {number: [] for number in range(len(rows))}

        def publish(number: int) -> None:
            crowd = crowd_of(session, rows[number], now=NOON)
            shown = published_part(rows[number], scheme=scheme, crowd=crowd, earlier=parts[number])
            parts[number].append(shown)
            # What the place was said to be stays known, whatever the newest part leaves out.
            place = {name: one[name] for one in parts[number] for name in ("sector", "district") if name in one}
            said = {name: value for name, value in (place | shown).items() if name in DESCRIBING}
            is_news = not any(said.items() <= one.items() for one in known[number])
            if set(shown) - LEAST - {"told_before"} and is_news:
                assert len([row for row in rows if _fits(row, said)]) >= 5, said
                known[number].append(said)

        for number in range(len(rows)):
            publish(number)
        for number, (_, age_band, needs, flags) in changes:
            change = some_facts(sector=rows[number].sector, age_band=age_band, needs=needs, flags=flags).columns()
            for name in ("age_band", "needs", "flags"):
                setattr(rows[number], name, change[name])
            session.flush()
            publish(number)
        session.rollback()


def _somebody(session: Session, one: Any) -> Package:
    sector, age_band, needs, flags = one
    harbour = sector == "L8 1" or sector.startswith(("L6", "L7"))
    person = a_person(session)
    facts = some_facts(
        sector=sector, locality="harbour" if harbour else "hills", age_band=age_band, needs=needs, flags=flags
    )
    package = an_unsaved_package(facts)
    package.ref, package.person_id, package.referred_at = person.ref, person.id or 0, NOON
    session.add(package)
    session.flush()
    return package


def test_a_coarser_place_hides_nothing_from_who_was_told_the_finer_one() -> None:
    """Five of the locality share the new needs, and nobody else in the sector that was told before."""
    crowd = Crowd(200, {Grain.SECTOR: 1, Grain.DISTRICT: 1, Grain.LOCALITY: 5, Grain.WITHOUT_AGE: 5})
    package = an_unsaved_package(some_facts(needs=frozenset({"stoma"})))
    before = {"grain": "sector", "needs": ["dementia"], "flags": [], "age_band": package.age_band.value}

    first = published_part(package, scheme=SCHEME, crowd=crowd)
    after = published_part(package, scheme=SCHEME, crowd=crowd, earlier=[before])
    later = published_part(package, scheme=SCHEME, crowd=crowd, earlier=[after])

    assert (first["grain"], after["grain"], after["told_before"]) == ("locality", "least", "sector")
    assert "needs" not in after
    assert later["grain"] == "least"
