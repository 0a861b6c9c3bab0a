"""Every page × {default, error, empty, long} × {1280, 320 px}: axe finds no violation of WCAG 2.2 AA, target size on.

One walk over the route table for each state; what its story does not reach is walked in the files beside.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlmodel import select

from dps.kernel.actors import Actor, Role
from dps.kernel.clock import DatabaseClock
from dps.register.providers import Provider
from tests.web.pages.chromium import MARKS
from tests.web.pages.test_coverage_page import with_places
from tests.web.pages.test_page_guards import a_story, page_routes
from tests.web.pages.walking import Walk, people_of, walking
from tests.web.served import ADMINISTRATOR, Served
from web.security.accounts import Account, Part
from web.security.invitations import ask_to_choose

# The first mark of a name counts: it stands before the one for a single journey.
pytestmark = [pytest.mark.timeout(900), *MARKS]

ELSEWHERE = {
    "/custody/{closing_ref:str}",
    "/desk/area-contracts/{area_contract_ref:str}",
    "/office/areas/{tender_ref:str}",
    "/office/proposals/{proposal_ref:str}",
    "/office/proposals/{proposal_ref:str}/toml",
    "/portal/areas/{tender_ref:str}",
    "/portal/bids/{bid_ref:str}/debriefs/{round_ref:str}",
    "/portal/bids/{bid_ref:str}/telephone",
    "/portal/open-list/{referral_ref:str}",
    "/requests/{referral_ref:str}",
    "/requests/{referral_ref:str}/check",
    "/requests/{referral_ref:str}/entry/{section:str}",
}
"""Pages for which the story has no row: the walks over drafts, areas, what is filled in, what waits and what is
elsewhere look at them. A page that only ever answered that it is not there would else pass as looked at."""


@pytest.fixture
def walk(served: Served) -> Iterator[Walk]:
    with walking(served) as found:
        yield found


def test_the_walk_sees_a_fault_that_stands_in_one_state_of_a_page_alone(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEST_SCREENSHOTS", raising=False)  # where pictures are kept, the same is looked at again
    with walk.window(None) as page:
        page.goto("/sign-in")
        # Else its scripts may still be at work: the second look would see another document.
        page.wait_for_load_state("networkidle")
        walk.look(page, "default", "/sign-in")
        walk.look(page, "again", "/sign-in")
        assert (walk.faults, len(walk.looked_at)) == ([], 1)

        page.locator("#email").fill("somebody@example.org")
        walk.look(page, "typed", "/sign-in")
        page.locator("#email").blur()
        walk.look(page, "left", "/sign-in")
        assert (walk.faults, len(walk.looked_at)) == ([], 3)

        page.evaluate("document.querySelector('main').append(document.createElement('button'))")
        walk.look(page, "faulty", "/sign-in")
        faulty, walk.faults = walk.faults, []
        assert [fault.partition(": ")[0] for fault in faulty if "button-name" in fault] == [
            "faulty /sign-in at 1280",
            "faulty /sign-in at 320",
        ]

        page.goto("/sign-in")
        page.evaluate("document.querySelector('h1').style.width = '400px'")
        walk.look(page, "wide", "/sign-in")
        assert walk.faults == ["wide /sign-in at 320: wider than the window"]


def test_axe_finds_nothing_wrong_before_anything_has_happened(served: Served, walk: Walk) -> None:
    walk.open_all(page_routes(served), people_of(served), "empty", {})

    walk.must_be_clean("empty")


def test_axe_finds_nothing_wrong_with_pages_that_tell_a_story(served: Served, walk: Walk) -> None:
    own: dict[str, Any] = a_story(served)
    people = people_of(served, own["provider"])
    walk.open_all(page_routes(served), people, "default", own)
    open_draft(walk, people[Part.REQUESTER])
    with walk.window(None) as page:
        for path in ("/join", "/sign-in", "/nowhere"):
            page.goto(path)
            walk.look(page, "default", path)
    with walk.window(people[Part.BROKER], is_half=True) as page:
        page.goto("/sign-in/second-factor")
        walk.look(page, "default", "/sign-in/second-factor")
    open_invitation(walk, people[Part.BROKER])

    walk.must_be_clean("default")
    assert walk.absent == ELSEWHERE


def test_axe_finds_nothing_wrong_with_maps(served: Served, walk: Walk) -> None:
    own: dict[str, Any] = a_story(served)
    with_places(served)
    open_maps(walk, people_of(served, own["provider"]), world_scheme=served.world.scheme.key)

    walk.must_be_clean("map", at_least=4)


def test_axe_finds_nothing_wrong_with_what_is_refused(served: Served, walk: Walk) -> None:
    own: dict[str, Any] = a_story(served)
    walk.send_all(page_routes(served), people_of(served, own["provider"]), own)

    walk.must_be_clean("error")


def test_axe_finds_nothing_wrong_with_the_longest_names(served: Served, walk: Walk) -> None:
    own: dict[str, Any] = a_story(served)
    people = people_of(served, own["provider"])
    lengthened(served, people)
    walk.open_all(page_routes(served), people, "long", own)

    walk.must_be_clean("long")


def open_invitation(walk: Walk, account: Account) -> None:
    """The link to choose a password: its form, what is said of none, and that it is used up."""
    world = walk.served.world
    with world.database.transaction() as session:
        wall = DatabaseClock().read(session)
        path = ask_to_choose(session, world.ports, account=account, by=ADMINISTRATOR, now=world.now, wall=wall)
    with walk.window(None) as page:
        page.goto(path)
        for state, typed in (("default", ""), ("error", "three other words")):
            walk.look(page, state, "/sign-in/invitations")
            page.get_by_label("Password", exact=True).fill(typed)
            page.get_by_role("button", name="Keep it and go on").click()
        page.goto(path)
        walk.look(page, "over", "/sign-in/invitations")


def lengthened(served: Served, people: dict[Part, Account]) -> None:
    """The longest names that there may be, without a space to break them at."""
    with served.world.database.transaction() as session:
        for account in people.values():
            session.get_one(Account, account.id).name = "Synthetic" + "x" * 71
        for row in session.exec(select(Provider)).all():
            row.name = "Synthetic" + "provider" * 20


def open_draft(walk: Walk, requester: Account) -> None:
    """A requester's own draft: its pages, and what the check says of a reason that is none."""
    by = Actor(ref=requester.ref, role=Role.REQUESTER, authority=requester.authority)
    path = f"/requests/{walk.served.world.referral(publish_it=False, by=by)}"
    with walk.window(requester) as page:
        for section in ("check", "entry/person", "entry/week"):
            page.goto(f"{path}/{section}")
            walk.look(page, "draft", f"/requests/draft/{section}")
        page.goto(f"{path}/check")
        page.get_by_role("button", name="Withdraw it").click()
        page.locator(".govuk-error-summary").wait_for()
        walk.look(page, "draft", "/requests/draft/withdrawal")


def open_maps(walk: Walk, people: dict[Part, Account], *, world_scheme: str) -> None:
    """The pages with a map, once there is something to draw."""
    staff = ("/coverage?by=sector&show=bids", "/coverage?by=locality&show=providers")
    own = ("/portal/opportunities?show=map", f"/portal/service/schemes/{world_scheme}/application")
    for part, paths in ((Part.COMMISSIONER, staff), (Part.PROVIDER_ADMIN, own)):
        with walk.window(people[part]) as page:
            for path in paths:
                page.goto(path)
                page.locator("svg.dps-map").wait_for()
                walk.look(page, "map", path)
