"""Samples of the canary campaigns: `make faults-long` runs them whole."""

from base64 import b64encode
from pathlib import Path

import pytest

from dps.kernel.database import Database
from tests.faults import canary, canary_person
from tests.faults.spellings import PriceCanary, Search, in_words, of_text
from tests.web.served import Served


@pytest.mark.slow
def test_a_sealed_price_is_found_nowhere_and_nobody_opens_it_early(database: Database, tmp_path: Path) -> None:
    with Served(database, tmp_path, canary.dear_scheme()) as council:
        found = canary.prices(council, tmp_path, attempts=12, guessed_to=2_000, is_sampled=True)

    assert found.faults == []
    assert found.counted["early attempts refused and audited"] == 12


@pytest.mark.slow
def test_a_person_is_known_to_the_council_and_the_winner_alone_and_then_to_nobody(
    database: Database, tmp_path: Path
) -> None:
    with Served(database, tmp_path, canary_person.telling_scheme()) as council:
        found = canary_person.a_life(council, tmp_path, is_sampled=True)

    assert found.faults == []


@pytest.mark.parametrize(
    "hidden",
    [
        b"price 14817217",
        b"\xc2\xa3148,172.17",
        "148172.17".encode("utf-16-le"),
        "148172.17".encode("utf-16-be"),
        b"x" + b64encode(b"the price is 148172.17 an hour"),
        b"148172.17".hex().encode(),
        b"one hundred forty-eight thousand one hundred seventy-two pounds",
        b"weekly 7408609",
    ],
)
def test_a_price_is_found_however_it_is_written(hidden: bytes) -> None:
    search = Search(PriceCanary().spellings)

    assert search.look("here", b"\0before " + hidden + b" after")


def test_what_is_no_canary_is_not_found() -> None:
    search = Search(PriceCanary().spellings)

    assert not search.look("here", b"16.00 1600 14817117 ab14817217cd \0\0\0\2\x5f" + bytes(range(256)))
    assert search.hits == []


def test_text_is_found_in_either_case_and_packed() -> None:
    spellings = tuple(of_text("Quizzlethorpe"))

    assert Search(spellings).look("here", b"QUIZZLETHORPE")
    assert Search(spellings).look("here", b64encode(b"Mr Quizzlethorpe, at home"))
    assert not Search(spellings).look("here", b"Quizzle Thorpe")


def test_numbers_are_said_in_words() -> None:
    assert in_words(71_839_264) == ("seventy-one million eight hundred thirty-nine thousand two hundred sixty-four")
