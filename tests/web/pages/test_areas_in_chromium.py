"""The pages of a tender in a real browser: axe finds nothing wrong, at both widths, in every state."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bidding.tenders.content import AreaBid
from bidding.tenders.deciding import accept_area, offer_area
from bidding.tenders.handing_in import hand_in_for_area
from dps.kernel.database import Database
from tests.web.pages.browsing import an_account
from tests.web.pages.chromium import CHROMIUM, MARKS, Site
from tests.web.pages.test_areas import close, sought
from tests.web.pages.walking import Walk
from tests.web.served import Served
from web.security.accounts import Account, Part

pytestmark = MARKS


@pytest.fixture
def kingston(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "kingston") as served:
        yield served


def test_axe_finds_nothing_wrong_with_a_tender_from_its_form_to_its_contract(kingston: Served) -> None:
    world = kingston.world
    oak = world.provider("Synthetic Oak", lists=["approved"])
    _, ref = sought(kingston, "kingston/rate-card/surbiton")
    rates = {one.key: one.ceiling_pence // 2 for one in world.scheme.area_contract("rate-card").elements}
    bid = AreaBid(rates=tuple(sorted(rates.items())))
    provider = an_account(kingston, Part.PROVIDER_USER, provider=oak.provider)
    commissioner, approver, broker = (
        an_account(kingston, part) for part in (Part.COMMISSIONER, Part.APPROVER, Part.BROKER)
    )
    listening = Site(kingston)
    site = listening.start()
    with CHROMIUM.lent() as browser:
        walk = Walk(browser, site, kingston)

        def look(state: str, account: Account, *paths: str) -> None:
            with walk.window(account) as page:
                for path in paths:
                    page.goto(path)
                    walk.look(page, state, path)

        look("sought", provider, "/portal/areas", f"/portal/areas/{ref}")
        look("sought", commissioner, "/office/areas", f"/office/areas/{ref}")
        with walk.window(provider) as page:
            page.goto(f"/portal/areas/{ref}")
            page.get_by_role("button", name="Check your answers").click()
            walk.look(page, "error", f"/portal/areas/{ref}")
            for element in world.scheme.area_contract("rate-card").elements:
                page.locator(f"#rate-{element.key}").fill(str(element.ceiling_pence // 200))
            # By keyboard alone, from the last field.
            page.keyboard.press("Enter")
            page.get_by_role("heading", name="Check your answers").wait_for()
            walk.look(page, "filled", f"/portal/areas/{ref}/bid/check")
            page.get_by_role("button", name="Change").click()
            assert page.locator("#rate-sitting").input_value() != ""
            page.get_by_role("button", name="Check your answers").click()
            page.get_by_role("button", name="Seal and hand in").click()
            page.get_by_role("heading", name="Replace your bid").wait_for()
            walk.look(page, "sealed", f"/portal/areas/{ref}")
            page.goto("/portal/bids")
            walk.look(page, "area", "/portal/bids")
        world.run(hand_in_for_area, tender_ref=ref, content=bid, idempotency_key="once", actor=oak)
        close(kingston, ref)
        look("evaluated", approver, f"/office/areas/{ref}")
        world.run(offer_area, tender_ref=ref, actor=world.second)
        look("offered", provider, f"/portal/areas/{ref}")
        row = world.run(accept_area, tender_ref=ref, actor=oak)
        world.step(days=75)
        look("agreed", broker, "/desk/area-statements", f"/desk/area-contracts/{row.ref}")
        with walk.window(broker) as page:
            page.goto(f"/desk/area-contracts/{row.ref}")
            page.get_by_role("button", name="State it").click()
            walk.look(page, "error", f"/desk/area-contracts/{row.ref}")
        look("agreed", provider, f"/portal/areas/{ref}")
        look("agreed", commissioner, "/office/areas")
    listening.stop()

    assert walk.faults == []
