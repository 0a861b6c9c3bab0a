"""What people write into the register: one line, a few keys, a reason. Nonsense is refused with the field's name."""

import re
import unicodedata
from collections.abc import Iterable

from dps.kernel.errors import BadInput
from dps.packages.text import LONGEST_LINE, line, text

_KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LONGEST_KEY = 40


def one_line(written: str, field: str, longest: int = LONGEST_LINE) -> str:
    """A line that is there; refuses an empty or too long one, and characters that nobody sees."""
    plain = line(written, field)
    if not plain:
        raise BadInput("this is needed", field=field)
    if len(plain) > longest:
        raise BadInput(f"at most {longest} characters fit here", field=field)
    if any(unicodedata.category(letter) in ("Cf", "Zl", "Zp") for letter in plain):
        raise BadInput("invisible characters have no place here", field=field)
    return plain


def words(written: str, field: str, ask: str) -> str:
    """One or several lines; BadInput with `ask` for an empty text."""
    plain = text(written, field)
    if not plain:
        raise BadInput(ask, field=field)
    return plain


def reason(written: str) -> str:
    """Why a decision was taken, in one or several lines; refuses an empty one."""
    return words(written, "reason", "a reason is needed")


def keys(texts: Iterable[str], field: str) -> list[str]:
    """The keys once each, in order of the alphabet; refuses what is no key."""
    found = sorted(set(texts))
    for key in found:
        if not _KEY.fullmatch(key) or len(key) > _LONGEST_KEY:
            raise BadInput(f"{key[:60]!r} is no key: small letters, digits and hyphens", field=field)
    return found


def known(texts: Iterable[str], among: Iterable[str], what: str, field: str) -> list[str]:
    """The keys once each, in the order of `among`; refuses none at all and one that is not among them."""
    asked, offered = set(texts), list(among)
    if not asked:
        raise BadInput(f"name at least one {what}", field=field)
    if strangers := sorted(asked.difference(offered)):
        raise BadInput(f"there is no {what} {strangers[0][:60]!r}; there are {', '.join(offered)}", field=field)
    return [key for key in offered if key in asked]
