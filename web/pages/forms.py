"""What a form brought: texts by field, after it was seen to come from a page that this very browser was given."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, time
from enum import StrEnum
from typing import Any, TypeVar

from litestar import Request

from dps.kernel.errors import BadAnswers, BadForm, BadInput
from web.pages.bodies import read_form
from web.pages.cookies import session_token, visit_token
from web.security.sessions import csrf_of

TOKEN = "csrf"  # noqa: S105 - the field's name
_LONGEST_TEXT = 5_000

Choice = TypeVar("Choice", bound=StrEnum)


class Form:
    """The fields of one form, and its files. What was not sent reads as an empty text, or an empty file."""

    def __init__(self, fields: dict[str, str], files: dict[str, bytes] | None = None) -> None:
        self.fields = fields
        self.files = files or {}

    def file(self, name: str) -> bytes:
        """An uploaded file's content; its name is the sender's own affair."""
        return self.files.get(name, b"")

    def text(self, name: str) -> str:
        return self.fields.get(name, "").strip()[:_LONGEST_TEXT]

    def needed(self, name: str, ask: str) -> str:
        """The text of a field that must be filled in; BadInput with `ask` where it is empty."""
        found = self.text(name)
        if not found:
            raise BadInput(ask, field=name)
        return found

    def day(self, name: str, ask: str) -> date:
        """A date as browsers send it, or as people write it: 4/3/2019."""
        text = self.needed(name, ask)
        parts = text.replace(".", "/").split("/")
        try:
            if len(parts) == 3:
                return date(int(parts[2]), int(parts[1]), int(parts[0]))
            return date.fromisoformat(text)
        except ValueError:
            raise BadInput("write the date as day/month/year, such as 4/3/2019", field=name) from None

    def optional_day(self, name: str) -> date | None:
        """A date, or None where the field was left empty."""
        return self.day(name, "") if self.text(name) else None

    def choice(self, kind: type[Choice], name: str, ask: str) -> Choice:
        """One of a closed list; BadInput with `ask` for anything that is not on it."""
        try:
            return kind(self.text(name))
        except ValueError:
            raise BadInput(ask, field=name) from None

    def whole(self, name: str, ask: str, *, most: int = 10_000_000) -> int | None:
        """A whole number, or None where the field was left empty; BadInput with `ask` for anything else."""
        text = self.text(name)
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or len(text) > 8 or int(text) > most:
            raise BadInput(ask, field=name)
        return int(text)

    def minute_of_day(self, name: str) -> int | None:
        """A time of day as minutes since midnight, or None where the field was left empty."""
        text = self.text(name)
        if not text:
            return None
        try:
            found = time.fromisoformat(text)
        except ValueError:
            raise BadInput("write the time as 07:30", field=name) from None
        return found.hour * 60 + found.minute

    def under(self, prefix: str) -> dict[str, str]:
        """The filled fields whose names begin so, without that beginning."""
        return {name[len(prefix) :]: self.text(name) for name in self.fields if name.startswith(prefix)}


class Checking:
    """Reads a form's fields one by one, and tells what is wrong with all of them at once.

    checking = Checking()
    with checking.of("price"):
        price = parse_pence(form.needed("price", "say what it costs"))
    checking.end()  # BadAnswers with every fault; what was read is whole from here on
    """

    def __init__(self) -> None:
        self._faults: dict[str, str] = {}

    @contextmanager
    def of(self, field: str) -> Iterator[None]:
        """What is read here is this field's, unless the refusal names another."""
        try:
            yield
        except BadInput as bad:
            self._faults |= faults_of(bad, field)

    def end(self) -> None:
        if self._faults:
            raise BadAnswers(self._faults)


def faults_of(bad: BadInput, field: str = "") -> dict[str, str]:
    """Each field's fault, by a refusal; one that names no field is of `field`."""
    if isinstance(bad, BadAnswers):
        return dict(bad.facts["faults"])
    return {str(bad.field or field): str(bad.reason)}


async def provide_form(request: Request[Any, Any, Any]) -> Form:
    """The form of this request; BadForm where it was made elsewhere.

    The token follows from a cookie that no other site can read; a browser that says where a request comes from is
    believed as well.
    """
    fields, files = await read_form(request)
    token = session_token(request) or visit_token(request)
    elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    given = fields.pop(TOKEN, "")
    if token is None or elsewhere or not hmac.compare_digest(csrf_of(token).encode(), given.encode()):
        raise BadForm()
    return Form(fields, files)


class Values(dict[str, str]):
    """What was filled in, for a template; an empty text where nothing was."""

    def __missing__(self, key: str) -> str:
        return ""
