"""Pages that the story of the other walks has no row for: axe finds no violation, as on every page."""

from bidding.bids.records import Bid
from dps.kernel.actors import Actor, Role
from tests.web.pages.chromium import MARKS
from tests.web.pages.test_calls import answers
from tests.web.pages.test_desk import at_the_desk
from tests.web.pages.walking import Walk, people_of, walking
from tests.web.served import Served
from web.security.accounts import Account, Part

pytestmark = MARKS


def test_axe_finds_nothing_wrong_with_debriefs_telephone_bids_open_packages_and_what_was_asked_for(
    served: Served,
) -> None:
    world = served.world
    with walking(served) as walk:
        winner, loser = world.provider("Winner"), world.provider("Loser")
        people = people_of(served, loser.provider)
        requester = people[Part.REQUESTER]
        by = Actor(ref=requester.ref, role=Role.REQUESTER, authority=requester.authority)
        asked_for = world.referral(by=by)
        world.bid(winner, asked_for, pence=1500)
        lost = world.bid(loser, asked_for, pence=1600)["bid"]
        round_ref = world.round(asked_for).ref
        look(walk, people, Part.REQUESTER, "asked", "/requests", "/requests")
        look(walk, people, Part.REQUESTER, "asked", "/requests/{referral_ref:str}", f"/requests/{asked_for}")
        world.close(asked_for)
        path = "/portal/bids/{bid_ref:str}/debriefs/{round_ref:str}"
        look(walk, people, Part.PROVIDER_USER, "early", path, f"/portal/bids/{lost}/debriefs/{round_ref}", 409)
        world.accept_and_confirm(world.award(asked_for), winner)
        look(walk, people, Part.PROVIDER_USER, "over", path, f"/portal/bids/{lost}/debriefs/{round_ref}")
        look(walk, people, Part.REQUESTER, "over", "/requests/{referral_ref:str}", f"/requests/{asked_for}")
        nobody = world.referral()
        while world.state(nobody) != "unfilled":
            world.close(nobody)
        open_package = "/portal/open-list/{referral_ref:str}"
        look(walk, people, Part.PROVIDER_USER, "over", open_package, f"/portal/open-list/{nobody}")
        look(walk, people, Part.PROVIDER_USER, "over", "/portal/open-list", "/portal/open-list")
        rung = typed_by_telephone(served, world.referral(), str(loser.provider))
        look(walk, people, Part.PROVIDER_USER, "over", "/portal/bids/{bid_ref:str}/telephone", f"{rung}/telephone")

        walk.must_be_clean("over", at_least=5)


def typed_by_telephone(served: Served, referral: str, provider: str) -> str:
    """A broker types what a provider says; the address of the bid."""
    broker = at_the_desk(served)
    path = f"/desk/rounds/{served.world.round(referral).ref}/telephone/{provider}"
    broker.open(path)
    broker.send(path, **{"price-weekday": "16.00"}, **answers(served))
    broker.client.post(path, data=broker.form(path) | answers(served))
    return f"/portal/bids/{served.world.rows(Bid)[-1].ref}"


def look(
    walk: Walk, people: dict[Part, Account], part: Part, state: str, route: str, path: str, status: int = 200
) -> None:
    """Let axe look at a page that must be there."""
    with walk.window(people[part]) as page:
        answer = page.goto(path)
        assert answer is not None
        assert (route, answer.status) == (route, status)
        walk.look(page, state, route)
