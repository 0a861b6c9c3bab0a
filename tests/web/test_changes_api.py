"""The feed, webhooks, contracts and files of bids, as another system uses them."""

import base64
from datetime import timedelta

import pytest

from dps.kernel.money import PriceBasis
from dps.kernel.outbox import deliver
from tests.web.served import Caller, Served
from web.sending.letters import Letter
from web.sending.sorting import Sorter

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()


def sort_all(served: Served) -> None:
    """Let what was posted leave the outbox."""
    world = served.world
    while world.database.run(lambda s: deliver(s, Sorter(world.ports.entropy, spool=world.postman), world.now)):
        pass


def test_a_system_reads_what_happened_from_its_cursor_on_and_nothing_of_another(served: Served) -> None:
    oak, elm = served.provider("Oak"), served.provider("Elm")
    referral = served.world.referral()
    sort_all(served)

    first = oak.get("/api/changes").json()
    cursor = first[-1]["cursor"]
    nothing = oak.get(f"/api/changes?after={cursor}").json()
    oak.post("/api/bids", served.bid_body(referral, 1650))
    served.world.close(referral)
    sort_all(served)
    later = oak.get(f"/api/changes?after={cursor}").json()

    assert [one["kind"] for one in first] == ["invitation"]
    assert first[0]["about"] == served.world.round(referral).ref
    assert nothing == []
    assert "award_offered" in [one["kind"] for one in later]
    assert not {one["message"] for one in elm.get("/api/changes").json()} & {one["message"] for one in [*first, *later]}
    assert "1650" not in str([*first, *later])


@SQLITE
def test_a_webhook_is_added_once_with_the_caller_s_own_secret_logged_replayed_and_ended(served: Served) -> None:
    oak = served.provider("Oak")
    body = {"url": "https://care.example.org/hook", "secret": SECRET}

    added = oak.post("/api/webhooks", body, key="one")
    again = oak.post("/api/webhooks", body, key="one")
    ref = added.json()["webhook"]
    served.world.referral()
    sort_all(served)
    (call,) = oak.get(f"/api/webhooks/{ref}/calls").json()
    with served.world.database.transaction() as session:
        letter = session.get_one(Letter, 1)
        letter.delivery = "given_up"  # type: ignore[assignment]
    replayed = oak.post(f"/api/webhooks/{ref}/calls/{call['call']}/replay").json()
    oak.post(f"/api/webhooks/{ref}/end")

    assert (added.status_code, again.json()) == (201, added.json())
    assert SECRET not in added.text + oak.get("/api/webhooks").text
    assert (call["kind"], call["state"], call["attempts"]) == ("invitation", "queued", 0)
    assert replayed == {"call": call["call"], "queued": True}
    assert oak.get("/api/webhooks").json() == []


@SQLITE
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"url": "http://care.example.org/"}, 422),
        ({"url": "https://name:word@care.example.org/"}, 422),
        ({"secret": "whsec_" + "A" * 40}, 201),
        ({"secret": "whsec_" + "!" * 40}, 422),
        ({"secret": "short"}, 400),
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused(served: Served, change: dict[str, str], status: int) -> None:
    body = {"url": "https://care.example.org/hook", "secret": SECRET, **change}

    assert served.provider().post("/api/webhooks", body).status_code == status


@SQLITE
def test_another_s_webhook_and_calls_are_not_there(served: Served) -> None:
    oak, elm = served.provider("Oak"), served.provider("Elm")
    added = oak.post("/api/webhooks", {"url": "https://care.example.org/hook", "secret": SECRET}).json()["webhook"]

    for path in (f"/api/webhooks/{added}/end", f"/api/webhooks/{added}/calls/MSG-0000-0000-0000/replay"):
        assert elm.post(path).status_code == 404
    assert elm.get(f"/api/webhooks/{added}/calls").status_code == 404


def test_a_file_of_bids_is_sealed_row_by_row_and_a_retry_reads_the_same_receipts(served: Served) -> None:
    oak = served.provider("Oak")
    first, second = served.world.referral(), served.world.referral()
    rows = [
        served.bid_body(first, 1650),
        {**served.bid_body(second, 1650), "rounds": ["RND-0000-0000-0000"]},
        served.bid_body(second, 1700),
        {"rounds": "all of them", "bid": {}},
        {"rounds": ["RND-1"], "bid": {"card": {"basis": "hourly", "prices": {}}, "starts_on": "2019-03-08"}},
    ]

    sent = oak.post("/api/bids/file", {"rows": rows}, key="file 1")
    again = oak.post("/api/bids/file", {"rows": rows}, key="file 1")

    answer = sent.json()
    assert sent.status_code == 201
    assert [one.get("code") for one in answer] == [None, "not_found", None, "bad_request", "bad_request"]
    assert [one["row"] for one in answer] == [1, 2, 3, 4, 5]
    assert [one["errors"][0]["field"] for one in answer[3:]] == ["rounds", "bid.card.basis"]
    assert answer[4]["errors"][0]["allowed"] == [str(one) for one in PriceBasis]
    assert answer == again.json()
    assert len(oak.get("/api/bids").json()) == 2
    shown = sent.text
    for receipt in (one["receipt"] for one in answer if "receipt" in one):
        for drawn in ("ciphertext_sha256", "commitment", "signature"):  # any digits may stand in them by chance
            shown = shown.replace(receipt[drawn], "")
    assert len(shown) < len(sent.text)
    assert "1650" not in shown
    assert served.world.faults() == []


def won(served: Served, name: str) -> tuple[Caller, str]:
    """A provider's system and the contract that it has won."""
    provider = served.provider(name)
    referral = served.world.referral()
    provider.post("/api/bids", served.bid_body(referral, 1600))
    served.world.close(referral)
    award = served.world.award(referral).ref
    provider.post(f"/api/awards/{award}/acceptance")
    provider.get(f"/api/awards/{award}/person")
    return provider, provider.post(f"/api/awards/{award}/confirmation").json()["contract"]


@SQLITE
def test_a_contract_is_started_seen_by_both_sides_and_handed_back(served: Served) -> None:
    oak, contract = won(served, "Oak")
    elm, broker = served.provider("Elm"), served.broker()
    served.world.clock.step(timedelta(days=4))
    today = served.world.now.date()

    started = oak.post(f"/api/contracts/{contract}/start", {"first_visit_on": today.isoformat()})
    seen = broker.get(f"/api/contracts/{contract}").json()
    last_day = (today + timedelta(days=60)).isoformat()
    body = {"reason": "staffing", "last_day": last_day}
    wrong = oak.post(f"/api/contracts/{contract}/hand-back", {**body, "reason": "tired"})
    foreign = elm.post(f"/api/contracts/{contract}/start", {"first_visit_on": today.isoformat()})

    assert started.json() == {"ref": contract, "state": "active"}
    assert (seen["state"], seen["started_on"]) == ("active", today.isoformat())
    assert [one["contract"] for one in oak.get("/api/contracts").json()] == [contract]
    assert oak.get(f"/api/contracts/{contract}/variations").json() == []
    assert wrong.status_code == 400
    for answer in (foreign, elm.get(f"/api/contracts/{contract}"), elm.get(f"/api/contracts/{contract}/variations")):
        assert answer.status_code == 404
    assert elm.get("/api/contracts").json() == elm.get("/api/statements").json() == []
