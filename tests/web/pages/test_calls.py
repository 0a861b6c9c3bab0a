"""Ringing providers, and a bid by telephone: typed by one, confirmed by the provider, decided by another."""

import pytest

from bidding.bids.records import Bid
from bidding.calls import Call
from dps.schemes.model import Urgency
from tests.web.pages.test_desk import at_the_desk
from tests.web.pages.test_portal import provider
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def answers(served: Served) -> dict[str, str]:
    questions = served.world.scheme.evaluation.questions
    return {f"answer-{one.key}": max(one.answers, key=lambda key: one.answers[key]) for one in questions}


def test_calls_and_numbers_are_noted_beside_everybody_who_is_asked(served: Served) -> None:
    somebody = served.world.provider("Somebody")
    referral = served.world.referral(urgency=Urgency.CRISIS)
    broker = at_the_desk(served)
    path = f"/desk/referrals/{referral}/calls"
    broker.open(path)

    nothing = broker.send(path)
    noted = broker.send(path, outcome="call_back", phone="01632 960001").text
    wrong = broker.send(path, outcome="will_answer", phone="ring the bell")

    assert nothing.status_code == 400
    assert "call back" in noted
    assert 'href="tel:01632960001"' in noted
    assert wrong.status_code == 400
    assert 'value="ring the bell"' in wrong.text
    assert '<option value="will_answer" selected>' in wrong.text
    (call,) = served.world.rows(Call)
    assert (call.provider, str(call.outcome)) == (somebody.provider, "call_back")
    assert len(served.world.events("round.called")) == 1


def test_nobody_is_rung_about_a_round_that_is_over_or_who_was_not_asked(served: Served) -> None:
    served.world.provider("Somebody")
    referral = served.world.referral()
    broker = at_the_desk(served)
    path = f"/desk/referrals/{referral}/calls"
    broker.open(path)
    form = broker.form(path)
    stranger = broker.client.post(path, data=form | {"provider": "PRV-0000-0000-0009", "outcome": "call_back"})
    served.world.move_to(served.world.closes_at(referral))

    late = broker.client.post(path, data=form | {"outcome": "call_back"})

    assert (stranger.status_code, late.status_code) == (404, 400)
    assert served.world.rows(Call) == []


def test_a_bid_is_typed_read_aloud_sealed_confirmed_by_its_provider_and_decided_by_another(served: Served) -> None:
    world = served.world
    caller = provider(served, "Caller Homecare")
    world.provider("Other")
    referral = world.referral(urgency=Urgency.CRISIS)
    ref = caller.actor.provider  # type: ignore[attr-defined]
    round_ = world.round(referral)
    assert round_.closing_id is not None
    broker = at_the_desk(served)
    path = f"/desk/rounds/{round_.ref}/telephone/{ref}"
    broker.open(path)

    too_dear = broker.send(path, **{"price-weekday": "99.00"}, **answers(served))
    aloud = broker.send(path, **{"price-weekday": "17.89"}, **answers(served))
    before = world.rows(Bid)
    fields = broker.form(path) | answers(served)
    sealed = broker.client.post(path, data=fields)
    (bid,) = world.rows(Bid)
    in_list, alone = caller.open("/portal/bids").text, caller.open(f"/portal/bids/{bid.ref}").text
    first = caller.open("/portal").text
    asked = caller.open(f"/portal/bids/{bid.ref}/telephone")
    caller.page = caller.client.post(
        f"/portal/bids/{bid.ref}/telephone", data={"csrf": caller.form("/sign-out")["csrf"], "answer": "yes"}
    )

    assert too_dear.status_code == 400
    assert "Read it aloud" in aloud.text
    assert before == []
    assert "17.89" not in sealed.text
    assert "Caller Homecare was sent a link" in sealed.text
    for page in (first, in_list, alone):  # without the message, too
        assert f'href="/portal/bids/{bid.ref}/telephone"' in page
    assert '<option value="travel">' in aloud.text
    assert "17.89" not in asked.text
    assert "Did you give this bid by telephone?" in asked.text
    assert "/telephone" not in caller.open("/portal").text
    assert "nobody can show what it says" in caller.open(f"/portal/bids/{bid.ref}").text
    world.close(referral)
    award = world.award(referral)
    assert award.provider == ref
    shown = broker.open(f"/desk/awards/{award.ref}").text
    assert "You typed a bid of this round for a provider on the telephone" in shown
    assert not {f'action="/desk/awards/{award.ref}/{step}"' for step in ("approval", "overturn")} & set(shown.split())
    other = at_the_desk(served).open(f"/desk/awards/{award.ref}").text
    assert f'action="/desk/awards/{award.ref}/overturn"' in other
    refused = broker.post(f"/desk/awards/{award.ref}/overturn", reason="Not this one.")
    assert refused.status_code == 403
    assert "Somebody else has to do this" in refused.text


def test_a_bid_that_its_provider_did_not_give_is_taken_back(served: Served) -> None:
    world = served.world
    caller = provider(served, "Caller Homecare")
    referral = world.referral()
    broker = at_the_desk(served)
    ref = caller.actor.provider  # type: ignore[attr-defined]
    path = f"/desk/rounds/{world.round(referral).ref}/telephone/{ref}"
    broker.open(path)
    broker.send(path, **{"price-weekday": "16.00"}, **answers(served))
    broker.client.post(path, data=broker.form(path) | answers(served))
    (bid,) = world.rows(Bid)
    caller.open(f"/portal/bids/{bid.ref}/telephone")

    caller.client.post(
        f"/portal/bids/{bid.ref}/telephone", data={"csrf": caller.form("/sign-out")["csrf"], "answer": "no"}
    )

    (bid,) = world.rows(Bid)
    assert bid.state == "withdrawn"


def test_an_approver_reads_the_sheet_and_writes_nothing_on_it(served: Served) -> None:
    served.world.provider("Somebody")
    referral = served.world.referral()
    approver = at_the_desk(served, Part.APPROVER)

    seen = approver.open(f"/desk/referrals/{referral}/calls").text

    assert "Somebody" in seen
    assert "Note it" not in seen
