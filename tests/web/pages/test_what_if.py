"""A commissioner's what-if, as a page: only what is over, both ways of setting a number, and a proposal kept."""

import re

import pytest
from markupsafe import escape

from bidding.allocation.runs import AllocationRun
from dps.schemes.differences import differences
from dps.schemes.loader import canonical, from_canonical, load, rule_hash
from dps.schemes.model import Urgency
from dps.schemes.proposed import RulesProposal
from matching.allocation import shared_process
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
PAGE = "/office/what-if"


def commissioner(served: Served, authority: str | None = None) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, Part.COMMISSIONER, authority=authority))
    return browser


def decided(served: Served) -> str:
    """A closing that is over: two bids for one package, confirmed by its winner."""
    world = served.world
    cheap, dear = world.provider("Cheap"), world.provider("Dear")
    referral = world.referral()
    world.bid(cheap, referral, pence=1600)
    receipt = world.bid(dear, referral, pence=1700)
    world.close(referral)
    award = world.award(referral)
    winner = cheap if award.provider == cheap.provider else dear
    world.accept_and_confirm(award, winner)
    world.step(minutes=1)
    return str(receipt["closing"])


@SQLITE
def test_what_is_over_is_decided_again_and_kept_as_a_proposal(served: Served) -> None:
    closing, world = decided(served), served.world
    before = [(run.answer, run.instance_sha256) for run in world.rows(AllocationRun)]
    browser = commissioner(served)

    plain = browser.open(f"{PAGE}?over={closing}").text
    month = browser.open(f"{PAGE}?over={world.now:%Y-%m}&price_weight=55").text
    saved = browser.send("/office/proposals")

    assert "1 closing decided again" in plain
    assert "every package would have gone where it went" in plain
    assert "As decided" in month
    assert saved.status_code == 200
    (proposal,) = world.rows(RulesProposal)
    assert proposal.rules.evaluation.price_weight == 55
    parts = differences(from_canonical(canonical(world.scheme)), proposal.rules)
    assert [part.heading for part in parts] == ["How bids for one package are ranked"]
    assert all(str(escape(line)) in saved.text for line in parts[0].second)
    file = browser.open(f"/office/proposals/{proposal.ref}/toml")
    assert rule_hash(load(file.text)) == rule_hash(proposal.rules)
    assert proposal.ref in browser.open("/office/proposals").text
    assert [(run.answer, run.instance_sha256) for run in world.rows(AllocationRun)] == before
    assert world.faults() == []


@SQLITE
def test_the_solver_loads_while_somebody_looks_at_the_knobs(served: Served) -> None:
    browser = commissioner(served)
    shared_process().close()

    browser.open(PAGE)

    assert shared_process().is_begun


@SQLITE
def test_without_a_script_the_slider_that_was_moved_counts(served: Served) -> None:
    decided(served)
    browser = commissioner(served)
    browser.open(PAGE)
    shown = browser.form(PAGE)

    moved = browser.open(PAGE + "?" + "&".join(f"{k}={v}" for k, v in (shown | {"price_weight.slider": "35"}).items()))
    typed = browser.open(PAGE + "?" + "&".join(f"{k}={v}" for k, v in (shown | {"price_weight": "45"}).items()))

    assert re.search(r'id="price_weight" name="price_weight" inputmode="numeric" value="35"', moved.text)
    assert re.search(r'id="price_weight" name="price_weight" inputmode="numeric" value="45"', typed.text)


@SQLITE
def test_of_one_closing_what_coverage_costs_is_a_picture_and_a_table(worcestershire: Served) -> None:
    closing = decided(worcestershire)

    page = commissioner(worcestershire).open(f"{PAGE}?over={closing}")

    assert page.status_code == 200, page.text
    assert "What coverage costs" in page.text
    assert "Price of a missing provider" in page.text


@SQLITE
def test_what_is_no_rule_is_refused_in_words(served: Served) -> None:
    closing = decided(served)
    browser = commissioner(served)

    free = "&".join(f"unplaced_pence_per_hour.{urgency}=" for urgency in Urgency)
    joint = browser.open(f"{PAGE}?over={closing}&mode=joint&{free}")
    word = browser.open(f"{PAGE}?over={closing}&price_weight=much")

    assert (joint.status_code, word.status_code) == (400, 400)
    assert "unplaced" in joint.text
    assert "write a whole number" in word.text.lower()


@SQLITE
def test_nothing_undecided_and_nothing_of_another_council_is_shown(served: Served) -> None:
    world = served.world
    provider, referral = world.provider("First"), world.referral()
    receipt = world.bid(provider, referral, pence=1600)
    ours = commissioner(served)

    sealed = ours.open(PAGE)
    world.close(referral)
    offered = ours.open(PAGE)

    for page in (sealed, offered):
        assert receipt["closing"] not in page.text
        assert "No closing of this scheme is over yet" in page.text
    assert ours.open(f"{PAGE}?over={receipt['closing']}").status_code == 404
    world.accept_and_confirm(world.award(referral), provider)
    assert receipt["closing"] in ours.open(PAGE).text
    ours.open(f"{PAGE}?over={receipt['closing']}")
    ours.send("/office/proposals")
    (proposal,) = world.rows(RulesProposal)
    stranger = commissioner(served, authority="another-council")
    for path in ("", "/toml"):
        assert stranger.open(f"/office/proposals/{proposal.ref}{path}").status_code == 404
