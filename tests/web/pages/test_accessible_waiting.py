"""Pages that show what waits for a broker or a key-holder: axe finds no violation, as on every page."""

from datetime import timedelta
from pathlib import Path

import pytest

from dps.kernel.actors import Role
from dps.kernel.database import Database
from tests.bidding.test_custody import Held, held_scheme
from tests.web.pages.chromium import MARKS
from tests.web.pages.walking import people_of, walking
from tests.web.served import Served
from web.receiving import Received
from web.security.accounts import Part

pytestmark = MARKS


def test_axe_finds_nothing_wrong_with_what_waits_for_a_broker_or_a_key_holder(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Served(database, tmp_path, held_scheme()) as served, walking(served) as walk:
        world = served.world
        held = Held(world)
        provider = world.provider("Synthetic Oak")
        referral = world.referral()
        world.clock.move_to(world.closes_at(referral))
        monkeypatch.setattr(Received, "ago", lambda _received: timedelta(seconds=3))
        served.caller(Role.PROVIDER, provider=provider.provider).post("/api/bids", served.bid_body(referral, 1600))
        world.timetable.sweep()
        closing = held.closing.ref
        people = people_of(served)
        with walk.window(people[Part.BROKER]) as page:
            for path in ("/desk?place=lost", f"/desk/referrals/{referral}", f"/desk/closings/{closing}/lost"):
                page.goto(path)
                walk.look(page, "waiting", path.replace(referral, "referral").replace(closing, "closing"))
            page.get_by_role("button", name="Open the bids that were kept").click()
            page.locator(".govuk-error-summary").wait_for()
            walk.look(page, "waiting", "/desk/closings/closing/lost/refused")
        with walk.window(people[Part.ADMINISTRATOR]) as page:
            for path in ("/custody", f"/custody/{closing}"):
                page.goto(path)
                walk.look(page, "waiting", path.replace(closing, "closing"))
            page.get_by_role("button", name="Hand it in").click()
            page.locator(".govuk-error-summary").wait_for()
            walk.look(page, "waiting", "/custody/closing/refused")

        walk.must_be_clean("waiting", at_least=7)
