"""Which refusal is which status of HTTP, as web/README.md says (rule 7)."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

import web
from dps.kernel.errors import (
    BadInput,
    Corrupted,
    DpsError,
    Forbidden,
    KeyReused,
    NeedsSecondPerson,
    NoSuchStep,
    NotFound,
    NotReady,
    NotSignedIn,
    StateChanged,
    TooLate,
)
from web.api.problems import status_of

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)
TOLD = {400, 401, 403, 404, 405, 408, 409, 413, 422, 500, 503}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotSignedIn(), 401),
        (Forbidden(actor="USR-1", step="approve"), 403),
        (NeedsSecondPerson(actor="USR-1", step="approve"), 403),
        (NotFound(kind="round", ref="RND-1"), 404),
        (TooLate(closes_at=NOON, now=NOON), 409),
        (NoSuchStep(kind="Bid", ref="BID-1", state="opened", step="withdraw"), 409),
        (StateChanged(kind="Bid", ref="BID-1", state="opened", step="withdraw"), 409),
        (KeyReused(), 422),
        (BadInput("no number", field="pence"), 422),
        (NotReady(missing=["the budget"]), 422),
        (Corrupted(reason="a receipt contradicts its trail"), 500),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, DpsError) else str(value),
)
def test_a_refusal_has_the_status_of_its_family(error: DpsError, status: int) -> None:
    assert status_of(error) == status


def test_the_readme_names_every_status_that_is_answered_and_no_other() -> None:
    (rule,) = re.findall(r"(?ms)^7\. .*?^8\. ", Path(web.__path__[0], "README.md").read_text())

    assert {int(number) for number in re.findall(r"\b([45]\d\d)\b", rule)} == TOLD
