"""Sixty texts that would run, put into every field that there is: none runs, stored or sent back (line 13).

Each page is read as a parser reads it: nothing that a text said may have become an element, an attribute or an address
that runs. A real browser, its content security policy switched off, then opens the pages over what is stored.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import product

from playwright.sync_api import Browser as Chromium
from sqlmodel import select

from bidding.bids import submitting
from bidding.publishing import hold, resume
from bidding.questions import answer, ask
from dps.kernel.clock import DatabaseClock
from dps.packages.exclusions import Ground, Reason, exclude
from dps.packages.facts import Confidential, FreeText
from dps.packages.identity import Identity
from dps.packages.packages import Package, confirm_free_text
from dps.packages.persons import Person
from tests.faults import walking
from tests.faults.figures import Figure
from tests.faults.payloads import PAYLOADS
from tests.web.pages.browsing import Browser, _Forms, an_account
from tests.web.pages.chromium import PATIENCE_MS
from tests.web.pages.test_page_guards import asked, filled, page_routes, seated
from tests.web.served import Served
from web.security import sessions
from web.security.accounts import Account, Part

_NEVER_OURS = frozenset(
    {"iframe", "object", "embed", "base", "math", "video", "audio", "animate", "source", "applet", "marquee"}
)
_ADDRESSES = frozenset({"href", "src", "action", "formaction", "data", "xlink:href", "poster", "background"})
_RUNS = re.compile(r"[\x00-\x20]*(?:j\s*a\s*v\s*a\s*script|vbscript|data)\s*:", re.IGNORECASE)
_PARTS = (Part.PROVIDER_ADMIN, Part.BROKER, Part.APPROVER, Part.REQUESTER, Part.ADMINISTRATOR, Part.REGISTER_OFFICER)
_ENDS = ("/sign-out", "/sign-out-everywhere", "/session")
"""Forms that are not sent: whoever sends one can send no other."""


class _Reader(HTMLParser):
    """Collects what would run."""

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script"
        if tag in _NEVER_OURS:
            self.faults.append(f"an element <{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name == "srcdoc":
                self.faults.append(f"an attribute {name} of <{tag}>")
            if name in _ADDRESSES and value and _RUNS.match(value) and not value.startswith("data:image/png"):
                self.faults.append(f"an address that runs in <{tag} {name}>")
            if tag == "meta" and name == "content" and "xss" in (value or ""):
                self.faults.append("a <meta> of somebody's words")

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.faults.append("a script of somebody's words")


def ran_in(page: str) -> list[str]:
    """What in this page would run, or stand where only our own words may."""
    reader = _Reader()
    reader.feed(page)
    return reader.faults


@dataclass
class Stored:
    """A council whose every stored text is a payload."""

    council: Served
    payloads: Sequence[str]
    stories: list[dict[str, str]] = field(default_factory=list)
    provider: str = ""

    def store(self) -> None:
        world = self.council.world
        bidder, left_out = world.provider("Asking Homecare"), str(world.provider("Left Out Homecare").provider)
        self.provider = str(bidder.provider)
        for payload in self.payloads:
            named = world.provider(payload.replace("\t", " "))
            self._person(payload, left_out)
            referral = self.stories[-1]["referral_ref"]
            round_ = world.round(referral).ref
            question = world.run(ask, round_ref=round_, words=payload, actor=bidder)
            world.run(answer, question_ref=question, shown=payload, words=payload, actor=world.broker)
            self.stories[-1] |= {"round_ref": round_, "question_ref": question, "provider_ref": self.provider}
            world.run(submitting.decline, round_ref=round_, reason=payload, actor=named)

    def _person(self, payload: str, excluded: str) -> None:
        """Every personal field, the words published, an exclusion, a hold."""
        world = self.council.world
        one_line = payload.replace("\t", " ")
        postcode = f"{world.sector(world.scheme.localities[0].key)}AA"
        person = Identity(
            name=one_line, address=payload, postcode=postcode, phone=one_line, contact=one_line, notes=payload
        )
        referral = world.referral(
            identity=person,
            confidential=Confidential(postcode=postcode, address=payload, access=payload, preference_reason=payload),
            free_text=FreeText(pen_picture=payload, outcomes=(one_line,)),
            publish_it=False,
        )
        with world.database.transaction() as session:
            package = session.exec(select(Package).order_by(Package.id.desc())).first()  # type: ignore[union-attr]
            assert package is not None
            confirm_free_text(session, package, actor=world.broker, now=world.now)
            exclude(
                session,
                world.ports.keyring,
                world.ports.entropy,
                session.get_one(Person, package.person_id),
                provider=excluded,
                reason=Reason(ground=Ground.PERSONS_WISH, words=payload),
                actor=world.broker,
                now=world.now,
            )
        world.publish(referral)
        world.run(hold, referral_ref=referral, reason=payload, actor=world.broker)
        world.run(resume, referral_ref=referral, actor=world.broker)
        self.stories.append({"referral_ref": referral})


def scripts(council: Served, *, payloads: Sequence[str]) -> Figure:
    """Store each, look at every page; then send each in every field of every form."""
    found = Figure(13, "scripts in every field")
    stored = Stored(council, payloads)
    stored.store()
    pages = shown = 0
    for where, content in walking.pages(council, stored.stories, provider=stored.provider, parts=_PARTS):
        text = content.decode(errors="replace")
        found.faults += [f"{where}: {fault}" for fault in ran_in(text)]
        pages, shown = pages + 1, shown + ("xss" in text)
    if not shown:
        found.faults.append("no page shows what was stored: nothing was looked at")
    sent = 0
    for where, text in _sent_back(council, stored):
        found.faults += [f"{where}: {fault}" for fault in ran_in(text)]
        sent += 1
    if not sent:
        found.faults.append("no form was sent")
    found.counted = {"payloads": len(payloads), "pages": pages, "that show one": shown, "forms sent": sent}
    return found


def _sent_back(council: Served, stored: Stored) -> Iterator[tuple[str, str]]:
    """What each form answers, every field of it holding a payload."""
    for part in _PARTS:
        browser = seated(council, part, provider=stored.provider if part.value.startswith("provider") else None)
        for action, names in _forms(council, browser, part, stored.stories[0]).items():
            for payload in stored.payloads:
                form = dict.fromkeys(names, payload) | {"csrf": browser.csrf}  # type: ignore[attr-defined]
                sent = browser.client.post(action, data=form, follow_redirects=False)
                assert sent.status_code < 500, (action, payload)
                if "text/html" in sent.headers.get("content-type", ""):
                    yield f"POST {action} as {part}", sent.text


def _forms(council: Served, browser: Browser, part: Part, story: dict[str, str]) -> dict[str, list[str]]:
    """The forms on the pages of this part: where each goes, and its fields."""
    found: dict[str, list[str]] = {}
    for route in page_routes(council):
        if route.method != "GET" or not route.is_for(part):
            continue
        answered = asked(browser, route, filled(route.path, story))
        if "text/html" not in answered.headers.get("content-type", ""):
            continue
        reader = _Forms()
        reader.feed(answered.text)
        for form in reader.forms:
            if form["method"] == "post":
                found |= {action: [*form["fields"]] for action in form["to"] if action not in _ENDS}
                continue
            for action, name in product(form["to"], form["fields"]):
                # What a search sends back: each of its fields in the address.
                again = browser.client.get(action or route.path, params={name: PAYLOADS[0]}, follow_redirects=False)
                assert ran_in(again.text) == [], (action, name)
    return found


def in_chromium(stored: Stored, browser: Chromium, site: str, account: Account, paths: Sequence[str]) -> list[str]:
    """Open these pages in a browser that would run whatever is written; what ran."""
    context = browser.new_context(base_url=site, bypass_csp=True)
    context.add_init_script("window.ran = 0; window.xss = () => { window.ran += 1 }")
    with stored.council.world.database.transaction() as session:
        token = sessions.begin(session, account, is_half=False, now=DatabaseClock().read(session))
    context.add_cookies([{"name": "dps-session", "value": token, "url": site}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("dialog", lambda dialog: dialog.dismiss())
    faults = []
    for path in paths:
        page.goto(path)
        said = page.evaluate(
            """() => [window.ran === 0 && typeof window.xss === 'function',
                ![...document.querySelectorAll('*')].some(one => [...one.attributes].some(a => /^on/.test(a.name))),
                document.body.innerText.includes('xss') || document.body.innerHTML.includes('xss')]"""
        )
        if said != [True, True, True]:
            faults.append(f"{path}: ran nothing {said[0]}, no handlers {said[1]}, shows the words {said[2]}")
    context.close()
    return faults


def broker_of(council: Served) -> Account:
    return an_account(council, Part.BROKER)
