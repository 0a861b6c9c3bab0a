"""Bids over HTTP: the deadline, the seal, the receipt, and one effect however often they are sent."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlmodel import select

from bidding.bids.records import Bid
from bidding.rounds import invitation_of
from dps.kernel.actors import Role
from dps.kernel.audit import AuditEvent
from dps.kernel.columns import canonical_json
from dps.kernel.keys import signature_holds
from tests.web.served import Caller, Served

CANARY = 1777


@pytest.fixture
def referral(served: Served) -> str:
    """A published referral; a provider `First` is invited to it."""
    served.first = served.provider("First")  # type: ignore[attr-defined]
    return served.world.referral()


def first(served: Served) -> Caller:
    caller: Caller = served.first  # type: ignore[attr-defined]
    return caller


def test_a_bid_is_answered_with_a_receipt_that_verifies(served: Served, referral: str) -> None:
    answer = first(served).post("/api/bids", served.bid_body(referral, 1650))

    receipt = answer.json()
    said = {name: value for name, value in receipt.items() if name not in ("key_id", "signature")}
    public = served.world.ports.keyring.public_keys[receipt["key_id"]]
    assert answer.status_code == 201
    assert receipt["rounds"] == [served.world.round(referral).ref]
    assert signature_holds(public, receipt["signature"], canonical_json(said).encode())


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_program_is_told_what_a_bid_may_say_before_it_says_it(served: Served, referral: str) -> None:
    path = f"/api/opportunities/{served.world.round(referral).ref}"
    published = first(served).get(path).json()["published_part"]

    terms = first(served).get(f"{path}/terms").json()
    body = served.bid_body(referral, terms["ceiling_pence_per_hour"])
    body["bid"] |= {
        "starts_on": terms["latest_start"],
        "answers": {key: of[0] for key, of in terms["questions"].items()},
    }

    assert terms["earliest_start"] >= published["earliest_start"]
    assert terms["published_weekly_pence"] is None
    assert first(served).post("/api/bids", body).status_code == 201
    assert served.provider("Stranger").get("/api/opportunities/RND-0000-0000-0000/terms").status_code == 404


def test_ten_identical_posts_are_one_bid_and_ten_identical_receipts(served: Served, referral: str) -> None:
    body, caller = served.bid_body(referral, 1650), first(served)

    with ThreadPoolExecutor(5) as together:
        answers = list(together.map(lambda _: caller.post("/api/bids", body, key="the same"), range(10)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(stored_bids(served)) == 1


def test_the_same_key_with_another_body_is_refused(served: Served, referral: str) -> None:
    first(served).post("/api/bids", served.bid_body(referral, 1650), key="the same")

    answer = first(served).post("/api/bids", served.bid_body(referral, 1651), key="the same")

    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(stored_bids(served)) == 1


def test_a_write_without_a_key_of_its_own_is_refused(served: Served, referral: str) -> None:
    headers = {"Authorization": f"Bearer {first(served).key}"}

    answer = served.client.post("/api/bids", headers=headers, json=served.bid_body(referral, 1650))

    assert answer.status_code == 400
    assert "Idempotency-Key" in answer.json()["detail"]
    assert stored_bids(served) == []


def test_a_bid_at_the_closing_instant_is_too_late_and_its_refusal_is_on_the_trail(
    served: Served, referral: str
) -> None:
    body, round_ = served.bid_body(referral, 1650), served.world.round(referral)
    assert round_.closes_at is not None
    served.world.clock.move_to(round_.closes_at)

    answer = first(served).post("/api/bids", body)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "too_late")
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["closes_at"] == round_.closes_at.isoformat()
    assert stored_bids(served) == []
    assert [event.body["round"] for event in events(served, "bid.refused_late")] == [round_.ref]


def test_a_bid_outside_the_envelope_is_refused_with_words(served: Served, referral: str) -> None:
    answer = first(served).post("/api/bids", served.bid_body(referral, 9999))

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_bid")
    assert "hourly rate outside £14.00 to £20.00" in answer.json()["detail"]


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"bid": {"starts_on": "2019-03-07"}}, "card"),
        ({"rounds": []}, "rounds"),
        ({"bid": "cheap"}, "bid"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_body_of_the_wrong_shape_is_refused_by_field(
    served: Served, referral: str, change: dict[str, Any], named: str
) -> None:
    answer = first(served).post("/api/bids", {**served.bid_body(referral, 1650), **change})

    assert answer.status_code == 400
    assert named in json.dumps(answer.json())


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_price_that_is_no_whole_number_is_refused_by_field(served: Served, referral: str) -> None:
    body = served.bid_body(referral, 1650)
    body["bid"]["card"]["prices"] = {"weekday": 16.5}

    answer = first(served).post("/api/bids", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
    assert "weekday" in answer.json()["field"]


def test_a_foreign_round_and_a_missing_one_are_the_same_not_found(served: Served, referral: str) -> None:
    stranger = served.provider("Elsewhere", localities=["rainhill"])
    foreign = stranger.post("/api/bids", served.bid_body(referral, 1650))
    body = served.bid_body(referral, 1650) | {"rounds": ["RND-0000-0000-0000"]}

    missing = stranger.post("/api/bids", body)

    assert (foreign.status_code, missing.status_code) == (404, 404)
    assert foreign.json()["code"] == missing.json()["code"] == "not_found"


def test_own_bids_are_shown_without_what_they_say_and_others_not_at_all(served: Served, referral: str) -> None:
    second = served.provider("Second")
    receipt = first(served).post("/api/bids", served.bid_body(referral, CANARY)).json()

    own = first(served).get(f"/api/bids/{receipt['bid']}")
    foreign = second.get(f"/api/bids/{receipt['bid']}")

    assert own.json()["receipt"] == receipt
    assert str(CANARY) not in own.text
    assert foreign.status_code == 404
    assert second.get("/api/bids").json() == []


def test_a_withdrawn_bid_is_gone_and_a_replaced_one_is_said_to_be(served: Served, referral: str) -> None:
    caller = first(served)
    old = caller.post("/api/bids", served.bid_body(referral, 1650)).json()["bid"]
    new = caller.post("/api/bids", served.bid_body(referral, 1640)).json()["bid"]

    answer = caller.post(f"/api/bids/{new}/withdrawal", key="once")
    again = caller.post(f"/api/bids/{new}/withdrawal", key="once")

    assert answer.json() == again.json() == {"ref": new, "state": "withdrawn"}
    assert [bid["state"] for bid in caller.get("/api/bids").json()] == ["replaced", "withdrawn"]
    assert caller.get(f"/api/bids/{old}").json()["state"] == "replaced"


def test_a_sealed_price_is_in_no_answer_to_anybody(served: Served, referral: str) -> None:
    """Every GET of every role, while the bid is sealed."""
    first(served).post("/api/bids", served.bid_body(referral, CANARY))
    closing = served.world.round(referral).closing_id
    assert closing is not None
    callers = [
        first(served),
        served.provider("Second"),
        *(served.caller(role) for role in Role if role not in (Role.CLOCK, Role.PROVIDER)),
    ]
    paths = [
        *("/api/opportunities", "/api/bids", "/api/awards", "/api/referrals", "/api/closings", "/api/open-list"),
        *(f"/api/referrals/{referral}", "/api/audit/verification", "/api/me", "/health"),
        f"/api/opportunities/{served.world.round(referral).ref}",
    ]

    answers = [caller.get(path).text for caller in callers for path in paths]

    assert not [answer for answer in answers if str(CANARY) in answer or "17.77" in answer]


def test_an_opportunity_is_shown_to_the_invited_alone_until_it_closes(served: Served, referral: str) -> None:
    stranger = served.provider("Elsewhere", localities=["rainhill"])
    round_ = served.world.round(referral)
    path = f"/api/opportunities/{round_.ref}"

    seen, foreign = first(served).get(path), stranger.get(path)
    assert round_.closes_at is not None
    served.world.clock.move_to(round_.closes_at)
    closed = first(served).get(path)

    assert seen.json()["published_part"]["lot"] == "personal-care"
    assert "Synthetic Person" not in seen.text
    assert (foreign.status_code, closed.status_code) == (404, 404)
    assert foreign.json()["code"] == closed.json()["code"]


def test_an_invitation_is_declined_with_a_reason(served: Served, referral: str) -> None:
    round_ = served.world.round(referral)

    answer = first(served).post(f"/api/opportunities/{round_.ref}/decline", {"reason": "No carer is free then."})

    provider = first(served).provider  # type: ignore[attr-defined]
    with served.world.database.reading() as session:
        invitation = invitation_of(session, round_.id, provider)
    assert answer.json() == {"ref": round_.ref, "state": "declined"}
    assert str(invitation.state) == "declined"
    (remark,) = served.broker().get(f"/api/referrals/{referral}").json()["remarks"]
    assert (remark["about"], remark["words"]) == (invitation.ref, "No carer is free then.")


def test_a_telephone_bid_is_typed_by_a_broker_of_that_authority_alone(served: Served, referral: str) -> None:
    provider = first(served).provider  # type: ignore[attr-defined]
    body = served.bid_body(referral, 1650) | {"provider": provider}
    elsewhere = served.caller(Role.BROKER, authority="another-council")

    typed = served.broker().post("/api/bids/by-telephone", body)
    foreign = elsewhere.post("/api/bids/by-telephone", body)

    assert typed.status_code == 201
    assert foreign.status_code == 404
    assert [bid.provider for bid in stored_bids(served)] == [provider]


def stored_bids(served: Served) -> list[Bid]:
    with served.world.database.reading() as session:
        return list(session.exec(select(Bid)).all())


def events(served: Served, kind: str) -> list[AuditEvent]:
    with served.world.database.reading() as session:
        return list(session.exec(select(AuditEvent).where(AuditEvent.kind == kind)).all())


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_program_reads_why_its_bid_was_never_opened(served: Served, referral: str) -> None:
    lapsed = first(served).post("/api/bids", served.bid_body(referral, 1650)).json()["bid"]
    live = served.world.referral()
    sealed = first(served).post("/api/bids", served.bid_body(live, 1650)).json()["bid"]

    served.broker().post(f"/api/referrals/{referral}/hold", {"reason": "The family decides first."})

    why = "The round was cancelled before its bids were opened."
    one = first(served).get(f"/api/bids/{lapsed}").json()
    listed = {bid["bid"]: bid["why_unread"] for bid in first(served).get("/api/bids").json()}
    assert (one["state"], one["why_unread"]) == ("lapsed", why)
    assert listed == {lapsed: why, sealed: None}
