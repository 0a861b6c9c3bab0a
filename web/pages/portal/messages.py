"""What a person is told, when and how: choices by event, quiet hours, digests, saved filters, the calendar."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect

from bidding.looking.narrowing import Narrowing
from dps.kernel.errors import BadInput
from web.pages import names
from web.pages.calendar import end_address, feed_of, make_address
from web.pages.forms import Checking, Form, Values, faults_of
from web.pages.guards import PORTAL
from web.pages.portal.own import wall_time
from web.pages.visit import Page, Visit
from web.sending.choices import CHOSEN, Choice, Event, HowOften
from web.sending.chosen import choice_of, choose, filters_of, remove_filter, save_filter

_UNSAID = HowOften.AT_ONCE

TEXTED = (Event.AWARDS, Event.CHANGES)
"""Of what a text message is sent at all, where the council sends any (`sending/sorting.URGENT`)."""


class Messages(Controller):
    """Each person's own: two people of one provider may choose differently."""

    path = "/portal/service/messages"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def chosen(self, visit: NamedDependency[Visit], saved: FromQuery[bool] = False) -> Page:
        """The choices in force; `saved` says that they were kept a moment ago."""
        return _page(visit, None, {}, is_saved=saved)

    @post("/", sync_to_thread=True)
    def choose(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Choose anew."""
        try:
            choice = _choice(form)
        except BadInput as bad:
            return _page(visit, form.fields, faults_of(bad))
        with visit.command() as session:
            now = visit.ports.clock.read(session)
            choose(session, account_id=_account_id(visit), choice=choice, now=now)
        return visit.to("/portal/service/messages?saved=true")

    @post("/filters", sync_to_thread=True)
    def save(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Keep the filter that a list was narrowed by, under a name."""
        wanted = Narrowing.from_dict(form.fields)
        try:
            name = form.needed("name", "give the filter a name, such as Double-handed mornings")
            with visit.command() as session:
                now = visit.ports.clock.read(session)
                save_filter(session, account_id=_account_id(visit), name=name, wanted=wanted, now=now)
        except BadInput as bad:
            return _page(visit, None, {"filter": str(bad.reason)}, unsaved=wanted, name=form.text("name"))
        return visit.to("/portal/service/messages#filters")

    @post("/filters/removal", sync_to_thread=True)
    def remove(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Forget a filter."""
        with visit.command() as session:
            remove_filter(session, account_id=_account_id(visit), name=form.text("name"))
        return visit.to("/portal/service/messages#filters")

    @post("/calendar", sync_to_thread=True, status_code=200)
    def address(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """A new address of the calendar, shown this once; the one before ends."""
        with visit.command() as session:
            token = make_address(session, account_id=_account_id(visit), now=visit.ports.clock.read(session))
        return _page(visit, None, {}, address=f"{visit.installation.settings.address}/calendar/{token}.ics")

    @post("/calendar/removal", sync_to_thread=True)
    def end(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Take the address back."""
        with visit.command() as session:
            end_address(session, account_id=_account_id(visit))
        return visit.to("/portal/service/messages#calendar")


def _account_id(visit: Visit) -> int:
    assert visit.seat is not None
    assert visit.seat.account.id is not None
    return visit.seat.account.id


def _choice(form: Form) -> Choice:
    checking = Checking()
    begins = ends = digest = None
    often: dict[Event, HowOften] = {}
    for event in CHOSEN:
        name = f"often-{event}"
        with checking.of(name):
            often[event] = form.choice(HowOften, name, "choose one of the answers") if form.text(name) else _UNSAID
    with checking.of("digest-at"):
        digest = form.minute_of_day("digest-at")
        if digest is None:
            raise BadInput("say when the digest leaves, such as 08:00", field="digest-at")
    with checking.of("quiet-from"):
        begins, ends = form.minute_of_day("quiet-from"), form.minute_of_day("quiet-until")
        if (begins is None) != (ends is None):
            raise BadInput("give both times, or none for no quiet hours", field="quiet-from")
        if begins is not None and begins == ends:
            raise BadInput("quiet hours that never end are no choice: give two times", field="quiet-from")
    checking.end()
    assert digest is not None
    return Choice(
        often=often,
        text=frozenset(event for event in TEXTED if form.text(f"text-{event}")),
        quiet_minutes=None if begins is None or ends is None else (begins, ends),
        digest_minute=digest,
        only_saved=bool(form.text("only-saved")),
    )


def _filled(choice: Choice) -> dict[str, str]:
    begins, ends = choice.quiet_minutes or (None, None)
    return {
        **{f"often-{event}": str(choice.often.get(event, HowOften.AT_ONCE)) for event in CHOSEN},
        **{f"text-{event}": "on" for event in choice.text},
        "quiet-from": wall_time(begins),
        "quiet-until": wall_time(ends),
        "digest-at": wall_time(choice.digest_minute),
        "only-saved": "on" if choice.only_saved else "",
    }


def _page(
    visit: Visit,
    typed: Mapping[str, str] | None,
    faults: Mapping[str, str],
    *,
    address: str = "",
    unsaved: Narrowing | None = None,
    name: str = "",
    is_saved: bool = False,
) -> Page:
    with visit.look() as (session, _):
        account_id, schemes = _account_id(visit), visit.schemes(session)
        values = _filled(choice_of(session, account_id)) if typed is None else dict(typed)
        return visit.page(
            "portal/messages.html",
            status=400 if faults else 200,
            events=CHOSEN,
            texted=TEXTED,
            values=Values(values),
            faults=faults,
            filters=filters_of(session, account_id),
            unsaved=unsaved.to_dict() if unsaved else {},
            unsaved_name=name,
            feed=feed_of(session, account_id),
            address=address,
            is_saved=is_saved,
            lots=names.lots(schemes),
            places=names.places(schemes),
        )
