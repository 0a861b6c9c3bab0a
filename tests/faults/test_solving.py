"""One award for one input, and words where there is none (acceptance line 10): samples."""

from pathlib import Path

import pytest

from bidding.allocation.runs import AllocationRun
from dps.kernel.database import Database
from tests.faults import solving
from tests.faults.killing import Council
from tests.support.world import World


@pytest.mark.slow
def test_one_award_whatever_the_order_of_rows_and_the_number_of_workers() -> None:
    assert solving.orders(instances=2, orders_each=2).faults == []
    assert solving.days_in_other_orders(instances=1, orders_each=1).faults == []


def test_a_hung_solver_is_ended_in_time_and_what_stands_in_says_so() -> None:
    assert solving.hung(times=1).faults == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_any_stored_run_gives_the_same_award_again(database: Database, tmp_path: Path) -> None:
    council = Council(World(database, tmp_path), tmp_path)
    referrals = [council.begun() for _ in range(3)]
    council.world.close(referrals[-1])

    assert len(council.world.rows(AllocationRun)) == 3
    assert solving.replayed(council.world) == []

    with database.transaction() as session:
        run = session.get(AllocationRun, 1)
        assert run is not None
        run.answer = {**run.answer, "awards": []}
    assert len(solving.replayed(council.world)) == 1
