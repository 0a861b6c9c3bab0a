"""The names that schemes give to their lots and localities, for pages that show a key of one."""

from collections.abc import Iterable

from dps.schemes.model import Scheme
from web.pages.wording import plain


class Names(dict[str, str]):
    """Names by key; a key that no standing rules name any more is shown as it is written."""

    def __missing__(self, key: str) -> str:
        return plain(key)


def lots(schemes: Iterable[Scheme]) -> Names:
    return Names({lot.key: lot.name for scheme in schemes for lot in scheme.lots})


def places(schemes: Iterable[Scheme]) -> Names:
    return Names({place.key: place.name for scheme in schemes for place in scheme.localities})


def authorities(schemes: Iterable[Scheme]) -> Names:
    return Names({one.key: one.name for scheme in schemes for one in scheme.authorities})
