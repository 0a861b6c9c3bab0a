"""Quality without JavaScript: scores published, appealed and decided; a notice challenged and decided by another."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dps.contracts.enablement import BarState, EnablementBar
from dps.contracts.quality.recognition import QualityScore
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.references import Kind, new_reference
from dps.register.suspensions import RunningContracts, Suspension, SuspensionScope, suspend
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def cornwall(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "cornwall") as council:
        yield council


def a_browser(served: Served, part: Part, provider: Actor | None = None) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, part, provider=provider.provider if provider else None))
    return browser


def test_a_score_is_published_appealed_by_its_provider_and_decided_by_another_commissioner(cornwall: Served) -> None:
    world, key = cornwall.world, cornwall.world.scheme.key
    oak = world.provider("Synthetic Oak")
    first, second = a_browser(cornwall, Part.COMMISSIONER), a_browser(cornwall, Part.COMMISSIONER)
    provider = a_browser(cornwall, Part.PROVIDER_USER, oak)
    first.open("/office/quality")
    ahead = first.send(f"/office/quality/{key}/scores", last_day="2100-01-01")
    yesterday = (world.now.date() - timedelta(days=1)).isoformat()
    published = first.send(f"/office/quality/{key}/scores", last_day=yesterday)
    (score,) = world.rows(QualityScore)
    provider.open("/portal/quality")
    action = f"/portal/quality/{key}/scores/{score.ref}/appeal"
    unsaid = provider.send(action)
    appealed = provider.send(action, reason="visit_records")
    decision = f"/office/quality/{key}/scores/{score.ref}/decision"
    own = first.open("/office/quality").text
    second.open("/office/quality")
    second.send(decision, is_right="no")

    assert ahead.status_code == 400
    assert "Synthetic Oak" in published.text
    assert (unsaid.status_code, "Choose what is wrong" in unsaid.text) == (400, True)
    assert "You said that this is wrong: visit records" in appealed.text
    assert "You published it: another commissioner decides." in own
    assert decision not in own
    assert [one.state for one in world.rows(QualityScore)] == ["confirmed"]


def test_the_indicators_of_days_that_make_no_sense_are_asked_for_again(cornwall: Served) -> None:
    browser = a_browser(cornwall, Part.COMMISSIONER)

    shown = browser.open("/office/quality?first=2018-02-01&last=2018-03-01")
    wrong = browser.open("/office/quality?first=2018-03-01&last=2018-02-01")
    unreadable = browser.open("/office/quality?first=soon")

    assert "Indicators, Thu 1 February 2018 to Thu 1 March 2018" in shown.text
    assert (wrong.status_code, "The last day is not before the first" in wrong.text) == (400, True)
    assert unreadable.status_code == 400


def test_a_notice_is_challenged_by_its_provider_and_upheld_by_a_commissioner(cornwall: Served) -> None:
    world, key = cornwall.world, cornwall.world.scheme.key
    oak = world.provider("Synthetic Oak")
    bar = a_notice(cornwall, oak)
    officer, provider = a_browser(cornwall, Part.REGISTER_OFFICER), a_browser(cornwall, Part.PROVIDER_USER, oak)
    commissioner = a_browser(cornwall, Part.COMMISSIONER)
    seen = officer.open("/office/quality").text
    told = provider.open("/portal").text
    provider.open("/portal/quality")
    provider.send(f"/portal/quality/{key}/bars/{bar}/challenge", reason="needs_changed")
    held_off = world.rows(Suspension)[0].state
    commissioner.open("/office/quality")
    upheld = commissioner.send(f"/office/quality/{key}/bars/{bar}/upholding")

    assert "Withdraw it" in seen
    assert held_off == "lifted"
    assert "You are given notice" in told
    assert "You are given notice" not in provider.open("/portal").text
    assert "Upheld" in upheld.text
    assert [one.state for one in world.rows(Suspension)] == ["lifted", "imposed"]


def a_notice(served: Served, provider: Actor) -> str:
    """One given to a provider, as failing consistently would have led to."""
    world = served.world
    provider_id = world.row_of(provider).id or 0
    imposed = world.run(
        suspend,
        provider_id=provider_id,
        scheme=world.scheme,
        scope=SuspensionScope.NEW_WORK,
        running_contracts=RunningContracts.CONTINUE,
        because="Consistently failed.",
        lots=[lot.key for lot in world.scheme.lots if lot.sets_budget],
        starts_at=world.now + timedelta(days=28),
        actor=world.officer,
    )
    ref = new_reference(Kind.BAR, world.ports.entropy)
    with world.database.transaction() as session:
        session.add(
            EnablementBar(
                ref=ref,
                provider_id=provider_id,
                provider=provider.provider or "",
                authority=world.authority,
                scheme=world.scheme.key,
                state=BarState.NOTICED,
                failed=3,
                of=5,
                noticed_at=world.now,
                noticed_by=world.officer.ref,
                challenge_by=world.now + timedelta(days=14),
                suspension=imposed.ref,
            )
        )
    return ref
