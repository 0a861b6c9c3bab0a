"""A week that is changed visit by visit, or written out: what its form says, and what is wrong with it."""

import pytest

from dps.kernel.errors import BadAnswers, BadInput
from dps.packages.schedule import parse_schedule
from web.pages.changing import visits_to_change, week_of
from web.pages.forms import Form

WEEK = parse_schedule("Mon-Sun 07:30-09:30 45m x2 personal_care; Mon,Wed,Fri 12:00-14:00 30m meals")
TEXT = "\n".join(visit.text() for visit in WEEK.visits)


def shown(**changed: str) -> Form:
    """The form as the page shows the week, with what was changed in it."""
    fields = {"week": TEXT, "week-base": TEXT}
    for line in visits_to_change(WEEK, "week", {}):
        fields |= {f"{line['field']}-{day}": "on" for day, is_on in line["days"] if is_on}
        fields |= {f"{line['field']}-minutes": line["minutes"], f"{line['field']}-carers": line["carers"]}
    return Form({name: text for name, text in (fields | changed).items() if text != "off"})


def test_a_form_that_nobody_touched_says_the_week_that_it_shows() -> None:
    assert week_of(shown(), "week") == WEEK


def test_each_visit_has_its_days_minutes_and_carers() -> None:
    form = shown(
        **{"week-0-Sun": "off", "week-0-minutes": "30", "week-0-carers": "1", "week-1-Mon": "off"},
    )

    assert week_of(form, "week") == parse_schedule(
        "Mon-Sat 07:30-09:30 30m personal_care; Wed,Fri 12:00-14:00 30m meals"
    )


def test_a_visit_without_a_day_is_left_out_and_a_week_without_a_visit_is_none() -> None:
    no_meals = {f"week-1-{day}": "off" for day in ("Mon", "Wed", "Fri")}
    nothing = no_meals | {f"week-0-{day}": "off" for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}

    assert [visit.task for visit in week_of(shown(**no_meals), "week").visits] == ["personal_care"]
    with pytest.raises(BadInput, match="leave at least one visit"):
        week_of(shown(**nothing), "week")


def test_what_is_written_out_counts_and_not_what_stands_above_it() -> None:
    written = "Mon-Sun 08:00-09:00 20m medication"

    assert week_of(shown(**{"week": written, "week-0-minutes": "30"}), "week") == parse_schedule(written)
    assert week_of(Form({"week": written}), "week") == parse_schedule(written)
    assert week_of(shown(week=""), "week") == WEEK
    with pytest.raises(BadInput, match="write the week"):
        week_of(Form({}), "week")


def test_every_visit_s_fault_is_told_beside_its_minutes() -> None:
    with pytest.raises(BadAnswers) as told:
        week_of(shown(**{"week-0-minutes": "half an hour", "week-1-minutes": "500"}), "week")

    assert set(told.value.facts["faults"]) == {"week-0-minutes", "week-1-minutes"}


def test_a_form_that_was_sent_shows_what_was_typed() -> None:
    form = shown(**{"week-0-Sun": "off", "week-0-minutes": "x"})

    first, second = visits_to_change(WEEK, "week", form.fields)

    assert dict(first["days"])["Sun"] is False
    assert dict(first["days"])["Mon"] is True
    assert (first["minutes"], second["minutes"], first["carers"]) == ("x", "30", "2")
