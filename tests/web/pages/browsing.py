"""A browser without JavaScript: it keeps cookies, follows redirects, and sends the forms that a page shows."""

from html.parser import HTMLParser
from typing import Any

from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from tests.web.served import ADMINISTRATOR, Served
from web.security.accounts import Account, Part, add_account

PASSWORD = "a wide blue kettle"


class _Forms(HTMLParser):
    """The forms of a page, with what their fields hold."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self.forms.append({"method": has.get("method") or "get", "to": [has.get("action") or ""], "fields": {}})
        if not self.forms:
            return
        fields = self.forms[-1]["fields"]
        name = has.get("name")
        if tag == "input" and name and (has.get("type") not in ("checkbox", "radio") or "checked" in has):
            fields[name] = has.get("value") or ""
        elif tag == "button" and has.get("formaction"):
            self.forms[-1]["to"].append(has["formaction"])
        elif tag == "textarea" and name:
            fields[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in has or self._select not in fields):
            fields[self._select] = has.get("value") or ""


class Browser:
    """One person's browser; `page` is what it shows."""

    def __init__(self, served: Served) -> None:
        self.client: TestClient[Litestar] = TestClient(served.app, base_url=served.base_url)
        # Else each request would start a thread and an event loop of its own.
        self.client.blocking_portal = served.client.blocking_portal
        self.page: Response

    def open(self, path: str) -> Response:
        self.page = self.client.get(path)
        return self.page

    def form(self, action: str) -> dict[str, str]:
        """The fields of the page's form that goes to `action`, by itself or by one of its buttons."""
        parser = _Forms()
        parser.feed(self.page.text)
        return next(dict(form["fields"]) for form in parser.forms if action in form["to"])

    def send(self, action: str, **typed: str) -> Response:
        """Fill in the page's form that goes to `action`, and send it."""
        self.page = self.client.post(action, data=self.form(action) | typed)
        return self.page

    def post(self, action: str, **fields: str) -> Response:
        """Send what no form of the page would send, with its token; the page shown stays."""
        return self.client.post(action, data={"csrf": self.form("/sign-out")["csrf"], **fields})

    def sign_in(self, account: Account, password: str = PASSWORD) -> Response:
        self.open("/sign-in")
        return self.send("/sign-in", email=account.email, password=password)


def an_account(served: Served, part: Part, *, authority: str | None = None, provider: str | None = None) -> Account:
    """A new account of this part; an office part works for the world's authority unless told otherwise."""
    world = served.world
    if part.value.startswith("provider") and provider is None:
        provider = world.provider(f"Provider of {part}").provider
    if provider is None and authority is None and part not in (Part.AUDITOR, Part.ADMINISTRATOR):
        authority = world.authority
    number = world.ports.entropy.integer(10**9)
    with world.database.transaction() as session:
        return add_account(
            session,
            world.ports.entropy,
            email=f"{part.replace('_', '-')}-{number}@example.org",
            name=f"Synthetic {part.replace('_', ' ')}",
            part=part,
            password=PASSWORD,
            authority=authority,
            provider=provider,
            by=ADMINISTRATOR,
            now=world.now,
        )
