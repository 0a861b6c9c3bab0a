"""Figures for whoever watches: for an auditor's key, by route as it is written, and never about anybody."""

import pytest

from dps.kernel.actors import Role
from tests.web.served import Served


def test_what_waits_and_how_requests_fare_is_told_without_a_reference(served: Served) -> None:
    oak = served.provider("Oak")
    referral = served.world.referral()
    oak.post("/api/bids", served.bid_body(referral, 1650))
    oak.get(f"/api/opportunities/{served.world.round(referral).ref}")
    served.client.get("/nowhere/REF-7K3M-9QXR-4TDC")
    served.world.clock.move_to(served.world.closes_at(referral))

    text = served.caller(Role.AUDITOR).get("/metrics").text

    assert 'dps_outbox_messages{delivery="queued"}' in text
    assert "dps_overdue_closings 1.0" in text
    assert 'status="201"' in text
    assert "{ref:str}" in text
    for told in ("RND-", "REF-", "PRV-", "1650", "Synthetic", "example.org"):
        assert told not in text


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_worker_that_signs_is_seen_by_the_age_of_its_checkpoint(served: Served) -> None:
    served.world.referral()
    served.world.timetable.sign_checkpoint()
    auditor = served.caller(Role.AUDITOR)

    assert "dps_checkpoint_age_seconds 0.0" in auditor.get("/metrics").text
