"""The link at which somebody chooses a password: whoever brings it proves that the account's mail reaches them."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from dps.kernel.errors import BadInput
from web.api.guards import anyone
from web.pages.cookies import session_token, visit_cookie, visit_token
from web.pages.forms import Form
from web.pages.seating import real_time, seated
from web.pages.visit import Page, Visit
from web.security import invitations, sessions
from web.security.accounts import Account


class ChoosingPassword(Controller):
    """Open to whoever has the link. Looking at it uses nothing up: mail systems open links by themselves."""

    path = "/sign-in/invitations/{account:str}/{secret:str}"
    include_in_schema = False

    @get("/", guards=[anyone], sync_to_thread=True)
    def form(self, account: FromPath[str], secret: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Where the password is typed."""
        with visit.look() as (session, _):
            wall = real_time(visit, session)
            found = invitations.invited(session, visit.ports.keyring, ref=account, secret=secret, wall=wall)
        return _page(visit, found)

    @post("/", guards=[anyone], sync_to_thread=True)
    def choose(
        self,
        account: FromPath[str],
        secret: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Response[Any]:
        """Keep it, and let its owner in: on to the authenticator, where one is asked for."""
        keyring = visit.ports.keyring
        try:
            with visit.command() as session:
                wall, now = real_time(visit, session), visit.ports.clock.read(session)
                found = invitations.choose(
                    session, keyring, ref=account, secret=secret, password=form.fields.get("password", ""),
                    now=now, wall=wall,
                )  # fmt: skip
        except BadInput as refused:
            with visit.look() as (session, _):
                found = invitations.invited(
                    session, keyring, ref=account, secret=secret, wall=real_time(visit, session)
                )
            return _page(visit, found, fault=str(refused.reason))
        return _page(visit, None) if found is None else seated(visit, found, "")


def invited(visit: Visit, account: Account, path: str, *, back: str) -> Page:
    """What whoever invited somebody sees; the link itself in the demonstration alone, which sends no mail."""
    settings = visit.installation.settings
    link = f"{settings.address}{path}" if settings.demo else ""
    return visit.page("signing_in/invited.html", person=account, link=link, back=back)


def _page(visit: Visit, account: Account | None, *, fault: str = "") -> Page:
    """The form, tied to this browser by the cookie that it has; or that the link is over."""
    if account is None:
        return visit.page("signing_in/link_over.html", status=410)
    seat, token = session_token(visit.request), visit_token(visit.request) or sessions.new_token()
    return visit.page(
        "signing_in/choose.html",
        status=400 if fault else 200,
        cookies=[] if seat else [visit_cookie(visit.request, token)],
        token=sessions.csrf_of(seat or token),
        path=visit.request.url.path,
        person=account,
        fault=fault,
    )
