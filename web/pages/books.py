"""The rulebook's Markdown as HTML: the few shapes in which rulebooks are printed, everything escaped."""

import html
import re
from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup, escape

_CELL = re.compile(r"(?<!\\)\|")


def as_html(markdown: str) -> Markup:
    """Headings (one level down), bullets, tables and paragraphs; anything else is a paragraph's text."""
    lines = (line.strip() for line in markdown.splitlines())
    return Markup("\n").join(block for kind, group in groupby(lines, _kind) for block in _block(kind, list(group)))


def _kind(line: str) -> str:
    if line.startswith("#"):
        return "heading"
    if line.startswith("- "):
        return "bullets"
    return "table" if line.startswith("|") else "text" if line else "gap"


def _block(kind: str, lines: list[str]) -> Iterator[Markup]:
    match kind:
        case "heading":
            yield from map(_heading, lines)
        case "bullets":
            items = Markup("").join(Markup("<li>{}</li>").format(_plain(line[2:])) for line in lines)
            yield Markup('<ul class="govuk-list govuk-list--bullet">{}</ul>').format(items)
        case "table":
            yield _table([_cells(line) for line in lines if not set(line) <= set("|- ")])
        case "text":
            yield Markup('<p class="govuk-body">{}</p>').format(_plain(" ".join(lines)))


def _heading(line: str) -> Markup:
    level = min(len(line) - len(line.lstrip("#")) + 1, 6)
    size = {2: "m"}.get(level, "s")
    return Markup('<h{0} class="govuk-heading-{1}">{2}</h{0}>').format(level, size, _plain(line.lstrip("# ")))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _CELL.split(line)[1:-1]]


def _table(rows: list[list[str]]) -> Markup:
    heads = Markup("").join(
        Markup('<th scope="col" class="govuk-table__header">{}</th>').format(_plain(cell)) for cell in rows[0]
    )
    body = Markup("").join(
        Markup('<tr class="govuk-table__row">{}</tr>').format(
            Markup("").join(Markup('<td class="govuk-table__cell">{}</td>').format(_plain(cell)) for cell in row)
        )
        for row in rows[1:]
    )
    return Markup(
        '<div class="dps-scroll" tabindex="0" role="region" aria-label="A table of the rules">'
        '<table class="govuk-table"><thead class="govuk-table__head">'
        '<tr class="govuk-table__row">{}</tr></thead><tbody class="govuk-table__body">{}</tbody></table></div>'
    ).format(heads, body)


def _plain(text: str) -> Markup:
    """The text as it was meant, without Markdown's marks, escaped anew."""
    words = re.sub(r"\\([\\|])", r"\1", html.unescape(text).replace("**", ""))
    return escape(words.replace("`", ""))
