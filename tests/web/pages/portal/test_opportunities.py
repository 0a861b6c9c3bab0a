"""Finding work without JavaScript: filters by address, space, the open list, questions and their answers."""

import re
from datetime import timedelta

import pytest
from sqlmodel import update

from bidding.offers import OpenOffer
from bidding.publishing import withdraw
from bidding.rounds import Invitation
from dps.places.directory import DirectoryEntry, PlacesLoad
from dps.places.positions import Grid
from dps.places.travel import Travel
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.portal.test_joining import member
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def found(browser: Browser, path: str) -> list[str]:
    """The packages that a list shows."""
    return re.findall(r'<a class="govuk-link" href="/portal/opportunities/(RND-[0-9A-Z-]+)"', browser.open(path).text)


def test_filters_stand_in_the_address_and_narrow_the_list(served: Served) -> None:
    browser, world = member(served), served.world
    first, second = (place.key for place in world.scheme.localities[:2])
    morning = world.round(world.referral(locality=first)).ref
    evening = world.round(world.referral(locality=second, visits="Mon-Fri 19:00-20:00 60m x2 personal_care")).ref
    list_ = "/portal/opportunities"

    assert set(found(browser, list_)) == {morning, evening}
    assert found(browser, f"{list_}?locality={second}") == [evening]
    assert found(browser, f"{list_}?time-morning=on") == [morning]
    assert found(browser, f"{list_}?carers=2") == [evening]
    assert found(browser, f"{list_}?least=5&most=12") == [evening]
    assert found(browser, f"{list_}?locality=mine&skills=own&least=&most=") != []
    assert found(browser, f"{list_}?from=2030-01-01") == []
    assert "No open package fits these filters" in browser.page.text
    browser.open(f"{list_}?carers=2&time-evening=on&least=5")
    shown = browser.form(list_)
    assert (shown["carers"], shown["time-evening"], shown["least"]) == ("2", "on", "5")


def test_a_filter_that_can_not_be_read_says_so_and_keeps_what_was_typed(served: Served) -> None:
    browser, world = member(served), served.world
    open_now = world.round(world.referral()).ref

    shown = found(browser, "/portal/opportunities?least=ten&from=2019-02-30")

    assert shown == [open_now]
    assert "“ten” was not read, and narrows nothing: give whole hours a week" in browser.page.text
    assert "“2019-02-30” was not read, and narrows nothing: give a day" in browser.page.text
    assert browser.form("/portal/opportunities")["least"] == "ten"


def test_a_message_that_is_followed_too_late_leads_to_words_and_not_to_nothing(served: Served) -> None:
    browser, world = member(served), served.world
    closing, withdrawn = world.referral(), world.referral()
    rounds = [world.round(one).ref for one in (closing, withdrawn)]
    world.run(withdraw, referral_ref=withdrawn, reason="Not needed any more.", actor=world.broker)
    world.close(closing)

    closed, taken_back = (browser.open(f"/portal/opportunities/{ref}") for ref in rounds)
    nobody_s = browser.open("/portal/opportunities/RND-0000-0000-0000")

    assert (closed.status_code, taken_back.status_code, nobody_s.status_code) == (410, 410, 404)
    assert "It closed on" in closed.text
    assert "The council took it back" in taken_back.text


def placed(served: Served, *sectors: tuple[str, int]) -> None:
    """Sectors on the map, so many metres east."""
    with served.world.database.transaction() as session:
        load = PlacesLoad(source="synthetic", vintage="none", sha256="0" * 64, knows_liveness=False, rows=1, left_out=0,
                          districts=[], loaded_at=served.world.now, loaded_by="test")  # fmt: skip
        session.add(load)
        session.flush()
        for sector, easting in sectors:
            session.add(
                DirectoryEntry(canonical=f"{sector}AA", district=sector.split(" ")[0], sector=sector,
                               easting=easting, northing=0, grid=Grid.BRITISH, load_id=load.id or 0)
            )  # fmt: skip


