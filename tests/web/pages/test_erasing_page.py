"""Erasing a person as a page: what goes and what stays, that it has to be meant, and what keeps it from being done."""

import pytest

from dps.kernel.calendar import LONDON
from dps.packages.persons import Person
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def withdrawn(served: Served) -> tuple[str, str]:
    """A referral that was withdrawn, and its person."""
    referral = served.world.referral(publish_it=False)
    broker = at_the_desk(served)
    broker.open(f"/desk/referrals/{referral}/withdraw")
    broker.send(f"/desk/referrals/{referral}/withdraw", reason="Went to live with family.")
    return referral, served.world.rows(Person)[-1].ref


def has_a_key(served: Served, person: str) -> bool:
    (row,) = served.world.rows(Person, Person.ref == person)
    return row.wrapped_key is not None


def test_a_person_is_erased_from_a_referral_s_page_once_it_was_said_why_and_that_it_is_meant(served: Served) -> None:
    referral, person = withdrawn(served)
    approver, path = at_the_desk(served, Part.APPROVER), f"/desk/people/{person}/erasure"
    linked = path in approver.open(f"/desk/referrals/{referral}").text
    approver.open(path)

    unsaid = approver.send(path)
    unmeant = approver.send(path, why="persons_request")
    kept = has_a_key(served, person)
    done = approver.send(path, why="persons_request", sure="on")
    again = approver.post(path, why="persons_request", sure="on")

    assert linked
    assert (unsaid.status_code, "Choose why" in unsaid.text) == (400, True)
    assert (unmeant.status_code, "Tick that it is meant" in unmeant.text) == (400, True)
    assert kept
    assert "This person is erased" in done.text
    assert "The worker clears" in done.text
    assert not has_a_key(served, person)
    assert "This person is erased" in again.text
    assert [event.body["reason"] for event in served.world.events("person.erased")] == ["persons_request"]

    left = at_the_desk(served).open(f"/desk/referrals/{referral}").text
    assert "nobody can read again who it was" in left
    assert "Copy for the same person" not in left
    assert "Few people were referred here" not in left


def test_who_is_sought_or_served_is_not_erased_and_the_page_says_by_what(served: Served) -> None:
    world = served.world
    oak = world.provider("Synthetic Oak")
    referral = world.referral()
    (person,) = world.rows(Person)
    approver, path = at_the_desk(served, Part.APPROVER), f"/desk/people/{person.ref}/erasure"

    sought = approver.open(path).text
    sent = approver.post(path, why="persons_request", sure="on")
    world.bid(oak, referral, pence=1600)
    world.close(referral)
    contract = world.accept_and_confirm(world.award(referral), oak)
    served_now = approver.open(path).text

    assert "A provider is sought for" in sought
    assert referral in sought
    assert 'type="radio"' not in sought
    assert (sent.status_code, referral in sent.text) == (400, True)
    assert "They are served under" in served_now
    assert contract in served_now
    assert has_a_key(served, person.ref)


def test_whose_time_is_over_is_listed_and_nobody_else(served: Served) -> None:
    _, person = withdrawn(served)
    world, approver = served.world, at_the_desk(served, Part.APPROVER)
    nobody = approver.open("/desk/people").text
    months = world.scheme.retention.unserved_months

    world.clock.move_to(world.now.astimezone(LONDON).replace(year=world.now.year + 1 + months // 12))
    due = approver.open("/desk/people").text

    assert "Nobody is due" in nobody
    assert f"/desk/people/{person}/erasure" in due
    other = Browser(served)
    other.sign_in(an_account(served, Part.APPROVER, authority="another-council"))
    assert other.open(f"/desk/people/{person}/erasure").status_code == 404
    assert person not in other.open("/desk/people").text
