"""Reading forms: every fault told at once, and as many rows as somebody needs."""

import pytest

from dps.kernel.errors import BadAnswers, BadInput
from web.pages.forms import Checking, Form, faults_of
from web.pages.register.arrangements import MOST_ROWS, rows_of


def test_every_fault_of_a_form_is_told_in_the_order_of_reading_and_nothing_where_there_is_none() -> None:
    form, checking, whole = Form({"name": "A", "day": "someday"}), Checking(), Checking()

    with whole.of("name"):
        name = form.needed("name", "say who")
    whole.end()
    with checking.of("day"):
        form.day("day", "say when")
    with checking.of("reason"):
        form.needed("reason", "say why")
    with checking.of("place"):
        raise BadInput("it lies nowhere", field="postcode")
    with pytest.raises(BadAnswers) as told:
        checking.end()

    assert name == "A"
    assert list(faults_of(told.value)) == ["day", "reason", "postcode"]
    assert faults_of(BadInput("no"), "price") == {"price": "no"}


def test_a_form_has_rows_for_as_many_members_as_there_are() -> None:
    assert rows_of({}) == range(1, 7)
    assert rows_of({}, more=6) == range(1, 13)
    assert rows_of({"member-12": "", "member-x": "", "share-40": ""}) == range(1, 13)
    assert rows_of({"member-9999": ""}, more=6) == range(1, MOST_ROWS + 1)
