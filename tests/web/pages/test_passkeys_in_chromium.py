"""Passkeys with a real browser and its virtual authenticator: added, used alone, used in place of a code, removed."""

import socket
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Page
from pydantic import SecretStr

from dps.kernel.settings import Settings
from tests.web.pages.browsing import PASSWORD, an_account
from tests.web.pages.chromium import CHROMIUM, MARKS, PATIENCE_MS, Site, sign_in
from tests.web.served import Served
from web.assembly import Installation
from web.security import passkeys
from web.security.accounts import Account, Part

pytestmark = MARKS


@pytest.fixture
def page(served: Served) -> Iterator[Page]:
    """A window of a browser with a device that checks its person; the council is reached by a name."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = Settings(demo=True, secret=SecretStr("x" * 32), site=f"http://localhost:{port}")
    served.installation = Installation(settings, served.world.database, served.world.ports)
    listening = Site(served, port=port)
    listening.start()
    with CHROMIUM.lent() as browser:
        page = browser.new_context(base_url=settings.address, locale="en-GB").new_page()
        page.set_default_timeout(PATIENCE_MS)
        devtools = page.context.new_cdp_session(page)
        devtools.send("WebAuthn.enable")
        device = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        page.device = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": device})  # type: ignore[attr-defined]
        page.devtools = devtools  # type: ignore[attr-defined]
        yield page
    listening.stop()


def added(served: Served, page: Page) -> Account:
    """An account signed in, with a passkey on this device."""
    account = an_account(served, Part.BROKER)
    sign_in(page, account)
    page.goto("/account")
    page.get_by_label("What you call this device").fill("My laptop")
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("My laptop, added on").wait_for()
    return account


def test_a_passkey_is_added_signs_in_alone_and_opens_nothing_once_removed(served: Served, page: Page) -> None:
    account = added(served, page)
    page.get_by_role("button", name="Sign out", exact=True).click()

    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/desk")
    (row,) = served.world.rows(passkeys.Passkey)
    page.goto("/account")
    page.get_by_role("button", name="Remove My laptop").click()
    page.get_by_text("You have no passkey yet.").wait_for()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("This passkey was not accepted").first.wait_for()

    assert row.account_id == account.id
    assert row.used_at is not None
    assert served.world.faults() == []


def test_a_device_that_stops_says_so_and_the_password_remains(served: Served, page: Page) -> None:
    account: Any = an_account(served, Part.BROKER)
    page.goto("/sign-in")
    device = {"authenticatorId": page.device["authenticatorId"], "isUserVerified": False}  # type: ignore[attr-defined]
    page.devtools.send("WebAuthn.setUserVerified", device)  # type: ignore[attr-defined]

    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("Your device did not answer").wait_for()
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()

    page.wait_for_url("**/desk")


def test_a_passkey_stands_in_for_the_code_and_an_answer_is_good_once(served: Served, page: Page) -> None:
    account = added(served, page)
    with served.world.database.transaction() as session:
        row = session.get_one(Account, account.id)
        secret = pyotp.random_base32()
        row.totp_secret = served.world.ports.keyring.application.seal(
            secret.encode(), about=f"second factor {account.ref}"
        )
    page.get_by_role("button", name="Sign out", exact=True).click()
    sign_in(page, account)
    page.wait_for_url("**/sign-in/code?next=")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)

    page.get_by_role("button", name="Use a passkey instead").click()
    page.wait_for_url("**/desk")
    answer = next(body for body in sent if "credential=%7B" in body)
    replayed = page.request.post(
        "/sign-in/code/passkey", data=answer, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )

    assert "Use a passkey instead" not in replayed.text()
    assert served.world.rows(passkeys.Challenge) == []
