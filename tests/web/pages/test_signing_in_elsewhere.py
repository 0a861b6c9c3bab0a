"""Council staff sign in at a real OpenID provider, a process of its own, which also breaks the rules."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from dps.kernel.clock import SystemClock
from dps.kernel.database import Database
from dps.kernel.settings import IdentityProvider, Settings
from tests.web.identity_provider import CLIENT, SECRET
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import ADMINISTRATOR, Served
from web.app import create_app
from web.assembly import Installation
from web.security.accounts import Account, Part
from web.security.invitations import ask_to_choose

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])
SITE = "https://testserver.local"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.web.identity_provider", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


@pytest.fixture
def council(database: Database, tmp_path: Path, issuer: str) -> Iterator[Served]:
    """St Helens in life, whose staff sign in at the provider; sessions run on the machine's clock, as its tokens do."""
    say(issuer)
    with Served(database, tmp_path, demo=False) as council:
        provider = IdentityProvider(
            key="st-helens",
            name="St Helens",
            issuer=issuer,
            client_id=CLIENT,
            client_secret=SecretStr(SECRET),
            authorities=(council.world.authority,),
        )
        settings = Settings(secret=SecretStr("x" * 32), site=SITE, openid=(provider,))
        council.installation = Installation(settings, database, council.world.ports)
        with database.reading() as session:
            council.wall.move_to(SystemClock().read(session))
        council.app = create_app(council.installation, wall=council.wall)
        yield council


def say(issuer: str, **what: Any) -> None:
    """How the provider behaves from now on."""
    httpx.post(f"{issuer}/say", json=what).raise_for_status()


def come_back(browser: Browser, *, onward: str = "") -> httpx.Response:
    """Go to the provider and come back from it, as a browser is sent."""
    away = browser.client.get(f"/sign-in/with/st-helens?next={onward}", follow_redirects=False)
    assert away.status_code == 303, away.text
    there = httpx.get(away.headers["location"])
    browser.page = browser.client.get(there.headers["location"].removeprefix(SITE))
    return browser.page


def is_signed_in(browser: Browser) -> bool:
    return browser.open("/account").url.path == "/account"


def test_staff_sign_in_by_their_address_once_and_by_their_subject_from_then_on(council: Served, issuer: str) -> None:
    account = an_account(council, Part.BROKER)
    now = council.world.now
    with council.world.database.transaction() as session:
        ask_to_choose(
            session, council.world.ports, account=account, by=ADMINISTRATOR, now=now, wall=council.wall.instant
        )
    say(issuer, claims={"email": account.email.upper(), "email_verified": True})
    first = Browser(council)
    form = first.open("/sign-in").text

    came = come_back(first, onward="/rules")
    say(issuer, claims={"email": "another-name@example.org"})
    again = Browser(council)
    come_back(again)

    assert 'href="/sign-in/with/st-helens?next="' in form
    assert (came.status_code, came.url.path) == (200, "/rules")
    assert is_signed_in(again)
    assert account.name in again.page.text
    (row,) = council.world.rows(Account, Account.ref == account.ref)
    assert row.invited_at is None
    assert council.world.faults() == []


def test_what_is_asked_for_is_a_code_with_pkce_a_state_and_a_nonce_of_its_own(council: Served) -> None:
    browser = Browser(council)
    asked = []
    for _ in range(2):
        away = browser.client.get("/sign-in/with/st-helens", follow_redirects=False)
        asked.append(parse_qs(urlsplit(away.headers["location"]).query))
    cookie = next(line for line in away.headers.get_list("set-cookie") if "elsewhere" in line)

    assert asked[0]["response_type"] == ["code"]
    assert asked[0]["code_challenge_method"] == ["S256"]
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
        assert len(asked[0][name][0]) == 43
    assert cookie.startswith("__Host-dps-elsewhere=")
    assert {"HttpOnly", "Secure", "SameSite=lax"} <= set(cookie.split("; "))


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": {"nonce": "another"}},
        {"claims": {"aud": "another"}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"exp": 1}},
        {"claims": {"azp": "another"}},
        {"strange_key": True},
        {"back": {"state": "another"}},
        {"back": {"iss": "https://evil.example"}},
        {"back": {"code": "never-given"}},
        {"claims": {"email_verified": False}},
        {"claims": {"email": "nobody@example.org"}},
    ],
)
def test_whatever_is_not_exactly_right_lets_nobody_in(council: Served, issuer: str, wrong: dict[str, Any]) -> None:
    account = an_account(council, Part.BROKER)
    say(issuer, **{**wrong, "claims": {"email": account.email, **wrong.get("claims", {})}})
    browser = Browser(council)

    page = come_back(browser)

    assert page.status_code == 400
    assert "You could not be signed in" in page.text
    assert not is_signed_in(browser)


def test_a_council_s_provider_speaks_for_its_own_staff_alone(council: Served, issuer: str) -> None:
    people = [
        an_account(council, Part.BROKER, authority="another-council"),
        an_account(council, Part.PROVIDER_USER),
        an_account(council, Part.AUDITOR),
    ]
    for person in people:
        say(issuer, claims={"email": person.email, "sub": person.ref})
        assert come_back(Browser(council)).status_code == 400


def test_an_account_is_one_subject_s_alone(council: Served, issuer: str) -> None:
    account = an_account(council, Part.BROKER)
    for subject, status in (("first", 200), ("second", 400)):
        say(issuer, claims={"email": account.email, "sub": subject})
        assert come_back(Browser(council)).status_code == status


def test_an_answer_is_good_in_the_browser_that_asked_and_for_ten_minutes(council: Served, issuer: str) -> None:
    account = an_account(council, Part.BROKER)
    say(issuer, claims={"email": account.email})
    browser, other = Browser(council), Browser(council)
    away = browser.client.get("/sign-in/with/st-helens", follow_redirects=False)
    back = httpx.get(away.headers["location"]).headers["location"].removeprefix(SITE)

    elsewhere = other.client.get(back).status_code
    council.wall.step(timedelta(minutes=10))
    late = browser.client.get(back).status_code

    assert (elsewhere, late) == (400, 400)


def test_a_new_key_of_the_provider_is_looked_up(council: Served, issuer: str) -> None:
    account = an_account(council, Part.BROKER)
    say(issuer, claims={"email": account.email})
    before = come_back(Browser(council)).status_code

    say(issuer, claims={"email": account.email}, new_key=True)
    after = come_back(Browser(council)).status_code

    assert (before, after) == (200, 200)


def test_a_provider_that_does_not_answer_is_said_so(council: Served) -> None:
    gone = council.installation.settings.openid[0].model_copy(update={"issuer": "http://127.0.0.1:9"})
    settings = council.installation.settings.model_copy(update={"openid": (gone,)})
    council.app = create_app(Installation(settings, council.world.database, council.world.ports), wall=council.wall)

    page = Browser(council).open("/sign-in/with/st-helens")

    assert (page.status_code, "does not answer" in page.text) == (502, True)
