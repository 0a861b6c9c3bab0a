"""Placed otherwise, without JavaScript: a broker proposes, an approver decides, and one page tells it to both."""

import pytest
from markupsafe import escape

from bidding import publishing
from bidding.otherwise.records import Placement
from tests.web.pages.browsing import Browser
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])
WORDS = "Her sister's agency has a carer free."
GOOD = {"how": "off_list_spot", "provider": "other", "price": "412.50", "reason": WORDS}


def proposed(served: Served, broker: Browser) -> tuple[str, str]:
    """A package that nobody took, and a proposal for it made in the browser; references of both."""
    referral = served.world.referral()
    path = f"/desk/referrals/{referral}/otherwise"
    broker.open(path)
    broker.send(path, **GOOD)
    return referral, served.world.rows(Placement)[-1].ref


def test_what_is_missing_is_said_at_its_field_and_nothing_is_proposed(served: Served) -> None:
    referral, broker = served.world.referral(), at_the_desk(served)
    path = f"/desk/referrals/{referral}/otherwise"

    assert f'href="{path}"' in broker.open(f"/desk/referrals/{referral}").text
    broker.open(path)
    for changed, field in (({"price": ""}, "price"), ({"provider": ""}, "provider"), ({"how": ""}, "how"),
                           ({"reason": "short"}, "reason"), ({"price": "999999999.00"}, "price")):  # fmt: skip
        page = broker.send(path, **GOOD | changed)

        assert (page.status_code, f'href="#{field}"' in page.text) == (400, True), changed
    assert served.world.rows(Placement) == []


def test_everything_that_is_missing_is_said_at_once_in_the_order_of_the_form(served: Served) -> None:
    referral, broker = served.world.referral(), at_the_desk(served)
    path = f"/desk/referrals/{referral}/otherwise"
    broker.open(path)

    page = broker.send(path, how="", provider="", price="cheap", reason="short")

    at = [page.text.index(f'href="#{field}"') for field in ("how", "provider", "price", "reason")]
    assert (page.status_code, at) == (400, sorted(at))
    assert 'value="cheap"' in page.text
    assert ">short</textarea>" in page.text


def test_an_approver_finds_it_in_the_queue_and_approves_what_a_broker_proposed(served: Served) -> None:
    broker, approver = at_the_desk(served), at_the_desk(served, Part.APPROVER)
    referral, ref = proposed(served, broker)
    path = f"/desk/placements/{ref}"

    asked, queue = broker.page.text, approver.open("/desk?place=otherwise").text
    seen = approver.open(path).text
    approved = approver.send(f"{path}/approval").text

    assert "It waits for an approver." in asked
    assert f'action="{path}/approval"' not in asked
    assert f'<a class="govuk-link" href="{path}">Decide</a>' in queue
    assert "<strong>1</strong><span>waiting for an approver" in queue
    for words in (
        str(escape(WORDS)),
        "£412.50",
        "Synthetic broker, a broker",
        "bids may ask £14.00 to £20.00",
    ):
        assert words in seen
    assert "Synthetic approver, an approver" in approved
    assert served.world.state(referral) == "placed_otherwise"
    story = broker.open(f"/desk/referrals/{referral}").text
    assert "Proposed by a broker, approved by an approver." in story
    assert "It was proposed to place it otherwise" in story
    assert "It was placed otherwise" in story


def test_a_refusal_needs_words_which_the_broker_reads(served: Served) -> None:
    broker, approver = at_the_desk(served), at_the_desk(served, Part.APPROVER)
    referral, ref = proposed(served, broker)
    path = f"/desk/placements/{ref}"
    approver.open(path)

    without = approver.send(f"{path}/refusal", reason="")
    approver.send(f"{path}/refusal", reason="A list provider starts on Monday.")

    assert (without.status_code, 'href="#reason"' in without.text) == (400, True)
    assert "A list provider starts on Monday." in broker.open(path).text
    assert served.world.state(referral) == "unfilled"
    assert "Nothing waits here." in approver.open("/desk?place=otherwise").text


def test_a_proposal_is_taken_back_or_replaced_and_one_that_is_stale_says_why(served: Served) -> None:
    broker, approver, world = at_the_desk(served), at_the_desk(served, Part.APPROVER), served.world
    referral, first = proposed(served, broker)
    form = f"/desk/referrals/{referral}/otherwise"
    approver.open(f"/desk/placements/{first}")
    late = approver.form(f"/desk/placements/{first}/approval")

    waits = broker.open(form).text
    second = broker.send(form, **GOOD | {"price": "400.00"}).text
    replaced = approver.open(f"/desk/placements/{first}").text
    refused = approver.client.post(f"/desk/placements/{first}/approval", data=late)
    ref = world.rows(Placement)[-1].ref
    broker.open(f"/desk/placements/{ref}")
    back = broker.send(f"/desk/placements/{ref}/withdrawal").text
    broker.open(form)
    broker.send(form, **GOOD)
    world.run(publishing.withdraw, referral_ref=referral, reason="Moved away.", actor=world.broker)

    assert "waits for an approver already" in waits
    assert "£400.00" in second
    assert "A newer proposal took its place" in replaced
    assert (refused.status_code, f"{first} stands at “Lapsed”" in refused.text) == (409, True)
    assert "Taken back by" in back
    assert "The referral was withdrawn" in approver.open(f"/desk/placements/{world.rows(Placement)[-1].ref}").text
