"""Components become markup: escaped, and kept for the next row only where they say a state."""

from web.pages.books import as_html
from web.pages.rendering import component


def test_a_tag_is_made_once_and_escaped_like_everything() -> None:
    made = component("Tag", text="<b>Placed</b>", classes="govuk-tag--green")

    assert "&lt;b&gt;Placed" in made
    assert component("Tag", text="<b>Placed</b>", classes="govuk-tag--green") is made
    assert component("Tag", text="<b>Placed</b>", classes="govuk-tag--grey") != made


def test_what_somebody_typed_into_a_field_is_not_kept() -> None:
    field = {"id": "price", "name": "price", "value": "17.89", "label": {"text": "Price"}}

    assert component("Input", **field) is not component("Input", **field)


def test_a_rulebooks_headings_stand_one_level_below_the_pages_own_and_its_text_is_escaped() -> None:
    made = as_html("# Rules\n\n## Who <b>buys\n\n- one\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")

    assert '<h2 class="govuk-heading-m">Rules</h2>' in made
    assert '<h3 class="govuk-heading-s">Who &lt;b&gt;buys</h3>' in made
    assert made.count("<td") == 2
