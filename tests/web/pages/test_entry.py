"""Writing a referral down, one thing a page, without JavaScript; and changing it once it is published."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bidding.drafting import note_requester, parted
from bidding.referrals import Referral
from dps.kernel.database import Database
from dps.kernel.errors import BadAnswers, BadInput
from dps.packages.facts import PackageFacts
from dps.packages.readiness import Gap
from dps.packages.schedule import parse_schedule
from dps.schemes.model import Urgency
from tests.web.pages.browsing import Browser
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served
from web.pages.forms import Form
from web.pages.writing import sections, week
from web.pages.writing.sections import SECTIONS, WHERE

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def a_visit(**changed: str) -> Form:
    days = {f"day-{day}": "on" for day in ("Mon", "Tue")}
    asked = {
        "from": "07:30",
        "until": "09:30",
        "minutes": "30",
        "carers": "1",
        "task": "personal_care",
        "kind": "visit",
    }
    return Form(days | asked | changed)


def test_visits_are_added_and_removed_in_the_words_of_a_spreadsheet() -> None:
    one = week.with_visit("", a_visit())
    two = week.with_visit(one, a_visit(**{"from": "18:00", "until": "20:00", "carers": "2"}))

    assert one == "Mon,Tue 07:30-09:30 30m personal_care"
    assert two == f"{one}; Mon,Tue 18:00-20:00 30m x2 personal_care"
    assert week.without_visit(two, 0) == "Mon,Tue 18:00-20:00 30m x2 personal_care"
    assert week.without_visit(two, 7) == two
    assert week.without_visit(one, 0) == ""


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"day-Mon": "", "day-Tue": ""}, "days"),
        ({"minutes": "half an hour"}, "minutes"),
        ({"from": ""}, "from"),
        ({"until": "07:40"}, "from"),
    ],
)
def test_a_visit_that_can_not_be_is_refused_at_its_field(changed: dict[str, str], field: str) -> None:
    form = a_visit(**changed)
    form.fields = {name: value for name, value in form.fields.items() if value}

    with pytest.raises(BadInput) as refused:
        week.with_visit("", form)

    assert refused.value.field == field


def test_live_in_care_has_no_times() -> None:
    form = a_visit(kind="live_in", minutes="600", **{"from": "", "until": ""})

    assert week.with_visit("", form) == "Mon,Tue live_in 600m personal_care"


def test_everything_that_can_be_missing_has_a_page() -> None:
    assert set(WHERE) == set(Gap)
    assert set(WHERE.values()) <= set(SECTIONS)


def asked_for(visits: str, **more: Any) -> PackageFacts:
    facts = PackageFacts(scheme="s", lot="l", urgency=Urgency.STANDARD, locality="p", sector="L1 1")
    return replace(facts, schedule=parse_schedule(visits), **more)


def test_a_week_is_parted_by_its_lines_and_neither_part_is_empty() -> None:
    facts = asked_for("Mon 07:30-09:30 30m personal_care; Mon 18:00-20:00 30m meals")

    weeks = [part.schedule.text() for part in parted(facts, {1}) if part.schedule]

    assert weeks == ["Mon 07:30-09:30 30m personal_care", "Mon 18:00-20:00 30m meals"]
    for taken in (set(), {0, 1}, {9}):
        with pytest.raises(BadInput):
            parted(facts, taken)


def test_a_budget_is_parted_as_the_care_is_and_nothing_of_it_is_lost_or_doubled() -> None:
    visits = "Mon-Sun 07:30-09:30 30m personal_care; Mon-Fri 18:00-20:00 30m x2 meals"

    here, there = parted(asked_for(visits, budget_pence=100_001, budget_weeks=6), {1})

    assert (here.budget_pence, there.budget_pence) == (41_177, 58_824)  # 210 and 300 carer-minutes
    assert (here.budget_weeks, there.budget_weeks) == (6, 6)


def test_what_is_missing_of_a_visit_or_a_person_is_told_all_at_once() -> None:
    with pytest.raises(BadAnswers) as visit:
        week.with_visit("", Form({"kind": "visit"}))
    with pytest.raises(BadAnswers) as person:
        sections.identity_of(Form({"date_of_birth": "someday", "nhs_number": "123"}))

    assert list(visit.value.faults) == ["days", "from", "until", "minutes"]
    assert list(person.value.faults) == ["name", "date_of_birth", "nhs_number"]


def written(served: Served, broker: Browser) -> str:
    """A new referral, page by page, as far as the check; its reference."""
    postcode = f"{served.world.sector(served.world.scheme.localities[0].key)}AA"
    broker.open("/desk/new")
    broker.send("/desk/new/person", name="Synthetic Newcomer", date_of_birth="1940-05-06", phone="01632 960001")
    broker.send("/desk/new/home", postcode=postcode, address="1 Example Street")
    broker.send("/desk/new/service", lot=served.world.scheme.lots[0].key, urgency="standard")
    path = broker.page.url.path.removesuffix("/entry/week")
    broker.send(f"{path}/entry/week", add="yes", **a_visit().fields)
    broker.send(f"{path}/entry/week", save="yes")
    broker.send(f"{path}/entry/start", earliest_start="2019-03-10", latest_start="2019-03-20")
    broker.send(f"{path}/entry/needs")
    broker.send(f"{path}/entry/words", pen_picture="Needs help to wash.")
    broker.send(f"{path}/entry/funding", funding="council")
    broker.send(f"{path}/entry/providers")
    assert broker.page.url.path == f"{path}/publication"
    return path.rpartition("/")[2]


@SQLITE
def test_a_referral_is_written_page_by_page_checked_and_published(served: Served) -> None:
    served.world.provider("Somebody")
    broker = at_the_desk(served)

    ref = written(served, broker)
    checked = broker.page.text
    path = f"/desk/referrals/{ref}"
    confirmed = broker.send(f"{path}/entry-words").text
    published = broker.send(f"{path}/publication")

    assert "Synthetic Newcomer" not in checked
    assert "2 visits, 1 hour a week" in checked
    assert "Do these words name nobody?" in checked
    assert "found to name nobody" in confirmed
    assert "Seeking a provider" in published.text
    # The page of the providers asked for, and its saving: both open the reason under the person's key.
    assert len(served.world.events("person.disclosed")) == 2


@SQLITE
def test_who_confirms_words_is_shown_what_may_tell_who_it_is(served: Served) -> None:
    broker = at_the_desk(served)
    path = f"/desk/referrals/{written(served, broker)}"
    quiet = broker.page.text

    broker.open(f"{path}/entry/words")
    broker.send(f"{path}/entry/words", pen_picture="Call Newcomer on 01632 960001, <b>Mrs Okonkwo</b> has a key.")
    told = broker.open(f"{path}/publication").text

    assert "Look again at these" not in quiet
    assert "<strong>Newcomer</strong> stands in the person’s own record" in told
    assert "<strong>01632 960001</strong> looks like a telephone number" in told
    assert "<strong>Mrs Okonkwo</strong> looks like somebody’s name" in told


@SQLITE
def test_nothing_is_stored_before_it_is_known_where_somebody_lives_and_what_they_need(served: Served) -> None:
    broker = at_the_desk(served)
    broker.open("/desk/new")

    nameless = broker.send("/desk/new/person", name="")
    named = broker.send("/desk/new/person", name="Synthetic Newcomer", nhs_number="123")
    broker.send("/desk/new/person", name="Synthetic Newcomer", nhs_number="")
    elsewhere = broker.send("/desk/new/home", postcode="EC1A 1BB")
    wrong = broker.send("/desk/new/home", postcode="nowhere")

    assert [page.status_code for page in (nameless, named, elsewhere, wrong)] == [400] * 4
    assert "ten digits" in named.text
    assert "lies in no area" in elsewhere.text
    assert 'value="Synthetic Newcomer"' in wrong.text
    assert served.world.events("person.registered") == []


@SQLITE
def test_somebody_who_is_known_is_not_written_down_twice_but_copied(served: Served) -> None:
    broker = at_the_desk(served)
    postcode = f"{served.world.sector(served.world.scheme.localities[0].key)}AA"
    for _ in range(2):
        broker.open("/desk/new")
        broker.send("/desk/new/person", name="Synthetic Newcomer", nhs_number="943 476 5919")
        broker.send("/desk/new/home", postcode=postcode)
        broker.send("/desk/new/service", lot=served.world.scheme.lots[0].key, urgency="crisis")
    (first,) = served.world.rows(Referral)

    link = broker.page.text
    broker.open(f"/desk/referrals/{first.ref}")
    copied = broker.send(f"/desk/referrals/{first.ref}/copy")

    assert "is known already" in link
    assert f"/desk/referrals/{first.ref}" in link
    assert copied.url.path.endswith("/publication")
    assert len(served.world.rows(Referral)) == 2
    assert len(served.world.events("person.registered")) == 1


@SQLITE
def test_a_service_of_the_nhs_is_paid_for_by_nobody_else_and_a_package_that_moves_to_it_asks_anew(
    database: Database, tmp_path: Path
) -> None:
    with Served(database, tmp_path, "wirral") as served:
        draft = served.world.referral(publish_it=False, lot="domiciliary-care")
        broker = at_the_desk(served)
        path = f"/desk/referrals/{draft}/entry"
        broker.open(f"{path}/service")
        broker.send(f"{path}/service", lot="chc", urgency="standard")

        offered = broker.open(f"{path}/funding").text
        refused = broker.send(f"{path}/funding", funding="council")
        broker.open(f"{path}/funding")
        broker.send(f"{path}/funding", funding="chc")
        checked = broker.open(f"/desk/referrals/{draft}/publication").text

    assert ('value="chc"' in offered, 'value="council"' in offered) == (True, False)
    assert ("nobody else pays for it" in offered, 'name="legal_basis"' in offered) == (True, False)
    assert (refused.status_code, "is paid for by the NHS" in refused.text) == (400, True)
    assert "; bought under: NHS procurement regulations 2013" in checked


@SQLITE
def test_a_jointly_funded_package_says_under_which_regulations_it_is_bought(served: Served) -> None:
    draft = served.world.referral(publish_it=False)
    broker = at_the_desk(served)
    path = f"/desk/referrals/{draft}/entry/funding"
    broker.open(path)

    asked = broker.send(path, funding="joint")
    broker.open(path)
    not_in_force = broker.send(path, funding="joint", legal_basis="psr")
    broker.open(path)
    answered = broker.send(path, funding="joint", legal_basis="nhs_2013")
    checked = broker.open(f"/desk/referrals/{draft}/publication")
    broker.open(path)
    broker.send(path, funding="chc")
    nhs = broker.open(f"/desk/referrals/{draft}/publication")
    broker.open(path)
    back = broker.send(path, funding="council")

    assert "under which regulations a jointly funded package is bought" in asked.text
    assert "under which regulations" not in answered.text
    assert (not_in_force.status_code, "Provider Selection Regime" in not_in_force.text) == (400, False)
    assert "; bought under: NHS procurement regulations 2013" in checked.text
    assert "under which regulations" not in back.text
    assert "NHS continuing healthcare; bought under: NHS procurement regulations 2013" in nhs.text


@SQLITE
def test_a_draft_is_parted_in_two_that_are_linked(served: Served) -> None:
    visits = "Mon-Sun 07:30-09:30 30m personal_care; Mon-Fri 18:00-20:00 30m meals"
    draft = served.world.referral(publish_it=False, visits=visits)
    broker = at_the_desk(served)
    broker.open(f"/desk/referrals/{draft}/split")

    nothing = broker.send(f"/desk/referrals/{draft}/split")
    everything = broker.send(f"/desk/referrals/{draft}/split", **{"visit-0": "on", "visit-1": "on"})
    broker.open(f"/desk/referrals/{draft}/split")
    second = broker.send(f"/desk/referrals/{draft}/split", **{"visit-1": "on"})

    assert nothing.status_code == everything.status_code == 400
    assert everything.text.count(" checked>") == 2
    assert "5 visits, 2 hours 30 minutes a week" in second.text
    assert "7 visits, 3 hours 30 minutes a week" in broker.open(f"/desk/referrals/{draft}/publication").text
    assert "Another part of this person" in broker.open(f"/desk/referrals/{draft}").text


@SQLITE
def test_what_was_begun_beside_a_week_is_added_before_it_is_saved_and_never_lost(served: Served) -> None:
    draft = served.world.referral(publish_it=False)
    broker = at_the_desk(served)
    path = f"/desk/referrals/{draft}/entry/week"
    page = broker.open(path).text

    half = broker.send(path, save="yes", **{"day-Mon": "on", "minutes": "45"})
    saved = broker.send(path, save="yes", **a_visit(minutes="45").fields)

    assert page.index('name="add"') < page.index('name="remove"')  # what Enter presses
    assert (half.status_code, "Say from when" in half.text) == (400, True)
    assert saved.text.count("45 minutes") >= 1


@SQLITE
def test_whoever_asked_for_a_package_follows_its_copy_and_both_its_parts(served: Served) -> None:
    draft = served.world.referral(publish_it=False, visits="Mon 07:30-09:30 30m meals; Tue 07:30-09:30 30m meals")
    served.world.run(note_requester, referral_ref=draft, account="USR-1", actor=served.world.broker)
    broker = at_the_desk(served)
    broker.open(f"/desk/referrals/{draft}/split")

    broker.send(f"/desk/referrals/{draft}/split", **{"visit-1": "on"})
    broker.open(f"/desk/referrals/{draft}")
    broker.send(f"/desk/referrals/{draft}/copy")

    assert [one.requested_by for one in served.world.rows(Referral)] == ["USR-1", "USR-1", "USR-1"]


@SQLITE
def test_two_people_of_one_household_are_linked_and_one_person_is_not(served: Served) -> None:
    one, other = served.world.referral(publish_it=False), served.world.referral(publish_it=False)
    broker = at_the_desk(served)
    path = f"/desk/referrals/{one}/household"
    broker.open(path)

    missing = broker.send(path, other="REF-0000-0000-0000")
    itself = broker.send(path, other=one)
    linked = broker.send(path, other=other.lower())

    assert (missing.status_code, itself.status_code) == (400, 400)
    assert f'href="/desk/referrals/{other}"' in linked.text
    assert "Somebody of the same household" in linked.text


@SQLITE
def test_a_published_referral_is_amended_by_what_bids_rest_on_and_corrected_by_the_rest(served: Served) -> None:
    world = served.world
    bidder = world.provider("Somebody")
    referral = world.referral()
    world.bid(bidder, referral, pence=1600)
    broker = at_the_desk(served)
    path = f"/desk/referrals/{referral}"

    warned = broker.open(f"{path}/entry/funding").text
    broker.send(f"{path}/entry/funding", funding="chc")
    corrected = world.round(referral).version
    broker.open(f"{path}/entry/start")
    amended = broker.send(f"{path}/entry/start", latest_start="2019-03-28")
    fixed = broker.open(f"{path}/entry/service").text
    other = broker.send(f"{path}/entry/service", lot=world.scheme.lots[0].key, urgency="crisis")

    assert "This is published." in warned
    assert (corrected, world.round(referral).version) == (1, 2)
    assert "corrected and the invited were told" in amended.text
    assert "amended and the invited were told" in amended.text
    assert "This is published." in fixed
    assert other.status_code == 400
    assert "another referral" in other.text


@SQLITE
def test_who_saves_what_somebody_else_has_changed_meanwhile_is_told(served: Served) -> None:
    draft = served.world.referral(publish_it=False)
    first, second = at_the_desk(served), at_the_desk(served)
    path = f"/desk/referrals/{draft}/entry/start"
    first.open(path)
    second.open(path)

    first.send(path, latest_start="2019-03-21")
    late = second.send(path, latest_start="2019-03-22")

    assert late.status_code == 409
