"""A span of the day, on whichever side of midnight it was written down."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import BadInput
from matching.eligibility import DaySpan

spans = st.builds(lambda start, length: DaySpan(start, start + length), st.integers(0, 1439), st.integers(1, 1440))
NIGHT = DaySpan(1320, 1860)


def minutes(span: DaySpan) -> set[int]:
    return {minute % 1440 for minute in range(span.start, span.end)}


@given(spans, spans)
def test_overlapping_means_sharing_a_minute(one: DaySpan, other: DaySpan) -> None:
    assert one.overlaps(other) == bool(minutes(one) & minutes(other))


@given(spans, spans)
def test_covering_means_holding_the_other_in_one_piece(one: DaySpan, other: DaySpan) -> None:
    # A span that fills the day but for a gap in the other's middle holds both its ends and not the whole.
    pieces = [
        set(range(other.start + shift, other.end + shift)) <= set(range(one.start, one.end))
        for shift in (-1440, 0, 1440)
    ]

    assert one.covers(other) == (any(pieces) or len(minutes(one)) == 1440)


@given(spans, spans)
def test_what_is_covered_holds_no_other_minute(one: DaySpan, other: DaySpan) -> None:
    if one.covers(other):
        assert minutes(other) <= minutes(one)


def test_a_night_holds_the_small_hours_and_not_the_morning() -> None:
    assert NIGHT.covers(DaySpan(60, 360))
    assert not NIGHT.covers(DaySpan(360, 480))
    assert not NIGHT.covers(DaySpan(1200, 1400))


@pytest.mark.parametrize(("start", "end"), [(-1, 60), (1440, 1500), (600, 600), (600, 540), (0, 1441)])
def test_a_span_that_is_none_is_refused(start: int, end: int) -> None:
    with pytest.raises(BadInput):
        DaySpan(start, end)
