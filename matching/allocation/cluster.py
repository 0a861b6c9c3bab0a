"""Dask distributed as the executor of `solve_many`: councils on as many machines as there are (extra `cluster`).

    solve_many(jobs, partial(dask_executor, "tcp://scheduler:8786"))

Dask gives a lost worker's runs to another one by itself; runs are counted by default, so it does not matter which.
"""

from concurrent.futures import Executor
from typing import cast

from dps.kernel.errors import BadInput


def dask_executor(address: str) -> Executor:
    """An executor on the cluster at `address`, which must run this version of the library.

    Leaving its context closes the connection, not the cluster. Raises `BadInput` where the extra is not installed.
    """
    try:
        from distributed import Client
    except ImportError:
        raise BadInput("Dask is not installed: pip install 'dps[cluster]'", field="cluster") from None
    client = Client(address, set_as_default=False)
    executor = client.get_executor(pure=False)
    shut = executor.shutdown

    def shutdown(wait: bool = True, **others: bool) -> None:
        shut(wait=wait)
        client.close()

    executor.shutdown = shutdown
    return cast(Executor, executor)
