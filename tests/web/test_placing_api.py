"""From publication to a contract over HTTP, as a council's and a provider's systems would do it."""

from sqlmodel import select

from dps.kernel.actors import Role
from dps.kernel.audit import AuditEvent
from tests.web.served import Caller, Served


def test_a_package_is_published_bid_for_awarded_confirmed_and_debriefed(served: Served) -> None:
    winner, loser, broker = served.provider("Winner"), served.provider("Loser"), served.broker()
    referral = served.world.referral(publish_it=False)
    assert broker.post(f"/api/referrals/{referral}/readiness").json()["state"] == "ready"
    assert broker.post(f"/api/referrals/{referral}/publication").json()["state"] == "seeking"
    winner.post("/api/bids", served.bid_body(referral, 1600))
    lost = loser.post("/api/bids", served.bid_body(referral, 1900)).json()["bid"]
    round_ = served.world.round(referral)
    assert round_.closes_at is not None
    served.world.move_to(round_.closes_at)

    (award,) = winner.get("/api/awards").json()
    early = loser.get(f"/api/bids/{lost}/debriefs/{round_.ref}")
    accepted = winner.post(f"/api/awards/{award['award']}/acceptance")
    person = winner.get(f"/api/awards/{award['award']}/person")
    confirmed = winner.post(f"/api/awards/{award['award']}/confirmation")
    debrief = loser.get(f"/api/bids/{lost}/debriefs/{round_.ref}")

    assert (award["state"], award["weekly_pence"]) == ("offered", 5600)
    assert early.json()["code"] == "still_sealed"
    assert looks_refused(served) == [loser.account]
    assert accepted.json()["state"] == "accepted"
    assert person.json()["name"].startswith("Synthetic Person")
    assert confirmed.json()["contract"].startswith("CON-")
    assert (debrief.json()["won"], debrief.json()["rank"], debrief.json()["of"]) == (False, 2, 2)
    assert "1600" not in debrief.text
    assert "5600" not in debrief.text
    assert broker.get(f"/api/referrals/{referral}").json()["referral"]["state"] == "placed"


def test_nobody_but_the_winner_reads_who_the_person_is(served: Served) -> None:
    winner, broker, award = awarded(served)
    other = served.provider("Other")
    path = f"/api/awards/{award}/person"

    before = winner.get(path)
    winner.post(f"/api/awards/{award}/acceptance")

    assert before.status_code == 404
    assert other.get(path).status_code == 404
    assert broker.get(path).status_code == 403


def test_an_award_is_seen_by_its_provider_and_its_authority_alone(served: Served) -> None:
    _, broker, award = awarded(served)
    strangers = [served.provider("Other"), served.caller(Role.BROKER, authority="another-council")]

    seen = broker.get(f"/api/awards/{award}")

    assert seen.json()["award"] == award
    for stranger in strangers:
        assert stranger.get(f"/api/awards/{award}").status_code == 404
        assert stranger.get("/api/awards").json() == []


def test_a_declined_offer_goes_to_the_reserve_at_once(served: Served) -> None:
    first, second = served.provider("First"), served.provider("Second")
    referral = served.world.referral()
    first.post("/api/bids", served.bid_body(referral, 1600))
    second.post("/api/bids", served.bid_body(referral, 1700))
    served.world.step(hours=7)
    (award,) = first.get("/api/awards").json()

    answer = first.post(f"/api/awards/{award['award']}/decline", {"reason": "Our carer left."})

    assert answer.json()["state"] == "declined"
    (reserve,) = second.get("/api/awards").json()
    assert (reserve["state"], reserve["source"]) == ("offered", "reserve")


def test_an_accepted_award_is_given_back(served: Served) -> None:
    winner, _, award = awarded(served)
    winner.post(f"/api/awards/{award}/acceptance")

    answer = winner.post(f"/api/awards/{award}/return", {"reason": "The hoist does not fit the room."})

    assert answer.json() == {"ref": award, "state": "returned"}


def test_an_award_is_overturned_by_two_people(served: Served) -> None:
    winner, broker, award = awarded(served)
    second = served.caller(Role.APPROVER)
    reason = {"reason": "The register was wrong about the provider's base."}

    asked = broker.post(f"/api/awards/{award}/overturn", reason)
    alone = broker.post(f"/api/awards/{award}/overturn", reason)
    done = second.post(f"/api/awards/{award}/overturn", reason)

    assert asked.json()["state"] == "offered"
    assert (alone.status_code, alone.json()["code"]) == (403, "needs_second_person")
    assert done.json()["state"] == "overturned"
    (seen,) = winner.get("/api/awards").json()
    assert seen["end_reason"] == reason["reason"]


def test_a_step_that_the_state_has_not_is_a_conflict(served: Served) -> None:
    winner, _, award = awarded(served)

    answer = winner.post(f"/api/awards/{award}/confirmation")

    assert (answer.status_code, answer.json()["code"]) == (409, "no_such_step")


def test_a_retried_answer_changes_nothing_and_reads_the_same(served: Served) -> None:
    winner, _, award = awarded(served)
    path = f"/api/awards/{award}/acceptance"

    once, again = winner.post(path, key="one"), winner.post(path, key="one")
    later = winner.post(path, key="two")

    assert once.text == again.text
    assert once.status_code == again.status_code == 200
    assert later.status_code == 409


