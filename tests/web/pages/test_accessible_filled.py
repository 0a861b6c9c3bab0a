"""Forms and answers as they look once somebody has filled them in: axe finds no violation, as on every page."""

from pathlib import Path
from typing import Any

import pytest

from bidding.aftercare import start_contract
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.register.providers import Location
from tests.web.pages.chromium import MARKS
from tests.web.pages.generous import generous
from tests.web.pages.test_page_guards import a_story
from tests.web.pages.walking import Walk, people_of, walking
from tests.web.served import Served
from tests.web.test_import_register import HEAD, row
from web.security.accounts import Account, Part

# The first mark of a name counts: it stands before the one for a single journey.
pytestmark = [pytest.mark.timeout(900), *MARKS]


def test_axe_finds_nothing_wrong_with_what_is_filled_in_and_what_was_tried(database: Database, tmp_path: Path) -> None:
    with Served(database, tmp_path, generous()) as served, walking(served) as walk:
        world = served.world
        own: dict[str, Any] = a_story(served)
        world.step(minutes=1)
        people = people_of(served, own["provider"])
        provider = Actor(ref="user", role=Role.PROVIDER, provider=own["provider"])
        world.run(start_contract, contract_ref=own["contract_ref"], first_visit_on=world.now.date(), actor=provider)
        open_changes(walk, people, own)
        open_tried(walk, people[Part.COMMISSIONER], world.scheme.lots[0].key)
        open_filled(walk, people[Part.REGISTER_OFFICER], own["provider"])
        open_bid_drafts(walk, people[Part.PROVIDER_USER], own["round_ref"])
        open_register(walk, people[Part.REGISTER_OFFICER])

        walk.must_be_clean("filled")


def open_changes(walk: Walk, people: dict[Part, Account], refs: dict[str, str]) -> None:
    """What a scheme that allows everything lets both sides begin, once care has begun."""
    contract = refs["contract_ref"]
    paths = {
        Part.PROVIDER_ADMIN: [f"/portal/contracts/{contract}", f"/portal/contracts/{contract}/changes"],
        Part.BROKER: [
            f"/desk/contracts/{contract}/changes",
            f"/desk/contracts/{contract}/outcomes",
            "/desk/area-statements",
            "/desk/follow-ups",
        ],
        Part.APPROVER: [f"/desk/contracts/{contract}/outcomes", f"/desk/placements/{refs['placement_ref']}"],
    }
    for part, mine in paths.items():
        with walk.window(people[part]) as page:
            for path in mine:
                page.goto(path)
                walk.look(page, "filled", f"{part}{path.replace(contract, 'contract')}")


def open_tried(walk: Walk, commissioner: Account, lot: str) -> None:
    """A what-if that has an answer, the proposal that it is kept as, and an uplift before it is decided."""
    with walk.window(commissioner) as page:
        page.goto(f"/office/what-if?over={walk.served.world.now:%Y-%m}&price_weight=55")
        page.get_by_role("heading", name="As decided, and what if").wait_for()
        walk.look(page, "filled", "/office/what-if")
        page.get_by_role("button", name="Save as a proposal").click()
        page.wait_for_url("**/office/proposals/*")
        walk.look(page, "filled", "/office/proposals/{proposal_ref:str}")
        page.goto("/office/uplifts")
        walk.look(page, "filled", "/office/uplifts")
        page.get_by_label("Service", exact=True).select_option(lot)
        page.get_by_label("By how much?").fill("2.5")
        page.get_by_label("From", exact=True).fill("2030-04-01")
        page.get_by_role("button", name="See what it reaches").click()
        page.get_by_role("heading", name="Check before you decide").wait_for()
        walk.look(page, "filled", "/office/uplifts/check")


def open_filled(walk: Walk, officer: Account, provider: str) -> None:
    """Forms of the register as they look filled in, and filled in wrongly."""
    path = f"/register/providers/{provider}"
    with walk.window(officer) as page:
        for form, button in (("removal", "Remove it for good"), ("suspension", "Suspend it"), ("move", "Move it")):
            page.goto(f"{path}/{form}/{walk.served.world.scheme.key}")
            for box in page.get_by_role("checkbox").all()[:3]:
                box.check()
            for choice in page.get_by_role("radio").all()[:1]:
                choice.check()
            page.get_by_label("Why?").fill("A visit by the regulator. " * 10)
            walk.look(page, "filled", f"/register/{form}")
            page.get_by_label("Why?").fill("")
            page.get_by_role("button", name=button).click()
            page.locator(".govuk-error-summary").wait_for()
            walk.look(page, "filled", f"/register/{form}/refused")


def open_bid_drafts(walk: Walk, bidder: Account, round_ref: str) -> None:
    """A bid's form and the page of many with a draft, and what a page says where nothing is ticked."""
    form = f"/portal/opportunities/{round_ref}/bid"
    with walk.window(bidder) as page:
        page.goto(form)
        page.get_by_label("First visit").fill("2019-03-07")
        page.get_by_role("button", name="Save as draft").click()
        page.get_by_text("Only this browser can read it").wait_for()
        walk.look(page, "filled", form)
        page.goto("/portal/bids/many?tick=all")
        page.get_by_role("button", name="Save as draft").click()
        page.get_by_role("button", name="Throw the drafts away").wait_for()
        walk.look(page, "filled", "/portal/bids/many")
        page.goto("/portal/bids")
        walk.look(page, "filled", "/portal/bids")


def open_register(walk: Walk, officer: Account) -> None:
    """Recording who supplies together, where the rules allow it; and a newer register before it is applied."""
    scheme = walk.served.world.scheme.key
    number = walk.served.world.rows(Location)[0].regulator_id
    newer = HEAD + row("Winner", number, "requires improvement") + row("Dogwood", "1-4")
    with walk.window(officer) as page:
        page.goto(f"/register/arrangements/new/{scheme}")
        walk.look(page, "filled", "/register/arrangements/new")
        page.get_by_role("button", name="Record it").click()
        page.locator(".govuk-error-summary").wait_for()
        walk.look(page, "filled", "/register/arrangements/new/refused")
        page.goto("/register/renewal")
        file = {"name": "register.csv", "mimeType": "text/csv", "buffer": newer.encode()}
        page.get_by_label("File", exact=True).set_input_files(file)  # type: ignore[arg-type]
        page.get_by_role("button", name="Try it").click()
        page.get_by_role("button", name="Apply it").wait_for()
        walk.look(page, "filled", "/register/renewal")
