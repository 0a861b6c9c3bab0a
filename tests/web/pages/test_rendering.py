"""Components become markup: escaped, and kept for the next row only where they say a state."""

from web.pages.rendering import component


def test_a_tag_is_made_once_and_escaped_like_everything() -> None:
    made = component("Tag", text="<b>Placed</b>", classes="govuk-tag--green")

    assert "&lt;b&gt;Placed" in made
    assert component("Tag", text="<b>Placed</b>", classes="govuk-tag--green") is made
    assert component("Tag", text="<b>Placed</b>", classes="govuk-tag--grey") != made


def test_what_somebody_typed_into_a_field_is_not_kept() -> None:
    field = {"id": "price", "name": "price", "value": "17.89", "label": {"text": "Price"}}

    assert component("Input", **field) is not component("Input", **field)
