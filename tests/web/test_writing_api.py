"""Referrals and changes of contracts over HTTP, as a case-management and a rostering system would write them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bidding.looking.drafted import drafted
from bidding.referrals import Referral
from dps.contracts.variations.records import Variation
from dps.kernel.actors import Role
from dps.kernel.database import Database
from dps.kernel.money import PriceBasis
from dps.packages.persons import Person
from dps.schemes.model import Urgency
from tests.web.pages.generous import generous
from tests.web.served import Caller, Served


def a_referral(served: Served, **more: Any) -> dict[str, Any]:
    world = served.world
    place = world.scheme.localities[0].key
    start = world.now.date() + timedelta(days=3)
    return {
        "scheme": world.scheme.key,
        "name": "Synthetic Person",
        "postcode": f"{world.sector(place)}AA",
        "address": "1 Example Street",
        "date_of_birth": "1940-05-06",
        "nhs_number": "999 123 4578",
        "lot": world.scheme.lots[0].key,
        "urgency": "standard",
        "funding": "council",
        "schedule": ["Mon-Fri 07:30-09:30 30m personal_care", "Sat,Sun 08:00-10:00 30m personal_care"],
        "needs": [],
        "flags": [],
        "pen_picture": "Needs help to wash and dress.",
        "outcomes": ["Washes alone; then dresses."],
        "earliest_start": start.isoformat(),
        "latest_start": (start + timedelta(days=7)).isoformat(),
        **more,
    }


def test_a_referral_is_written_down_once_its_words_confirmed_and_published(served: Served) -> None:
    world, provider, broker = served.world, served.provider("Ash Homecare"), served.broker()
    body = a_referral(served)

    made = broker.post("/api/referrals", body, key="one")
    again = broker.post("/api/referrals", body, key="one")
    other = broker.post("/api/referrals", body | {"name": "Another"}, key="one")
    draft = made.json()
    early = broker.post(f"/api/referrals/{draft['ref']}/publication")
    words = broker.post(f"/api/referrals/{draft['ref']}/words", {"edition": draft["edition"]})
    ready = broker.post(f"/api/referrals/{draft['ref']}/readiness")
    published = broker.post(f"/api/referrals/{draft['ref']}/publication")

    assert (made.status_code, draft["state"]) == (201, "draft")
    assert again.json() == draft
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert early.status_code == 409
    assert (words.status_code, ready.json()["state"], published.json()["state"]) == (200, "ready", "seeking")
    assert len(world.rows(Referral)) == 1
    assert len(provider.get("/api/opportunities").json()) == 1
    with world.database.reading() as session:
        kept = drafted(session, world.ports, referral_ref=draft["ref"], scheme=world.scheme, actor=world.broker)
    assert kept.words is not None
    assert kept.words.outcomes == ("Washes alone; then dresses.",)
    assert kept.facts.needs == frozenset()
    assert "Synthetic Person" not in made.text
    assert world.faults() == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_field_that_is_wrong_is_named_at_once_and_nothing_is_stored(served: Served) -> None:
    broker = served.broker()

    wrong = broker.post(
        "/api/referrals", a_referral(served, schedule=["every day"], nhs_number="12", date_of_birth="2100-01-01")
    )
    unknown = broker.post("/api/referrals", a_referral(served, hobby="chess"))
    elsewhere = broker.post("/api/referrals", a_referral(served, scheme="nowhere"))

    assert wrong.status_code == 422
    assert {one["field"] for one in wrong.json()["errors"]} >= {"schedule", "nhs_number"}
    assert (unknown.status_code, elsewhere.status_code) == (400, 404)
    assert served.world.rows(Person) == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_is_on_no_closed_list_is_told_the_list(served: Served) -> None:
    broker, provider = served.broker(), served.provider()
    bid = {"card": {"basis": "hourly", "prices": {"weekday": 1700}}, "starts_on": "2019-03-08"}

    body = broker.post("/api/referrals", a_referral(served, urgency="soon"))
    nested = provider.post("/api/bids", {"rounds": ["RND-1"], "bid": bid})
    asked = broker.get("/api/referrals?in_state=lost")

    urgencies, bases = [str(one) for one in Urgency], [str(one) for one in PriceBasis]
    assert body.json()["errors"] == [
        {"allowed": urgencies, "field": "urgency", "message": f"is none of the values allowed: {', '.join(urgencies)}"}
    ]
    assert [one["allowed"] for one in nested.json()["errors"]] == [bases]
    assert [(one["field"], "seeking" in one["allowed"]) for one in asked.json()["errors"]] == [("in_state", True)]
    assert "hourly" not in nested.text


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_person_who_is_known_is_named_and_not_written_down_twice(served: Served) -> None:
    broker = served.broker()
    first = broker.post("/api/referrals", a_referral(served)).json()
    stranger = served.caller(Role.BROKER, authority="another-council")

    twice = broker.post("/api/referrals", a_referral(served))
    second = broker.post("/api/referrals", a_referral(served, person=first["person"]))
    copied = broker.post(f"/api/referrals/{first['ref']}/copy")
    not_theirs = broker.post("/api/referrals", a_referral(served, person="PER-0000-0000-0000"))

    assert (twice.status_code, twice.json()["ref"]) == (409, first["person"])
    assert second.json()["person"] == first["person"]
    assert copied.json()["state"] == "draft"
    assert not_theirs.status_code == 404
    assert stranger.post("/api/referrals", a_referral(served)).status_code == 404
    assert len(served.world.rows(Person)) == 1


@pytest.fixture
def council(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, generous()) as served:
        yield served


def running(served: Served) -> tuple[str, Caller]:
    """A contract whose first visit was ten weeks ago, and the system of who serves it."""
    contract, winner = served.world.in_care(since=timedelta(weeks=10))
    return contract, served.caller(Role.PROVIDER, provider=winner.provider)


def test_a_provider_flexes_and_proposes_and_both_sides_move_the_contract(council: Served) -> None:
    contract, provider = running(council)
    broker, path, today = council.broker(), f"/api/contracts/{contract}", council.world.now.date()
    rule = council.world.scheme.variations.flex
    assert rule is not None
    flex = {
        "from_day": today.isoformat(),
        "days": 2,
        "extra_minutes_a_day": 60,
        "group": rule.groups[0],
        "begun_by": rule.begun_by[0],
        "reason": "fall",
        "changed": "more_visits",
        "note": "She fell in the bathroom.",
    }
    week = {
        "schedule": ["Mon-Sun 07:30-09:30 15m personal_care"],
        "from_day": today.isoformat(),
        "reason": "more_independent",
    }

    begun = provider.post(f"{path}/flexes", flex, key="flex")
    again = provider.post(f"{path}/flexes", flex, key="flex")
    too_long = provider.post(f"{path}/flexes", flex | {"days": 300})
    early = provider.post(
        f"/api/variations/{begun.json()['ref']}/report", {"outcome": "hospital", "averted": "nothing"}
    )
    proposed = provider.post(f"{path}/proposals", week)
    agreed = broker.post(f"/api/variations/{proposed.json()['ref']}/agreement")
    untrusted = provider.post(f"{path}/reductions", week | {"schedule": ["Mon-Sun 07:30-09:30 10m personal_care"]})
    unstarted = broker.post(f"{path}/failed-start", {"reason": "person_died"})
    ended = broker.post(f"{path}/end", {"reason": "independent", "last_day": today.isoformat()})

    assert (begun.status_code, begun.json()["state"]) == (201, "agreed")
    assert again.json() == begun.json()
    assert (too_long.status_code, too_long.json()["code"]) == (422, "variation_refused")
    assert (early.status_code, early.json()["state"]) == (200, "closed")
    assert (proposed.json()["state"], agreed.json()["state"]) == ("proposed", "agreed")
    assert (untrusted.status_code, unstarted.status_code) == (422, 409)
    assert ended.json() == {"ref": contract, "state": "ended"}
    assert [str(one.kind) for one in council.world.rows(Variation)] == ["flex", "proposal"]
    assert "bathroom" not in str([event.body for event in council.world.events("variation.flex")])
    assert council.world.faults() == []
