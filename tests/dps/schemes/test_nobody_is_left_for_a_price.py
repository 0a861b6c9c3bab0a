"""The published prices of a joint allocation never make it cheaper to leave a person than to take a lawful bid."""

import pytest

from dps.schemes.loader import preset, presets
from dps.schemes.model import AllocationMode, Urgency

JOINT = [key for key in presets() if preset(key).allocation.mode is AllocationMode.JOINT]
LEAST_WEEKLY_MINUTES = 30
LATEST_START_DAYS = 14


@pytest.mark.parametrize("urgency", Urgency)
@pytest.mark.parametrize("key", JOINT)
def test_the_dearest_lawful_bid_for_the_smallest_package_costs_less_than_leaving_the_person(
    key: str, urgency: Urgency
) -> None:
    scheme = preset(key)
    terms = scheme.allocation.terms
    assert terms.unplaced_pence_per_hour is not None
    assert terms.start_delay_pence_per_day is not None
    ceiling = max(envelope.ceiling_pence_per_hour for lot in scheme.lots for envelope in lot.envelopes)
    worst_quality = 100 * (terms.quality_pence_per_point_hour or 0)

    by_the_hour = (ceiling + worst_quality) * LEAST_WEEKLY_MINUTES // 60
    dearest = by_the_hour + (terms.entry_pence or 0) + LATEST_START_DAYS * terms.start_delay_pence_per_day[urgency]

    assert dearest < terms.unplaced_pence_per_hour[urgency] * LEAST_WEEKLY_MINUTES // 60
