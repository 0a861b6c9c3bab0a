"""What a form brought: texts by field, after it was seen to come from a page that this very browser was given."""

import hmac
from datetime import date
from typing import Any

from litestar import Request

from dps.kernel.errors import BadForm, BadInput
from web.pages.cookies import session_token, visit_token
from web.security.sessions import csrf_of

TOKEN = "csrf"  # noqa: S105 - the field's name
_LONGEST_TEXT = 5_000


class Form:
    """The fields of one form. What was not sent reads as an empty text."""

    def __init__(self, fields: dict[str, str]) -> None:
        self.fields = fields

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

    def under(self, prefix: str) -> dict[str, str]:
        """The filled fields whose names begin so, without that beginning."""
        return {name[len(prefix) :]: self.text(name) for name in self.fields if name.startswith(prefix)}


async def provide_form(request: Request[Any, Any, Any]) -> Form:
    """The form of this request; BadForm where it was made elsewhere.

    The token follows from a cookie that no other site can read; a browser that says where a request comes from is
    believed as well.
    """
    sent = await request.form()
    fields = {name: value for name, value in sent.items() if isinstance(value, str)}
    token = session_token(request) or visit_token(request)
    elsewhere = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    given = fields.pop(TOKEN, "")
    if token is None or elsewhere or not hmac.compare_digest(csrf_of(token).encode(), given.encode()):
        raise BadForm()
    return Form(fields)
