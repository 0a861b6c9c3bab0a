"""Passkeys in the pages: adding one, signing in with one alone, and with one in place of a code.

Browsers make and use them by script alone; without it the password and the code remain.
"""

from typing import Any

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromPath
from litestar.response import Redirect

from dps.kernel.errors import BadInput, NotFound, TooManyGuesses
from web.api.guards import anyone
from web.pages.cookies import session_cookie, session_token, visit_token
from web.pages.forms import Form
from web.pages.guards import EVERYBODY, HALF
from web.pages.homes import home_of
from web.pages.seating import begin_session, count_try, note_refusal, own_seat, real_time, renewed, safe_address
from web.pages.signing_in import code_page, own_account, sign_in_form
from web.pages.visit import Visit
from web.security import passkeys

_WRONG = "This passkey was not accepted. Use your password, or try again."
ANY_PASSKEY = "any passkey of "
"""Under this name and the browser's own token guesses with unnamed passkeys are counted."""


class WithPasskey(Controller):
    """Signing in with a passkey: alone, or after the password in place of a code."""

    include_in_schema = False

    @post("/sign-in/passkey/options", guards=[anyone], sync_to_thread=True, status_code=200)
    def options(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[str]:
        """What this browser is asked to sign."""
        site = _site(visit)
        with visit.command() as session:
            said = passkeys.request_options(session, site, holder=_holder(visit), now=real_time(visit, session))
        return _json(said)

    @post("/sign-in/passkey", guards=[anyone], sync_to_thread=True)
    def alone(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """A passkey whose device has checked its person is both factors at once."""
        site, onward = _site(visit), form.text("next")
        try:
            count_try(visit, f"{ANY_PASSKEY}{_holder(visit)}")
        except TooManyGuesses as refused:
            return sign_in_form(visit, onward=onward, fault=str(refused), status=429)
        with visit.command() as session:
            account = passkeys.use(
                session,
                site,
                holder=_holder(visit),
                credential=form.fields.get("credential", ""),
                now=real_time(visit, session),
            )
        if account is None:
            return sign_in_form(visit, onward=onward, fault=_WRONG)
        token = begin_session(visit, account, is_half=False)
        return visit.to(safe_address(onward) or home_of(account.actor), cookies=[session_cookie(visit.request, token)])

    @post("/sign-in/code/passkey/options", guards=[HALF], sync_to_thread=True, status_code=200)
    def second_options(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[str]:
        """What this browser is asked to sign, with a passkey of the account whose password was right."""
        site, account = _site(visit), own_seat(visit).account
        with visit.command() as session:
            now = real_time(visit, session)
            return _json(passkeys.request_options(session, site, holder=_holder(visit), now=now, account=account))

    @post("/sign-in/code/passkey", guards=[HALF], sync_to_thread=True)
    def second(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """The passkey in place of the code."""
        site, seat, onward = _site(visit), own_seat(visit), form.text("next")
        try:
            count_try(visit, seat.account.email)
        except TooManyGuesses as refused:
            return code_page(visit, status=429, fault=str(refused), onward=onward)
        with visit.command() as session:
            account = passkeys.use(
                session,
                site,
                holder=_holder(visit),
                credential=form.fields.get("credential", ""),
                now=real_time(visit, session),
                account=seat.account,
            )
        if account is None:
            note_refusal(visit, seat.account, "account.sign_in_refused")
            return code_page(visit, status=400, fault=_WRONG, onward=onward)
        return renewed(visit, seat, onward)


class OwnPasskeys(Controller):
    """The passkeys of whoever is signed in."""

    path = "/account/passkeys"
    include_in_schema = False

    @post("/options", guards=[EVERYBODY], sync_to_thread=True, status_code=200)
    def options(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[str]:
        """What this browser is asked to make."""
        site, account = _site(visit), own_seat(visit).account
        with visit.command() as session:
            now = real_time(visit, session)
            return _json(passkeys.creation_options(session, site, account=account, holder=_holder(visit), now=now))

    @post("/", guards=[EVERYBODY], sync_to_thread=True)
    def add(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Keep what it made."""
        site, account = _site(visit), own_seat(visit).account
        try:
            with visit.command() as session:
                passkeys.keep(
                    session,
                    visit.ports.entropy,
                    site,
                    account=account,
                    holder=_holder(visit),
                    credential=form.fields.get("credential", ""),
                    label=form.text("label"),
                    now=real_time(visit, session),
                    trail_at=visit.ports.clock.read(session),
                )
        except BadInput as refused:
            return own_account(visit, faults={"label": refused.reason})
        return visit.to("/account")

    @post("/{passkey_ref:str}/removal", guards=[EVERYBODY], sync_to_thread=True)
    def remove(
        self, passkey_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Take one away: it opens nothing any more."""
        with visit.command() as session:
            at = visit.ports.clock.read(session)
            passkeys.forget(session, account=own_seat(visit).account, ref=passkey_ref, trail_at=at)
        return visit.to("/account")


def _site(visit: Visit) -> passkeys.Site:
    site = passkeys.site_of(visit.installation.settings)
    if site is None:
        raise NotFound(kind="passkey", ref="here")
    return site


def _holder(visit: Visit) -> str:
    """The token by which this browser is known: its form was seen to follow from it."""
    token = session_token(visit.request) or visit_token(visit.request)
    assert token is not None
    return token


def _json(text: str) -> Response[str]:
    return Response(text, media_type=MediaType.JSON)
