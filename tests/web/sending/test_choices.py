"""When a letter leaves by its reader's choice. Pure; local times across the night on which the clocks change."""

from datetime import UTC, datetime, timedelta

import pytest

from web.sending.choices import (
    CHOSEN,
    Choice,
    Event,
    HowOften,
    Leaves,
    event_of,
    is_quiet,
    leaves,
    leaves_by_text,
    next_at,
)

EVENING = datetime(2019, 3, 4, 22, 30, tzinfo=UTC)
NIGHT = (22 * 60, 7 * 60)
MORNING = datetime(2019, 3, 5, 7, tzinfo=UTC)
AWARDS = ("award_offered", "award_won", "award_returned", "award_declined")
STRICT = Choice(
    often=dict.fromkeys(CHOSEN, HowOften.NEVER), text=frozenset({Event.AWARDS}), quiet_minutes=NIGHT, only_saved=True
)


@pytest.mark.parametrize("kind", AWARDS)
def test_nothing_holds_back_an_award(kind: str) -> None:
    digest = Choice(often=dict.fromkeys(Event, HowOften.DIGEST), quiet_minutes=NIGHT)

    assert leaves(kind, STRICT, EVENING, fits_saved=False) == Leaves(EVENING)
    assert leaves(kind, digest, EVENING) == Leaves(EVENING)
    assert leaves_by_text(kind, STRICT, EVENING) == EVENING


def test_who_chose_nothing_is_told_everything_at_once() -> None:
    assert leaves("invitation", Choice(), EVENING) == Leaves(EVENING)
    assert leaves("something.new", Choice(), EVENING) == Leaves(EVENING)


@pytest.mark.parametrize("event", CHOSEN)
def test_each_event_is_chosen_by_itself(event: Event) -> None:
    kinds = {"invitation": Event.INVITATIONS, "closing_extended": Event.CHANGES, "question_answered": Event.QUESTIONS,
             "bid_received": Event.RECEIPTS, "outcomes_reviewed": Event.CONTRACTS, "statement_made": Event.STATEMENTS,
             "debrief_ready": Event.RESULTS, "application.approved": Event.OTHER}  # fmt: skip
    choice = Choice(often={event: HowOften.NEVER})

    told = {kind for kind in kinds if leaves(kind, choice, EVENING) is not None}

    assert told == {kind for kind, its in kinds.items() if its is not event}
    assert {event_of(kind) for kind in kinds} == set(CHOSEN)


def test_quiet_hours_hold_a_letter_until_they_end() -> None:
    choice = Choice(quiet_minutes=NIGHT, text=frozenset(Event))

    assert leaves("debrief_ready", choice, EVENING) == Leaves(MORNING)
    assert leaves_by_text("closing_extended", choice, EVENING) == MORNING
    assert leaves("debrief_ready", choice, MORNING) == Leaves(MORNING)


def test_what_closes_before_the_quiet_hours_end_goes_at_once() -> None:
    choice = Choice(quiet_minutes=NIGHT)

    assert leaves("invitation", choice, EVENING, closes_at=MORNING) == Leaves(EVENING)
    assert leaves("invitation", choice, EVENING, closes_at=MORNING + timedelta(minutes=1)) == Leaves(MORNING)


def test_a_digest_waits_for_its_hour_unless_that_is_too_late() -> None:
    choice = Choice(often={Event.INVITATIONS: HowOften.DIGEST}, digest_minute=8 * 60)
    eight = datetime(2019, 3, 5, 8, tzinfo=UTC)

    assert leaves("invitation", choice, EVENING) == Leaves(eight, in_digest=True)
    assert leaves("invitation", choice, EVENING, closes_at=eight) == Leaves(EVENING)
    assert leaves("invitation", choice, eight) == Leaves(eight + timedelta(days=1), in_digest=True)


def test_invitations_that_fit_no_saved_filter_wait_for_the_digest() -> None:
    choice = Choice(only_saved=True)

    assert leaves("invitation", choice, EVENING, fits_saved=True) == Leaves(EVENING)
    passed_over = leaves("invitation", choice, EVENING, fits_saved=False, closes_at=EVENING)
    assert passed_over is not None
    assert passed_over.in_digest
    assert leaves("debrief_ready", choice, EVENING, fits_saved=False) == Leaves(EVENING)


@pytest.mark.parametrize(
    ("hour", "minute", "quiet"), [(21, 59, False), (22, 0, True), (0, 0, True), (6, 59, True), (7, 0, False)]
)
def test_quiet_hours_pass_midnight_and_end_at_their_minute(hour: int, minute: int, quiet: bool) -> None:
    assert is_quiet(NIGHT, datetime(2019, 3, 4, hour, minute, tzinfo=UTC)) is quiet


def test_hours_are_those_of_the_local_clock_on_the_night_it_changes() -> None:
    saturday = datetime(2019, 3, 30, 23, 0, tzinfo=UTC)
    summer = datetime(2019, 7, 1, 21, 30, tzinfo=UTC)

    assert next_at(7 * 60, saturday) == datetime(2019, 3, 31, 6, tzinfo=UTC)
    assert is_quiet(NIGHT, summer)


def test_a_choice_is_stored_and_read_back() -> None:
    assert Choice.from_dict(STRICT.to_dict()) == STRICT
    assert Choice.from_dict(Choice().to_dict()) == Choice()
