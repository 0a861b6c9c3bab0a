"""Whatever is sent to the API, no answer is our own fault: requests made from its OpenAPI document, by each side."""

import random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from dps.kernel.actors import Role
from tests.web.served import Caller, Served
from tests.web.test_changes_api import won

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning"),
]

EXAMPLES = 5
"""How many requests are made of each operation by each caller."""


def test_no_request_that_the_document_allows_is_answered_with_a_fault_of_ours(served: Served) -> None:
    provider, contract = won(served, "Oak")
    referral = served.world.referral()
    awards = [one["award"] for one in provider.get("/api/awards").json()]
    bids = [one["bid"] for one in provider.get("/api/bids").json()]
    rounds = [served.world.round(referral).ref]
    refs = [contract, referral, *awards, *bids, *rounds]
    callers = [provider, served.broker(), served.caller(Role.APPROVER), served.caller(Role.AUDITOR)]
    schema = schemathesis.openapi.from_asgi("/api/docs/openapi.json", served.app)
    operations: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    answers: dict[int, int] = {}

    for number, operation in enumerate(operations):
        for caller in callers:
            tried(operation, caller, random.Random(number), refs, answers)

    assert len(operations) > 50
    assert not [status for status in answers if status >= 500]
    assert {200, 400, 403, 404} <= set(answers)
    assert served.world.faults() == []


def tried(operation: Any, caller: Caller, chance: random.Random, refs: list[str], answers: dict[int, int]) -> None:
    """Send the operation what its schema allows, half of the time about something that is there."""

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        if case.path_parameters and "ref" in case.path_parameters and chance.random() < 0.5:
            case.path_parameters["ref"] = chance.choice(refs)
        answer = case.call(headers={"Authorization": f"Bearer {caller.key}"})
        answers[answer.status_code] = answers.get(answer.status_code, 0) + 1
        assert answer.status_code < 500, (case.method, case.path, case.path_parameters, case.query, case.body)

    send()
