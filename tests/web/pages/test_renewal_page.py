"""A newer register as a page: tried, then exactly what was tried is applied; what is wrong is said row by row."""

import pytest

from dps.register.membership import Membership, MembershipState
from dps.register.providers import Location, Provider
from tests.web.pages.browsing import Browser
from tests.web.pages.test_register import an_officer
from tests.web.served import Served
from tests.web.test_import_register import HEAD, NEW, OLD, row

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

PAGE = "/register/renewal"


def tried(officer: Browser, text: str) -> Browser:
    officer.open(PAGE)
    file = {"file": ("register.csv", (HEAD + text).encode(), "text/csv")}
    officer.page = officer.client.post(PAGE, data=officer.form(PAGE), files=file)
    return officer


def applied(officer: Browser) -> str:
    return officer.send(PAGE, write="yes").text


def on_scheme(served: Served) -> dict[str, str]:
    """Names of those who hold a place, each with its open location's rating."""
    held = {one.provider_id for one in served.world.rows(Membership, Membership.state != MembershipState.REMOVED)}
    names = {one.id: one.name for one in served.world.rows(Provider)}
    return {names[one.provider_id]: str(one.rating) for one in served.world.rows(Location) if one.provider_id in held}


def test_who_left_joined_and_was_rated_anew_is_shown_before_it_is_applied(served: Served) -> None:
    officer = an_officer(served)
    first = tried(officer, OLD).page.text
    applied(officer)

    shown = tried(officer, NEW).page.text
    meanwhile = on_scheme(served)
    done = applied(officer)
    same = tried(officer, NEW).page.text

    assert "Who would join: 3 providers" in first
    assert meanwhile == {"Ash": "good", "Beech": "good", "Cedar": "good"}
    for text, left, joined in ((shown, "Who would leave", "Who would join"), (done, "Who left", "Who joined")):
        assert f"{left}: 1 provider" in text
        assert f"{joined}: 1 provider" in text
        assert "Cedar" in text
        assert "Dogwood" in text
        assert "Requires improvement" in text
    assert "1 provider would be removed for good" in shown
    assert on_scheme(served) == {"Ash": "requires_improvement", "Beech": "good", "Dogwood": "good"}
    assert "nothing would change" in same
    assert 'name="write"' not in same


def test_a_newcomer_without_a_list_is_named_and_not_left_out_in_silence(served: Served) -> None:
    officer = an_officer(served)
    tried(officer, OLD)
    applied(officer)
    before = on_scheme(served)

    shown = tried(officer, OLD + "Elder,Elder,1-105,WA10 1,2015-06-14,good,,,\n").page

    assert (shown.status_code, "is new to the scheme" in shown.text) == (400, True)
    assert on_scheme(served) == before


def test_the_register_as_it_stands_taken_back_changes_nothing(served: Served) -> None:
    officer = an_officer(served)
    tried(officer, OLD)
    applied(officer)
    officer.open(PAGE)
    path = f"{PAGE}/{served.world.scheme.key}/workbook"
    assert f'href="{path}"' in officer.page.text

    book = officer.client.get(path)
    officer.page = officer.client.post(
        PAGE, data=officer.form(PAGE), files={"file": ("register.xlsx", book.content, book.headers["content-type"])}
    )

    assert "nothing would change" in officer.page.text
    assert "register-st-helens-2019-03-04.xlsx" in book.headers["content-disposition"]
    assert officer.client.get(f"{PAGE}/another/workbook").status_code == 404


def test_a_faulty_cell_or_half_a_register_changes_nothing_and_is_said(served: Served) -> None:
    officer = an_officer(served)
    tried(officer, OLD)
    applied(officer)

    half = tried(officer, row("Ash", "1-1")).page
    faulty = tried(officer, OLD.replace("2015-06-14", "yesterday", 1)).page
    officer.open(PAGE)
    nothing = officer.send(PAGE)

    assert (half.status_code, "is this the whole register?" in half.text) == (400, True)
    assert (faulty.status_code, "1 fault in the file" in faulty.text) == (400, True)
    assert "registered_on" in faulty.text
    assert (nothing.status_code, "Choose a file" in nothing.text) == (400, True)
    assert len(on_scheme(served)) == 3


def test_nobody_applies_what_somebody_else_tried(served: Served) -> None:
    officer, colleague = an_officer(served), an_officer(served)
    tried(officer, OLD)
    kept = officer.form(PAGE) | {"csrf": colleague.form("/sign-out")["csrf"]}

    refused = colleague.client.post(PAGE, data=kept)

    assert (refused.status_code, "not the file that was tried" in refused.text) == (400, True)
    assert on_scheme(served) == {}
