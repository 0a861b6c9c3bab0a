"""The one place where functions are compiled: cached on disk, without the interpreter's lock.

`python -m matching.allocation.compile` fills the cache at set-up, so that no run waits for the compiler.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """`function` as machine code, compiled for each kind of arguments once and kept beside the source."""
    return cast(Function, numba.njit(cache=True, nogil=True)(function))
