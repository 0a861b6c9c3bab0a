"""A file of referrals in the browser: tried, mended, written as it was tried; and many published at once."""

import pytest

from bidding.referrals import Referral
from tests.web.pages.browsing import Browser
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

HEADER = "name,postcode,lot,urgency,schedule,latest_start,earliest_start,funding,age_band"


def a_file(served: Served, *rows: str) -> bytes:
    scheme = served.world.scheme
    place = f"{served.world.sector(scheme.localities[0].key)}AA"
    lines = [row.format(postcode=place, lot=scheme.lots[0].key) for row in rows]
    return "\n".join([HEADER, *lines]).encode()


WEEK = "Mon-Sun 07:30-09:30 30m personal_care"
GOOD = f"Synthetic Person {{{{}}}},{{postcode}},{{lot}},standard,{WEEK},2019-03-20,2019-03-10,council,75-84"


def tried(broker: Browser, content: bytes, name: str = "week.csv") -> str:
    broker.open("/desk/import")
    fields = broker.form("/desk/import")
    broker.page = broker.client.post("/desk/import", data=fields, files={"file": (name, content)})
    return broker.page.text


def test_a_file_is_tried_first_and_written_as_it_was_tried(served: Served) -> None:
    broker = at_the_desk(served)
    content = a_file(served, *(GOOD.replace("{{}}", str(number)) for number in range(2)))

    said = tried(broker, content)
    before = served.world.rows(Referral)
    fields = {"write": "yes", "kept": broker.page.text.split('name="kept" value="')[1].split('"')[0]}
    fields["csrf"] = broker.form("/sign-out")["csrf"]
    written = broker.client.post("/desk/import", data=fields)

    assert "It would write 2 drafts of 2 people" in said
    assert before == []
    assert "2 drafts of 2 people" in written.text
    assert len(served.world.rows(Referral)) == 2


def test_every_fault_is_shown_with_its_row_and_column_and_nothing_is_written(served: Served) -> None:
    broker = at_the_desk(served)
    bad = GOOD.replace("{{}}", "1").replace("standard", "soon").replace("2019-03-20", "never")

    said = tried(broker, a_file(served, bad))

    assert broker.page.status_code == 400
    assert "2 faults in the file" in said
    assert '<th scope="row" class="govuk-table__header">2</th><td class="govuk-table__cell">urgency</td>' in said
    assert served.world.rows(Referral) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no spreadsheet", b"name\xff\n", b"colour,size\n"])
def test_what_is_no_file_of_referrals_is_refused_in_words(served: Served, content: bytes) -> None:
    broker = at_the_desk(served)

    said = tried(broker, content)

    assert broker.page.status_code == 400
    assert "There is a problem" in said


def test_what_was_not_tried_by_this_very_person_is_not_written(served: Served) -> None:
    broker, other = at_the_desk(served), at_the_desk(served)
    tried(broker, a_file(served, GOOD.replace("{{}}", "1")))
    kept = broker.page.text.split('name="kept" value="')[1].split('"')[0]
    csrf = other.form("/sign-out")["csrf"]

    answers = [
        other.client.post("/desk/import", data={"csrf": csrf, "write": "yes", "kept": text})
        for text in (kept, "", "bm90aGluZw==")
    ]

    assert [answer.status_code for answer in answers] == [400] * 3
    assert served.world.rows(Referral) == []


def test_many_are_published_at_once_and_each_that_is_not_ready_says_what_it_lacks(served: Served) -> None:
    served.world.provider("Somebody")
    ready = [served.world.referral(publish_it=False) for _ in range(2)]
    lacking = served.world.referral(publish_it=False, needs=None)
    foreign = served.world.referral(publish_it=False)
    broker = at_the_desk(served)
    broker.open("/desk?place=publish")
    ticked = {f"publish-{ref}": "on" for ref in [*ready, lacking, "REF-0000-0000-0000"]}

    answer = broker.send("/desk/publications", **ticked).text

    assert "2 referrals published" in answer
    assert "which skills are needed, if any" in answer
    assert [served.world.state(ref) for ref in [*ready, lacking, foreign]] == ["seeking", "seeking", "draft", "draft"]
