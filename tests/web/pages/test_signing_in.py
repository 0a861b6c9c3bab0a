"""Signing in: the password, the code, the session, and everything that ends one (acceptance line 11)."""

import re
from datetime import timedelta

import pyotp
import pytest
from sqlmodel import col, select

from dps.kernel.audit import AuditEvent
from tests.web.pages.browsing import PASSWORD, Browser, an_account
from tests.web.served import ADMINISTRATOR, Served
from web.security import sessions
from web.security.accounts import Account, Part, close_account

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def enrolled(served: Served, part: Part = Part.BROKER) -> tuple[Account, pyotp.TOTP, Browser]:
    """An account with its authenticator set up, and the browser in which it was."""
    account, browser = an_account(served, part), Browser(served)
    browser.sign_in(account)
    secret = browser.form("/sign-in/second-factor")["secret"]
    totp = pyotp.TOTP(secret)
    browser.send("/sign-in/second-factor", code=totp.at(served.wall.instant))
    return account, totp, browser


@SQLITE
def test_a_person_signs_in_and_out_of_the_demonstration(served: Served, browser: Browser) -> None:
    account = an_account(served, Part.AUDITOR)

    signed_in = browser.sign_in(account)
    browser.send("/sign-out")
    afterwards = browser.open("/account")

    assert (signed_in.status_code, signed_in.url.path) == (200, "/proof")
    assert "Everything adds up" in signed_in.text
    assert afterwards.url.path == "/sign-in"


@SQLITE
def test_in_life_an_authenticator_is_set_up_at_the_first_sign_in_and_asked_for_at_every_later_one(
    in_life: Served,
) -> None:
    account, totp, first = enrolled(in_life)
    in_life.wall.step(timedelta(minutes=1))
    later = Browser(in_life)

    asked = later.sign_in(account)
    kept_out = later.client.get("/account", follow_redirects=False)
    let_in = later.send("/sign-in/code", code=totp.at(in_life.wall.instant))

    assert first.page.status_code == 200
    assert asked.url.path == "/sign-in/code"
    assert (kept_out.status_code, kept_out.headers["location"]) == (303, "/sign-in?next=/account")
    assert let_in.status_code == 200


@SQLITE
def test_the_password_alone_sets_up_no_second_authenticator(in_life: Served) -> None:
    account, _, _ = enrolled(in_life)
    thief = Browser(in_life)
    thief.sign_in(account)

    page = thief.open("/sign-in/second-factor")

    assert page.url.path == "/sign-in/code"


def test_a_code_works_once_of_ten(in_life: Served) -> None:
    account, totp, _ = enrolled(in_life)
    in_life.wall.step(timedelta(minutes=6))
    code = totp.at(in_life.wall.instant)
    browsers = [Browser(in_life) for _ in range(10)]
    for browser in browsers:
        with in_life.world.database.transaction() as session:
            token = sessions.begin(session, account, is_half=True, now=in_life.wall.instant)
        browser.client.cookies.set("__Host-dps-session", token, domain="testserver.local")
        browser.open("/sign-in/code")

    answers = [browser.send("/sign-in/code", code=code).status_code for browser in browsers]

    assert answers == [200, *[400] * 9]


def test_the_eleventh_guess_within_five_minutes_is_not_looked_at(in_life: Served) -> None:
    account, browser = an_account(in_life, Part.BROKER), Browser(in_life)

    answers = [browser.sign_in(account, password=f"wrong password {number}").status_code for number in range(10)]
    right = browser.sign_in(account)
    in_life.wall.step(timedelta(minutes=5))
    later = browser.sign_in(account)

    assert answers == [400] * 10
    assert right.status_code == 429
    assert "Wait five minutes" in right.text
    assert later.status_code == 200


@SQLITE
def test_guesses_at_a_name_that_is_not_there_are_answered_and_counted_alike(served: Served) -> None:
    account, browser = an_account(served, Part.BROKER), Browser(served)
    browser.sign_in(account, password="wrong password")
    wrong = re.sub(r'value="[^"]*"', "", browser.page.text)
    browser.open("/sign-in")

    browser.send("/sign-in", email="nobody@example.org", password="wrong password")
    unknown = re.sub(r'value="[^"]*"', "", browser.page.text)
    for _ in range(9):
        browser.send("/sign-in", email="nobody@example.org", password="wrong password")
    eleventh = browser.send("/sign-in", email="Nobody@Example.org ", password="wrong password")

    assert wrong == unknown
    assert eleventh.status_code == 429


@SQLITE
def test_a_session_that_was_planted_is_never_adopted(in_life: Served) -> None:
    account, totp, _ = enrolled(in_life)
    in_life.wall.step(timedelta(minutes=1))
    browser = Browser(in_life)
    planted = sessions.new_token()
    browser.client.cookies.set("__Host-dps-session", planted, domain="testserver.local")
    browser.sign_in(account)
    half = browser.client.cookies["__Host-dps-session"]

    browser.send("/sign-in/code", code=totp.at(in_life.wall.instant))

    whole = browser.client.cookies["__Host-dps-session"]
    assert len({planted, half, whole}) == 3
    for old in (planted, half):
        with in_life.world.database.reading() as session:
            assert sessions.seat_of(session, old, in_life.wall.instant) is None


