"""A file that somebody sends is tried first, and what is written afterwards is what was tried.

Meanwhile it travels in the page itself, sealed under the application key for this very person and purpose; nothing of
it lies on a disk between the two.
"""

import base64
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dps.kernel.errors import BadInput, Corrupted
from web.pages.forms import Form
from web.pages.visit import Visit

LARGEST_BYTES = 2 * 1024 * 1024
"""More than a form carries to and fro."""

_ZIP = b"PK"
"""How an XLSX file begins; anything else is read as CSV."""


def sent(form: Form, *, larger: str) -> bytes:
    """The file of a form; `larger` says what to do with one that is too large."""
    content = form.file("file")
    if not content:
        raise BadInput("choose a file", field="file")
    if len(content) > LARGEST_BYTES:
        raise BadInput(f"the file is larger than {LARGEST_BYTES // 1024**2} MB: {larger}", field="file")
    return content


def sealed(visit: Visit, content: bytes, *, of: str) -> str:
    """The file as a hidden field; `of` says what it holds."""
    return base64.b64encode(visit.ports.keyring.application.seal(content, about=_about(visit, of))).decode()


def reopened(visit: Visit, form: Form, *, of: str) -> bytes:
    """The file that this person tried; BadInput for any other."""
    try:
        # Not `text`, which cuts what is long.
        kept = base64.b64decode(form.fields.get("kept", ""), validate=True)
        return visit.ports.keyring.application.open(kept, about=_about(visit, of))
    except (ValueError, Corrupted):
        raise BadInput("this is not the file that was tried: choose it again", field="file") from None


@contextmanager
def on_disk(content: bytes, *, of: str) -> Iterator[Path]:
    """The readers of spreadsheets take a path; the file is gone before anything is answered."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{of}{'.xlsx' if content.startswith(_ZIP) else '.csv'}"
        path.write_bytes(content)
        yield path


def _about(visit: Visit, of: str) -> str:
    return f"a file of {of} tried by {visit.actor.ref}"
