"""Contracts for a whole area on pages: sought, bid for on one page, evaluated with its working, offered, accepted."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bidding.bids.records import Bid
from bidding.closings import Closing
from bidding.tenders.records import Tender
from dps.contracts.area_contracts import AreaContractRow
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.register.documents import receive
from dps.register.rate_cards import put_rate_card
from tests.scenarios.test_kingston_areas import CHEAP, MALDEN, Competition
from tests.web.pages.browsing import Browser
from tests.web.pages.test_page_guards import seated
from tests.web.served import Served
from web.pages.portal.own_copies import OwnCopy
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def kingston(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "kingston") as served:
        yield served


def sought(served: Served, what: str) -> tuple[Browser, str]:
    """The commissioner's browser at a tender that it has just published, and the tender."""
    browser = seated(served, Part.COMMISSIONER)
    browser.open("/office/areas")
    day = (served.world.now.date() + timedelta(days=40)).isoformat()
    page = browser.send("/office/areas", what=what, from_day=day)
    assert page.status_code == 200
    (tender,) = served.world.rows(Tender)
    return browser, tender.ref


def close(served: Served, ref: str) -> None:
    (tender,) = served.world.rows(Tender, Tender.ref == ref)
    (closing,) = served.world.rows(Closing, Closing.id == tender.closing_id)
    served.world.move_to(closing.closes_at)


def test_a_rate_card_is_filled_in_from_own_prices_and_goes_all_the_way_to_a_contract(kingston: Served) -> None:
    world = kingston.world
    oak = world.provider("Synthetic Oak", lists=["approved"])
    world.run(
        put_rate_card,
        provider_id=world.row_of(oak).id or 0,
        scheme=world.scheme,
        lot="personal-care",
        card=RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1_675}),
        actor=oak,
    )
    commissioner, ref = sought(kingston, "kingston/rate-card/surbiton")
    provider = seated(kingston, Part.PROVIDER_USER, provider=oak.provider)
    assert "Surbiton" in provider.open("/portal/areas").text
    provider.open(f"/portal/areas/{ref}")
    prefilled = provider.form(f"/portal/areas/{ref}/bid/check")
    assert (prefilled["rate-personal-care"], prefilled["rate-reviews"]) == ("16.75", "")
    assert "60,000 carer-hours a year" in provider.page.text

    unsaid = provider.send(f"/portal/areas/{ref}/bid/check")
    assert unsaid.status_code == 400
    assert unsaid.text.count("Give a rate") == 2 * 9
    rates = {f"rate-{element.key}": "15.00" for element in world.scheme.area_contract("rate-card").elements}
    dear = provider.send(f"/portal/areas/{ref}/bid/check", **rates | {"rate-sitting": "21.01"})
    assert "£21.01 for Support to carers (sitting) is above the ceiling of £21.00" in dear.text
    at_sitting = dear.text.index('id="rate-sitting-error"')
    assert "£21.01 for" in dear.text[at_sitting : at_sitting + 300]
    bid = rates | {"rate-reviews": "0", "rate-personal-care": "16.75"}
    checked = provider.send(f"/portal/areas/{ref}/bid/check", **bid)
    assert "£16.75 a carer-hour, 60,000 carer-hours a year: £1,005,000.00" in checked.text
    assert "A year on the stated volume" in checked.text
    assert world.rows(Bid) == []
    again = provider.send(f"/portal/areas/{ref}/bid")
    assert bid.items() <= provider.form(f"/portal/areas/{ref}/bid/check").items(), again.text
    provider.send(f"/portal/areas/{ref}/bid/check")
    sealed = provider.send(f"/portal/areas/{ref}/bid/submission")
    assert "Replace your bid" in sealed.text
    (first,) = world.rows(Bid)
    (copy,) = world.rows(OwnCopy)
    assert b"1675" not in copy.sealed
    assert "Only this browser can show it" in sealed.text
    assert provider.form(f"/portal/areas/{ref}/bid/check")["rate-sitting"] == "15.00"
    elsewhere = seated(kingston, Part.PROVIDER_USER, provider=oak.provider).open(f"/portal/areas/{ref}").text
    assert "only in the browser that handed it in" in elsewhere
    assert "£15.00 a carer-hour" not in elsewhere
    assert f'href="/portal/areas/{ref}"' in provider.open("/portal/bids").text, provider.page.text
    assert provider.open(f"/portal/bids/{first.ref}").url.path == f"/portal/areas/{ref}"
    provider.open(f"/portal/areas/{ref}")
    taken_back = provider.post(f"/portal/bids/{first.ref}/withdrawal")
    assert (taken_back.status_code, "where the area is sought" in taken_back.text) == (422, True), taken_back.text
    assert f"It replaces your bid {first.ref}" in provider.send(f"/portal/areas/{ref}/bid/check", **bid).text
    assert "nobody can see before the closing" in commissioner.open(f"/office/areas/{ref}").text
    assert str(oak.provider) not in commissioner.page.text

    close(kingston, ref)
    assert "How it was worked out" in commissioner.open(f"/office/areas/{ref}").text
    assert "Personal care: 60,000 carer-hours at £16.75: £1,005,000.00" in commissioner.page.text
    assert "Once the contract is decided" in provider.open(f"/portal/areas/{ref}").text
    approver = seated(kingston, Part.APPROVER)
    approver.open(f"/office/areas/{ref}")
    approver.send(f"/office/areas/{ref}/offer")
    assert f'href="/portal/areas/{ref}"' in provider.open("/portal").text
    provider.open(f"/portal/areas/{ref}")
    provider.client.post(f"/portal/areas/{ref}/answer", data={"csrf": provider.csrf, "answer": "accept"})  # type: ignore[attr-defined]

    (row,) = world.rows(AreaContractRow)
    assert row.terms["rates"]["personal-care"] == 1_675
    assert f"The contract is yours: {row.ref}" in provider.open(f"/portal/areas/{ref}").text
    assert "1 of 1" in provider.page.text
    assert row.ref in commissioner.open("/office/areas").text


