"""What providers sent: what waits for an officer's look, what ends soon, and the files themselves."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from dps.kernel.errors import BadInput
from dps.register import desk, document_files
from dps.register.document_checks import confirm_document, document_to_check, documents_to_check, refuse_document
from dps.register.documents import latest_documents
from web.pages.forms import Form, Values
from web.pages.guards import OFFICERS
from web.pages.register.seen import own_keys
from web.pages.rows import today_of
from web.pages.visit import Page, Visit

ENDING = timedelta(days=60)
"""How far ahead the list of ending documents looks."""


class Documents(Controller):
    """Documents of the providers and applicants of the officer's schemes."""

    path = "/register/documents"
    guards = (OFFICERS,)

    @get("/", sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit]) -> Page:
        """What waits for a look, the oldest first; what ends within 60 days or is over, the first to end first."""
        with visit.look() as (session, now):
            today, keys = today_of(now), own_keys(session, visit)
            return visit.page(
                "register/documents.html",
                waiting=documents_to_check(session, keys, actor=visit.actor),
                documents=desk.documents_ending(session, keys, by=today + ENDING, actor=visit.actor),
                today=today,
                days=ENDING.days,
            )

    @get("/{document_ref:str}", sync_to_thread=True)
    def file(self, document_ref: FromPath[str], visit: NamedDependency[Visit]) -> Response[bytes]:
        """The file, of a provider that the officer sees."""
        with visit.look() as (session, _now):
            whose = desk.document_provider(session, document_ref)
            desk.provider_seen(session, whose, own_keys(session, visit), actor=visit.actor)
            media, content = document_files.file_of(session, visit.ports, document_ref, visit.actor)
        name = f"{document_ref}.{media.value.partition('/')[2]}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=media.value, headers=headers)

    @get("/{document_ref:str}/check", sync_to_thread=True)
    def check(self, document_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What was sent, beside what counts now."""
        return _page(visit, document_ref, {}, {})

    @post("/{document_ref:str}/confirmation", sync_to_thread=True)
    def confirm(
        self, document_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """It is what the provider says: it counts from now on."""
        with visit.command() as session:
            document_to_check(session, document_ref, own_keys(session, visit), actor=visit.actor)
            confirm_document(session, visit.ports, document_ref=document_ref, actor=visit.actor)
        return visit.to("/register/documents")

    @post("/{document_ref:str}/refusal", sync_to_thread=True)
    def refuse(
        self, document_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """It is not; the provider reads why."""
        with visit.look() as (session, _now):
            document_to_check(session, document_ref, own_keys(session, visit), actor=visit.actor)
        try:
            with visit.command() as session:
                refuse_document(
                    session, visit.ports, document_ref=document_ref, because=form.text("reason"), actor=visit.actor
                )
        except BadInput as bad:
            return _page(visit, document_ref, form.fields, {"reason": str(bad.reason)})
        return visit.to("/register/documents")


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        sent = document_to_check(session, ref, own_keys(session, visit), actor=visit.actor)
        held = latest_documents(session, [sent.document.provider_id]).get(sent.document.provider_id, {})
        return visit.page(
            "register/document.html",
            status=400 if faults else 200,
            sent=sent,
            is_held=sent.document.kind in held,
            held=held.get(sent.document.kind),
            today=today_of(now),
            values=Values(values),
            faults=faults,
        )
