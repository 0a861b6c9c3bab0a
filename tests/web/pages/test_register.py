"""The register's officers, without JavaScript: decide an application, suspend, lift, remove, see what ends and ties."""

import re
from datetime import timedelta

import pytest
from sqlmodel import delete

from bidding.run_off import RunOff
from dps.kernel.actors import Actor
from dps.register.applications import Application, draft, submit
from dps.register.document_files import receive_file
from dps.register.documents import Document, DocumentCheck
from dps.register.membership import Membership
from dps.register.suspensions import Suspension
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_desk import at_the_desk
from tests.web.pages.test_page_guards import handed_in
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def an_officer(served: Served) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, Part.REGISTER_OFFICER))
    assert browser.page.url.path == "/register"
    return browser


def an_application(served: Served, name: str = "Ash Homecare") -> str:
    """One handed in for three areas, with an answer that is flagged; its provider is insured."""
    world = served.world
    applicant = world.provider(name, localities=[world.scheme.localities[-1].key])
    answers = {"staff-turnover": 34, "travel-time-paid": True, "staff-pay": "Above the living wage."}
    application = world.run(
        draft,
        provider_id=world.row_of(applicant).id or 0,
        scheme=world.scheme,
        lots=[world.scheme.lots[0].key],
        localities=[place.key for place in world.scheme.localities[:3]],
        answers=answers,
        actor=applicant,
    )
    world.run(submit, application=application, scheme=world.scheme, actor=applicant)
    return application.ref


def test_an_application_is_approved_list_by_list_and_what_is_left_out_has_its_reason(worcestershire: Served) -> None:
    served = worcestershire
    ref, scheme = an_application(served), served.world.scheme
    officer = an_officer(served)
    waiting = officer.page.text
    path, one = f"/register/applications/{ref}", scheme.lists[0].key
    first, second, third = (place.key for place in scheme.localities[:3])
    officer.open(path)
    ticks = {f"place-{one}-{first}": "on", f"place-{one}-{second}": "on"}
    fields = {f"place-{one}-{third}": ""}

    without = officer.send(f"{path}/approval", **ticks, **fields)
    officer.open(path)
    approved = officer.send(f"{path}/approval", **ticks, **fields, **{f"why-{one}": "No rounds there yet."})

    assert "34%" in waiting
    assert "Ash Homecare" in waiting
    assert without.status_code == 400
    assert "Say why the other areas are left out" in without.text
    assert "No rounds there yet." in approved.text
    (row,) = served.world.rows(Application)
    assert (row.state, row.turned_down) == ("approved", [[one, third, "No rounds there yet."]])
    held = {one.locality for one in served.world.rows(Membership, Membership.lot == scheme.lots[0].key)}
    assert {first, second} <= held
    assert third not in held


def test_an_officer_asks_and_the_applicant_answers_on_its_page(worcestershire: Served) -> None:
    served = worcestershire
    ref = an_application(served)
    (row,) = served.world.rows(Application)
    officer, applicant = an_officer(served), Browser(served)
    applicant.sign_in(an_account(served, Part.PROVIDER_USER, provider=row.provider_ref))
    path, own = f"/register/applications/{ref}", f"/portal/service/applications/{ref}"
    officer.open(path)

    empty = officer.send(f"{path}/question")
    asked = officer.send(f"{path}/question", question="Why is a third of your staff new?")
    first_page = applicant.open("/portal").text
    applicant.open(own)
    nothing = applicant.send(f"{own}/answer")
    waiting = officer.open("/register").text
    answered = applicant.send(f"{own}/answer", answer="A large employer opened nearby.")

    assert (empty.status_code, "Write what you want to know" in empty.text) == (400, True)
    assert "Not answered yet" in asked.text
    assert "Ask the applicant" not in asked.text
    assert f'href="{own}"' in first_page
    assert (nothing.status_code, "Write your answer" in nothing.text) == (400, True)
    assert "Why is a third of your staff new?" in nothing.text
    assert "Asked, not answered yet" in waiting
    assert "Send the answer" not in answered.text
    assert "Answered" in officer.open("/register").text
    assert "A large employer opened nearby." in officer.open(path).text
    assert f'href="{own}"' not in applicant.open("/portal").text


def test_an_application_is_refused_with_a_reason(worcestershire: Served) -> None:
    served = worcestershire
    ref = an_application(served)
    officer = an_officer(served)
    path = f"/register/applications/{ref}"
    officer.open(path)

    without = officer.send(f"{path}/refusal")
    refused = officer.send(f"{path}/refusal", reason="The turnover of staff is too high.")

    assert (without.status_code, "A reason is needed" in without.text) == (400, True)
    assert "The turnover of staff is too high." in refused.text
    assert "No application waits." in officer.open("/register").text


