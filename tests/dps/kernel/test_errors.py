"""The tree of errors: stable codes, facts as attributes, words that name what happened."""

import copy
import pickle
import re
from datetime import UTC, datetime

import pytest

from dps.kernel import errors
from dps.kernel.errors import (
    BadInput,
    BadScheme,
    Conflict,
    DpsError,
    Forbidden,
    InvalidBid,
    KeyReused,
    NotFound,
    TooLate,
)

TREE = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DpsError)]

EXAMPLES = [
    NotFound(kind="award", ref="AWD-1"),
    Forbidden(actor="USR-1", step="decide"),
    BadInput("is not a day", file="providers.csv", row=7, field="expires", value="32 May"),
    BadScheme((("lots", "there are none"), ("term.ends", "is missing")), file="somewhere.toml"),
    InvalidBid(problems=["It is too dear.", "It starts too late."]),
    TooLate(closes_at=datetime(2019, 3, 31, 10, tzinfo=UTC), now=datetime(2019, 3, 31, 10, 0, 1, tzinfo=UTC)),
    KeyReused(),
]


def test_every_code_names_one_error() -> None:
    codes = [kind.code for kind in TREE]

    assert sorted(codes) == sorted(set(codes))
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("kind", TREE)
def test_every_error_says_in_its_docstring_what_it_means(kind: type[DpsError]) -> None:
    assert kind.__doc__


def test_the_facts_of_an_error_are_its_attributes() -> None:
    error = NotFound(kind="award", ref="AWD-1")

    assert (error.kind, error.ref, str(error)) == ("award", "AWD-1", "There is no award AWD-1.")


def test_a_fact_that_an_error_lacks_is_no_attribute() -> None:
    assert not hasattr(NotFound(kind="award", ref="AWD-1"), "price")


def test_an_error_whose_sentence_lacks_a_fact_still_speaks() -> None:
    assert str(Forbidden(actor="USR-1")) == "{actor} may not {step}."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (BadInput("is not a day"), "is not a day"),
        (BadInput("is not a day", field="expires"), "expires: is not a day"),
        (BadInput("is not a day", row=0, field="expires"), "row 0, expires: is not a day"),
        (BadInput("is not a day", file="a.csv", row=7, field="expires"), "a.csv, row 7, expires: is not a day"),
    ],
)
def test_bad_input_names_its_place_as_far_as_it_is_known(error: BadInput, words: str) -> None:
    assert str(error) == words


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("travel", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))], ids=["copied", "sent"])
def test_an_error_arrives_in_another_process_as_it_left(error: DpsError, travel: object) -> None:
    assert callable(travel)

    arrived = travel(error)

    assert (type(arrived), str(arrived), arrived.facts) == (type(error), str(error), error.facts)


def test_a_conflict_is_told_from_a_refusal() -> None:
    assert issubclass(KeyReused, Conflict)
    assert not issubclass(Conflict, errors.Refused)
