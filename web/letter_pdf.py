"""A letter as PDF, in large print, with headings and language marked for screen readers.

fpdf2 is plain Python and asks the system for nothing; Source Sans brings the letters that names are written in, which
the fonts that every PDF reader knows do not.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import font_source_sans_pro

from web.letters import Letter

# Loaded with the first letter: fpdf2 brings every tool that edits fonts, and no process need wait for them to start.
if TYPE_CHECKING:
    from fpdf import FPDF

_FAMILY = "Source Sans"
_SIZE = 14
_LINE_MM = 7
_MARGIN_MM = 22
_INDENT_MM = 6


def pdf_of(letter: Letter) -> bytes:
    """The letter on A4; the same letter gives the same pages."""
    from fpdf import FPDF

    page = FPDF(format="A4")
    page.set_margin(_MARGIN_MM)
    page.set_auto_page_break(auto=True, margin=_MARGIN_MM)
    page.set_lang("en-GB")
    page.set_title(letter.subject)
    page.set_author(letter.council)
    for style, name in (("", "SourceSansPro-Regular.ttf"), ("B", "SourceSansPro-Bold.ttf")):
        page.add_font(_FAMILY, style, _font(name))
    page.add_page()
    _say(page, letter.council, bold=True)
    page.ln(_LINE_MM)
    for line in letter.to:
        _say(page, line)
    page.ln(_LINE_MM)
    _say(page, letter.written_on)
    _say(page, f"Our reference: {letter.reference}")
    page.ln(_LINE_MM)
    _say(page, letter.subject, bold=True, size=20)
    for part in letter.parts:
        page.ln(_LINE_MM / 2)
        _say(page, part.heading, bold=True, size=16)
        for sentence in part.sentences:
            _say(page, sentence)
            page.ln(_LINE_MM / 4)
        for line in part.lines:
            _say(page, line, mark="–")
    return bytes(page.output())


def _say(page: "FPDF", text: str, *, bold: bool = False, size: int = _SIZE, mark: str = "") -> None:
    """One paragraph, ragged on the right: evened lines leave gaps that are hard to read. A `mark` hangs before it."""
    from fpdf.enums import Align, XPos, YPos

    page.set_font(_FAMILY, "B" if bold else "", size)
    height = _LINE_MM * size / _SIZE
    if mark:
        page.cell(_INDENT_MM, height, mark)
    page.multi_cell(0, height, text, align=Align.L, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _font(name: str) -> Path:
    """The file of one face of the packaged font."""
    return Path(font_source_sans_pro.__file__).parent / "files" / name
