"""A broker's journeys without JavaScript: the queue, publish, look, extend, hold, withdraw, approve, overturn."""

from datetime import timedelta

import pytest

from dps.kernel.calendar import LONDON
from dps.packages.facts import FundingStream
from dps.schemes.model import Urgency
from tests.bidding.allocation.test_review import run_out, two_packages_and_one_that_takes_one
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_portal import handed_in, provider
from tests.web.served import Served
from web.security.accounts import Part
from web.sending.silence import SilenceWatch, look_at

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def at_the_desk(served: Served, part: Part = Part.BROKER) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, part))
    assert browser.page.url.path == "/desk"
    return browser


@SQLITE
def test_the_queue_counts_filters_and_puts_hospital_discharge_first(served: Served) -> None:
    served.world.provider("Somebody")
    standard = served.world.referral()
    discharge = served.world.referral(urgency=Urgency.DISCHARGE)
    draft = served.world.referral(publish_it=False)
    broker = at_the_desk(served)

    everything = broker.page.text
    only_drafts = broker.open("/desk?place=publish").text
    nothing = broker.open("/desk?place=held").text

    assert everything.index(discharge) < everything.index(standard)
    assert "<strong>3</strong><span>referrals in all" in everything
    assert draft in only_drafts
    assert standard not in only_drafts
    assert "Nothing waits here." in nothing


@SQLITE
def test_a_referrals_story_says_who_looked_and_who_declined_because(served: Served) -> None:
    somebody = provider(served, "Ash Homecare")
    referral = served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}"
    broker = at_the_desk(served)
    before = broker.open(f"/desk/referrals/{referral}").text
    for _ in range(2):
        somebody.open(path)
    somebody.open(f"{path}/decline")
    somebody.send(f"{path}/decline", reason="Too far at that hour.")

    story = broker.open(f"/desk/referrals/{referral}").text

    assert "looked at it for the first time" not in before
    assert story.count("A provider looked at it for the first time: Ash Homecare") == 1
    assert "A provider declined: Ash Homecare – “Too far at that hour.”" in story


@SQLITE
def test_a_draft_is_looked_at_as_providers_will_see_it_and_published(served: Served) -> None:
    somebody = provider(served, "Somebody")
    draft = served.world.referral(publish_it=False)
    broker = at_the_desk(served)

    seen = broker.open(f"/desk/referrals/{draft}/publication").text
    published = broker.send(f"/desk/referrals/{draft}/publication")

    assert "Exactly what providers will see" in seen
    assert "Synthetic Person" not in seen
    assert "Seeking a provider" in published.text
    assert "It was published" in published.text
    assert served.world.round(draft).ref in somebody.open("/portal/opportunities").text


@SQLITE
def test_what_is_missing_is_named_and_nothing_is_published(served: Served) -> None:
    draft = served.world.referral(publish_it=False, needs=None)
    broker = at_the_desk(served)

    seen = broker.open(f"/desk/referrals/{draft}/publication").text
    forced = broker.client.post(f"/desk/referrals/{draft}/publication", data={"csrf": broker.form("/sign-out")["csrf"]})

    assert "can&#39;t be published yet" in seen
    assert forced.status_code == 422
    assert "Something is still missing" in forced.text
    assert served.world.state(draft) == "draft"


@SQLITE
def test_before_the_opening_the_desk_shows_no_price_and_not_whether_anybody_bid(served: Served) -> None:
    bidder = provider(served, "Bidder")
    referral = served.world.referral()
    broker = at_the_desk(served)
    before = broker.open(f"/desk/referrals/{referral}").text
    handed_in(served, bidder, referral, "17.89")

    after = broker.open(f"/desk/referrals/{referral}").text

    assert "17.89" not in after
    assert after == before


@SQLITE
def test_a_start_that_has_passed_is_told_and_mended_before_anything_is_published(served: Served) -> None:
    draft = served.world.referral(publish_it=False)
    served.world.clock.move_to(served.world.now + timedelta(days=40))
    broker = at_the_desk(served)

    told = broker.open(f"/desk/referrals/{draft}").text
    check = broker.open(f"/desk/referrals/{draft}/publication").text

    assert f'href="/desk/referrals/{draft}/entry/start"' in told
    assert "nobody can offer to begin from today on" in told
    assert "a latest day for the start that is still to come" in check
    assert f'action="/desk/referrals/{draft}/publication"' not in check


