"""Logs state an event and references; whatever else they are handed is dropped, and they say so."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from dps.kernel.logs import configure, log, only_references


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_line_is_one_json_object_with_level_and_time_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    configure()

    log().info("round.closed", round="RND-1", count=3, seconds=0.25)

    [line] = lines(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "round.closed", "round": "RND-1", "count": 3, "seconds": 0.25, "level": "info"}


@pytest.mark.parametrize(
    "field", ["name", "postcode", "pence", "price", "note", "address", "date_of_birth", "nhs_number", "phone", "body"]
)
def test_a_field_that_logs_may_not_say_is_dropped_by_name_alone(capsys: pytest.CaptureFixture[str], field: str) -> None:
    configure()

    log().info("person.registered", ref="PER-1", **{field: "a canary"})

    [line] = lines(capsys)
    assert "canary" not in json.dumps(line)
    assert (line["ref"], line["dropped"]) == ("PER-1", field)


@pytest.mark.parametrize(
    "value", [{"name": "a canary"}, ["a canary"], ("a canary",), b"a canary", {"a canary"}, ValueError("a canary")]
)
def test_an_allowed_field_holds_one_plain_value(capsys: pytest.CaptureFixture[str], value: object) -> None:
    configure()

    log().info("person.registered", ref="PER-1", package=value)

    [line] = lines(capsys)
    assert "canary" not in json.dumps(line)
    assert (line["ref"], line["dropped"]) == ("PER-1", "package")


def test_what_was_dropped_does_not_hide_what_went_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    configure()

    log().error("api.failed", error="TooLate", price=1895, exc_info=True)

    [line] = lines(capsys)
    assert (line["error"], line["dropped"]) == ("TooLate", "exc_info, price")


def test_a_line_with_nothing_to_drop_does_not_speak_of_it() -> None:
    assert only_references(None, "info", {"event": "x", "ref": None}) == {"event": "x", "ref": None}


@pytest.mark.parametrize(("level", "events"), [("debug", ["low", "high"]), ("warning", ["high"]), ("error", [])])
def test_what_is_below_the_level_is_not_written(
    capsys: pytest.CaptureFixture[str], level: str, events: list[str]
) -> None:
    configure(level)

    log().debug("low")
    log().warning("high")

    assert [line["event"] for line in lines(capsys)] == events
