"""Writing a referral down, one thing a page, and changing it later: new, sections, words confirmed, copy, split, link.

Until there is a draft, what was typed travels in the page itself, in POST bodies alone: a person is not stored before
somebody has said where they live and what they need.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlmodel import Session, col, select

from bidding import drafting
from bidding.looking.drafted import Drafted, drafted, providers_by_name, stated_skills
from bidding.referrals import Referral, referral_of
from dps.kernel.calendar import LONDON, Weekday
from dps.kernel.errors import BadInput, CannotLink, NotFound, PersonKnown
from dps.law.bases import NHS_BASES
from dps.packages.facts import Confidential, Flag, FreeText, FundingStream, PackageFacts
from dps.packages.identity import AgeBand, Identity, age_band
from dps.packages.packages import Package, disclose_confidential, person_of
from dps.packages.persons import Person, Purpose, disclose
from dps.packages.schedule import parse_schedule
from dps.schemes.model import Scheme, Urgency
from dps.schemes.published import standing_scheme
from web.pages.desk import sections
from web.pages.desk.sections import BEGINNING, SECTIONS, Known, Section
from web.pages.forms import Form
from web.pages.guards import BROKERS
from web.pages.visit import Page, Visit
from web.pages.wording import plain, visits

TASKS = (
    "personal_care", "medication", "meals", "continence", "moving_and_handling", "skin_care", "welfare_check",
    "domestic", "shopping", "sitting",
)  # fmt: skip
"""What visits are usually for; a week may name others, by file or by the API."""

KINDS = ("visit", "waking_night", "sleeping_night", "live_in")


class Beginning(Controller):
    """A new referral: who, where, what. The draft is written with the third answer."""

    path = "/desk/new"
    guards = (BROKERS,)

    @get("/", sync_to_thread=True)
    def begin(self, visit: NamedDependency[Visit], scheme: FromQuery[str] = "") -> Page:
        """Who needs care?"""
        return _step(visit, "person", {"scheme": scheme}, {})

    @post("/{step:str}", sync_to_thread=True, status_code=200)
    def answer(self, step: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """One answer more; after the last the draft stands."""
        if step not in BEGINNING:
            raise NotFound(kind="page", ref=step)
        if form.text("back"):
            return _step(visit, form.text("back"), form.fields, {})
        try:
            return self._answered(visit, step, form)
        except PersonKnown as known:
            return _step(visit, "person", form.fields, {"nhs_number": "somebody with this NHS number is known already"},
                         known=_of_person(visit, str(known.facts["ref"])))  # fmt: skip
        except BadInput as bad:
            field = sections.field_of(step, bad)
            where = next((key for key in BEGINNING if field in _FIELDS[key]), step)
            return _step(visit, where, form.fields, {field: str(bad.reason)})

    def _answered(self, visit: Visit, step: str, form: Form) -> Response[Any]:
        with visit.look() as (session, _now):
            scheme = _scheme_of(visit, session, form.text("scheme"))
        identity = sections.identity_of(form)
        if step == "person":
            return _step(visit, "home", form.fields, {})
        postcode, locality = sections.postcode_of(form, scheme)
        if step == "home":
            return _step(visit, "service", form.fields, {})
        lot, urgency = sections.service_of(form, scheme)
        address = form.text("address")
        with visit.command() as session:
            today = visit.ports.clock.read(session).astimezone(LONDON).date()
            referral, _, _ = drafting.begin(
                session,
                visit.ports,
                identity=_at_home(identity, str(postcode), address),
                facts=PackageFacts(
                    scheme=scheme.key,
                    lot=lot,
                    urgency=urgency,
                    locality=locality,
                    sector=postcode.sector,
                    age_band=age_band(identity.date_of_birth, today),
                ),
                confidential=Confidential(postcode=str(postcode), address=address, access=form.text("access")),
                scheme=scheme,
                actor=visit.actor,
            )
            ref = referral.ref
        return visit.to(f"/desk/referrals/{ref}/entry/week?onward=yes")


class Entry(Controller):
    """The pages of a referral that is there."""

    path = "/desk/referrals/{referral_ref:str}"
    guards = (BROKERS,)

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
        known, draft = _known(visit, referral_ref, shown)
        values = shown.show(known) | {"onward": onward, "edition": draft.edition}
        return _page(visit, draft, shown, values, {})

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
        known, draft = _known(visit, referral_ref, shown)
        try:
            if shown.key == "week" and not form.text("save"):
                return _page(visit, draft, shown, {**form.fields, **_other_week(form)}, {})
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
            return _page(visit, draft, shown, form.fields, {sections.field_of(shown.key, bad): str(bad.reason)})
        return visit.to(_onward(draft, shown, form))

    @post("/entry-words", sync_to_thread=True)
    def confirm(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """The words name nobody: they may be published."""
        with visit.command() as session:
            drafting.confirm_words(
                session, visit.ports, referral_ref=referral_ref, edition=form.text("edition"), actor=visit.actor
            )
        return visit.to(f"/desk/referrals/{referral_ref}/publication")

    @post("/copy", sync_to_thread=True)
    def copy(self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Another draft for the same person."""
        with visit.command() as session:
            row = referral_of(session, referral_ref, visit.actor)
            scheme = standing_scheme(session, row.scheme)
            made = drafting.copy(session, visit.ports, referral_ref=referral_ref, scheme=scheme, actor=visit.actor)
        return visit.to(f"/desk/referrals/{made}/publication")

    @get("/split", sync_to_thread=True)
    def split_form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Which visits go into the second part?"""
        return _split_form(visit, referral_ref, {})

    @post("/split", sync_to_thread=True)
    def split(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Part it, and look at the second part."""
        taken = {int(number) for number in form.under("visit-") if number.isdecimal()}
        try:
            with visit.command() as session:
                row = referral_of(session, referral_ref, visit.actor)
                scheme = standing_scheme(session, row.scheme)
                made = drafting.split(
                    session, visit.ports, referral_ref=referral_ref, taken=taken, scheme=scheme, actor=visit.actor
                )
        except (BadInput, CannotLink) as bad:
            return _split_form(visit, referral_ref, {"taken": str(bad.facts["reason"])})
        return visit.to(f"/desk/referrals/{made}/publication")

    @get("/household", sync_to_thread=True)
    def household_form(self, referral_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Whose package belongs to the same household?"""
        return _household_form(visit, referral_ref, "", {})

    @post("/household", sync_to_thread=True)
    def household(
        self, referral_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Link the two."""
        with visit.look() as (session, _now):
            referral_of(session, referral_ref, visit.actor)
        typed = form.text("other")
        try:
            with visit.command() as session:
                drafting.link_household(
                    session,
                    visit.ports,
                    referral_ref=referral_ref,
                    other_ref=form.needed("other", "give the other referral").upper(),
                    actor=visit.actor,
                )
        except (BadInput, CannotLink) as bad:
            return _household_form(visit, referral_ref, typed, {"other": str(bad.facts["reason"])})
        except NotFound:
            return _household_form(visit, referral_ref, typed, {"other": "there is no such referral here"})
        return visit.to(f"/desk/referrals/{referral_ref}")


_FIELDS = {
    "person": ("name", "date_of_birth", "nhs_number", "phone", "contact", "notes"),
    "home": ("postcode", "address", "access"),
    "service": ("scheme", "lot", "urgency"),
}
"""What each page of a new referral asks for; the other pages carry it along."""


def _step(
    visit: Visit, step: str, values: Mapping[str, str], faults: Mapping[str, str], *, known: str | None = None
) -> Page:
    asked = [name for key in BEGINNING if key != step for name in _FIELDS[key]]
    with visit.look() as (session, _now):
        schemes = visit.schemes(session)
        scheme = _scheme_of(visit, session, values.get("scheme", ""))
        place = BEGINNING.index(step) if step in BEGINNING else 0
        return visit.page(
            "desk/entry.html",
            status=400 if faults else 200,
            section=BEGINNING[place],
            title=SECTIONS[BEGINNING[place]].title,
            action=f"/desk/new/{BEGINNING[place]}",
            draft=None,
            back=BEGINNING[place - 1] if place else None,
            place=place + 1,
            of=len(SECTIONS),
            values=_Values(values),
            carried={name: values.get(name, "") for name in asked if name != "scheme"} | {"scheme": scheme.key},
            known=known,
            faults=faults,
            schemes=[(one.key, one.name) for one in schemes],
            **_choices(session, scheme, None),
        )


def _page(visit: Visit, draft: Drafted, shown: Section, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _now):
        scheme = standing_scheme(session, draft.facts.scheme)
        return visit.page(
            "desk/entry.html",
            status=400 if faults else 200,
            section=shown.key,
            title=shown.title,
            action=f"/desk/referrals/{draft.referral}/entry/{shown.key}",
            draft=draft,
            back=None,
            place=list(SECTIONS).index(shown.key) + 1,
            of=len(SECTIONS),
            values=_Values(values),
            carried={"edition": values.get("edition", ""), "onward": values.get("onward", "")},
            known=None,
            faults=faults,
            schemes=[],
            **_choices(session, scheme, draft),
        )


def _choices(session: Session, scheme: Scheme, draft: Drafted | None) -> dict[str, Any]:
    """What the pages offer to choose from."""
    needs = draft.facts.needs if draft else None
    lot = scheme.lot(draft.facts.lot) if draft else None
    return {
        "lots": [(lot.key, lot.name) for lot in scheme.lots],
        "urgencies": [(str(one), plain(one)) for one in Urgency],
        "skills": sorted({*stated_skills(session, scheme), *(needs or ())}),
        "flags": [str(one) for one in Flag],
        "bands": [str(one) for one in AgeBand],
        "fundings": [str(one) for one in FundingStream if one is not FundingStream.UNDECIDED],
        "bases": [str(one) for one in dict.fromkeys((scheme.legal_basis, *NHS_BASES))],
        "sets_budget": lot.sets_budget if lot else False,
        "days": [day.short for day in Weekday],
        "tasks": list(dict.fromkeys([*TASKS, *(lot.visits.shorter_tasks if lot else ())])),
        "kinds": KINDS,
        "providers": providers_by_name(session),
        "parse_schedule": _lines,
    }


def _lines(week: str) -> list[dict[str, Any]]:
    """The visits of a week as a page shows them; a text that is none shows none."""
    try:
        return visits(parse_schedule(week).to_dict()) if week else []
    except BadInput:
        return []


def _other_week(form: Form) -> dict[str, str]:
    """What adding or removing a visit makes of the week; nothing is stored by it."""
    removed = form.text("remove")
    if removed:
        return {"week": sections.without_visit(form.text("week"), int(removed) if removed.isdecimal() else -1)}
    emptied = dict.fromkeys(["from", "until", "minutes"], "") | {f"day-{day.short}": "" for day in Weekday}
    return {"week": sections.with_visit(form.text("week"), form), **emptied}


def _known(visit: Visit, referral_ref: str, shown: Section) -> tuple[Known, Drafted]:
    """What this page shows; what is under the person's key is opened for it, and that is recorded."""
    with visit.look() as (session, _now):
        row = referral_of(session, referral_ref, visit.actor)
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
            identity, confidential = _opened(session, visit, referral_ref)
    return Known(draft.facts, draft.words or FreeText(), identity, confidential), draft


def _opened(session: Session, visit: Visit, referral_ref: str) -> tuple[Identity, Confidential]:
    package = session.get(Package, referral_of(session, referral_ref, visit.actor).package_id)
    assert package is not None
    now: datetime = visit.ports.clock.read(session)
    purpose = Purpose.CORRECTING
    person = person_of(session, package)
    keyring, actor = visit.ports.keyring, visit.actor
    identity = disclose(session, keyring, person, actor=actor, purpose=purpose, now=now)
    return identity, disclose_confidential(session, keyring, package, actor=actor, purpose=purpose, now=now)


def _onward(draft: Drafted, shown: Section, form: Form) -> str:
    path = f"/desk/referrals/{draft.referral}"
    after = sections.next_of(shown.key)
    if form.text("onward") == "yes" and after is not None:
        return f"{path}/entry/{after}?onward=yes"
    return f"{path}/publication" if draft.state in drafting.UNPUBLISHED else path


def _split_form(visit: Visit, referral_ref: str, faults: dict[str, str]) -> Page:
    _, draft = _known(visit, referral_ref, SECTIONS["week"])
    return visit.page("desk/split.html", status=400 if faults else 200, draft=draft, faults=faults)


def _household_form(visit: Visit, referral_ref: str, other: str, faults: dict[str, str]) -> Page:
    _, draft = _known(visit, referral_ref, SECTIONS["week"])
    return visit.page("desk/household.html", status=400 if faults else 200, draft=draft, other=other, faults=faults)


def _section(key: str) -> Section:
    if key not in SECTIONS:
        raise NotFound(kind="page", ref=key)
    return SECTIONS[key]


def _scheme_of(visit: Visit, session: Session, key: str) -> Scheme:
    """The scheme that was chosen, or the authority's first."""
    found = visit.schemes(session)
    chosen = next((one for one in found if one.key == key), found[0] if found else None)
    if chosen is None:
        raise BadInput("no rules are published yet: a commissioner publishes them", field="scheme")
    return chosen


def _of_person(visit: Visit, person_ref: str) -> str | None:
    """The last referral of somebody who is known, to be copied."""
    with visit.look() as (session, _now):
        query = (
            select(Referral.ref)
            .join(Package, col(Package.id) == col(Referral.package_id))
            .join(Person, col(Person.id) == col(Package.person_id))
            .where(Person.ref == person_ref, Referral.authority == visit.actor.authority)
            .order_by(col(Referral.id).desc())
        )
        return session.exec(query).first()


def _at_home(identity: Identity, postcode: str, address: str) -> Identity:
    return replace(identity, postcode=postcode, address=address)


class _Values(dict[str, str]):
    """What was filled in; an empty text where nothing was."""

    def __missing__(self, key: str) -> str:
        return ""