@SQLITE
def test_a_closing_is_extended_for_everybody_with_a_reason(served: Served) -> None:
    served.world.provider("Somebody")
    referral = served.world.referral()
    closing = served.world.round(referral)
    broker = at_the_desk(served)
    broker.open(f"/desk/referrals/{referral}")
    path = broker.page.text.split('href="/desk/closings/')[1].split("?")[0]
    until = served.world.closes_at(referral).astimezone(LONDON) + timedelta(hours=1)
    broker.open(f"/desk/closings/{path}?referral={referral}")

    nothing = broker.send(f"/desk/closings/{path}", until="")
    without = broker.send(f"/desk/closings/{path}", until=until.strftime("%Y-%m-%dT%H:%M"))
    done = broker.send(f"/desk/closings/{path}", until=until.strftime("%Y-%m-%dT%H:%M"), reason="facts_clarified")

    assert (nothing.status_code, without.status_code) == (400, 400)
    assert ("Say until when" in nothing.text, "Say until when" in without.text) == (True, False)
    assert "why everybody gets more time" in without.text
    assert done.url.path == f"/desk/referrals/{referral}"
    assert closing.closes_at is not None
    assert served.world.closes_at(referral) == closing.closes_at + timedelta(hours=1)


@SQLITE
def test_whoever_sees_that_invitations_did_not_arrive_is_offered_more_time_for_everybody(served: Served) -> None:
    served.world.provider("Nobody there")
    referral = served.world.referral()
    round_ = served.world.round(referral)
    assert round_.closes_at is not None
    broker = at_the_desk(served)
    before = broker.open("/desk?place=unreached").text
    served.world.clock.move_to(look_at(round_.opens_at, round_.closes_at))
    SilenceWatch(served.world.database, served.world.ports).warn()

    queue = broker.open("/desk?place=unreached").text
    seen = broker.open(f"/desk/referrals/{referral}").text
    path = seen.split("?reason=messages_undelivered")[0].rpartition('"')[2]
    broker.open(f"{path}?reason=messages_undelivered&referral={referral}")
    until = (round_.closes_at + timedelta(hours=1)).astimezone(LONDON)
    broker.send(path, until=until.strftime("%Y-%m-%dT%H:%M"))

    assert "Nothing waits here." in before
    assert referral in queue
    assert "1 of 1 invitation has not arrived" in seen
    assert served.world.closes_at(referral) == round_.closes_at + timedelta(hours=1)


@SQLITE
def test_a_referral_is_held_resumed_and_withdrawn_with_reasons(served: Served) -> None:
    served.world.provider("Somebody")
    referral = served.world.referral()
    broker = at_the_desk(served)
    path = f"/desk/referrals/{referral}"

    broker.open(f"{path}/hold")
    without = broker.send(f"{path}/hold", reason="")
    held = broker.send(f"{path}/hold", reason="The person is in hospital.")
    resumed = broker.send(f"{path}/resumption")
    broker.open(f"{path}/withdraw")
    withdrawn = broker.send(f"{path}/withdraw", reason="The family found somebody.")

    assert without.status_code == 400
    assert "It was put on hold – “The person is in hospital.”" in held.text
    assert "It was withdrawn – “The family found somebody.”" in withdrawn.text
    assert "On hold" in held.text
    assert "Seeking a provider" in resumed.text
    assert "Withdrawn" in withdrawn.text


def test_an_exceptional_price_waits_for_a_person_who_sees_all_bids_and_approves(served: Served) -> None:
    dear = provider(served, "Dear")
    referral = served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}"
    handed_in(served, dear, referral, "16.00")
    dear.open(f"{path}/bid")
    filled = dear.form(f"{path}/bid/check")
    answers = {f"answer-{one.key}": next(iter(one.answers)) for one in served.world.scheme.evaluation.questions}
    dear.page = dear.client.post(
        f"{path}/bid/check",
        data=filled | answers | {"price-weekday": "25.00", "exceptional_reason": "travel"},
    )
    dear.send(f"{path}/bid/submission")
    served.world.close(referral)
    award = served.world.award(referral).ref
    broker = at_the_desk(served)

    queue = broker.page.text
    seen = broker.open(f"/desk/awards/{award}").text
    approved = broker.send(f"/desk/awards/{award}/approval")

    assert f"/desk/awards/{award}" in queue
    assert "The way is long" in seen
    assert "Approve and offer it" in seen
    assert "The provider answers by" in approved.text


