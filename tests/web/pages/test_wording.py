"""How pages say dates, times, money and hours; every state and every step of the engine has its words."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import SQLModel

from bidding.awards.records import AwardState
from bidding.bids.records import BidState
from bidding.otherwise.records import Lapse, Placement, PlacementState
from bidding.referrals import Referral, ReferralState
from bidding.rounds import InvitationState, RoundState
from dps.contracts.contracts import ContractState
from dps.kernel.errors import NoSuchStep
from dps.schemes.model import Mode, Urgency
from web.pages import wording
from web.pages.event_words import EVENTS
from web.pages.refusals import words_of
from web.pages.state_words import STATES

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (NOON, "Monday 4 March 2019, 12:00 GMT"),
        (datetime(2019, 3, 31, 0, 59, tzinfo=UTC), "Sunday 31 March 2019, 00:59 GMT"),
        (datetime(2019, 3, 31, 1, 0, tzinfo=UTC), "Sunday 31 March 2019, 02:00 BST"),
        (datetime(2019, 10, 27, 0, 30, tzinfo=UTC), "Sunday 27 October 2019, 01:30 BST"),
        (datetime(2019, 10, 27, 1, 30, tzinfo=UTC), "Sunday 27 October 2019, 01:30 GMT"),
    ],
)
def test_an_instant_is_said_with_its_zone_so_that_the_hour_that_comes_twice_is_told_apart(
    value: datetime, words: str
) -> None:
    assert wording.instant(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("personal_care", "Personal care"),
        ("end-of-life", "End of life"),
        ("write an e-mail to PRV-7K3M-9QXR-4TDC", "Write an e-mail to PRV-7K3M-9QXR-4TDC"),
        ("", ""),
    ],
)
def test_a_key_becomes_words_and_words_keep_their_hyphens_and_references(value: str, words: str) -> None:
    assert wording.plain(value) == words


@pytest.mark.parametrize(
    ("ahead", "words"),
    [
        (timedelta(days=2, hours=3, minutes=59), "2 days 3 hours left"),
        (timedelta(days=1), "1 day left"),
        (timedelta(hours=1, minutes=1), "1 hour 1 minute left"),
        (timedelta(seconds=59), "less than a minute left"),
        (timedelta(0), "closed"),
        (timedelta(seconds=-1), "closed"),
    ],
)
def test_the_time_left_is_never_rounded_up_and_ends_at_the_instant(ahead: timedelta, words: str) -> None:
    assert wording.left(NOON + ahead, NOON) == words


@given(st.integers(0, 100_000))
def test_points_are_cut_and_never_rounded_up(thousandths: int) -> None:
    shown = wording.points(thousandths)

    whole, _, tenth = shown.partition(".")
    assert int(whole) * 1000 + int(tenth) * 100 <= thousandths < int(whole) * 1000 + int(tenth) * 100 + 100


@given(st.integers(1, 100_000))
def test_hours_say_every_minute(minutes: int) -> None:
    words = wording.hours(minutes).replace(",", "").split()

    counted = {unit.rstrip("s"): int(number) for number, unit in zip(words[::2], words[1::2], strict=True)}
    assert counted.get("hour", 0) * 60 + counted.get("minute", 0) == minutes


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("referral", ReferralState),
        ("round", RoundState),
        ("bid", BidState),
        ("award", AwardState),
        ("contract", ContractState),
        ("placement", PlacementState),
        ("invitation", InvitationState),
        ("urgency", Urgency),
    ],
)
def test_every_state_has_words_and_a_colour(kind: str, states: type[StrEnum]) -> None:
    for state in states:
        assert wording.state(state, kind)
        assert wording.state_colour(state, kind).startswith("govuk-tag--")
        assert str(state) in STATES[kind]


def test_a_refused_step_says_where_its_thing_stands_whatever_it_is() -> None:
    tables = {row.class_.STEPS for row in SQLModel._sa_registry.mappers if hasattr(row.class_, "STEPS")}
    assert len(tables) > 15
    for table in tables:
        for state in {step.source for step in table.steps} | {step.target for step in table.steps}:
            _, (line,) = words_of(NoSuchStep(kind=table.kind.capitalize(), ref="X-1", state=str(state), step="go"))
            assert "stands at “" in line
            assert "_" not in line


def test_every_mode_and_every_step_of_a_referral_has_a_sentence() -> None:
    assert {str(mode) for mode in Mode} == set(wording._MODES)
    said = {f"{table.STEPS.kind}.{step.name}" for table in (Referral, Placement) for step in table.STEPS.steps}
    missing = said - set(EVENTS)
    assert missing == set()
    assert all(wording.lapse(cause) for cause in Lapse)


def test_a_deadline_in_a_list_names_its_zone_on_both_sides_of_the_change() -> None:
    before = datetime(2019, 3, 30, 12, tzinfo=UTC)

    assert wording.short_deadline(before) == "Sat 30 Mar, 12:00 GMT"
    assert wording.short_deadline(before + timedelta(days=1)) == "Sun 31 Mar, 13:00 BST"


def test_a_key_that_is_not_written_as_it_is_spelt_is_spelt_out_and_an_abbreviation_stays_one() -> None:
    assert (wording.plain("persons_wish"), wording.lower("persons_wish")) == ("Person’s wish", "person’s wish")
    assert (wording.lower("chc"), wording.lower("A drive away")) == ("NHS continuing healthcare", "a drive away")
