"""From no account at all to an application: what everybody may read, what an officer writes down, and the way in."""

from datetime import timedelta

import pytest

from dps.register.providers import Provider
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_accounts_page import link_in
from tests.web.pages.test_page_guards import seated
from tests.web.pages.test_register import an_officer
from tests.web.served import ADMINISTRATOR, Served
from web.security.accounts import Account, Part
from web.security.managing import begin_anew

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

PAGE = "/register/newcomers"
TYPED = {"name": "Rowan Homecare", "company_number": "7654321", "person": "Sam Rowan", "email": "sam@rowan.example"}


def test_whoever_is_not_signed_in_reads_when_a_scheme_opens_and_how_to_apply(served: Served) -> None:
    browser = Browser(served)
    assert 'href="/join"' in browser.open("/sign-in").text

    shut = browser.open("/join").text
    served.world.clock.move_to(served.world.now.replace(month=4, day=2))
    served.wall.move_to(served.world.now)
    opened = browser.open("/join").text

    assert "It takes applications from" in shut
    assert "the end of Sun 28 April 2019" in shut
    assert "It takes applications now, until" in opened
    assert "employers liability insurance" in opened
    assert served.world.scheme.authorities[0].name in opened


def test_an_officer_puts_a_newcomer_on_the_register_who_chooses_its_own_password(served: Served) -> None:
    officer, newcomer = an_officer(served), Browser(served)
    officer.open(PAGE)

    shown = officer.send(PAGE, **TYPED).text
    path = link_in(shown)
    newcomer.open(path)
    newcomer.send(path, password="three other words")

    (account,) = served.world.rows(Account, Account.email == TYPED["email"])
    (provider,) = served.world.rows(Provider, Provider.name == "Rowan Homecare")
    assert (account.part, account.provider, account.authority) == (Part.PROVIDER_ADMIN, provider.ref, None)
    assert provider.company_number == "07654321"
    assert newcomer.page.url.path == "/portal"
    assert "You stand on no scheme’s list yet" in newcomer.page.text
    assert 'href="/portal/service/schemes"' in newcomer.page.text


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"name": ""}, "Give the name of the provider"),
        ({"company_number": "no number"}, "company number"),
        ({"person": ""}, "1 to 80 characters"),
        ({"email": "sam"}, "name@example.org"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_kept(served: Served, wrong: dict[str, str], word: str) -> None:
    officer = an_officer(served)
    officer.open(PAGE)

    refused = officer.send(PAGE, **(TYPED | wrong))

    assert (refused.status_code, word in refused.text) == (400, True)
    assert 'class="govuk-error-summary' in refused.text
    kept = officer.form(PAGE)
    assert {name: kept[name] for name in TYPED} == TYPED | wrong
    assert served.world.rows(Provider, Provider.name == "Rowan Homecare") == []


def test_every_fault_is_said_at_once_beside_its_field(served: Served) -> None:
    officer = an_officer(served)
    officer.open(PAGE)

    refused = officer.send(PAGE, name="", company_number="no number", person="", email="sam").text

    for field in TYPED:
        assert f'href="#{field}"' in refused
        assert f'id="{field}-error"' in refused


def test_an_officer_sends_a_newcomer_of_its_authority_another_link(served: Served) -> None:
    officer = an_officer(served)
    officer.open(PAGE)
    first = link_in(officer.send(PAGE, **TYPED).text)
    (account,) = served.world.rows(Account, Account.email == TYPED["email"])
    again = f"{PAGE}/{account.ref}/link"
    served.wall.step(timedelta(days=7))
    colleague = an_officer(served)
    stranger = seated(served, Part.REGISTER_OFFICER, authority="another-council")

    waiting = colleague.open(PAGE).text
    unseen = TYPED["email"] not in stranger.open(PAGE).text
    foreign = stranger.post(again).status_code
    taken = colleague.send(again, email=an_account(served, Part.BROKER).email)
    wrong = colleague.send(again, email="sam")
    second = link_in(colleague.send(again, email="sam.rowan@rowan.example").text)
    newcomer = Browser(served)
    over = newcomer.open(first).status_code
    newcomer.open(second)
    newcomer.send(second, password="three other words")
    late = colleague.post(again, email=TYPED["email"]).status_code

    assert f"{TYPED['person']}, {TYPED['email']}, was sent a link on" in waiting
    assert "it no longer works" in waiting
    for refused, words in ((taken, "This address has an account already"), (wrong, "Write an address such as")):
        assert (refused.status_code, words in refused.text) == (400, True)
        assert f'href="#email-{account.ref}"' in refused.text
    assert [one.email for one in served.world.rows(Account, Account.ref == account.ref)] == ["sam.rowan@rowan.example"]
    assert (unseen, foreign, over, late) == (True, 404, 410, 404)
    assert newcomer.page.url.path == "/portal"
    assert "Nobody: each newcomer that" in colleague.open(PAGE).text


def test_the_address_of_an_account_that_was_in_use_is_no_officers_to_change(served: Served) -> None:
    officer = an_officer(served)
    officer.open(PAGE)
    path, newcomer = link_in(officer.send(PAGE, **TYPED).text), Browser(served)
    newcomer.open(path)
    newcomer.send(path, password="three other words")
    (account,) = served.world.rows(Account, Account.email == TYPED["email"])
    with served.world.database.transaction() as session:
        begin_anew(session, served.world.ports, account=account, by=ADMINISTRATOR, wall=served.wall.instant)

    officer.open(PAGE)
    refused = officer.send(f"{PAGE}/{account.ref}/link", email="officer@council.example")

    assert (refused.status_code, "was in use with its address" in refused.text) == (400, True)


def test_of_a_provider_that_is_there_an_officer_makes_no_account(served: Served) -> None:
    officer = an_officer(served)
    officer.open(PAGE)
    officer.send(PAGE, **TYPED)
    officer.open(PAGE)

    again = officer.send(PAGE, **TYPED | {"email": "other@rowan.example"})
    officer.open(PAGE)
    namesake = officer.send(PAGE, **TYPED | {"name": "ROWAN  homecare", "company_number": "", "email": "b@a.example"})
    officer.open(PAGE)
    taken = officer.send(PAGE, **TYPED | {"name": "Alder Homecare", "company_number": ""})

    assert "this company is on the register already" in again.text.lower()
    assert "a provider of this name is on the register" in namesake.text.lower()
    assert "this address has an account already" in taken.text.lower()
    assert len(served.world.rows(Provider, Provider.name == "Rowan Homecare")) == 1
