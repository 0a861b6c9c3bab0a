"""What is drawn anew in each run, taken out of a text before a price is looked for in it."""

import re

_REFERENCE = re.compile(r"\b[A-Z]{3}(?:-[0-9A-Z]{4}){3}\b")


def without_references(text: str) -> str:
    """The text without references, in which any four digits may stand by chance."""
    return _REFERENCE.sub("", text)
