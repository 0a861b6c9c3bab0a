"""Applications to decide: with their clock and flags, the answers, the documents, and whoever has a tie."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from dps.kernel.errors import BadInput, DocumentsMissing, RuleNotMet
from dps.register import applications, desk
from dps.register.document_checks import documents_to_check
from dps.register.document_files import received_documents
from dps.register.documents import latest_documents, missing
from dps.register.inquiries import inquire, inquiries_of
from dps.register.location_notices import notices_to_decide
from dps.register.own_standing import required_documents
from dps.register.providers import Provider
from dps.schemes.model import Scheme
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import OFFICERS
from web.pages.register.seen import own_keys, own_scheme
from web.pages.visit import Page, Visit
from web.pages.wording import lower
from web.security.ties import ties_declared

_PLACE, _WHY = "place-", "why-"


class ApplicationsToDecide(Controller):
    """What waits for the council's answer."""

    path = "/register"
    guards = (OFFICERS,)

    @get("/", sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit]) -> Page:
        """Applications, the most pressing first; and how much else waits for an officer."""
        with visit.look() as (session, _now):
            schemes = visit.schemes(session)
            return visit.page(
                "register/applications.html",
                waiting=desk.to_decide(session, own_keys(session, visit), actor=visit.actor),
                unchecked=len(documents_to_check(session, own_keys(session, visit), actor=visit.actor)),
                reported=len(notices_to_decide(session, own_keys(session, visit), actor=visit.actor)),
                flagged=len(desk.flagged_hours(session, actor=visit.actor)),
                schemes={scheme.key: scheme.name for scheme in schemes},
                lots=names.lots(schemes),
                places=names.places(schemes),
                questions={question.key: question for scheme in schemes for question in scheme.admission.questions},
            )

    @get("/applications/{submitted_ref:str}", sync_to_thread=True)
    def one(self, submitted_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Everything that the decision rests on."""
        return _page(visit, submitted_ref, {}, {})

    @post("/applications/{submitted_ref:str}/approval", sync_to_thread=True)
    def approve(
        self, submitted_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Admit the applicant where a box is ticked; what is left out has its reason."""
        with visit.look() as (session, _now):
            application = desk.application_seen(session, submitted_ref, own_keys(session, visit), actor=visit.actor)
            scheme = own_scheme(session, visit, application.scheme)
            lists, turned_down, faults = _decided(form, scheme, application.localities)
        if faults:
            return _page(visit, submitted_ref, form.fields, faults)
        try:
            with visit.command() as session:
                applications.approve(
                    session,
                    visit.ports,
                    desk.application_seen(session, submitted_ref, [scheme.key], actor=visit.actor),
                    scheme=scheme,
                    lists=lists,
                    turned_down=turned_down,
                    actor=visit.actor,
                )
        except DocumentsMissing as lacking:
            return _page(visit, submitted_ref, form.fields, {"documents": _lacking(lacking)})
        except RuleNotMet as refused:
            return _page(visit, submitted_ref, form.fields, {"lists": str(refused)})
        except BadInput as bad:
            return _page(visit, submitted_ref, form.fields, {str(bad.field): str(bad.reason)})
        return visit.to(f"/register/applications/{submitted_ref}")

    @post("/applications/{submitted_ref:str}/question", sync_to_thread=True)
    def ask(
        self, submitted_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Ask the applicant something before it is decided."""
        return _moved(visit, submitted_ref, form, partial(inquire, question=form.text("question")))

    @post("/applications/{submitted_ref:str}/refusal", sync_to_thread=True)
    def refuse(
        self, submitted_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Turn it down as a whole; the applicant reads the reason."""
        return _moved(visit, submitted_ref, form, partial(applications.refuse, because=form.text("reason")))


def _lacking(refused: DocumentsMissing) -> str:
    """The same sentence, with the kinds as people call them."""
    return str(DocumentsMissing(kinds=", ".join(lower(kind) for kind in refused.facts["kinds"].split(", "))))


def _moved(visit: Visit, ref: str, form: Form, command: Callable[..., object]) -> Response[Any]:
    """An application moved by a command that needs its scheme; or its page again, with what was wrong."""
    with visit.look() as (session, _now):
        application = desk.application_seen(session, ref, own_keys(session, visit), actor=visit.actor)
        scheme = own_scheme(session, visit, application.scheme)
    try:
        with visit.command() as session:
            here = desk.application_seen(session, ref, [scheme.key], actor=visit.actor)
            command(session, visit.ports, here, scheme=scheme, actor=visit.actor)
    except BadInput as bad:
        return _page(visit, ref, form.fields, {str(bad.field): str(bad.reason)})
    return visit.to(f"/register/applications/{ref}")


def _decided(
    form: Form, scheme: Scheme, localities: list[str]
) -> tuple[list[str], dict[tuple[str, str], str], dict[str, str]]:
    """(lists with an area ticked, what is turned down and why, faults).

    Of a list with an area ticked every other area needs a reason; of a list with none a reason may be given.
    """
    lists: list[str] = []
    turned_down: dict[tuple[str, str], str] = {}
    faults: dict[str, str] = {}
    for one in scheme.lists:
        ticked = [where for where in localities if form.text(f"{_PLACE}{one.key}-{where}")]
        why = form.text(f"{_WHY}{one.key}")
        if ticked:
            lists.append(one.key)
        if ticked and len(ticked) < len(localities) and not why:
            faults[f"{_WHY}{one.key}"] = "say why the other areas are left out"
        if why:
            turned_down |= {(one.key, where): why for where in localities if where not in ticked}
    if not lists:
        faults["lists"] = "tick the areas where the applicant is admitted, or refuse the application below"
    return lists, turned_down, faults


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        one = desk.application_seen(session, ref, own_keys(session, visit), actor=visit.actor)
        scheme = own_scheme(session, visit, one.scheme)
        provider = session.get_one(Provider, one.provider_id)
        held = latest_documents(session, [one.provider_id]).get(one.provider_id, {})
        flagged = {str(question): answer for question, answer in one.flags}
        return visit.page(
            "register/application.html",
            status=400 if faults else 200,
            one=one,
            scheme=scheme,
            provider=provider,
            lots=names.lots([scheme]),
            places=names.places([scheme]),
            answers=[
                (question, one.answers.get(question.key), question.key in flagged)
                for question in scheme.admission.questions
            ],
            documents=received_documents(session, one.provider_id),
            missing=missing(held, required_documents(scheme, one.lots), now),
            needed=missing(held, scheme.admission.documents, now),
            ties=ties_declared(session, actor=visit.actor, provider=provider.ref),
            earlier=[
                other for other in desk.applications_by(session, one.provider_id, [scheme.key]) if other is not one
            ],
            inquiries=inquiries_of(session, one),
            is_overdue=one.is_overdue(now),
            lists={item.key: item.name for item in scheme.lists},
            ticked=_ticked(scheme, one.localities, values),
            values=Values(values),
            faults=faults,
        )


def _ticked(scheme: Scheme, localities: list[str], values: Mapping[str, str]) -> set[str]:
    """Which boxes are ticked: those that were sent, and at first every area of the list where there is one alone."""
    if any(name.startswith((_PLACE, _WHY)) for name in values):
        return {name for name in values if name.startswith(_PLACE)}
    if len(scheme.lists) > 1:
        return set()
    return {f"{_PLACE}{one.key}-{where}" for one in scheme.lists for where in localities}