def test_whoever_has_a_tie_to_a_provider_decides_nothing_about_it(worcestershire: Served) -> None:
    served = worcestershire
    ref = an_application(served)
    officer, colleague = an_officer(served), an_officer(served)
    (row,) = served.world.rows(Application)
    officer.open("/desk/interests")
    officer.send("/desk/interests", provider=row.provider_ref)
    officer.open(f"/register/applications/{ref}")

    barred = officer.send(f"/register/applications/{ref}/refusal", reason="Not this one.")
    seen = colleague.open(f"/register/applications/{ref}").text
    declared = colleague.open("/desk/interests").text

    assert (barred.status_code, "Somebody else has to do this" in barred.text) == (403, True)
    assert "Staff who declared a tie to this provider" in seen
    assert "What colleagues declared" in declared
    assert "Ash Homecare" in declared


def test_a_provider_is_suspended_its_contracts_moved_and_the_suspension_lifted(served: Served) -> None:
    world = served.world
    winner = world.provider("Ash Homecare")
    referral = world.referral()
    world.bid(winner, referral, pence=1600)
    world.close(referral)
    contract = world.accept_and_confirm(world.award(referral), winner)
    officer, broker = an_officer(served), at_the_desk(served)
    path, key = f"/register/providers/{winner.provider}", world.scheme.key
    listed = officer.open("/register/providers?named=ash").text
    officer.open(f"{path}/suspension/{key}")

    empty = officer.send(f"{path}/suspension/{key}")
    suspended = officer.send(
        f"{path}/suspension/{key}", scope="new_work", running_contracts="transfer", reason="Visits were missed."
    )
    officer.open(f"{path}/suspension/{key}")
    twice = officer.send(
        f"{path}/suspension/{key}", scope="new_work", running_contracts="transfer", reason="Visits were missed again."
    )
    provider = Browser(served)
    provider.sign_in(an_account(served, Part.PROVIDER_USER, provider=winner.provider))
    own = provider.open("/portal/service").text
    (row,) = world.rows(Suspension)
    waits = broker.open("/desk/contracts").text
    seen = broker.open(f"/desk/run-offs/{row.ref}").text
    advised = broker.open(f"/desk/run-offs/{row.ref}?advised=true").text
    late = broker.send(f"/desk/run-offs/{row.ref}", last_day="2030-01-01")
    broker.send(f"/desk/run-offs/{row.ref}", last_day=(world.now.date() + timedelta(days=7)).isoformat())
    world.step(minutes=1)
    moved = officer.open(path).text
    became = broker.open(f"/desk/run-offs/{row.ref}").text
    officer.open(f"/register/suspensions/{row.ref}/lifting")
    lifted = officer.send(f"/register/suspensions/{row.ref}/lifting", reason="All visits are made again.")

    assert "Ash Homecare" in listed
    assert empty.status_code == 400
    assert "Choose what is stopped" in empty.text
    assert "In force" in suspended.text
    assert "All your places in this scheme are suspended" in own
    assert "Visits were missed." in own
    assert (twice.status_code, f"{row.ref} says all of this already" in twice.text) == (400, True)
    assert "Visits were missed again." in twice.text
    assert "Contracts of suspended providers</a> (1 to decide)" in waits
    assert contract in seen
    assert "This is advice" in advised
    assert late.status_code == 400
    assert len(world.rows(RunOff)) == 1
    assert "1 of 1 contract moved" in moved
    assert [words for words in ("What became of each", "Nobody yet", referral) if words not in became] == []
    assert "Lifted: All visits are made again." in lifted.text


def test_an_applicant_whose_documents_are_missing_is_not_admitted_and_the_page_names_them(served: Served) -> None:
    world = served.world
    applicant = world.provider("Ash Homecare", lists=[])
    with world.database.transaction() as session:
        session.execute(delete(Document))
    ref = handed_in(served, world.row_of(applicant).id or 0, applicant.provider or "")
    officer = an_officer(served)
    page = officer.open(f"/register/applications/{ref}").text
    ticked = re.findall(r'name="(place-[^"]+)"', page)

    refused = officer.send(f"/register/applications/{ref}/approval", **dict.fromkeys(ticked, "on"))
    world.clock.move_to(world.now + timedelta(days=30))
    late = officer.open(f"/register/applications/{ref}").text

    assert refused.status_code == 400
    assert "Nobody is admitted before these are here, confirmed and good: " in refused.text
    assert "public_liability_insurance" not in refused.text.partition("There is a problem")[2].partition("</div>")[0]
    assert "The day has passed: decide it now" in late


def test_contracts_that_go_on_under_a_suspension_are_listed_and_its_provider_is_told_on_its_first_page(
    served: Served,
) -> None:
    world = served.world
    winner = world.provider("Ash Homecare")
    referral = world.referral()
    world.bid(winner, referral, pence=1600)
    world.close(referral)
    world.accept_and_confirm(world.award(referral), winner)
    officer, broker, provider = an_officer(served), at_the_desk(served), Browser(served)
    provider.sign_in(an_account(served, Part.PROVIDER_USER, provider=winner.provider))
    path = f"/register/providers/{winner.provider}/suspension/{world.scheme.key}"
    said = {"scope": "new_work", "reason": "Visits were missed."}

    before = provider.open("/portal").text
    officer.open(path)
    officer.send(path, **said, running_contracts="continue")
    told, going_on = provider.open("/portal").text, broker.open("/desk/run-offs").text
    officer.open(path)
    officer.send(path, **said, running_contracts="transfer")
    moving = broker.open("/desk/run-offs").text

    assert "You are suspended in" not in before
    assert f"You are suspended in {world.scheme.name}" in told
    assert "Contracts that go on" in going_on
    assert "Ash Homecare" in going_on
    assert "Contracts that go on" not in moving
    assert "To decide" in moving


