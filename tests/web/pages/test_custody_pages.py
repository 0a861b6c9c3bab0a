"""Key-holders on pages: named by an administrator, each takes and releases its own shares, and is seen to have."""

import json
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from bidding.closings import Closing
from bidding.custody import Custodian
from bidding.sealing.sharing import release
from dps.kernel.database import Database
from tests.bidding.test_custody import held_scheme
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def council(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, held_scheme()) as served:
        yield served


class Holder:
    """A key-holder, its key, and the browser of its account."""

    def __init__(self, served: Served, part: Part, name: str) -> None:
        self.name = name
        self.key = pyrage.x25519.Identity.generate()
        self.account = an_account(served, part, authority=served.world.authority)
        self.browser = Browser(served)
        self.browser.sign_in(self.account)


@pytest.fixture
def keeper(council: Served) -> Browser:
    browser = Browser(council)
    browser.sign_in(an_account(council, Part.ADMINISTRATOR, authority=council.world.authority))
    return browser


@pytest.fixture
def holders(council: Served, keeper: Browser) -> list[Holder]:
    """Three, named on the page; the last has no account that the engine knows of."""
    made = [
        Holder(council, Part.AUDITOR, "Head of audit"),
        Holder(council, Part.COMMISSIONER, "Director of finance"),
        Holder(council, Part.COMMISSIONER, "Monitoring officer"),
    ]
    for number, one in enumerate(made):
        keeper.open("/custody")
        page = keeper.send(
            "/custody/custodians",
            scheme="st-helens",
            holder=one.name,
            recipient=str(one.key.to_public()),
            email=one.account.email if number < 2 else "",
        )
        assert page.status_code == 200, page.text
    return made


def closed(council: Served) -> tuple[str, str]:
    """A referral whose bid waits for its custodians, and its closing."""
    world = council.world
    world.bid(world.provider("Synthetic Oak"), referral := world.referral(), pence=1600)
    world.close(referral)
    return referral, world.rows(Closing)[-1].ref


def gave(holder: Holder, closing: str, browser: Browser, custodian: str) -> str:
    """Take the shares, open them elsewhere, bring the release back; what the page says then."""
    browser.open(f"/custody/{closing}")
    form = browser.form(f"/custody/{closing}/hand-out")
    taken = browser.client.post(f"/custody/{closing}/hand-out", data={**form, "custodian": custodian})
    assert taken.headers["content-disposition"] == f'attachment; filename="{closing}-{custodian}.json"'
    released = json.dumps(release(taken.json(), str(holder.key)))
    token = browser.form(f"/custody/{closing}/release")
    page = browser.client.post(
        f"/custody/{closing}/release", data=token, files={"file": ("release.json", released, "application/json")}
    )
    assert page.status_code == 200, page.text
    return page.text


def test_each_gives_its_own_share_and_an_administrator_that_of_one_without_an_account(
    council: Served, keeper: Browser, holders: list[Holder]
) -> None:
    audit, finance, monitoring = holders
    by_name = {row.holder: row for row in council.world.rows(Custodian)}
    referral, closing = closed(council)

    due = audit.browser.open("/custody").text
    first = gave(audit, closing, audit.browser, by_name[audit.name].ref)
    second = gave(monitoring, closing, keeper, by_name[monitoring.name].ref)
    council.world.step(minutes=1)

    assert closing in due
    assert "Wait for shares now" in due
    assert "1 of the 2 shares that it takes was given" in first
    assert first.count("Missing") == 2
    assert "It opens within a minute" in second
    assert council.world.award(referral).offered_at is not None
    assert by_name[finance.name].account == finance.account.ref
    assert next(event.actor for event in council.world.events("custody.handed_in")) == audit.account.ref
    assert "It is open" in finance.browser.open(f"/custody/{closing}").text


def test_nobody_takes_anothers_shares_brings_nonsense_or_another_closings_release(
    council: Served, keeper: Browser, holders: list[Holder]
) -> None:
    audit, finance, _ = holders
    by_name = {row.holder: row for row in council.world.rows(Custodian)}
    _, closing = closed(council)
    browser = audit.browser
    browser.open(f"/custody/{closing}")
    form = browser.form(f"/custody/{closing}/hand-out")
    token = browser.form(f"/custody/{closing}/release")
    path = f"/custody/{closing}/release"

    foreign = browser.client.post(f"/custody/{closing}/hand-out", data={**form, "custodian": by_name[finance.name].ref})
    nonsense = browser.client.post(path, data=token, files={"file": ("x", b"{", "application/json")})
    other = json.dumps({"format": "dps-custody-release-1", "closing": "CLO-1", "custodian": "CSD-1", "shares": {}})
    wrong = browser.client.post(path, data=token, files={"file": ("x", other.encode(), "application/json")})
    none = browser.client.post(path, data=token)
    wrong_share = json.dumps({**_released(browser, closing, audit), "shares": {"0": "bm9uc2Vuc2U="}})
    browser.client.post(path, data=token, files={"file": ("x", wrong_share.encode(), "application/json")})
    gave(finance, closing, finance.browser, by_name[finance.name].ref)
    council.world.step(minutes=1)

    assert foreign.status_code == 404
    assert [answer.status_code for answer in (nonsense, wrong, none)] == [400, 400, 400]
    assert "This is no release" in nonsense.text
    assert "a release of another closing" in wrong.text
    assert "Choose a file" in none.text
    assert "Not all of them hold" in browser.open(f"/custody/{closing}").text


def _released(browser: Browser, closing: str, holder: Holder) -> dict[str, str]:
    """What a custodian's own release says, but for its shares."""
    taken = browser.client.post(f"/custody/{closing}/hand-out", data=browser.form(f"/custody/{closing}/hand-out"))
    return dict(release(taken.json(), str(holder.key)))


def test_before_the_instant_nobody_is_handed_a_share_and_the_page_says_when(
    council: Served, holders: list[Holder]
) -> None:
    world, audit = council.world, holders[0]
    world.provider("Synthetic Oak")
    world.referral()
    closing = world.rows(Closing)[-1].ref

    listed = audit.browser.open("/custody").text
    page = audit.browser.open(f"/custody/{closing}").text

    assert "No closing waits for your share now" in listed
    assert "Still open for bids" in listed
    assert "Before that nobody is given a share" in page
    assert "hand-out" not in page


def test_who_is_named_wrongly_is_told_why_and_too_few_are_never_left(
    council: Served, keeper: Browser, holders: list[Holder]
) -> None:
    keeper.open("/custody")
    bad = keeper.send("/custody/custodians", scheme="st-helens", holder="Chief", recipient="age1x", email="no@one.org")
    (row, *_rest) = council.world.rows(Custodian)
    keeper.open("/custody")
    kept = keeper.send(f"/custody/custodians/{row.ref}/withdrawal")

    assert (bad.status_code, "Nobody of a council signs in" in bad.text) == (400, True)
    assert (kept.status_code, "Register another first" in kept.text) == (400, True)


def test_who_holds_no_key_sees_nothing_and_a_council_without_custody_no_link(council: Served) -> None:
    broker = Browser(council)
    broker.sign_in(an_account(council, Part.BROKER))
    council.world.provider("Synthetic Oak")

    page = broker.open("/custody")

    assert "No closing waits for your share now" in page.text
    assert "Name a key-holder" not in page.text
    assert broker.open("/custody/CLO-0000-0000-0000").status_code == 404
