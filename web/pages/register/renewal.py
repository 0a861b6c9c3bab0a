"""A newer register of a scheme: the file is tried first, then applied; who left, who joined, whose rating changed."""

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlmodel import Session

from dps.kernel.errors import BadInput
from dps.register.reaccreditation import register_of
from dps.schemes.model import Scheme
from web.pages.forms import Form
from web.pages.guards import OFFICERS
from web.pages.register.seen import own_scheme
from web.pages.rows import today_of
from web.pages.tried_files import on_disk, reopened, sealed, sent
from web.pages.visit import Page, Visit
from web.provider_rows import ADMITTED, NEEDED, OPTIONAL
from web.register_entry import Renewed, renewed
from web.register_workbook import register_workbook
from web.workbooks import XLSX

_FILE = "register"
_LARGER = "use dps import register"


class Renewal(Controller):
    """One scheme's whole register, as a file."""

    path = "/register/renewal"
    guards = (OFFICERS,)

    @get("/", sync_to_thread=True)
    def form(self, visit: NamedDependency[Visit]) -> Page:
        """Which file?"""
        return _page(visit)

    @get("/{scheme_key:str}/workbook", sync_to_thread=True)
    def workbook(self, scheme_key: FromPath[str], visit: NamedDependency[Visit]) -> Response[bytes]:
        """The register as it stands, to begin a newer one from."""
        with visit.look() as (session, now):
            scheme = own_scheme(session, visit, scheme_key)
            content = register_workbook(register_of(session, scheme, actor=visit.actor), scheme)
        name = f"register-{scheme.key}-{today_of(now)}.xlsx"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=XLSX, headers=headers)

    @post("/", sync_to_thread=True, status_code=200)
    def take(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Try a new file, or apply the one that was tried."""
        is_written = bool(form.text("write"))
        try:
            content = reopened(visit, form, of=_FILE) if is_written else sent(form, larger=_LARGER)
            with visit.look() as (session, _now):
                scheme = _chosen(session, visit, form.text("scheme"))
            with on_disk(content, of=_FILE) as path:
                done = renewed(visit.installation, path, scheme, visit.actor, is_tried=not is_written)
        except BadInput as bad:
            return _page(visit, chosen=form.text("scheme"), fault=str(bad.reason))
        is_kept = not is_written and not done.faults and not done.is_the_same
        kept = sealed(visit, content, of=_FILE) if is_kept else ""
        return _page(visit, chosen=scheme.key, done=done, kept=kept, is_written=is_written and not done.faults)


def _chosen(session: Session, visit: Visit, key: str) -> Scheme:
    """The scheme that was chosen; where there is one alone nobody is asked."""
    schemes = visit.schemes(session)
    if not key and len(schemes) == 1:
        return schemes[0]
    if not key:
        raise BadInput("choose whose register it is", field="scheme")
    return own_scheme(session, visit, key)


def _page(
    visit: Visit,
    *,
    done: Renewed | None = None,
    kept: str = "",
    is_written: bool = False,
    fault: str = "",
    chosen: str = "",
) -> Page:
    faults = [BadInput(one.reason, row=one.row, field=one.column or None) for one in done.faults] if done else []
    with visit.look() as (session, _now):
        return visit.page(
            "register/renewal.html",
            status=400 if fault or faults else 200,
            schemes=[(one.key, one.name) for one in visit.schemes(session)],
            chosen=chosen,
            done=done,
            faults=faults,
            kept=kept,
            is_written=is_written,
            fault=fault,
            required=NEEDED,
            columns=(*NEEDED, *OPTIONAL, *ADMITTED),
        )