def test_space_shows_what_waits_and_fits_both_asked_for_and_unfilled(served: Served) -> None:
    browser, world = member(served), served.world
    fits = world.round(world.referral()).ref
    world.referral(visits="Mon-Sun 07:00-09:00 60m x2 personal_care")

    empty = browser.open("/portal/space?sector=&hours=&from=")
    wrong = browser.open("/portal/space?sector=SW1A&hours=ten")
    answer = found(browser, "/portal/space?sector=WA10+1&hours=10&from=")

    assert (empty.status_code, wrong.status_code) == (400, 400)
    for said in ("Write a postcode or its sector, such as WA10 1", "Write whole hours a week, such as 10"):
        assert said in wrong.text
    assert answer == [fits]
    assert "Nothing that waits fits" in browser.open("/portal/space?sector=WA10+1&hours=1").text


def unfilled(served: Served) -> str:
    """A package that went up the whole ladder and found nobody."""
    world, referral = served.world, served.world.referral()
    for _ in range(10):
        if world.state(referral) == "unfilled":
            return referral
        world.close(referral)
    raise AssertionError("the ladder has no end")


def test_an_unfilled_package_is_found_offered_on_and_the_offer_withdrawn(served: Served) -> None:
    browser, world = member(served), served.world
    referral = unfilled(served)
    assert f"/portal/open-list/{referral}" in browser.open("/portal/open-list").text
    assert f"/portal/open-list/{referral}" in browser.open("/portal/space?sector=WA10+1&hours=10").text
    path = f"/portal/open-list/{referral}"
    browser.open(path)
    answers = {f"answer-{question.key}": next(iter(question.answers)) for question in world.scheme.evaluation.questions}
    start = (world.now.date() + timedelta(days=1)).isoformat()

    wrong = browser.send(f"{path}/offers", **answers, **{"price-weekday": "99.00", "starts_on": start})
    assert wrong.status_code == 400
    latest = world.round(referral).published_part["latest_start"]
    browser.open(path)
    browser.send(f"{path}/offers", **answers, **{"price-weekday": "18.00", "starts_on": latest})

    (offer,) = world.rows(OpenOffer)
    assert offer.ref in browser.page.text
    browser.send(f"/portal/open-list/offers/{offer.ref}/withdrawal")
    assert "Withdrawn" in browser.page.text


def test_a_question_is_asked_in_the_portal_and_answered_at_the_desk(served: Served) -> None:
    asker, other, desk, world = member(served), member(served), Browser(served), served.world
    referral = world.referral()
    path = f"/portal/opportunities/{world.round(referral).ref}"
    asker.open(path)

    empty = asker.send(f"{path}/questions", reason="")
    asker.open(path)
    asker.send(f"{path}/questions", reason="We at Member Care ask: is there a hoist?")
    assert empty.status_code == 400
    assert "not answered yet" in asker.page.text
    assert "hoist" not in other.open(path).text
    desk.sign_in(an_account(served, Part.BROKER))
    page = desk.open(f"/desk/referrals/{referral}/questions").text
    (question,) = re.findall(r"/desk/questions/(QUE-[0-9A-Z-]+)/answer", page)
    assert asker.actor.provider not in page  # type: ignore[attr-defined]
    without = desk.send(f"/desk/questions/{question}/answer", shown="Is there a hoist?", answer="")
    assert without.status_code == 400
    desk.send(f"/desk/questions/{question}/answer", shown="Is there a hoist?", answer="Yes, in the bedroom.")

    for browser in (asker, other):
        text = browser.open(path).text
        assert "Is there a hoist?" in text
        assert "Yes, in the bedroom." in text
        assert "Member Care" not in text


def test_a_band_is_shown_as_it_was_measured(served: Served) -> None:
    browser, world = member(served), served.world
    referral = world.referral()
    round_ = world.round(referral).ref

    before = browser.open("/portal/opportunities").text
    with world.database.transaction() as session:
        session.execute(update(Invitation).values(travel=Travel.A_DRIVE))

    assert "from where you worked" not in before
    for path in ("/portal/opportunities", f"/portal/opportunities/{round_}"):
        assert "<strong>A drive away</strong> from where you worked when it was published" in browser.open(path).text
