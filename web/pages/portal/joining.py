"""Joining a scheme: which ones take applications, the application, check answers, hand in, and what came of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session

from dps.kernel.errors import BadInput, NotFound
from dps.register import admission, applications
from dps.register.applications import Application, ApplicationState
from dps.register.document_files import kinds_waiting
from dps.register.documents import latest_documents, missing
from dps.register.inquiries import answer, inquiries_of
from dps.register.own_standing import required_documents
from dps.register.providers import provider_of
from dps.schemes.model import AdmissionQuestion, Scheme
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.on_map import choosing_map
from web.pages.visit import Page, Visit

_LOT, _PLACE, _ANSWER = "lot-", "place-", "answer-"


class Joining(Controller):
    """Every scheme with what it takes to join it, and the form that begins an application."""

    path = "/portal/service/schemes"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit]) -> Page:
        """The schemes, when each takes applications, and this provider's own."""
        with visit.look() as (session, now):
            mine = {scheme.key for scheme in visit.schemes(session)}
            own = applications.own_applications(session, visit.actor)
            schemes = [
                opening_seen(scheme, now)
                | {
                    "is_member": scheme.key in mine,
                    "applications": [one for one in own if one.scheme == scheme.key],
                }
                for scheme in visit.every_scheme(session)
            ]
        return visit.page("portal/schemes.html", schemes=schemes)

    @get("/{scheme_key:str}/application", sync_to_thread=True)
    def form(self, scheme_key: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """A new application."""
        with visit.look() as (session, _):
            return _form(visit, _scheme(session, visit, scheme_key), None, {}, {})

    @post("/{scheme_key:str}/application", sync_to_thread=True)
    def draft(
        self, scheme_key: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Keep it as a draft and go on to check it."""
        with visit.look() as (session, _):
            scheme = _scheme(session, visit, scheme_key)
        asked, faults = _asked(scheme, form)
        if faults:
            return _form(visit, scheme, None, form.fields, faults)
        with visit.command() as session:
            provider = provider_of(session, visit.actor.provider or "", visit.actor)
            assert provider.id is not None
            made = applications.draft(
                session, visit.ports, provider_id=provider.id, scheme=scheme, actor=visit.actor, **asked
            )
            ref = made.ref
        return visit.to(f"/portal/service/applications/{ref}")


class Applications(Controller):
    """One application of this provider."""

    path = "/portal/service/applications/{application_ref:str}"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def one(self, application_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Check answers while it is a draft; afterwards what became of it, and why."""
        return self._page(visit, application_ref, "", {})

    @post("/answer", sync_to_thread=True)
    def answer(
        self, application_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Answer what the council asks about it."""
        try:
            with visit.command() as session:
                application, _scheme = _own(session, visit, application_ref)
                answer(session, visit.ports, application, said=form.text("answer"), actor=visit.actor)
        except BadInput as bad:
            return self._page(visit, application_ref, form.text("answer"), {"answer": str(bad.reason)})
        return visit.to(f"/portal/service/applications/{application_ref}")

    @staticmethod
    def _page(visit: Visit, application_ref: str, said: str, faults: Mapping[str, str]) -> Page:
        with visit.look() as (session, now):
            application, scheme = _own(session, visit, application_ref)
            held = latest_documents(session, [application.provider_id]).get(application.provider_id, {})
            return visit.page(
                "portal/application.html",
                status=400 if faults else 200,
                one=application,
                scheme=scheme,
                lots=[scheme.lot(key).name for key in application.lots],
                lists={one.key: one.name for one in scheme.lists},
                places=[scheme.locality(key).name for key in application.localities],
                answers=[(question, application.answers.get(question.key)) for question in scheme.admission.questions],
                is_open=admission.is_open(scheme, now),
                opens_at=admission.next_opening(scheme, now),
                missing=missing(held, required_documents(scheme, application.lots), now),
                waiting=kinds_waiting(session, application.provider_id),
                is_overdue=application.is_overdue(now),
                asked_already=applications.asked_already(session, application),
                inquiries=inquiries_of(session, application),
                said=said,
                faults=faults,
            )

    @get("/change", sync_to_thread=True)
    def change_form(self, application_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """The draft as it stands, to be changed."""
        with visit.look() as (session, _):
            application, scheme = _own(session, visit, application_ref)
        Application.STEPS.step(application.state, "revise", application.ref)
        return _form(visit, scheme, application, _filled(application), {})

    @post("/change", sync_to_thread=True)
    def change(
        self, application_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Say anew what the draft asks for."""
        with visit.look() as (session, _):
            application, scheme = _own(session, visit, application_ref)
        asked, faults = _asked(scheme, form)
        if faults:
            return _form(visit, scheme, application, form.fields, faults)
        with visit.command() as session:
            application, scheme = _own(session, visit, application_ref)
            applications.revise(session, visit.ports, application, scheme=scheme, actor=visit.actor, **asked)
        return visit.to(f"/portal/service/applications/{application_ref}")

    @post("/submission", sync_to_thread=True)
    def submit(
        self, application_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Hand it in; the council's clock begins to run."""
        with visit.command() as session:
            application, scheme = _own(session, visit, application_ref)
            applications.submit(session, visit.ports, application, scheme=scheme, actor=visit.actor)
        return visit.to(f"/portal/service/applications/{application_ref}")

    @post("/withdrawal", sync_to_thread=True)
    def withdraw(
        self, application_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Take it back before it is decided."""
        with visit.command() as session:
            application, scheme = _own(session, visit, application_ref)
            applications.withdraw(session, visit.ports, application, scheme=scheme, actor=visit.actor)
        return visit.to("/portal/service/schemes")


def opening_seen(scheme: Scheme, now: datetime) -> dict[str, Any]:
    """When the scheme takes applications, as `parts/joining.html` says it."""
    return {
        "scheme": scheme,
        "is_open": admission.is_open(scheme, now),
        "opens_at": admission.next_opening(scheme, now),
        "closes_at": admission.closes_at(scheme, now),
    }


def _own(session: Session, visit: Visit, ref: str) -> tuple[Application, Scheme]:
    application = applications.application_of(session, ref, visit.actor)
    return application, _scheme(session, visit, application.scheme)


def _scheme(session: Session, visit: Visit, key: str) -> Scheme:
    found = next((scheme for scheme in visit.every_scheme(session) if scheme.key == key), None)
    if found is None:
        raise NotFound(kind="scheme", ref=key)
    return found


def _asked(scheme: Scheme, form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """What the form asks for, or each field's fault; every question must have its answer."""
    faults, answers = {}, {}
    lots, localities = list(form.under(_LOT)), list(form.under(_PLACE))
    if not lots:
        faults["lots"] = "choose at least one service"
    if not localities:
        faults["localities"] = "choose at least one area"
    for question in scheme.admission.questions:
        name = f"{_ANSWER}{question.key}"
        try:
            answers[question.key] = _answer(question, form, name)
        except BadInput as bad:
            faults[name] = str(bad.reason)
    if not faults:
        try:
            answers = admission.checked_answers(scheme, answers, complete=True)
        except BadInput as bad:
            faults[str(bad.field).replace("answers.", _ANSWER)] = str(bad.reason)
    return {"lots": lots, "localities": localities, "answers": answers}, faults


def _answer(question: AdmissionQuestion, form: Form, name: str) -> Any:
    text = form.needed(name, f"answer: {question.text}")
    match question.kind:
        case "yes_no":
            if text not in ("yes", "no"):
                raise BadInput("answer yes or no", field=name)
            return text == "yes"
        case "percent":
            return form.whole(name, "answer with a whole number from 0 to 100", most=100)
        case "number":
            return form.whole(name, "answer with a whole number")
        case _:
            return text


def _filled(application: Application) -> dict[str, str]:
    """A stored draft as its form's fields."""
    answers = {
        f"{_ANSWER}{key}": ("yes" if value else "no") if isinstance(value, bool) else str(value)
        for key, value in application.answers.items()
    }
    chosen = {f"{_LOT}{key}": "on" for key in application.lots}
    return answers | chosen | {f"{_PLACE}{key}": "on" for key in application.localities}


def _form(
    visit: Visit,
    scheme: Scheme,
    application: Application | None,
    values: Mapping[str, str],
    faults: Mapping[str, str],
) -> Page:
    with visit.look() as (session, _):
        drawn = choosing_map(session, scheme, values, _PLACE)
    action = (
        f"/portal/service/applications/{application.ref}/change"
        if application
        else f"/portal/service/schemes/{scheme.key}/application"
    )
    return visit.page(
        "portal/apply.html",
        status=400 if faults else 200,
        scheme=scheme,
        action=action,
        is_draft=application is not None and application.state is ApplicationState.DRAFT,
        values=Values(values),
        faults=faults,
        map=drawn,
    )
