"""A provider's own service: where it stands and why, "I'm full", documents, what it can do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session

from dps.kernel.errors import BadInput
from dps.packages.facts import Flag
from dps.register import capacity, document_files
from dps.register.arrangements import arrangements_seen
from dps.register.own_standing import held_places, hindrances, useful_documents
from dps.register.providers import Provider, change_service
from dps.register.standing import standing
from dps.schemes.model import Scheme
from web.pages import names
from web.pages.forms import Checking, Form, Values, faults_of
from web.pages.guards import PORTAL
from web.pages.portal.own import own_provider, wall_time
from web.pages.portal.standing_words import hindrance_words
from web.pages.rows import row_id, today_of
from web.pages.visit import Page, Visit

_UPLOAD_BYTES = document_files.MOST_BYTES + 1_048_576


class OwnService(Controller):
    """Status first; what changes it stands on pages of its own."""

    path = "/portal/service"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def status(self, visit: NamedDependency[Visit]) -> Page:
        """Where the provider stands in each scheme, what keeps work away, and what it holds."""
        with visit.look() as (session, now):
            provider = own_provider(session, visit)
            schemes = [_standing(session, scheme, provider, now) for scheme in visit.schemes(session)]
            return visit.page(
                "portal/service.html",
                provider=provider,
                schemes=schemes,
                documents=document_files.received_documents(session, row_id(provider)),
                is_unsaid=not provider.skills and not provider.accepted_flags,
                leads=[
                    one.lead_name
                    for one in arrangements_seen(session, actor=visit.actor)
                    if one.arrangement.runs_on(today_of(now)) and one.arrangement.lead != provider.ref
                ],
                today=today_of(now),
            )

    @post("/full", sync_to_thread=True)
    def full(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Nothing free anywhere, in one click."""
        with visit.command() as session:
            capacity.say_full(session, visit.ports, provider_id=row_id(own_provider(session, visit)), actor=visit.actor)
        return visit.to("/portal/service")

    @post("/not-full", sync_to_thread=True)
    def not_full(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Undo it: what is left of the declarations counts again."""
        with visit.command() as session:
            capacity.say_not_full(
                session, visit.ports, provider_id=row_id(own_provider(session, visit)), actor=visit.actor
            )
        return visit.to("/portal/service")

    @get("/documents", sync_to_thread=True)
    def documents(self, visit: NamedDependency[Visit]) -> Page:
        """What was sent, until when it is good, and the form for another."""
        return _documents(visit, {}, {})

    @post("/documents", sync_to_thread=True, request_max_body_size=_UPLOAD_BYTES)
    def upload(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Receive a document; the latest of its kind counts."""
        kind, expires_on, checking = form.text("kind"), None, Checking()
        with visit.look() as (session, _):
            kinds = _kinds(session, visit)
        try:
            with checking.of("kind"):
                if kind not in kinds:
                    raise BadInput("choose what it is", field="kind")
            with checking.of("file"):
                document_files.media_of(form.file("file"))
            with checking.of("expires_on"):
                if not form.text("does_not_expire"):
                    expires_on = form.day("expires_on", "say until when it is good")
            checking.end()
            with visit.command() as session:
                document_files.receive_file(
                    session,
                    visit.ports,
                    provider_id=row_id(own_provider(session, visit)),
                    kind=kind,
                    content=form.file("file"),
                    expires_on=expires_on,
                    actor=visit.actor,
                )
        except BadInput as bad:
            return _documents(visit, form.fields, faults_of(bad))
        return visit.to("/portal/service/documents")

    @get("/documents/{document_ref:str}", sync_to_thread=True)
    def document(self, document_ref: FromPath[str], visit: NamedDependency[Visit]) -> Response[bytes]:
        """The file itself, to be kept or looked at."""
        with visit.look() as (session, _):
            media, content = document_files.file_of(session, visit.ports, document_ref, visit.actor)
        name = f"{document_ref}.{media.value.partition('/')[2]}"
        return Response(
            content, media_type=media.value, headers={"Content-Disposition": f'attachment; filename="{name}"'}
        )

    @get("/details", sync_to_thread=True)
    def details(self, visit: NamedDependency[Visit]) -> Page:
        """What the provider can do, and when."""
        with visit.look() as (session, _):
            provider = own_provider(session, visit)
        return _details(visit, _filled(provider), {})

    @post("/details", sync_to_thread=True)
    def change(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Say anew what it can do; invitations from now on go by this."""
        try:
            start, end = form.minute_of_day("from"), form.minute_of_day("until")
            if (start is None) != (end is None):
                raise BadInput("give both times, or none for all day", field="from")
            span = None
            if start is not None and end is not None:
                span = (start, end if end > start else end + 24 * 60)
            with visit.command() as session:
                change_service(
                    session,
                    visit.ports,
                    provider_id=row_id(own_provider(session, visit)),
                    actor=visit.actor,
                    skills=[*form.under("skill-"), *_written(form.text("others"))],
                    accepted_flags=list(form.under("flag-")),
                    service_minutes=span,
                    most_carers=2 if form.text("pairs") else 1,
                )
        except BadInput as bad:
            return _details(
                visit, form.fields, {"others" if bad.field == "skills" else str(bad.field): str(bad.reason)}
            )
        return visit.to("/portal/service")


def _standing(session: Session, scheme: Scheme, provider: Provider, now: datetime) -> dict[str, Any]:
    (found,) = standing(session, scheme.key, now, providers=[row_id(provider)])
    waiting = document_files.kinds_waiting(session, row_id(provider))
    held = [names.authorities([scheme])[one.key] for one in scheme.authorities]
    return {
        "scheme": scheme,
        "authorities": held,
        "places": held_places(found),
        "hindrances": [hindrance_words(one, scheme, waiting) for one in hindrances(found, scheme)],
        "lots": names.lots([scheme]),
        "areas": names.places([scheme]),
        "lists": {one.key: one.name for one in scheme.lists},
    }


def _kinds(session: Session, visit: Visit) -> list[str]:
    """The kinds of document that a rule of any standing scheme reads, and those that this provider sent before."""
    asked = {kind for scheme in visit.every_scheme(session) for kind in useful_documents(scheme)}
    sent = document_files.received_documents(session, row_id(own_provider(session, visit)))
    return sorted(asked | {one.kind for one in sent})


def _documents(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        sent = document_files.received_documents(session, row_id(own_provider(session, visit)))
        return visit.page(
            "portal/documents.html",
            status=400 if faults else 200,
            documents=sent,
            kinds=_kinds(session, visit),
            values=Values(values),
            faults=faults,
            today=today_of(now),
            most_megabytes=document_files.MOST_BYTES // 1024 // 1024,
        )


def _skills(session: Session, visit: Visit) -> list[str]:
    return sorted({skill for scheme in visit.every_scheme(session) for lot in scheme.lots for skill in lot.skills})


def _written(text: str) -> list[str]:
    """Skills typed by hand, one after another with commas, as keys."""
    return [part.strip().lower().replace(" ", "_") for part in text.split(",") if part.strip()]


def _filled(provider: Provider) -> dict[str, str]:
    times = {"from": wall_time(provider.service_from_minute), "until": wall_time(provider.service_until_minute)}
    chosen = {f"skill-{key}": "on" for key in provider.skills}
    flags = {f"flag-{key}": "on" for key in provider.accepted_flags}
    return times | chosen | flags | ({"pairs": "on"} if provider.most_carers == 2 else {})


def _details(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _):
        provider = own_provider(session, visit)
        asked = _skills(session, visit)
        skills = sorted({*asked, *provider.skills})
        return visit.page(
            "portal/details.html",
            status=400 if faults else 200,
            skills=skills,
            flags=list(Flag),
            values=Values(values),
            faults=faults,
        )
