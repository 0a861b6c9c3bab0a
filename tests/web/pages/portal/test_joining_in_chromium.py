"""The journey of joining in a real browser, by keyboard alone: apply, upload, declare, and say that one is full."""

from pathlib import Path

from playwright.sync_api import Page

from dps.register.applications import Application
from dps.register.providers import register_provider
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.chromium import MARKS, sign_in
from tests.web.pages.portal.test_joining import PDF, approved, in_window, located
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = MARKS


def press(page: Page, role: str, name: str, key: str) -> None:
    """Tab on from where the keyboard is until this control has it, then press the key."""
    wanted = page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]
    for _ in range(120):
        if wanted.evaluate("one => one === document.activeElement"):
            page.keyboard.press(key)
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach the {role} {name!r}")


def test_a_provider_joins_by_keyboard_alone(served: Served, people: list[Page], tmp_path: Path) -> None:
    in_window(served)
    page, world = people[0], served.world
    made = world.run(register_provider, name="Newcomer Homecare", company_number=None, actor=world.officer)
    sign_in(page, an_account(served, Part.PROVIDER_USER, provider=made.ref))

    press(page, "link", "Your service", "Enter")
    page.wait_for_url("**/portal/service")
    press(page, "link", "Apply to one", "Enter")
    press(page, "link", f"Apply to {world.scheme.name}", "Enter")
    press(page, "checkbox", world.scheme.lots[0].name, "Space")
    press(page, "checkbox", world.scheme.localities[0].name, "Space")
    press(page, "radio", "Yes", "Space")
    press(page, "button", "Check your answers", "Enter")
    press(page, "button", "Hand in the application", "Enter")
    page.get_by_text("The council answers by").first.wait_for()
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(PDF)
    for kind in world.scheme.admission.documents:
        page.goto("/portal/service/documents")
        page.get_by_label("What is it?").select_option(kind)
        page.get_by_label("The file").set_input_files(scan)
        page.get_by_label("Last day on which it is good").fill("2019-12-31")
        press(page, "button", "Upload", "Enter")
        page.get_by_role("rowheader", name=kind.replace("_", " ").capitalize()).wait_for()
    (application,) = world.rows(Application)
    approved(served, application.ref)
    located(served, Browser(served))
    page.goto("/portal/service/hours")
    page.get_by_label("Free hours a week").fill("40")
    press(page, "button", "Declare", "Enter")
    page.get_by_role("rowheader", name="Everywhere").wait_for()
    page.goto("/portal/service")

    page.get_by_text("Nothing keeps you from being invited").first.wait_for()
    press(page, "button", "We are full", "Enter")
    page.get_by_text("You said that you are full").first.wait_for()
    press(page, "button", "We have room again", "Enter")
    page.get_by_text("Nothing keeps you from being invited").first.wait_for()
