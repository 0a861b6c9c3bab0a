"""The pages of a referral that is there, one thing each: filled in with what is known, and kept."""

from typing import Any, ClassVar

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlmodel import Session

from bidding import drafting
from bidding.looking.drafted import Drafted, drafted
from bidding.referrals import Referral, referral_of, refuse_once_sent
from dps.kernel.calendar import LONDON, Weekday
from dps.kernel.errors import BadInput, NotFound
from dps.packages.facts import Confidential, FreeText
from dps.packages.identity import Identity
from dps.packages.packages import Package, disclose_confidential, person_of
from dps.packages.persons import Purpose, disclose
from dps.schemes.published import standing_scheme
from web.pages.forms import Form
from web.pages.visit import Page, Visit
from web.pages.writing import sections, week
from web.pages.writing.doors import Doors
from web.pages.writing.sections import SECTIONS, Known, Section
from web.pages.writing.showing import section_page


class Entry(Controller):
    """A referral's pages. Whoever may write it names its path, its guard and its `doors`."""

    doors: ClassVar[Doors]

    @get("/entry/{section:str}", sync_to_thread=True)
    def section(
        self,
        referral_ref: FromPath[str],
        section: FromPath[str],
        visit: NamedDependency[Visit],
        onward: FromQuery[str] = "",
    ) -> Page:
        """One page, filled in with what is known; opening what is under the person's key is recorded."""
        shown = _section(section)
        known, draft = known_of(visit, referral_ref, shown)
        values = shown.show(known) | {"onward": onward, "edition": draft.edition}
        return section_page(visit, self.doors, draft, shown, values, {})

    @post("/entry/{section:str}", sync_to_thread=True, status_code=200)
    def save(
        self,
        referral_ref: FromPath[str],
        section: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Response[Any]:
        """Keep what the page says, and go on: to the next page while the draft is first written, else back."""
        shown = _section(section)
        known, draft = known_of(visit, referral_ref, shown)
        try:
            if shown.key == "week":
                if not form.text("save"):
                    return section_page(visit, self.doors, draft, shown, {**form.fields, **_other_week(form)}, {})
                if week.has_visit(form):
                    form = Form({**form.fields, **_other_week(form)})
            with visit.command() as session:
                scheme = standing_scheme(session, known.facts.scheme)
                today = visit.ports.clock.read(session).astimezone(LONDON).date()
                drafting.change(
                    session,
                    visit.ports,
                    referral_ref=referral_ref,
                    wanted=shown.read(form, known, scheme, today),
                    edition=form.text("edition") or None,
                    scheme=scheme,
                    actor=visit.actor,
                )
        except BadInput as bad:
            faults = sections.faults_on(shown.key, bad)
            return section_page(visit, self.doors, draft, shown, form.fields, faults)
        after = sections.next_of(shown.key)
        if form.text("onward") == "yes" and after is not None:
            return visit.to(f"{self.doors.section(referral_ref, after)}?onward=yes")
        return visit.to(self.doors.after(draft))


def known_of(visit: Visit, referral_ref: str, shown: Section) -> tuple[Known, Drafted]:
    """What this page shows; what is under the person's key is opened for it, and that is recorded."""
    with visit.look() as (session, _now):
        row = referral_of(session, referral_ref, visit.actor)
        refuse_once_sent(row, visit.actor)
        draft = drafted(
            session,
            visit.ports,
            referral_ref=referral_ref,
            scheme=standing_scheme(session, row.scheme),
            actor=visit.actor,
        )
    identity, confidential = None, None
    if shown.is_confidential:
        with visit.command() as session:
            identity, confidential = _opened(session, visit, referral_of(session, referral_ref, visit.actor))
    return Known(draft.facts, draft.words or FreeText(), identity, confidential), draft


def _opened(session: Session, visit: Visit, referral: Referral) -> tuple[Identity, Confidential]:
    package = session.get(Package, referral.package_id)
    assert package is not None
    now = visit.ports.clock.read(session)
    keyring, actor, purpose = visit.ports.keyring, visit.actor, Purpose.CORRECTING
    writer = referral.requested_by if referral.is_with_requester else None
    identity = disclose(
        session, keyring, person_of(session, package), actor=actor, purpose=purpose, now=now, writer=writer
    )
    home = disclose_confidential(session, keyring, package, actor=actor, purpose=purpose, now=now, writer=writer)
    return identity, home


def _other_week(form: Form) -> dict[str, str]:
    """What adding or removing a visit makes of the week; nothing is stored by it."""
    removed = form.text("remove")
    if removed:
        return {"week": week.without_visit(form.text("week"), int(removed) if removed.isdecimal() else -1)}
    emptied = dict.fromkeys(["from", "until", "minutes"], "") | {f"day-{day.short}": "" for day in Weekday}
    return {"week": week.with_visit(form.text("week"), form), **emptied}


def _section(key: str) -> Section:
    if key not in SECTIONS:
        raise NotFound(kind="page", ref=key)
    return SECTIONS[key]