@SQLITE
def test_what_bars_a_confirmation_is_told_to_both_sides_and_leads_to_where_it_is_mended(served: Served) -> None:
    winner, world = provider(served, "Ash Homecare"), served.world
    referral = world.referral(urgency=Urgency.DISCHARGE, funding=FundingStream.UNDECIDED)
    world.bid(winner.actor, referral, pence=1600)  # type: ignore[attr-defined]
    world.close(referral)
    path, offer = f"/desk/referrals/{referral}", f"/portal/offers/{world.award(referral).ref}"
    broker = at_the_desk(served)
    winner.open(offer)
    winner.send(f"{offer}/acceptance")

    refused = winner.send(f"{offer}/confirmation")
    told = broker.open(path).text
    broker.open(f"{path}/entry/funding")
    mended = broker.send(f"{path}/entry/funding", funding="council").text
    confirmed = winner.send(f"{offer}/confirmation")
    placed = broker.open(path).text

    assert (refused.status_code, "the council has still to write down who pays" in refused.text) == (409, True)
    assert f'<a class="govuk-link" href="{path}/entry/funding">who pays</a>' in told
    assert "The provider confirms by" in told
    assert "confirm before this is written down" not in mended
    assert f'href="/desk/contracts/{confirmed.url.path.rpartition("/")[2]}"' in placed


@SQLITE
def test_an_award_is_overturned_in_favour_of_another_bid_by_two_people(served: Served) -> None:
    first, second = provider(served, "First Homecare"), provider(served, "Second Homecare")
    referral = served.world.referral()
    handed_in(served, first, referral, "16.00")
    instead = handed_in(served, second, referral, "17.00")
    served.world.close(referral)
    award = served.world.award(referral).ref
    broker, approver = at_the_desk(served), at_the_desk(served, Part.APPROVER)
    path = f"/desk/awards/{award}"
    broker.open(path)

    without = broker.send(f"{path}/overturn", instead=instead, reason="")
    asked = broker.send(f"{path}/overturn", instead=instead, reason="The person knows the second.")
    second_person = approver.open(path).text
    done = approver.send(f"{path}/overturn", instead=instead, reason="I agree.")

    assert without.status_code == 400
    for page in (without.text, second_person):
        assert f'<option value="{instead}" selected>' in page
    assert "Synthetic broker has asked" in second_person
    assert "in favour of Second Homecare: “The person knows the second.”" in second_person
    assert "You have asked for it" in asked.text
    assert "Overturned" in done.text
    assert "asked for it to be overturned, in favour of Second Homecare: “The person knows the second.”" in done.text
    assert "Synthetic approver agreed: “I agree.”" in done.text
    timeline = broker.open(f"/desk/referrals/{referral}").text
    assert "Somebody asked for the award to be overturned: First Homecare – “The person knows the second.”" in timeline
    assert "A second person asked for the same: First Homecare – “I agree.”" in timeline
    latest = served.world.award(referral)
    assert (latest.source, latest.provider) == ("override", second.actor.provider)  # type: ignore[attr-defined]


@SQLITE
def test_an_approver_decides_and_publishes_nothing(served: Served) -> None:
    draft = served.world.referral(publish_it=False)
    approver = at_the_desk(served, Part.APPROVER)

    page = approver.open(f"/desk/referrals/{draft}")
    form = approver.open(f"/desk/referrals/{draft}/publication")

    assert "Check and publish" not in page.text
    assert form.status_code == 403


@SQLITE
def test_what_a_search_cut_short_left_over_is_let_go_on_by_a_broker(worcestershire: Served) -> None:
    world = worcestershire.world
    _, left, _ = two_packages_and_one_that_takes_one(world)
    run_out(world, left, counted=False)
    broker = at_the_desk(worcestershire)

    waiting = broker.open(f"/desk/referrals/{left}").text
    gone_on = broker.send(f"/desk/referrals/{left}/going-on").text

    assert "The search for its closing was cut short" in waiting
    assert "The search for its closing was cut short" not in gone_on
    assert "A broker let the package go on" in gone_on
    assert world.round(left).state == "published"
