"""Flagged free hours as a page: the oldest first, looked at once, and by nobody of another council."""

from datetime import timedelta

import pytest

from dps.register.capacity import Ledger, LedgerFlag, declare
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_desk import at_the_desk
from tests.web.pages.test_register import an_officer
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def a_lowered_figure(served: Served) -> str:
    """A provider that declares less than its open offer has reserved; its reference."""
    world = served.world
    oak = world.provider("Synthetic Oak")
    referral = world.referral()
    world.bid(oak, referral, pence=1600)
    world.close(referral)
    world.award(referral)
    world.run(
        declare,
        provider_id=world.row_of(oak).id or 0,
        authority=world.authority,
        minutes=0,
        expires_at=world.now + timedelta(days=9),
        actor=oak,
    )
    return str(oak.provider)


def test_a_flagged_figure_is_listed_looked_at_and_gone(served: Served) -> None:
    provider = a_lowered_figure(served)
    officer, broker = an_officer(served), at_the_desk(served)
    counted = officer.open("/register").text
    listed = officer.open("/register/hours").text
    own = officer.open(f"/register/providers/{provider}").text
    by_broker = broker.open("/register/hours").text
    path = f"/register/hours/{provider}/looked-at"

    broker.post(path, locality="", flag="expired")
    another_flag = served.world.rows(Ledger)[0].flag
    after = broker.send(path)
    twice = officer.post(path, locality="", flag="lowered")

    assert "<strong>1</strong><span>figure of free hours" in counted
    assert "Lowered below what is reserved" in listed
    assert f"/register/providers/{provider}" in listed
    assert "Everywhere: lowered below what is reserved." in own
    assert "Synthetic Oak" in by_broker
    assert another_flag is LedgerFlag.LOWERED
    assert "No figure waits for a look." in after.text
    assert twice.status_code == 200
    assert len(served.world.events("capacity.flag_cleared")) == 1
    assert served.world.faults() == []


def test_an_officer_who_looks_from_a_provider_s_page_comes_back_to_it(served: Served) -> None:
    provider = a_lowered_figure(served)
    officer = an_officer(served)
    officer.open(f"/register/providers/{provider}")

    back = officer.send(f"/register/hours/{provider}/looked-at")

    assert back.url.path == f"/register/providers/{provider}"
    assert "owered below" not in back.text


def test_another_council_neither_sees_nor_clears_it(served: Served) -> None:
    provider = a_lowered_figure(served)
    other = Browser(served)
    other.sign_in(an_account(served, Part.BROKER, authority="another-council"))

    assert "No figure waits for a look." in other.open("/register/hours").text
    sent = other.post(f"/register/hours/{provider}/looked-at", locality="", flag="lowered")
    assert sent.status_code == 404
    assert served.world.rows(Ledger)[0].flag is LedgerFlag.LOWERED
