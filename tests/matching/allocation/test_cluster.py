"""Many councils on a Dask cluster of this machine; one worker is killed in mid-run."""

import os
import signal
from functools import partial
from pathlib import Path

import distributed
import pytest

from matching.allocation import Policy, Result, solve
from matching.allocation.cluster import dask_executor
from matching.allocation.many import Job, solve_many
from tests.matching.allocation.markets import SEED, a_market

PRICED = Policy(coverage_pence=9_000, default_target=2)
ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_nothing_is_lost_when_a_worker_of_a_cluster_is_killed_in_mid_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    jobs = {f"council {seed}": Job(a_market(seed, packages=7, policy=PRICED), SEED) for seed in range(12)}
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None)
    heard: list[str] = []
    killed: list[int] = []

    def kill_one_worker(name: str, _: Result) -> None:
        heard.append(name)
        if len(heard) == 2:
            worker = next(iter(cluster.workers.values()))
            killed.append(worker.process.pid)
            os.kill(killed[-1], signal.SIGKILL)

    with cluster:
        results = solve_many(jobs, partial(dask_executor, cluster.scheduler_address), kill_one_worker)

    assert len(killed) == 1
    assert sorted(heard) == sorted(jobs)
    alone = solve(jobs["council 3"].instance, lot_seed=SEED, in_process=True)
    assert results["council 3"].awards == alone.awards
