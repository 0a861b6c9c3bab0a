"""Who supplies together, as pages: an officer records and ends it, a lead passes work on, everybody in it reads it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dps.contracts.passing_on import shares
from dps.contracts.statements.moving import agree_statement
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.money import in_pounds
from dps.register.arrangements import Arrangement, ArrangementKind, ArrangementState
from tests.dps.contracts.test_arrangements import agency, arranged
from tests.scenarios.serving import Care
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_register import an_officer
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def halton(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "halton") as served:
        yield served


@pytest.fixture
def kingston(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "kingston") as served:
        yield served


def portal_of(served: Served, provider: str | None) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, Part.PROVIDER_USER, provider=provider))
    return browser


def test_a_lead_is_recorded_passes_a_contract_on_and_the_arrangement_ends(halton: Served) -> None:
    world = halton.world
    lead: Actor = world.provider("Synthetic Lead", hours=10)
    one, other = agency(world, "Synthetic Agency One"), agency(world, "Synthetic Agency Two")
    officer = an_officer(halton)
    new = "/register/arrangements/new/halton"
    empty = officer.open("/register/arrangements").text
    officer.open(new)
    officer.send(new, lead=str(lead.provider), **{"member-1": one, "member-2": other})
    recorded = officer.page.text
    care = Care(world, world.referral(), lead)
    leader, agent = portal_of(halton, lead.provider), portal_of(halton, one)
    path = f"/portal/contracts/{care.ref}/delivery"
    linked = path in leader.open(f"/portal/contracts/{care.ref}").text
    leader.open(path)

    unsaid = leader.send(path)
    leader.open(path)
    passed = leader.send(path, to=one)
    leader.open(path)
    twice = leader.send(path, to=one)
    leader.open(path)
    corrected = leader.send(path, to=other).text
    leader.open(path)
    leader.send(path, to=one)
    theirs = agent.open("/portal/service/together").text
    led = [agent.open(page).text for page in ("/portal/contracts", "/portal/service")]
    (row,) = world.rows(Arrangement)
    officer.open(f"/register/arrangements/{row.ref}/end")
    ended = officer.send(f"/register/arrangements/{row.ref}/end").text
    world.step(days=1)
    late = leader.open(path).text

    assert "Everybody supplies alone." in empty
    assert "Synthetic Lead with subcontractors" in recorded
    assert "Synthetic Agency Two" in recorded
    assert linked
    assert (unsaid.status_code, "Choose who delivers it" in unsaid.text) == (400, True)
    assert "Synthetic Agency One, from" in passed.text
    assert (twice.status_code, "It is named for that day already" in twice.text) == (400, True)
    assert "Synthetic Agency Two, from" in corrected
    assert "Synthetic Agency One was named for" in corrected
    assert care.ref in theirs
    assert "Synthetic Lead" in theirs
    assert "Synthetic Person" not in theirs
    assert "What you deliver for a lead: 1 contract" in led[0]
    assert "You work under the lead of Synthetic Lead" in led[1]
    assert ">Ended<" in ended.replace("\n", "").replace("  ", "")
    assert "You can’t pass it on" in late
    assert agent.open(path).status_code == 404
    assert world.faults() == []


def test_a_consortium_has_shares_that_make_a_hundred_and_its_statement_says_who_gets_what(kingston: Served) -> None:
    world = kingston.world
    oak = world.provider("Synthetic Oak", localities=["surbiton"], lists=["area-provider"])
    elm, ash = agency(world, "Synthetic Elm"), agency(world, "Synthetic Ash")
    officer, new = an_officer(kingston), "/register/arrangements/new/kingston"
    parts = {
        "kind": "consortium",
        "lead": str(oak.provider),
        "lead-share": "50",
        "member-1": elm,
        "share-1": "30",
        "member-2": ash,
    }
    officer.open(new)

    unshared = officer.send(new, **parts)
    short = officer.send(new, **parts, **{"share-2": "19"})
    alone = officer.send(new, **parts | {"kind": "lead"}, **{"share-2": "20"})
    twice = officer.send(new, **parts | {"member-2": elm}, **{"share-2": "20"})
    officer.send(new, **parts, **{"share-2": "20"})
    (row,) = world.rows(Arrangement)
    care = Care(world, world.referral(locality="surbiton", lot="personal-care"), oak)
    world.step(days=7)
    statement = care.stated(7)
    shown = portal_of(kingston, oak.provider).open(f"/portal/statements/{statement.ref}").text
    member = portal_of(kingston, elm)
    before = member.open("/portal/service/together").text
    world.run(agree_statement, statement_ref=statement.ref, actor=oak)
    shared = member.open("/portal/service/together").text

    for refused, words in (
        (unshared, "Say which share, in percent"),
        (short, "shares that make 100"),
        (alone, "Subcontractors have no shares"),
        (twice, "Name everybody once"),
    ):
        assert (refused.status_code, words in refused.text) == (400, True), words
    assert (row.kind, row.state) == (ArrangementKind.CONSORTIUM, ArrangementState.AGREED)
    gets, listed = shown.partition("Who gets what of it")[2], officer.open("/register/arrangements").text
    in_order = ("Synthetic Oak", "Synthetic Ash", "Synthetic Elm")  # the lead, then by name
    assert gets
    assert sorted(in_order, key=gets.find) == list(in_order)
    assert sorted(in_order, key=listed.find) == list(in_order)
    assert "Synthetic Ash" in shown
    assert statement.ref not in before
    assert statement.ref in shared.partition("Your share of what is paid")[2]
    assert in_pounds(shares(statement.pence, {str(oak.provider): 50, elm: 30, ash: 20})[elm]) in shared
    assert member.open(f"/portal/statements/{statement.ref}").status_code == 404


def test_whoever_holds_a_place_of_its_own_is_refused_by_name(kingston: Served) -> None:
    world = kingston.world
    oak = world.provider("Synthetic Oak", localities=["surbiton"], lists=["area-provider"])
    held = world.provider("Synthetic Beside", localities=["chessington"], lists=["area-provider"])
    officer, new = an_officer(kingston), "/register/arrangements/new/kingston"
    officer.open(new)

    refused = officer.send(new, kind="lead", lead=str(oak.provider), **{"member-1": str(held.provider)})

    assert refused.status_code == 400
    assert "Synthetic Beside holds a place of its own" in refused.text
    assert world.rows(Arrangement) == []


def test_where_the_rules_allow_single_providers_alone_the_page_says_so(served: Served) -> None:
    officer = an_officer(served)

    assert "allow single providers alone" in officer.open("/register/arrangements").text
    assert "allow single providers alone" in officer.open("/register/arrangements/new/st-helens").text


def test_an_officer_with_a_tie_records_and_ends_nothing(halton: Served) -> None:
    world = halton.world
    lead, one = world.provider("Synthetic Lead"), agency(world, "Synthetic Agency")
    tied = an_officer(halton)
    tied.open("/desk/interests")
    tied.send("/desk/interests", provider=one)
    new = "/register/arrangements/new/halton"
    tied.open(new)

    refused = tied.send(new, lead=str(lead.provider), **{"member-1": one})

    assert (refused.status_code, "Somebody else has to do this" in refused.text) == (403, True)
    made = arranged(world, ArrangementKind.LEAD, lead, {one: None})
    assert made.from_day - timedelta(days=1) < world.now.date()
