"""Joining without JavaScript: apply, upload, declare, limit, see where one stands; and what is refused, in words."""

from datetime import date, timedelta

import pytest

from dps.register.applications import Application, application_of, approve
from dps.register.capacity import Ledger
from dps.register.document_checks import confirm_document
from dps.register.documents import DocumentCheck
from dps.register.limits import LimitPart, TakeLimit
from dps.register.providers import Provider, add_location, register_provider
from dps.schemes.model import Rating
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

PDF = b"%PDF-1.7\n synthetic"


def newcomer(served: Served, name: str = "Newcomer Homecare") -> Browser:
    """A provider on the register that belongs to no scheme, and its person's browser, signed in."""
    world, browser = served.world, Browser(served)
    made = world.run(register_provider, name=name, company_number=None, actor=world.officer)
    browser.sign_in(an_account(served, Part.PROVIDER_USER, provider=made.ref))
    browser.provider = made.ref  # type: ignore[attr-defined]
    return browser


def applied(served: Served, browser: Browser) -> str:
    """Apply for the first lot in two areas; the address of the draft."""
    scheme = served.world.scheme
    browser.open(f"/portal/service/schemes/{scheme.key}/application")
    browser.send(
        f"/portal/service/schemes/{scheme.key}/application",
        **{
            f"lot-{scheme.lots[0].key}": "on",
            f"place-{scheme.localities[0].key}": "on",
            f"place-{scheme.localities[1].key}": "on",
            "answer-call-monitoring": "no",
        },
    )
    return browser.page.url.path


def upload(browser: Browser, kind: str, content: bytes = PDF, **typed: str) -> None:
    browser.open("/portal/service/documents")
    fields = browser.form("/portal/service/documents") | {"kind": kind} | typed
    browser.page = browser.client.post(
        "/portal/service/documents", data=fields, files={"file": ("scan of Jane Doe.pdf", content, "application/pdf")}
    )


def in_window(served: Served) -> None:
    """St Helens takes applications in the first 28 days of a quarter."""
    served.world.clock.move_to(served.world.now.replace(month=4, day=2))
    served.wall.move_to(served.world.now)


def test_a_newcomer_applies_uploads_is_approved_and_declares_hours(served: Served) -> None:
    in_window(served)
    browser, world = newcomer(served), served.world
    assert "You belong to no scheme yet" in browser.open("/portal/service").text
    draft = applied(served, browser)
    assert "Check your answers" in browser.page.text
    assert "nobody is admitted before" in browser.page.text
    browser.send(f"{draft}/submission")
    assert "The council answers by" in browser.page.text
    for kind in world.scheme.admission.documents:
        upload(browser, kind, expires_on=(world.now + timedelta(days=200)).date().isoformat())
    assert "Waits to be confirmed" in browser.page.text
    assert "you sent it, and it waits to be confirmed" in browser.open(draft).text
    (application,) = world.rows(Application)
    assert application.flags == [["call-monitoring", False]]

    approved(served, application.ref)
    before = browser.open("/portal/service").text
    assert "You have declared no free hours" in before
    browser.open("/portal/service/hours")
    until = (world.now + timedelta(days=28)).date()
    browser.send("/portal/service/hours", authority=world.authority, hours="40", until=until.isoformat(), locality="")

    assert "no registered location in this scheme" in browser.open("/portal/service").text
    located(served, browser)
    after = browser.open("/portal/service").text
    (row,) = world.rows(Ledger)
    assert row.declared_minutes == 2400
    assert "Nothing keeps you from being invited" in after
    assert world.scheme.localities[1].name in after
    assert browser.provider in world.invited(world.referral())  # type: ignore[attr-defined]


def located(served: Served, browser: Browser) -> None:
    """An officer records a location in the council's district: this scheme asks for one."""
    world = served.world
    (row,) = world.rows(Provider)
    world.run(
        add_location,
        provider_id=row.id or 0,
        regulator_id="1-100",
        name="Newcomer House",
        place="WA10 1",
        lad=world.scheme.authorities[0].lads[0],
        rating=Rating.GOOD,
        registered_on=date(2015, 6, 1),
        actor=world.officer,
    )


def approved(served: Served, ref: str) -> None:
    """An officer looks at what was sent, confirms it, and admits the applicant."""
    world = served.world
    for check in world.rows(DocumentCheck):
        world.run(confirm_document, document_ref=check.ref, actor=world.officer)
    with world.database.transaction() as session:
        application = application_of(session, ref, world.officer)
        approve(
            session,
            world.ports,
            application,
            scheme=world.scheme,
            lists=["approved"],
            actor=world.officer,
        )


def test_an_application_says_what_is_missing_keeps_what_was_typed_and_waits_for_the_opening(served: Served) -> None:
    browser, scheme = newcomer(served), served.world.scheme
    path = f"/portal/service/schemes/{scheme.key}/application"
    browser.open(path)

    empty = browser.send(path, **{f"place-{scheme.localities[0].key}": "on"})

    assert empty.status_code == 400
    assert "Choose at least one service" in empty.text
    assert "Answer: Do you record visits by electronic call monitoring?" in empty.text
    assert browser.form(path)[f"place-{scheme.localities[0].key}"] == "on"
    draft = applied(served, browser)
    assert "It can be handed in from" in browser.page.text
    refused = browser.client.post(f"{draft}/submission", data={"csrf": browser.form(f"{draft}/withdrawal")["csrf"]})
    assert refused.status_code == 409 or "not possible" in refused.text
    browser.open(f"{draft}/change")
    browser.send(f"{draft}/change", **{f"lot-{scheme.lots[1].key}": "on", "answer-call-monitoring": "yes"})
    assert scheme.lots[1].name in browser.page.text
    browser.send(f"{draft}/withdrawal")
    assert "Withdrawn" in browser.page.text


