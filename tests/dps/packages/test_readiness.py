"""Readiness: what each urgency needs before it is published, and before it is confirmed, by name."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.packages.facts import FreeText, FundingStream, PackageFacts
from dps.packages.identity import AgeBand, Identity
from dps.packages.persons import Person
from dps.packages.readiness import ON_A_PEN_PICTURE, WORDS, Gap, Readiness, missing
from dps.packages.schedule import Schedule
from dps.schemes.model import Urgency
from tests.dps.packages.builders import a_visit
from tests.dps.packages.cases import NOON, SCHEME, an_identity, an_unsaved_package, some_facts
from tests.dps.packages.test_facts import all_facts

NOTHING = FreeText()
TODAY = NOON.date()
PEN_PICTURE = FreeText(pen_picture="Lives alone.")
OUTCOMES = FreeText(outcomes=("Cooks without help",))
COMPLETE = [urgency for urgency in Urgency if urgency not in ON_A_PEN_PICTURE]
BARE = {
    "schedule_is_provisional": True,
    "needs": None,
    "flags": None,
    "age_band": AgeBand.UNKNOWN,
    "funding": FundingStream.UNDECIDED,
    "earliest_start": None,
}
NOT_YET = {Gap.FIRM_SCHEDULE, Gap.NEEDS, Gap.FLAGS, Gap.AGE_BAND, Gap.FUNDING, Gap.EARLIEST_START}
WHO = {Gap.ADDRESS, Gap.DATE_OF_BIRTH, Gap.PHONE_OR_CONTACT}


def _person(identity: Identity) -> Person:
    return Person(ref="PER-TEST", authority="westshire", identity_given=list(identity.given), registered_at=NOON, id=1)


def _missing(
    facts: PackageFacts,
    *,
    words: FreeText = NOTHING,
    confirmed: bool = False,
    identity: Identity | None = None,
    today: date = TODAY,
) -> Readiness:
    package = an_unsaved_package(facts, words=words, confirmed_by="USR-BROKER" if confirmed else None)
    return missing(package, _person(identity or an_identity()), SCHEME.lot(facts.lot), today)


@pytest.mark.parametrize("urgency", COMPLETE)
def test_a_complete_package_lacks_nothing(urgency: Urgency) -> None:
    readiness = _missing(some_facts(urgency=urgency))

    assert (readiness.may_publish, readiness.may_confirm) == (True, True)


@pytest.mark.parametrize("urgency", COMPLETE)
@pytest.mark.parametrize(
    ("fault", "gap"),
    [
        ({"schedule": None}, Gap.SCHEDULE),
        ({"schedule": Schedule.of([a_visit(minutes=29)])}, Gap.VISITS_LONG_ENOUGH),
        ({"schedule_is_provisional": True}, Gap.FIRM_SCHEDULE),
        ({"latest_start": None}, Gap.LATEST_START),
        ({"earliest_start": None}, Gap.EARLIEST_START),
        ({"needs": None}, Gap.NEEDS),
        ({"flags": None}, Gap.FLAGS),
        ({"age_band": AgeBand.UNKNOWN}, Gap.AGE_BAND),
        ({"funding": FundingStream.UNDECIDED}, Gap.FUNDING),
    ],
)
def test_what_a_complete_publication_lacks_is_named(urgency: Urgency, fault: dict[str, Any], gap: Gap) -> None:
    readiness = _missing(replace(some_facts(urgency=urgency), **fault))

    assert readiness == Readiness(for_publication=(gap,), for_confirmation=(gap,))


@pytest.mark.parametrize("urgency", Urgency)
def test_a_latest_start_that_has_passed_bars_publication_and_no_confirmation(urgency: Urgency) -> None:
    facts = some_facts(urgency=urgency)
    assert facts.latest_start is not None

    on_the_day, after = (
        _missing(facts, words=PEN_PICTURE, confirmed=True, today=facts.latest_start + timedelta(days=days))
        for days in (0, 1)
    )

    assert (on_the_day.for_publication, after.for_publication) == ((), (Gap.START_TO_COME,))
    assert after.for_confirmation == on_the_day.for_confirmation


def test_asked_and_none_is_not_missing() -> None:
    assert _missing(some_facts(needs=frozenset(), flags=frozenset())).may_confirm


@pytest.mark.parametrize("urgency", sorted(ON_A_PEN_PICTURE))
def test_discharge_and_crisis_publish_on_a_confirmed_pen_picture_and_owe_the_rest(urgency: Urgency) -> None:
    facts = some_facts(urgency=urgency, **BARE)

    told = _missing(facts, words=PEN_PICTURE, confirmed=True, identity=Identity(name="A B"))

    assert told.for_publication == ()
    assert set(told.for_confirmation) == NOT_YET | WHO


@pytest.mark.parametrize("urgency", sorted(ON_A_PEN_PICTURE))
def test_without_a_confirmed_pen_picture_nobody_is_asked(urgency: Urgency) -> None:
    facts = some_facts(urgency=urgency)

    assert _missing(facts).for_publication == (Gap.PEN_PICTURE,)
    assert _missing(facts, words=PEN_PICTURE).for_publication == (Gap.CONFIRMED_TEXT,)
    assert _missing(replace(facts, schedule=None, latest_start=None), words=PEN_PICTURE, confirmed=True) == Readiness(
        for_publication=(Gap.SCHEDULE, Gap.LATEST_START), for_confirmation=(Gap.SCHEDULE, Gap.LATEST_START)
    )


@pytest.mark.parametrize("urgency", COMPLETE)
def test_other_urgencies_do_not_wait_for_words_to_be_confirmed(urgency: Urgency) -> None:
    assert _missing(some_facts(urgency=urgency), words=PEN_PICTURE).may_publish


def test_a_lot_with_a_budget_needs_outcomes_in_confirmed_words_and_the_budget() -> None:
    facts = some_facts(lot="enablement")
    funded = replace(facts, budget_pence=90_000, budget_weeks=6)

    assert _missing(facts).for_publication == (Gap.OUTCOMES, Gap.BUDGET, Gap.BUDGET_WEEKS)
    assert _missing(funded, words=OUTCOMES).for_publication == (Gap.CONFIRMED_TEXT,)
    assert _missing(funded, words=OUTCOMES, confirmed=True).may_publish


def test_who_the_person_is_may_follow_after_publication() -> None:
    readiness = _missing(some_facts(), identity=Identity(name="A B"))

    assert readiness.may_publish
    assert set(readiness.for_confirmation) == WHO


@given(all_facts(), st.booleans(), st.sampled_from([NOTHING, PEN_PICTURE, OUTCOMES]))
def test_what_bars_publication_bars_confirmation_but_for_a_start_that_is_over(
    facts: PackageFacts, confirmed: bool, words: FreeText
) -> None:
    readiness = _missing(facts, words=words, confirmed=confirmed)

    assert {*readiness.for_publication} - {Gap.START_TO_COME} <= {*readiness.for_confirmation}


@given(all_facts(), st.sampled_from([NOTHING, PEN_PICTURE]))
def test_a_pen_picture_publishes_whatever_a_complete_package_would(facts: PackageFacts, words: FreeText) -> None:
    standard = _missing(replace(facts, urgency=Urgency.STANDARD), words=words, confirmed=True)
    crisis = _missing(replace(facts, urgency=Urgency.CRISIS), words=words, confirmed=True)

    assert set(crisis.for_publication) - {Gap.PEN_PICTURE} <= set(standard.for_publication)


def test_every_gap_has_words() -> None:
    assert set(WORDS) == set(Gap)
