"""Whoever looks after accounts sees their own people, and nobody else's."""

import re
from datetime import timedelta

import pytest

from dps.kernel.outbox import OutboxMessage
from tests.web.pages.browsing import PASSWORD, Browser, an_account
from tests.web.pages.test_page_guards import seated
from tests.web.pages.test_signing_in import enrolled
from tests.web.served import Served
from web.security import managing
from web.security.accounts import Part, find_account
from web.sending.sorting import readers_of
from web.sending.writing import written

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def at_accounts(served: Served, part: Part, **whose: str | None) -> Browser:
    browser = seated(served, part, **whose)
    browser.open("/accounts")
    return browser


def test_somebody_is_invited_chooses_a_password_and_is_known_by_it_alone(served: Served) -> None:
    administrator = at_accounts(served, Part.ADMINISTRATOR, authority=served.world.authority)

    shown = administrator.send("/accounts", email="New@Example.org", name="Nina New", part="broker")
    path = link_in(shown.text)
    waiting = administrator.open("/accounts").text
    guest = Browser(served)
    guest.open(path)
    too_short = guest.send(path, password="short")
    came = guest.send(path, password="three other words")
    again = Browser(served).open(path)

    with served.world.database.reading() as session:
        account = find_account(session, "new@example.org")
    assert account is not None
    assert (too_short.status_code, "Use 12 to 200 characters" in too_short.text) == (400, True)
    assert came.url.path == "/desk"
    assert (account.part, account.authority) == (Part.BROKER, served.world.authority)
    assert Browser(served).sign_in(account, password="three other words").url.path == "/desk"
    assert ("Nina New" in waiting, "Invited" in waiting) == (True, True)
    assert "Invited" not in administrator.open("/accounts").text
    assert (again.status_code, "no longer works" in again.text) == (410, True)
    assert served.world.faults() == []


@SQLITE
def test_a_link_is_over_after_a_week_and_a_newer_one_ends_it(served: Served) -> None:
    administrator = at_accounts(served, Part.ADMINISTRATOR, authority=served.world.authority)
    first = link_in(administrator.send("/accounts", email="n@example.org", name="Nina", part="broker").text)
    with served.world.database.reading() as session:
        nina = find_account(session, "n@example.org")
    assert nina is not None

    administrator.open("/accounts")
    served.wall.step(timedelta(minutes=1))
    second = link_in(administrator.send(f"/accounts/{nina.ref}/renewal").text)
    forged = f"{second[:-1]}{'1' if second[-1] == '0' else '0'}"
    codes = {path: Browser(served).open(path).status_code for path in (first, forged, second)}
    served.wall.step(timedelta(days=7))
    late = Browser(served).open(second)

    assert codes == {first: 410, forged: 410, second: 200}
    assert late.status_code == 410


def test_outside_the_demonstration_the_link_is_in_the_letter_alone(in_life: Served) -> None:
    manager = an_account(in_life, Part.ADMINISTRATOR, authority=in_life.world.authority)
    with in_life.world.database.transaction() as session:
        account, path = managing.invite(
            session, in_life.world.ports, manager=manager, email="n@example.org", name="Nina", part=Part.BROKER,
            wall=in_life.wall.instant,
        )  # fmt: skip
    (message,) = in_life.world.rows(OutboxMessage)
    with in_life.world.database.reading() as session:
        stored = session.get_one(OutboxMessage, message.id).facts

    guest = Browser(in_life)
    guest.open(path)
    came = guest.send(path, password="three other words")

    keyring = in_life.world.ports.keyring
    assert readers(in_life, message) == [account.ref]
    assert f"https://care.example.org{path}" in written(message, site="https://care.example.org", keyring=keyring).text
    assert path.rpartition("/")[2] not in str(stored)
    assert came.url.path == "/sign-in/second-factor"


def link_in(page: str) -> str:
    """The path of the link to choose a password, which the demonstration shows."""
    found = re.search(r"/sign-in/invitations/[^\"<]+", page)
    assert found is not None
    return found[0]


def readers(served: Served, message: OutboxMessage) -> list[str]:
    with served.world.database.reading() as session:
        return [account.ref for account in readers_of(session, message)]


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
    account, _, browser = enrolled(in_life)
    manager = an_account(in_life, Part.ADMINISTRATOR, authority=in_life.world.authority)
    with in_life.world.database.transaction() as session:
        _, path = managing.renew(
            session, in_life.world.ports, manager=manager, ref=account.ref, wall=in_life.wall.instant
        )
    in_life.wall.step(timedelta(minutes=1))

    assert browser.open("/account").url.path == "/sign-in"
    assert browser.sign_in(account, password=PASSWORD).status_code == 400
    browser.open(path)
    assert browser.send(path, password="three other words").url.path == "/sign-in/second-factor"


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