def test_full_is_one_click_and_so_is_its_undoing(served: Served) -> None:
    browser = member(served)
    browser.open("/portal/service")

    browser.send("/portal/service/full")
    assert "You said that you are full" in browser.page.text
    assert served.world.invited(served.world.referral()) == set()
    browser.send("/portal/service/not-full")

    assert "Nothing keeps you from being invited" in browser.page.text
    assert browser.actor.provider in served.world.invited(served.world.referral())  # type: ignore[attr-defined]


def member(served: Served) -> Browser:
    actor, browser = served.world.provider("Member"), Browser(served)
    browser.actor = actor  # type: ignore[attr-defined]
    browser.sign_in(an_account(served, Part.PROVIDER_USER, provider=actor.provider))
    return browser


def test_a_take_limit_by_area_and_time_of_day_is_set_and_shown_again(served: Served) -> None:
    browser, world = member(served), served.world
    area = world.scheme.localities[0].key
    browser.open("/portal/service/limits")

    wrong = browser.send("/portal/service/limits", **{"part-0-packages": "many"})
    assert wrong.status_code == 400
    assert 'value="many"' in wrong.text
    browser.open("/portal/service/limits")
    browser.send(
        "/portal/service/limits",
        **{
            "part-0-packages": "4",
            "part-0-starts": "2",
            "part-1-locality": area,
            "part-1-from": "18:00",
            "part-1-until": "06:00",
            "part-1-hours": "10",
        },
    )

    (limit,) = world.rows(TakeLimit)
    assert limit.as_parts() == (
        LimitPart(packages=4, starts_a_week=2),
        LimitPart(locality=area, from_minute=1080, until_minute=1800, minutes=600),
    )
    shown = browser.form("/portal/service/limits")
    assert (shown["part-0-packages"], shown["part-1-until"], shown["part-1-locality"]) == ("4", "06:00", area)


def test_free_hours_that_make_no_sense_are_refused_beside_their_field(served: Served) -> None:
    browser, world = member(served), served.world
    browser.open("/portal/service/hours")
    typed = {"authority": world.authority, "locality": "", "until": "2030-01-01", "hours": "12.5"}

    no_number = browser.send("/portal/service/hours", **typed)
    too_far = browser.send("/portal/service/hours", **(typed | {"hours": "12"}))

    assert (no_number.status_code, too_far.status_code) == (400, 400)
    assert "Write whole hours" in no_number.text
    assert "within a year" in too_far.text


def test_an_area_s_own_figure_is_declared_and_taken_back(served: Served) -> None:
    browser, world = member(served), served.world
    area = world.scheme.localities[0].key
    browser.open("/portal/service/hours")
    until = (world.now + timedelta(days=14)).date().isoformat()
    browser.send("/portal/service/hours", authority=world.authority, locality=area, hours="5", until=until)
    assert "5 hours" in browser.page.text

    browser.send("/portal/service/hours/taken-back")

    rows = {row.locality: row.declared_minutes for row in world.rows(Ledger)}
    assert rows == {"": 6000, area: None}


def test_an_empty_upload_names_everything_that_is_missing(served: Served) -> None:
    browser = member(served)
    browser.open("/portal/service/documents")

    page = browser.send("/portal/service/documents", kind="", expires_on="").text

    for words in ("Choose what it is", "Choose the file to upload", "Say until when it is good"):
        assert words in page


def test_an_upload_of_another_kind_or_size_is_refused_and_another_s_document_is_not_found(served: Served) -> None:
    browser, stranger = member(served), newcomer(served)
    kind = served.world.scheme.admission.documents[0]

    upload(browser, kind, b"MZ a programme", expires_on="2030-01-01")
    assert (browser.page.status_code, "PDF, a PNG or a JPEG" in browser.page.text) == (400, True)
    upload(browser, kind, b"", expires_on="2030-01-01")
    assert "Choose the file" in browser.page.text
    upload(browser, "a_kind_nobody_asks_for", expires_on="2030-01-01")
    assert "Choose what it is" in browser.page.text
    upload(browser, kind, expires_on="")
    assert "until when it is good" in browser.page.text
    upload(browser, kind, b"%PDF-" + bytes(5 * 1024 * 1024), expires_on="2030-01-01")
    assert "larger than 5 MB" in browser.page.text
    upload(browser, kind, expires_on="2030-01-01")
    path = browser.page.text.split('href="/portal/service/documents/')[1].split('"')[0]

    own = browser.client.get(f"/portal/service/documents/{path}")
    assert own.content == PDF
    assert own.headers["content-disposition"] == f'attachment; filename="{path}.pdf"'
    assert "Jane" not in browser.page.text
    assert stranger.client.get(f"/portal/service/documents/{path}").status_code == 404


def test_what_a_provider_can_do_is_changed_by_itself(served: Served) -> None:
    browser = member(served)
    browser.open("/portal/service/details")

    half = browser.send("/portal/service/details", **{"from": "07:00", "until": ""})
    browser.send("/portal/service/details", others="PEG feeding, sign language", until="22:00", **{"flag-pets": "on"})

    assert "Give both times" in half.text
    (row,) = served.world.rows(Provider)
    assert row.skills == ["peg_feeding", "sign_language"]
    assert (row.service_from_minute, row.service_until_minute) == (420, 1320)
    assert "pets" in row.accepted_flags
