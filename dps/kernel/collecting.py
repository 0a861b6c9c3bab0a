"""What the garbage collector is spared: what was imported stays to the end, and is a million objects."""

import gc

_NEW, _YOUNG, _OLD = 20_000, 20, 50


def spare_what_is_loaded() -> None:
    """Have the collector leave alone what is there now, and come less often; said once, when all is loaded.

    A demonstration of a council's week takes an eighth less of a processor for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW, _YOUNG, _OLD)
