"""Facts of a package: what can be written down, what a scheme can buy, and what is read back."""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.columns import canonical_json
from dps.kernel.errors import BadInput, NotAPostcode
from dps.packages.facts import (
    CORRECTABLE,
    Confidential,
    Flag,
    FreeText,
    FundingStream,
    PackageFacts,
    check_against_scheme,
)
from dps.packages.identity import AgeBand
from dps.schemes.model import Urgency
from tests.dps.packages.builders import schedules
from tests.dps.packages.cases import HOME, OTHER_PROVIDER_REF, PROVIDER_REF, SCHEME, some_facts

DAYS = st.dates(date(2026, 1, 1), date(2026, 12, 1))
NEEDS = st.frozensets(st.sampled_from(["peg_feeding", "hoist", "dementia", "stoma"]))


@st.composite
def all_facts(draw: st.DrawFn) -> PackageFacts:
    """Facts with anything known or not known."""
    earliest = draw(st.none() | DAYS)
    later = draw(st.integers(0, 30).map(lambda days: timedelta(days=days)))
    return some_facts(
        urgency=draw(st.sampled_from(Urgency)),
        funding=draw(st.sampled_from(FundingStream)),
        schedule=draw(st.none() | schedules),
        schedule_is_provisional=draw(st.booleans()),
        needs=draw(st.none() | NEEDS),
        flags=draw(st.none() | st.frozensets(st.sampled_from(Flag))),
        age_band=draw(st.sampled_from(AgeBand)),
        budget_pence=draw(st.none() | st.integers(0, 10**7)),
        budget_weeks=draw(st.none() | st.integers(1, 26)),
        earliest_start=earliest,
        latest_start=earliest + later if earliest else draw(st.none() | DAYS),
        preferred_provider=draw(st.sampled_from([None, PROVIDER_REF])),
        existing_provider=draw(st.sampled_from([None, OTHER_PROVIDER_REF])),
        other_minutes_allowed=draw(st.booleans()),
    )


@given(all_facts())
def test_facts_are_read_back_from_their_columns(facts: PackageFacts) -> None:
    assert PackageFacts.from_columns(facts.columns()) == facts
    assert canonical_json(facts.snapshot()) == canonical_json(PackageFacts.from_columns(facts.columns()).snapshot())


def test_every_field_is_either_what_bids_rest_on_or_can_be_corrected() -> None:
    bids_rest_on = {
        *("scheme", "lot", "urgency", "locality", "sector", "schedule", "needs", "flags"),
        *("budget_pence", "budget_weeks", "earliest_start", "latest_start", "other_minutes_allowed", "outcomes"),
    }

    everything = {field.name for record in (PackageFacts, FreeText, Confidential) for field in fields(record)}

    assert everything == bids_rest_on | CORRECTABLE
    assert not bids_rest_on & CORRECTABLE


@pytest.mark.parametrize(
    "fault",
    [
        {"sector": "L61"},
        {"sector": "l6 1"},
        {"needs": frozenset({"Mrs Quill"})},
        {"needs": frozenset(f"need_{number}" for number in range(21))},
        {"budget_pence": -1},
        {"budget_weeks": 0},
        {"budget_weeks": 27},
        {"earliest_start": date(2026, 3, 9), "latest_start": date(2026, 3, 8)},
        {"preferred_provider": "Acme Care"},
        {"existing_provider": "PKG-0000-0000-0000"},
        {"existing_provider": PROVIDER_REF.lower()},
    ],
)
def test_facts_that_can_not_be_are_refused(fault: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        some_facts(**fault)


def test_facts_that_a_scheme_can_buy_pass() -> None:
    check_against_scheme(some_facts(), HOME, SCHEME, "westshire")
    check_against_scheme(some_facts(lot="enablement", budget_pence=100, budget_weeks=6), HOME, SCHEME, "eastshire")


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"scheme": "northshire"}, "scheme"),
        ({"lot": "live-in"}, "lot"),
        ({"budget_pence": 10_000}, "budget_pence"),
        ({"budget_weeks": 2}, "budget_pence"),
        ({"lot": "enablement", "budget_weeks": 7}, "budget_weeks"),
        ({"sector": "L6 2"}, "sector"),
        ({"locality": "moors"}, "locality"),
        ({"locality": "hills"}, "locality"),
    ],
)
def test_what_a_scheme_can_not_buy_is_refused_with_the_field(fault: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        check_against_scheme(replace(some_facts(), **fault), HOME, SCHEME, "westshire")

    assert refusal.value.field == field


def test_an_authority_outside_the_scheme_is_refused() -> None:
    with pytest.raises(BadInput, match="northshire buys nothing"):
        check_against_scheme(some_facts(), HOME, SCHEME, "northshire")


@pytest.mark.parametrize(
    ("postcode", "sector", "locality"), [("L8 1AA", "L8 1", "harbour"), ("L8 2AA", "L8 2", "hills")]
)
def test_a_sector_beats_its_district(postcode: str, sector: str, locality: str) -> None:
    check_against_scheme(
        some_facts(sector=sector, locality=locality), Confidential(postcode=postcode), SCHEME, "westshire"
    )


def test_words_and_addresses_show_nothing_of_themselves() -> None:
    assert repr(HOME) == "Confidential(withheld)"
    assert repr(FreeText(pen_picture="Zebedee")) == "FreeText(withheld)"


@pytest.mark.parametrize(
    "fault",
    [
        {"pen_picture": "A" * 4001},
        {"pen_picture": "A\x07"},
        {"outcomes": ("",)},
        {"outcomes": ("one\ntwo",)},
        {"outcomes": tuple("abcdefghijklmnopqrstu")},
    ],
)
def test_texts_have_bounds(fault: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        FreeText(**fault)


def test_an_address_of_care_has_a_postcode() -> None:
    with pytest.raises(NotAPostcode):
        Confidential(postcode="L6")
