"""Whoever looks after accounts sees their own people, and nobody else's."""

import re
from datetime import timedelta

import pytest

from tests.web.pages.browsing import PASSWORD, Browser, an_account
from tests.web.pages.test_page_guards import seated
from tests.web.served import Served
from web.security.accounts import Part, find_account

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def at_accounts(served: Served, part: Part, **whose: str | None) -> Browser:
    browser = seated(served, part, **whose)
    browser.open("/accounts")
    return browser


def test_somebody_is_invited_and_signs_in_with_the_password_that_is_shown_once(served: Served) -> None:
    administrator = at_accounts(served, Part.ADMINISTRATOR, authority=served.world.authority)

    shown = administrator.send("/accounts", email="New@Example.org", name="Nina New", part="broker")
    password = re.findall(r"\b[a-z2-7]{5}(?:-[a-z2-7]{5}){3}\b", shown.text)[0]
    listed = administrator.open("/accounts").text

    browser, account = Browser(served), None
    with served.world.database.reading() as session:
        account = find_account(session, "new@example.org")
    assert account is not None
    assert browser.sign_in(account, password=password).url.path == "/desk"
    assert (account.part, account.authority) == (Part.BROKER, served.world.authority)
    assert "Nina New" in listed
    assert password not in listed
    assert served.world.faults() == []


@SQLITE
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"email": "nobody", "name": "N", "part": "broker"}, "Write an address"),
        ({"email": "n@example.org", "name": "", "part": "broker"}, "Give a name"),
        ({"email": "n@example.org", "name": "N", "part": ""}, "Choose what the account is for"),
        ({"email": "n@example.org", "name": "N", "part": "provider_user"}, "Choose what the account is for"),
    ],
)
def test_what_is_wrong_with_an_invitation_is_said_and_nothing_typed_is_lost(
    served: Served, typed: dict[str, str], words: str
) -> None:
    administrator = at_accounts(served, Part.ADMINISTRATOR, authority=served.world.authority)

    page = administrator.send("/accounts", **typed)

    assert page.status_code == 400
    assert words in page.text
    assert administrator.form("/accounts")["email"] == typed["email"]


@SQLITE
def test_an_address_that_has_an_account_is_not_invited_again(served: Served) -> None:
    broker = an_account(served, Part.BROKER)
    administrator = at_accounts(served, Part.ADMINISTRATOR, authority=served.world.authority)

    page = administrator.send("/accounts", email=broker.email, name="Again", part="broker")

    assert (page.status_code, "has an account already" in page.text) == (400, True)


@SQLITE
def test_a_closed_account_is_out_at_once_and_nobody_closes_their_own(served: Served) -> None:
    broker = an_account(served, Part.BROKER)
    browser = Browser(served)
    browser.sign_in(broker)
    administrator = at_accounts(served, Part.ADMINISTRATOR, authority=served.world.authority)

    closed = administrator.send(f"/accounts/{broker.ref}/closure")
    own = administrator.open("/accounts").text

    assert "Closed" in closed.text
    assert browser.open("/account").url.path == "/sign-in"
    assert own.count("/closure") == 0


@SQLITE
def test_a_new_password_takes_the_second_factor_and_every_session_away(in_life: Served) -> None:
    from tests.web.pages.test_signing_in import enrolled

    account, _, browser = enrolled(in_life)
    manager = an_account(in_life, Part.ADMINISTRATOR, authority=in_life.world.authority)
    from web.security import managing

    with in_life.world.database.transaction() as session:
        _, password = managing.renew(
            session, manager=manager, ref=account.ref, now=in_life.world.now, wall=in_life.wall.instant
        )
    in_life.wall.step(timedelta(minutes=1))

    assert browser.open("/account").url.path == "/sign-in"
    assert browser.sign_in(account, password=PASSWORD).status_code == 400
    assert browser.sign_in(account, password=password).url.path == "/sign-in/second-factor"


@SQLITE
def test_signing_somebody_out_ends_their_sessions_and_no_others(served: Served) -> None:
    broker, other = an_account(served, Part.BROKER), an_account(served, Part.BROKER)
    theirs, others = Browser(served), Browser(served)
    theirs.sign_in(broker)
    others.sign_in(other)
    administrator = at_accounts(served, Part.ADMINISTRATOR, authority=served.world.authority)

    administrator.send(f"/accounts/{broker.ref}/sign-out")

    assert theirs.open("/account").url.path == "/sign-in"
    assert others.open("/account").url.path == "/account"


@SQLITE
def test_nobody_sees_or_touches_the_people_of_another_council_or_provider(served: Served) -> None:
    oak, elm = served.world.provider("Oak").provider, served.world.provider("Elm").provider
    people = {
        "council": an_account(served, Part.BROKER),
        "another": an_account(served, Part.BROKER, authority="another-council"),
        "oak": an_account(served, Part.PROVIDER_USER, provider=oak),
        "elm": an_account(served, Part.PROVIDER_USER, provider=elm),
    }
    managers = {
        "council": at_accounts(served, Part.ADMINISTRATOR, authority=served.world.authority),
        "another": at_accounts(served, Part.ADMINISTRATOR, authority="another-council"),
        "oak": at_accounts(served, Part.PROVIDER_ADMIN, provider=oak),
        "elm": at_accounts(served, Part.PROVIDER_ADMIN, provider=elm),
    }

    for side, manager in managers.items():
        csrf = manager.csrf  # type: ignore[attr-defined]
        for whose, person in people.items():
            assert (person.email in manager.open("/accounts").text) is (side == whose)
            if side != whose:
                for step in ("closure", "renewal", "sign-out"):
                    foreign = manager.client.post(f"/accounts/{person.ref}/{step}", data={"csrf": csrf})
                    missing = manager.client.post(f"/accounts/USR-0000-0000-0000/{step}", data={"csrf": csrf})
                    assert (foreign.status_code, foreign.text) == (404, missing.text)


@SQLITE
def test_an_administrator_of_the_installation_looks_after_all_and_invites_by_the_command_line(served: Served) -> None:
    people = [an_account(served, Part.BROKER), an_account(served, Part.PROVIDER_USER)]

    page = at_accounts(served, Part.ADMINISTRATOR).page.text

    assert all(person.email in page for person in people)
    assert 'action="/accounts"' not in page


@SQLITE
def test_a_mobile_number_is_kept_in_one_form_or_refused(served: Served) -> None:
    account, browser = an_account(served, Part.BROKER), Browser(served)
    browser.sign_in(account)
    browser.open("/account")

    wrong = browser.send("/account/mobile", mobile="12345")
    kept = browser.send("/account/mobile", mobile="07700 900-001")

    assert (wrong.status_code, "Write a mobile number" in wrong.text) == (400, True)
    assert 'value="+447700900001"' in kept.text
