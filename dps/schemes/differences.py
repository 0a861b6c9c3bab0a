"""What differs between two schemes, in the words of their rulebooks.

The rulebook says every key (a test keeps it so), so two schemes that differ in a rule differ in a sentence. Name,
fingerprint and colour are no rules of a council's procedure and are left out.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from dps.schemes.model import Scheme
from dps.schemes.rulebook import rulebook

_NO_RULES = ("# ", "The published rules of scheme", "Source: ")


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of the rulebook: the sentences that only the first scheme says, and those that only the second says."""

    heading: str
    first: tuple[str, ...]
    second: tuple[str, ...]


def differences(first: Scheme, second: Scheme) -> list[Difference]:
    """The parts that differ, in the rulebook's order: those of the first scheme, then those of the second alone."""
    one, other = _parts(first), _parts(second)
    found = []
    for heading in dict.fromkeys((*one, *other)):
        says, answers = one.get(heading, []), other.get(heading, [])
        only_first, only_second = tuple(_without(says, answers)), tuple(_without(answers, says))
        if only_first or only_second:
            found.append(Difference(heading, only_first, only_second))
    return found


def _parts(scheme: Scheme) -> dict[str, list[str]]:
    """The rulebook's sentences by their heading."""
    parts: dict[str, list[str]] = {}
    heading = ""
    heads: list[str] = []
    for line in rulebook(scheme).splitlines():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
            parts.setdefault(heading, [])
        elif line.startswith("| "):
            # A bar that belongs to a cell has a backslash before it.
            cells = line.removeprefix("| ").removesuffix(" |").split(" | ")
            if not heads:
                heads = cells
            elif set(cells) != {"---"}:
                parts[heading].append(_sentence(heads, cells))
            continue
        elif line and heading and not line.startswith(_NO_RULES):
            parts[heading].append(line.removeprefix("- "))
        heads = []
    return parts


def _sentence(heads: list[str], cells: list[str]) -> str:
    """A table's row in words: what it is about, then each column's name with what stands there."""
    about, *facts = (f"{head} {cell}" for head, cell in zip(heads, cells, strict=True))
    return f"{about[:1].upper()}{about[1:]}: {'; '.join(facts)}."


def _without(lines: list[str], others: list[str]) -> Iterator[str]:
    """The lines that are not among the others, each as often as it is too many."""
    left = Counter(others)
    for line in lines:
        if left[line]:
            left[line] -= 1
        else:
            yield line