@SQLITE
def test_a_session_ends_after_half_an_hour_without_use_and_after_twelve_hours_in_any_case(served: Served) -> None:
    account = an_account(served, Part.BROKER)
    idle, busy = Browser(served), Browser(served)
    idle.sign_in(account)
    busy.sign_in(account)
    seen = []

    for _ in range(24 * 12):
        served.wall.step(timedelta(minutes=29))
        seen.append(busy.open("/account").url.path)
        if seen[-1] != "/account":
            break

    assert len(seen) == 25  # 24 × 29 minutes are within twelve hours, the next is not
    assert idle.open("/account").url.path == "/sign-in"


@SQLITE
def test_what_a_page_fetches_by_itself_keeps_no_session_alive(served: Served, browser: Browser) -> None:
    browser.sign_in(an_account(served, Part.BROKER))

    for _ in range(2):
        served.wall.step(timedelta(minutes=16))
        browser.client.get("/account", headers={"HX-Request": "true"})

    assert browser.open("/account").url.path == "/sign-in"


@SQLITE
def test_signing_out_everywhere_ends_the_session_of_every_browser(served: Served) -> None:
    account = an_account(served, Part.BROKER)
    here, elsewhere = Browser(served), Browser(served)
    here.sign_in(account)
    elsewhere.sign_in(account)

    here.open("/account")
    here.send("/sign-out-everywhere")

    assert here.open("/account").url.path == "/sign-in"
    assert elsewhere.open("/account").url.path == "/sign-in"


def test_one_browser_is_signed_out_from_another_of_the_same_account_and_of_no_other(served: Served) -> None:
    account, other = an_account(served, Part.BROKER), an_account(served, Part.AUDITOR)
    here, left_open, stranger = Browser(served), Browser(served), Browser(served)
    here.sign_in(account)
    left_open.sign_in(account)
    stranger.sign_in(other)
    with served.world.database.reading() as session:
        ids = {
            row.account_id: row.id
            for row in session.exec(select(sessions.SignedIn).order_by(col(sessions.SignedIn.id)))
        }

    page = here.open("/account")
    for account_id in (other.id, account.id):
        here.send("/account/browsers/removal", browser=str(ids[account_id or 0]))

    assert "This browser, signed in since" in page.text
    assert page.text.count("Another browser, signed in since") == 1
    assert here.open("/account").url.path == "/account"
    assert left_open.open("/account").url.path == "/sign-in"
    assert stranger.open("/account").url.path == "/account"


@SQLITE
def test_another_password_signs_every_other_browser_out(served: Served) -> None:
    account = an_account(served, Part.BROKER)
    here, elsewhere = Browser(served), Browser(served)
    here.sign_in(account)
    elsewhere.sign_in(account)
    here.open("/account")

    too_short = here.send("/account/password", current=PASSWORD, password="short")
    here.send("/account/password", current=PASSWORD, password="three other words")

    assert too_short.status_code == 400
    assert "12 to 200 characters" in too_short.text
    assert here.open("/account").url.path == "/account"
    assert elsewhere.open("/account").url.path == "/sign-in"
    assert elsewhere.sign_in(account).status_code == 400
    assert elsewhere.sign_in(account, password="three other words").status_code == 200


@SQLITE
def test_a_closed_account_is_out_at_once_and_does_not_come_in_again(served: Served, browser: Browser) -> None:
    account = an_account(served, Part.BROKER)
    browser.sign_in(account)

    with served.world.database.transaction() as session:
        close_account(session, email=account.email, by=ADMINISTRATOR, now=served.world.now)

    assert browser.open("/account").url.path == "/sign-in"
    assert browser.sign_in(account).status_code == 400


@SQLITE
@pytest.mark.parametrize("onward", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_sign_in_page_sends_nobody_to_another_site(served: Served, browser: Browser, onward: str) -> None:
    account = an_account(served, Part.BROKER)
    browser.open("/sign-in")

    page = browser.send("/sign-in", email=account.email, password=PASSWORD, next=onward)

    assert page.url.host == "testserver.local"
    assert page.status_code in (200, 404)


@SQLITE
def test_who_was_asked_to_sign_in_comes_back_to_where_they_were(served: Served, browser: Browser) -> None:
    account = an_account(served, Part.BROKER)
    browser.open("/rules")

    page = browser.send("/sign-in", email=account.email, password=PASSWORD)

    assert page.url.path == "/rules"


@SQLITE
def test_cookies_ask_for_tls_and_are_out_of_a_script_s_reach(in_life: Served) -> None:
    browser = Browser(in_life)
    browser.open("/sign-in")
    account = an_account(in_life, Part.BROKER)

    answer = browser.client.post(
        "/sign-in",
        data=browser.form("/sign-in") | {"email": account.email, "password": PASSWORD},
        follow_redirects=False,
    )

    (cookie,) = [line for line in answer.headers.get_list("set-cookie") if "session" in line]
    assert cookie.startswith("__Host-dps-session=")
    assert {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


@SQLITE
def test_passwords_and_sessions_stand_nowhere_in_the_database(served: Served, browser: Browser) -> None:
    browser.sign_in(an_account(served, Part.BROKER))
    token = browser.client.cookies["dps-session"]

    with served.world.database.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]

    assert "$argon2id$" in dump
    assert PASSWORD not in dump
    assert token not in dump


@SQLITE
def test_sign_ins_and_refusals_stand_on_the_account_s_trail(served: Served, browser: Browser) -> None:
    account = an_account(served, Part.BROKER)
    browser.sign_in(account, password="wrong password")
    browser.sign_in(account)

    with served.world.database.reading() as session:
        events = session.exec(select(AuditEvent.kind).where(AuditEvent.stream == account.stream)).all()

    assert list(events) == ["account.added", "account.sign_in_refused", "account.signed_in"]
    assert served.world.faults() == []
