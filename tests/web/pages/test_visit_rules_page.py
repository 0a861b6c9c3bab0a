"""Whoever writes a week down reads at once which visit is too short to be published, and what the least is."""

import pytest

from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def test_a_visit_below_the_least_is_named_when_it_is_added(worcestershire: Served) -> None:
    served = worcestershire
    broker, draft = at_the_desk(served), served.world.referral(publish_it=False)
    path = f"/desk/referrals/{draft}/entry/week"
    untouched = broker.open(path).text
    visit = {"day-Mon": "on", "from": "12:00", "until": "13:00", "carers": "1", "kind": "visit", "add": "yes"}

    checked = broker.send(path, **visit, minutes="15", task="medication").text
    short = broker.send(path, **visit, minutes="20", task="personal_care").text

    for page in (untouched, checked, short):
        assert "The least visit is 30 minutes; medication may take 15." in page
    assert "too short" not in untouched
    assert "too short" not in checked
    assert "20 minutes for personal care: the least is 30" in short
