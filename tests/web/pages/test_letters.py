"""The letter to the person, and the page of whoever asked for a package."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bidding.awards.records import AwardState
from bidding.looking.arranged import Request
from bidding.referrals import ReferralState
from dps.contracts.contracts import ContractState
from dps.packages.schedule import parse_schedule
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served
from web.letter_pdf import pdf_of
from web.letters import letter_of
from web.pages.requester.requests import where_it_is
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)

ARRANGED = {
    "council": "Westshire Council", "name": "Łucja Şahin", "address": "1 Example Street\nExample Town",
    "postcode": "WA10 1AA", "today": date(2019, 3, 4), "reference": "REF-7K3M-9QXR-4TDC", "service": "Personal care",
    "provider": "Ash Homecare", "provider_phone": "01632 960001", "starts_on": date(2019, 3, 11), "started_on": None,
    "schedule": parse_schedule("Mon-Sun 07:30-09:30 30m x2 personal_care"), "call": "the brokers on 01632 960002",
}  # fmt: skip


def test_a_letter_says_what_with_whom_from_when_what_next_and_whom_to_call() -> None:
    letter = letter_of(**ARRANGED)  # type: ignore[arg-type]

    said = [line for part in letter.parts for line in (*part.sentences, *part.lines)]
    assert letter.to == ("Łucja Şahin", "1 Example Street", "Example Town", "WA10 1AA")
    assert "The first visit is planned for Monday 11 March 2019." in said
    assert "Every day: 30 minutes between 07:30 and 09:30, personal care, by two carers" in said
    assert "If a visit is late or does not come, call Ash Homecare on 01632\N{NO-BREAK SPACE}960001." in said
    assert any("call the brokers on 01632\N{NO-BREAK SPACE}960002" in line for line in said)
    assert "Łucja" not in repr(letter)


def test_the_days_of_a_letter_are_written_out() -> None:
    week = parse_schedule("Mon-Fri,Sun 12:00-14:00 45m meals; Tue live_in 600m sitting")

    letter = letter_of(**ARRANGED | {"schedule": week})  # type: ignore[arg-type]

    assert letter.parts[0].lines == (
        "Tuesday: a carer lives with you, company",
        "Monday to Friday, Sunday: 45 minutes between 12:00 and 14:00, meals",
    )


def test_nights_and_company_are_called_by_plain_names() -> None:
    week = parse_schedule(
        "Mon-Sun sleeping_night 22:00-07:00 540m personal_care; Sat,Sun waking_night 22:00-07:00 540m x2 continence;"
        "Wed 13:00-17:00 90m sitting"
    )

    letter = letter_of(**ARRANGED | {"schedule": week})  # type: ignore[arg-type]

    assert letter.parts[0].lines == (
        "Wednesday: 1 hour 30 minutes between 13:00 and 17:00, company",
        "Every night: a carer sleeps in your home and gets up when you need it, 9 hours between 22:00 and 07:00, "
        "personal care",
        "Saturday, Sunday: a carer is with you and stays awake, 9 hours between 22:00 and 07:00, continence, "
        "by two carers",
    )


def test_once_care_has_begun_a_letter_plans_no_first_visit() -> None:
    letter = letter_of(**ARRANGED | {"started_on": date(2019, 3, 2), "provider_phone": None})  # type: ignore[arg-type]

    assert [part.heading for part in letter.parts] == ["What we have arranged", "If something is not right"]
    assert "Your care began on Saturday 2 March 2019." in letter.parts[0].sentences


def test_a_letter_says_that_care_is_free_where_the_law_makes_it_so() -> None:
    free, silent = (letter_of(**ARRANGED | {"is_free": said}) for said in (True, False))  # type: ignore[arg-type]

    assert "You do not pay for this care." in free.parts[0].sentences
    assert not any("pay" in sentence for sentence in silent.parts[0].sentences)


def test_the_letter_is_printed_with_names_in_every_latin_letter() -> None:
    printed = pdf_of(letter_of(**ARRANGED))  # type: ignore[arg-type]

    assert printed.startswith(b"%PDF-")
    assert b"/Lang (en-GB)" in printed
    assert b"SourceSansPro" in printed or b"SourceSans" in printed


ASKED = Request(
    referral="REF-7K3M-9QXR-4TDC", lot="personal-care", locality="town", urgency="standard",
    state=ReferralState.SEEKING, is_with_requester=False, since=NOON,
    stage_no=0, closes_at=NOON + timedelta(hours=3), is_closed=False,
    award_state=None, contract_state=None, provider=None, starts_on=None, started_on=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "where", "next"),
    [
        ({}, "Providers are asked.", "They answer by Monday 4 March 2019, 15:00 GMT."),
        ({"stage_no": 1}, "Nobody near could take it", "They answer by"),
        ({"closes_at": NOON}, "Providers have answered.", "being decided"),
        ({"award_state": AwardState.OFFERED}, "offered to a provider", "yes or no"),
        ({"award_state": AwardState.ACCEPTED}, "said yes", "not yet a visit"),
        ({"state": ReferralState.UNFILLED}, "nobody could take it", "asked again"),
        (
            {
                "state": ReferralState.PLACED, "contract_state": ContractState.PENDING, "provider": "Ash",
                "starts_on": date(2019, 3, 11),
            },
            "Ash will give care.", "Mon 11 March 2019",
        ),
        (
            {
                "state": ReferralState.PLACED, "contract_state": ContractState.ACTIVE, "provider": "Ash",
                "started_on": date(2019, 3, 2),
            },
            "Ash has given care since", "Nothing more",
        ),
    ],
)  # fmt: skip
def test_a_requester_reads_where_it_is_and_what_comes_next(changed: dict[str, object], where: str, next: str) -> None:
    said = where_it_is(replace(ASKED, **changed), NOON)  # type: ignore[arg-type]

    assert where in said[0]
    assert next in said[1]


def test_every_state_has_its_words() -> None:
    for state in ReferralState:
        assert all(where_it_is(replace(ASKED, state=state), NOON))


@SQLITE
def test_a_letter_is_written_once_there_is_a_contract_and_its_reading_is_recorded(served: Served) -> None:
    world = served.world
    winner = world.provider("Ash Homecare")
    referral = world.referral()
    broker = at_the_desk(served)
    path = f"/desk/referrals/{referral}/letter"
    early = broker.open(path)
    world.bid(winner, referral, pence=1600)
    world.close(referral)
    world.accept_and_confirm(world.award(referral), winner)
    before = len(world.events("person.disclosed"))
    broker.open(path)

    nobody = broker.send(path)
    letter = broker.send(path, call="the brokers on 01632 960002")
    printed = broker.client.post(path, data=broker.form(path))

    assert early.status_code == 404
    assert nobody.status_code == 400
    assert "Synthetic Person" in letter.text
    assert "Ash Homecare will give you this care." in letter.text
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.content.startswith(b"%PDF-")
    assert len(world.events("person.disclosed")) == before + 2


@SQLITE
def test_a_requester_sees_their_own_people_alone(served: Served) -> None:
    served.world.provider("Somebody")
    mine, other = served.world.referral(), served.world.referral()
    account = an_account(served, Part.REQUESTER)
    broker, requester = at_the_desk(served), Browser(served)
    path = f"/desk/referrals/{mine}/requester"
    broker.open(path)
    nobody = broker.send(path)
    broker.send(path, account=account.ref)

    home = requester.sign_in(account)

    assert nobody.status_code == 400
    assert home.url.path == "/requests"
    assert mine in home.text
    assert other not in home.text
    assert "Providers are asked." in requester.open(f"/requests/{mine}").text
    assert requester.open(f"/requests/{other}").status_code == 404