def test_a_retry_is_answered_before_its_command_is_asked_again(served: Served) -> None:
    """Asked again, this command would refuse the same person a second time."""
    _, broker, award = awarded(served)
    path, reason = f"/api/awards/{award}/overturn", {"reason": "The register was wrong about the base."}

    once, again = broker.post(path, reason, key="one"), broker.post(path, reason, key="one")

    assert once.status_code == again.status_code == 200
    assert once.text == again.text


def test_holding_resuming_and_withdrawing_a_referral(served: Served) -> None:
    broker, referral = served.broker(), published(served)

    held = broker.post(f"/api/referrals/{referral}/hold", {"reason": "The family asked for a day."})
    resumed = broker.post(f"/api/referrals/{referral}/resumption")
    withdrawn = broker.post(f"/api/referrals/{referral}/withdrawal", {"reason": "Moved to her daughter."})

    states = [answer.json()["state"] for answer in (held, resumed, withdrawn)]
    assert states == ["held", "seeking", "withdrawn"]
    whole = broker.get(f"/api/referrals/{referral}").json()
    assert [round_["state"] for round_ in whole["rounds"]] == ["cancelled", "cancelled"]
    assert {"referral.hold", "referral.resume", "round.cancel"} <= {event["what"] for event in whole["timeline"]}
    assert "The family asked" not in str(whole["timeline"])
    words = [(one["step"], one["words"]) for one in whole["remarks"]]
    assert words == [("hold", "The family asked for a day."), ("withdraw", "Moved to her daughter.")]


def test_what_is_missing_for_publication_is_named(served: Served) -> None:
    referral = served.world.referral(publish_it=False, needs=None)

    answer = served.broker().post(f"/api/referrals/{referral}/readiness")

    assert (answer.status_code, answer.json()["code"]) == (422, "not_ready")
    assert answer.json()["missing"]


def test_a_foreign_referral_is_not_found(served: Served) -> None:
    referral = published(served)
    elsewhere = served.caller(Role.BROKER, authority="another-council")

    answers = [
        elsewhere.get(f"/api/referrals/{referral}"),
        elsewhere.post(f"/api/referrals/{referral}/hold", {"reason": "None of our business."}),
        elsewhere.get("/api/referrals/REF-0000-0000-0000"),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(404, "not_found")}
    assert elsewhere.get("/api/referrals").json() == []


def test_a_closing_is_extended_for_everybody_and_not_by_strangers(served: Served) -> None:
    broker = served.broker()
    published(served)
    elsewhere = served.caller(Role.BROKER, authority="another-council")
    (closing,) = broker.get("/api/closings").json()
    body = {"until": "2019-03-04T16:00:00Z", "reason": "system_unavailable"}
    path = f"/api/closings/{closing['closing']}/extension"

    foreign, done = elsewhere.post(path, body), broker.post(path, body)

    assert foreign.status_code == 404
    assert done.json()["state"] == "gathering"
    assert broker.get(f"/api/closings/{closing['closing']}").json()["closes_at"] == "2019-03-04T16:00:00Z"


def test_how_many_bids_a_closing_has_is_told_when_it_has_closed(served: Served) -> None:
    broker, provider, referral = served.broker(), served.provider(), published(served)
    provider.post("/api/bids", served.bid_body(referral, 1650))

    (before,) = broker.get("/api/closings").json()
    served.world.step(hours=7)
    (after,) = broker.get("/api/closings").json()

    assert (before["bids"], after["bids"]) == (None, 1)
    assert after["state"] == "allocated"


def test_an_unfilled_package_is_offered_on_and_taken(served: Served) -> None:
    broker, provider = served.broker(), served.provider()
    referral = served.world.referral()
    body = served.bid_body(referral, 1650)["bid"]
    served.world.step(hours=7)
    served.world.step(hours=48)
    (open_package,) = provider.get("/api/open-list").json()

    offer = provider.post(f"/api/open-list/{referral}/offers", body).json()
    taken = broker.post(f"/api/open-list/offers/{offer['ref']}/taking").json()

    assert open_package["referral"] == referral
    assert [one["referral"] for one in served.broker().get("/api/open-list").json()] == []
    assert taken["state"] == "offered"


def test_the_proof_is_for_auditors(served: Served) -> None:
    auditor = served.caller(Role.AUDITOR)

    answer = auditor.get("/api/audit/verification")

    assert answer.json()["ok"] is True
    assert answer.json()["events"] > 0


def looks_refused(served: Served) -> list[str]:
    """Who looked too early, as the trail says."""
    with served.world.database.reading() as session:
        return list(session.exec(select(AuditEvent.actor).where(AuditEvent.kind == "bid.look_refused")))


def published(served: Served) -> str:
    served.world.provider("Somebody to ask")
    return served.world.referral()


def awarded(served: Served) -> tuple[Caller, Caller, str]:
    """A provider with an offer, a broker, and the award."""
    winner = served.provider("Winner")
    referral = served.world.referral()
    winner.post("/api/bids", served.bid_body(referral, 1600))
    served.world.step(hours=7)
    (award,) = winner.get("/api/awards").json()
    return winner, served.broker(), award["award"]
