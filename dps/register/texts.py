"""What people write into the register: one line, a few keys, a reason. Nonsense is refused with the field's name."""

import re
import unicodedata
from collections.abc import Iterable

from dps.kernel.errors import BadInput

LONGEST_NAME = 200
LONGEST_REASON = 2000
_KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_LONGEST_KEY = 40


def one_line(text: str, field: str, longest: int = LONGEST_NAME) -> str:
    """`text` without the spaces around it; refuses an empty one, a too long one and control characters."""
    plain = text.strip()
    if not plain:
        raise BadInput("this is needed", field=field)
    if len(plain) > longest:
        raise BadInput(f"at most {longest} characters", field=field)
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") for letter in plain):
        raise BadInput("line breaks and invisible characters are not taken here", field=field)
    return plain


def reason(text: str) -> str:
    """Why a decision was taken, in one or several lines; refuses an empty one."""
    plain = text.strip()
    if not plain:
        raise BadInput("a reason is needed", field="reason")
    if len(plain) > LONGEST_REASON:
        raise BadInput(f"at most {LONGEST_REASON} characters", field="reason")
    return plain


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