def test_a_provider_is_removed_for_good_from_what_is_ticked(served: Served) -> None:
    world = served.world
    provider = world.provider("Ash Homecare")
    officer, key = an_officer(served), world.scheme.key
    path, gone = f"/register/providers/{provider.provider}", world.scheme.localities[0].key
    officer.open(f"{path}/removal/{key}")

    officer.send(f"{path}/removal/{key}", **{f"place-{gone}": "on"}, reason="It left the area.")
    again = officer.open(f"{path}/removal/{key}") and officer.send(
        f"{path}/removal/{key}", **{f"place-{gone}": "on"}, reason="It left the area."
    )

    assert {one.locality for one in world.rows(Membership) if one.state == "removed"} == {gone}
    assert again.status_code == 400
    assert "holds no place" in again.text


def test_a_provider_s_page_shows_what_is_free_and_documents_that_end_are_listed(served: Served) -> None:
    world = served.world
    provider = world.provider("Ash Homecare", hours=40)
    document = a_document(served, provider, actor=world.officer)
    officer = an_officer(served)

    page = officer.open(f"/register/providers/{provider.provider}").text
    ending = officer.open("/register/documents").text
    file = officer.open(f"/register/documents/{document}")

    assert "40 hours free" in page
    assert "Hours a week that are bound or reserved" in page
    assert "Ash Homecare" in ending.partition("Over, or ending soon")[2]
    assert file.content == b"%PDF-1.7"


def test_an_officer_looks_at_what_a_provider_sent_and_confirms_it_or_says_why_not(served: Served) -> None:
    world = served.world
    provider = world.provider("Ash Homecare")
    document = a_document(served, provider, actor=provider)
    officer = an_officer(served)

    first = officer.page.text
    listed = officer.open("/register/documents").text
    beside = officer.open(f"/register/providers/{provider.provider}").text
    path = f"/register/documents/{document}"
    seen = officer.open(f"{path}/check").text
    unsaid = officer.send(f"{path}/refusal")
    refused = officer.send(f"{path}/refusal", reason="It names another company.")
    decided = officer.open(f"{path}/check").text
    second = a_document(served, provider, actor=provider)
    officer.open(f"/register/documents/{second}/check")
    officer.send(f"/register/documents/{second}/confirmation")

    assert "<strong>1</strong><span>document waits to be confirmed" in first
    assert f'href="{path}/check"' in listed.partition("Over, or ending soon")[0]
    assert "Confirm or refuse it" in beside
    assert "none that counts" in seen
    assert f'href="{path}"' in seen
    assert (unsaid.status_code, 'href="#reason"' in unsaid.text) == (400, True)
    assert "None. What providers send" in refused.text
    assert "Why it was not accepted: It names another company." in decided
    assert [(one.ref, str(one.state)) for one in world.rows(DocumentCheck)] == [
        (document, "refused"),
        (second, "confirmed"),
    ]


def a_document(served: Served, provider: Actor, *, actor: Actor) -> str:
    """Its insurance for twenty days, sent by the provider itself or brought by an officer."""
    world = served.world
    document = world.run(
        receive_file,
        provider_id=world.row_of(provider).id or 0,
        kind="insurance",
        content=b"%PDF-1.7",
        expires_on=world.now.date() + timedelta(days=20),
        actor=actor,
    )
    return document.ref


def test_a_provider_moves_from_one_list_to_another_with_a_reason(served: Served) -> None:
    world = served.world
    first, second = (one.key for one in world.scheme.lists[:2])
    provider = world.provider("Ash Homecare", lists=[second]).provider
    officer = an_officer(served)
    path = f"/register/providers/{provider}/move/{world.scheme.key}"
    shown = officer.open(f"/register/providers/{provider}").text
    officer.open(path)
    area = f"place-{world.scheme.localities[0].key}"

    unsaid = officer.send(path, from_list=second, to_list=first)
    same = officer.send(path, from_list=second, to_list=second, reason="A new tender.")
    nowhere = officer.send(path, from_list=first, to_list=second, reason="A new tender.")
    in_part = officer.send(path, from_list=second, to_list=first, reason="A new tender.", **{area: "on"})
    officer.open(path)
    moved = officer.send(path, from_list=second, to_list=first, reason="A new tender.")

    assert path in shown
    assert (unsaid.status_code, "A reason is needed" in unsaid.text) == (400, True)
    assert (same.status_code, 'href="#to_list"' in same.text) == (400, True)
    assert (nowhere.status_code, "holds no place" in nowhere.text) == (400, True)
    assert (in_part.status_code, 'href="#places"' in in_part.text) == (400, True)
    assert moved.status_code == 200
    stands = {(one.list_key, str(one.state)) for one in world.rows(Membership)}
    assert stands == {(first, "active"), (second, "removed")}