def test_a_commissioner_lets_an_area_contract_end_early(kingston: Served) -> None:
    world = kingston.world
    oak = world.provider("Synthetic Oak", lists=["approved"])
    row = Competition(world, "two-rates", MALDEN).let(oak, (oak, CHEAP))
    commissioner, path = seated(kingston, Part.COMMISSIONER), f"/office/areas/{row.tender}"
    assert path in commissioner.open("/office/areas").text
    assert f"{path}/end" not in seated(kingston, Part.APPROVER).open(path).text

    commissioner.open(path)
    unsaid = commissioner.send(f"{path}/end")
    past = commissioner.send(f"{path}/end", last_day=(world.now.date() - timedelta(days=1)).isoformat())
    ended = commissioner.send(f"{path}/end", last_day=world.now.date().isoformat())

    assert (unsaid.status_code, "Say which day is its last" in unsaid.text) == (400, True)
    assert (past.status_code, "ends today or later" in past.text) == (400, True)
    assert "Ended early" in ended.text
    assert f"{path}/end" not in ended.text
    (ended_row,) = world.rows(AreaContractRow)
    assert ended_row.last_day == world.now.date()


def test_outcomes_within_a_budget_are_bid_for_on_one_page_and_withdrawn(kingston: Served) -> None:
    oak = kingston.world.provider("Synthetic Oak", lists=["approved"])
    _, ref = sought(kingston, "kingston/outcomes/kingston-town")
    provider = seated(kingston, Part.PROVIDER_ADMIN, provider=oak.provider)
    provider.open(f"/portal/areas/{ref}")
    assert "Today the area costs £2,050,000.00 a year, for 155 people and 105,000 hours" in provider.page.text
    promises = {"target-at-home": "90", "target-no-admission": "75", "target-independent": "60"}

    provider.send(f"/portal/areas/{ref}/bid/check", yearly="2000000.01", **promises, **{"target-satisfied": "80"})
    assert "is £0.01 above the area" in provider.page.text
    provider.send(f"/portal/areas/{ref}/bid/check", yearly="1990000", **promises, **{"target-satisfied": "eighty"})
    assert "Write a percentage from 80 to 100" in provider.page.text
    provider.send(f"/portal/areas/{ref}/bid/check", yearly="1990000", **promises, **{"target-satisfied": "80"})
    assert "£1,990,000.00" in provider.page.text
    provider.send(f"/portal/areas/{ref}/bid/submission")
    provider.send(f"/portal/areas/{ref}/withdrawal")

    assert [str(bid.state) for bid in kingston.world.rows(Bid)] == ["withdrawn"]
    assert "Replace your bid" not in provider.page.text


def test_bad_requests_are_explained_and_strangers_see_nothing(kingston: Served) -> None:
    commissioner, ref = sought(kingston, "kingston/two-rates/new-malden")
    commissioner.open("/office/areas")
    early = commissioner.send("/office/areas", what="kingston/two-rates/chessington", from_day="2016-03-08")
    commissioner.open("/office/areas")
    again = commissioner.send("/office/areas", what="kingston/two-rates/new-malden", from_day="2016-06-01")
    commissioner.open("/office/areas")
    nothing = commissioner.send("/office/areas", from_day="2016-06-01")

    assert (early.status_code, "begins after its closing" in early.text) == (400, True)
    assert (again.status_code, "is being sought" in again.text) == (400, True)
    assert (nothing.status_code, "Choose what is sought" in nothing.text) == (400, True)
    stranger = seated(kingston, Part.APPROVER, authority="another-council")
    assert stranger.open(f"/office/areas/{ref}").status_code == 404
    assert ref not in stranger.open("/office/areas").text
    commissioner.open(f"/office/areas/{ref}")
    commissioner.send(f"/office/areas/{ref}/cancellation")
    assert "It was cancelled" in commissioner.page.text


def test_where_no_area_is_let_nobody_is_led_there(served: Served) -> None:
    browser = seated(served, Part.COMMISSIONER)

    assert "/office/areas" not in browser.open("/rules").text
    assert "name no contract for a whole area" in browser.open("/office/areas").text


def test_whoever_may_not_bid_is_told_before_it_fills_in_anything(kingston: Served) -> None:
    world = kingston.world
    elm = world.provider("Synthetic Elm", lists=["approved"])
    _, ref = sought(kingston, "kingston/outcomes/kingston-town")
    world.run(
        receive,
        provider_id=world.row_of(elm).id or 0,
        kind=world.scheme.admission.documents[0],
        sha256="0" * 64,
        expires_on=world.now.date() + timedelta(days=1),
        actor=Actor("officer", Role.REGISTER_OFFICER),
    )
    world.step(days=2)
    provider = seated(kingston, Part.PROVIDER_ADMIN, provider=elm.provider)

    told = provider.open(f"/portal/areas/{ref}").text

    assert "You can’t bid for this. You are no active member" in told
    assert 'href="/portal/service">Your service</a> says what is missing' in told
    assert f"/portal/areas/{ref}/bid" not in told
