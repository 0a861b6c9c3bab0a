"""What came of care, at the desk: reviews and their settlement, follow-ups, complaints, weekly prices."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dps.contracts.answers import answer_review
from dps.contracts.outcomes import OutcomeReview
from dps.contracts.quality.concerns import Concern
from dps.contracts.quality.following_up import FollowedUp
from dps.contracts.tiers import ContractTier
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.generous import answered
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def council(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, answered()) as served:
        yield served


@pytest.fixture
def running(council: Served) -> tuple[str, Actor]:
    """A contract whose first visit was ten days ago, and who serves it."""
    return council.world.in_care(since=timedelta(days=10))


def test_a_contested_review_is_settled_by_an_approver_who_did_not_make_it(
    council: Served, running: tuple[str, Actor]
) -> None:
    contract, winner = running
    world, broker, approver = council.world, at_the_desk(council), at_the_desk(council, Part.APPROVER)
    path = f"/desk/contracts/{contract}/outcomes"
    broker.open(path)

    uncounted = broker.send(f"{path}/reviews")
    too_many = broker.send(f"{path}/reviews", met="3", agreed="2")
    found = broker.send(f"{path}/reviews", met="1", agreed="2")
    provider = Browser(council)
    provider.sign_in(an_account(council, Part.PROVIDER_USER, provider=winner.provider))
    asked = provider.open("/portal").text
    broker.open(path)
    again = broker.send(f"{path}/reviews", met="1", agreed="2")
    (review,) = world.rows(OutcomeReview)
    world.run(answer_review, review_ref=review.ref, scheme=world.scheme, agrees=False, actor=winner)
    answered_home, contested = provider.open("/portal").text, approver.open("/desk/contracts").text
    approver.open(path)
    unsaid = approver.send(f"/desk/reviews/{review.ref}/settlement")
    settled = approver.send(
        f"/desk/reviews/{review.ref}/settlement", **{f"settled-{review.ref}": "2"}, exception="unmet_excused"
    )

    assert (uncounted.status_code, "Say how many" in uncounted.text) == (400, True)
    assert (too_many.status_code, "3 of 2 outcomes" in too_many.text) == (400, True)
    assert "1 of 2 outcomes met" in found.text
    assert (again.status_code, "This was recorded already" in again.text) == (400, True)
    assert (unsaid.status_code, "Say how many were met" in unsaid.text) == (400, True)
    assert "2 of 2 outcomes met" in settled.text
    assert f'href="/portal/contracts/{contract}#{review.ref}"' in asked
    assert review.ref not in answered_home
    assert "1 of 2 met by" in contested.partition("Reviews of outcomes that a provider contests")[2]
    assert "that a provider contests" not in approver.open("/desk/contracts").text
    assert "Accepted as proven: unmet excused." in settled.text


def test_who_is_due_is_listed_and_asked_once(council: Served, running: tuple[str, Actor]) -> None:
    contract, _ = running
    broker, path = at_the_desk(council), f"/desk/contracts/{contract}/outcomes"
    listed = broker.open("/desk/follow-ups").text
    ahead = broker.open(path).text

    unsaid = broker.send(f"{path}/follow-ups", point="a-week")
    asked = broker.send(f"{path}/follow-ups", point="a-week", whereabouts="home_with_care", satisfaction="4")
    after = broker.open("/desk/follow-ups").text

    assert contract in listed
    assert "to be asked from" in ahead
    assert (unsaid.status_code, "Choose how the person lives" in unsaid.text) == (400, True)
    assert "home with care, content 4 of 5" in asked.text
    assert "Nobody is due today." in after
    assert [(one.point, one.satisfaction) for one in council.world.rows(FollowedUp)] == [("a-week", 4)]


def test_a_complaint_is_recorded_and_upheld(council: Served, running: tuple[str, Actor]) -> None:
    contract, _ = running
    broker, path = at_the_desk(council), f"/desk/contracts/{contract}/outcomes"
    broker.open(path)

    ahead = broker.send(f"{path}/concerns", kind="complaint", topic="conduct", received_on="2100-01-01")
    recorded = broker.send(
        f"{path}/concerns", kind="complaint", topic="conduct", received_on=council.world.now.date().isoformat()
    )
    (concern,) = council.world.rows(Concern)
    upheld = broker.send(f"/desk/concerns/{concern.ref}/finding", is_upheld="yes")

    assert (ahead.status_code, "This day is still to come" in ahead.text) == (400, True)
    assert "Complaint: conduct" in recorded.text
    assert "Upheld" in upheld.text
    assert [str(one.state) for one in council.world.rows(Concern)] == ["upheld"]


def test_a_contract_is_placed_in_a_weekly_price_and_out_of_it(council: Served, running: tuple[str, Actor]) -> None:
    contract, _ = running
    broker, path = at_the_desk(council), f"/desk/contracts/{contract}/changes"
    today = council.world.now.date()
    broker.open(path)

    unsaid = broker.send(f"{path}/tier")
    broker.send(f"{path}/tier", tier="low", tier_from=today.isoformat())
    placed = broker.open(path).text
    story = broker.open(f"/desk/contracts/{contract}").text
    broker.open(path)
    again = broker.send(f"{path}/tier", tier="low", tier_from=today.isoformat())
    broker.send(f"{path}/tier", tier="-", tier_from=(today + timedelta(days=1)).isoformat())

    assert (unsaid.status_code, "Choose a price, or none" in unsaid.text) == (400, True)
    assert ": Low, £100.00 a week." in placed
    assert "£100.00, Low" in story
    assert (again.status_code, "This day has another already" in again.text) == (400, True)
    assert [one.key for one in council.world.rows(ContractTier)] == ["low", None]
