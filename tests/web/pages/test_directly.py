"""Round the competition: a direct award, an offer from the open list, an interest that bars."""

import pytest

from bidding.offers import make_open_offer
from tests.web.pages.test_calls import answers
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def test_a_direct_award_needs_an_allowed_reason_and_a_price_within_the_range(served: Served) -> None:
    world = served.world
    chosen = world.provider("Chosen Homecare")
    referral = world.referral()
    broker = at_the_desk(served)
    path = f"/desk/referrals/{referral}/direct"
    broker.open(path)
    filled = {"provider": chosen.provider or "", "price-weekday": "16.00", **answers(served)}

    nothing = broker.send(path)
    dear = broker.send(path, **filled | {"price-weekday": "99.00", "reason": "persons_choice"})
    made = broker.send(path, **filled | {"reason": "persons_choice"})

    assert nothing.status_code == 400
    assert "Choose a reason" in nothing.text
    assert '<option value="travel">' in nothing.text  # why a price may be exceptional: one of a closed list
    assert dear.status_code == 400
    assert "Chosen Homecare" in made.text
    assert "Person’s choice" in made.text
    # Who proposes it has said yes to it: one person's approval is what these rules ask of it.
    assert "The provider answers by" in made.text
    assert world.award(referral).source == "direct_award"


def test_an_offer_from_the_open_list_is_taken_with_its_price_in_sight(served: Served) -> None:
    world = served.world
    keen = world.provider("Keen Homecare")
    referral = world.referral()
    while world.state(referral) != "unfilled":
        world.close(referral)
    content = world.content(referral, 1600)
    world.run(make_open_offer, referral_ref=referral, content=content, actor=keen)
    broker = at_the_desk(served)

    seen = broker.open(f"/desk/referrals/{referral}").text
    action = "/desk/offers/" + seen.split('action="/desk/offers/')[1].split('"')[0]
    taken = broker.send(action)

    assert "Keen Homecare" in seen
    assert taken.url.path.startswith("/desk/awards/")
    assert world.award(referral).provider == keen.provider


def test_a_declared_interest_bars_from_deciding_and_is_declared_once(served: Served) -> None:
    world = served.world
    winner = world.provider("Winner Homecare")
    referral = world.referral()
    world.bid(winner, referral, pence=1600)
    approver = at_the_desk(served, Part.APPROVER)
    approver.open("/desk/interests")

    nothing = approver.send("/desk/interests")
    for _ in range(2):
        declared = approver.send("/desk/interests", provider=winner.provider or "")
    world.close(referral)
    award = world.award(referral).ref
    approver.open(f"/desk/awards/{award}")
    refused = approver.post(f"/desk/awards/{award}/overturn", reason="Not this one.")

    assert nothing.status_code == 400
    assert declared.text.count("Winner Homecare, declared") == 1
    assert refused.status_code == 403
