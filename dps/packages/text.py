"""Typed text as this room keeps it: trimmed, bounded, and without characters that no keyboard types."""

import unicodedata

from dps.kernel.errors import BadInput

LONGEST_LINE = 200
LONGEST_TEXT = 4000


def line(value: str, field: str) -> str:
    """`value` without the spaces around it; BadInput if it is longer than a line or has more than one."""
    return _checked(value, field, LONGEST_LINE, allowed="")


def text(value: str, field: str) -> str:
    """`value` without the spaces around it, lines and tabs kept; BadInput if it is longer than a page."""
    return _checked(value.replace("\r\n", "\n"), field, LONGEST_TEXT, allowed="\n\t")


def _checked(value: str, field: str, longest: int, *, allowed: str) -> str:
    trimmed = value.strip()
    if len(trimmed) > longest:
        raise BadInput(f"at most {longest} characters fit here, not {len(trimmed)}", field=field)
    for character in trimmed:
        if unicodedata.category(character) in ("Cc", "Cs", "Cn", "Co") and character not in allowed:
            raise BadInput(f"the character U+{ord(character):04X} has no place in a text", field=field)
    return trimmed
