"""A package placed otherwise over HTTP: one system proposes for a broker, another approves for an approver."""

from dps.kernel.actors import Role
from tests.web.served import Served

BODY = {"how": "care_home", "weekly_pence": 90_000, "reason": "Care at home is too little now."}


def test_what_one_proposes_another_approves_and_both_stand_in_what_is_read(served: Served) -> None:
    broker, approver, referral = served.broker(), served.caller(Role.APPROVER), served.world.referral()

    made = broker.post(f"/api/referrals/{referral}/placements", BODY, key="one")
    again = broker.post(f"/api/referrals/{referral}/placements", BODY, key="one")
    path = f"/api/placements/{made.json()['ref']}"
    own = broker.post(f"{path}/approval")
    (waiting,) = approver.get("/api/placements?in_state=proposed").json()
    done = approver.post(f"{path}/approval")

    assert (made.status_code, made.json()["state"], again.text) == (201, "proposed", made.text)
    assert (own.status_code, own.json()["code"]) == (403, "forbidden")
    assert (waiting["referral"], waiting["weekly_pence"], waiting["reason"]) == (referral, 90_000, BODY["reason"])
    assert done.json() == {"ref": made.json()["ref"], "state": "approved"}
    seen = broker.get(path).json()
    assert (seen["proposed_by"], seen["decided_by"]) == (broker.account, approver.account)
    assert broker.get(f"/api/referrals/{referral}").json()["referral"]["state"] == "placed_otherwise"


def test_a_refusal_has_words_and_what_is_over_is_a_conflict(served: Served) -> None:
    broker, approver, referral = served.broker(), served.caller(Role.APPROVER), served.world.referral()
    ref = broker.post(f"/api/referrals/{referral}/placements", BODY).json()["ref"]

    silent = approver.post(f"/api/placements/{ref}/refusal", {"reason": ""})
    refused = approver.post(f"/api/placements/{ref}/refusal", {"reason": "A provider has said yes."})
    late = broker.post(f"/api/placements/{ref}/withdrawal")

    assert silent.status_code == 400
    assert refused.json()["state"] == "refused"
    assert (late.status_code, late.json()["code"]) == (409, "no_such_step")
