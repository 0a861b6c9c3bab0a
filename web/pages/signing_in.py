"""Signing in and out: password, then code; every session is new, and every way out ends it in the database."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect
from sqlmodel import Session

from dps.kernel import audit
from dps.kernel.errors import BadInput, TooManyGuesses
from dps.register.providers import provider_of
from web.api.guards import anyone
from web.pages import names
from web.pages.cookies import session_cookie, visit_cookie, visit_token
from web.pages.forms import Form
from web.pages.guards import EVERYBODY, HALF, seat_of
from web.pages.homes import home_of
from web.pages.seating import begin_session, count_try, note_refusal, own_seat, real_time, renewed, safe_address, seated
from web.pages.visit import Page, Visit
from web.security import passkeys, second_factor, sessions
from web.security.accounts import Account, find_account, normal_email, set_mobile, set_password
from web.security.passwords import is_right

_WRONG = "The e-mail address or the password is not right."
_WRONG_CODE = "This code is not right, or was used before. Wait for the next one."


class SigningIn(Controller):
    """The way in, open to everybody; and the code, for those who gave the right password."""

    include_in_schema = False

    @get("/sign-in", guards=[anyone], sync_to_thread=True)
    def form(self, visit: NamedDependency[Visit], next: FromQuery[str] = "") -> Response[Any]:
        """The form; who is signed in already goes home."""
        seat = seat_of(visit.request)
        if seat is not None and not seat.is_half:
            return visit.to(home_of(seat.actor))
        return sign_in_form(visit, onward=next)

    @post("/sign-in", guards=[anyone], sync_to_thread=True)
    def sign_in(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """E-mail address and password."""
        typed, onward = form.text("email"), form.text("next")
        try:
            email = normal_email(typed)
            count_try(visit, email)
        except BadInput:
            return sign_in_form(visit, onward=onward, email=typed, fault=_WRONG)
        except TooManyGuesses as refused:
            return sign_in_form(visit, onward=onward, email=typed, fault=str(refused), status=429)
        with visit.look() as (session, _):
            account = find_account(session, email)
        stored = account.password_hash if account is not None and account.closed_at is None else None
        # Not stripped: a password may begin or end with a space.
        if not is_right(stored, form.fields.get("password", "")) or account is None:
            note_refusal(visit, account, "account.sign_in_refused")
            return sign_in_form(visit, onward=onward, email=typed, fault=_WRONG)
        return seated(visit, account, onward)

    @get("/sign-in/code", guards=[HALF], sync_to_thread=True)
    def code_form(self, visit: NamedDependency[Visit], next: FromQuery[str] = "") -> Page:
        """Where the code is typed."""
        return code_page(visit, onward=next)

    @post("/sign-in/code", guards=[HALF], sync_to_thread=True)
    def code(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """The code of the authenticator app, good once."""
        seat, onward = own_seat(visit), form.text("next")
        try:
            count_try(visit, seat.account.email)
        except TooManyGuesses as refused:
            return code_page(visit, status=429, fault=str(refused), onward=onward)
        with visit.command() as session:
            wall = real_time(visit, session)
            is_right_code = second_factor.use_code(
                session, visit.ports.keyring, account=seat.account, code=form.text("code"), now=wall
            )
        if not is_right_code:
            note_refusal(visit, seat.account, "account.sign_in_refused")
            return code_page(visit, status=400, fault=_WRONG_CODE, onward=onward)
        return renewed(visit, seat, onward)

    @get("/sign-in/second-factor", guards=[HALF], sync_to_thread=True)
    def enrolment_form(self, visit: NamedDependency[Visit], next: FromQuery[str] = "") -> Response[Any]:
        """A new secret for an account that has none yet."""
        seat = own_seat(visit)
        if seat.account.totp_secret is not None:
            return visit.to("/sign-in/code")
        return _enrolment(visit, second_factor.new_secret(), onward=next)

    @post("/sign-in/second-factor", guards=[HALF], sync_to_thread=True)
    def enrol(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Keep the secret once a code of it was typed."""
        seat, onward, secret = own_seat(visit), form.text("next"), form.text("secret")
        if seat.account.totp_secret is not None:
            return visit.to("/sign-in/code")
        if not secret.isalnum() or len(secret) != 32:
            return _enrolment(visit, second_factor.new_secret(), onward=onward, fault="Start again with this key.")
        with visit.command() as session:
            is_kept = second_factor.enrol(
                session,
                visit.ports.keyring,
                account=seat.account,
                secret=secret,
                code=form.text("code"),
                now=real_time(visit, session),
                by=seat.actor,
                trail_at=visit.ports.clock.read(session),
            )
        if not is_kept:
            return _enrolment(visit, secret, onward=onward, fault=_WRONG_CODE)
        return renewed(visit, seat, onward)


class SigningOut(Controller):
    """The ways out, the session's prolonging, and the account's own page."""

    include_in_schema = False

    @post("/sign-out", guards=[EVERYBODY], sync_to_thread=True)
    def sign_out(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """End this browser's session."""
        with visit.command() as session:
            sessions.end(session, own_seat(visit).session_id, real_time(visit, session))
        return visit.to("/sign-in", cookies=[session_cookie(visit.request, None)])

    @post("/sign-out-everywhere", guards=[EVERYBODY], sync_to_thread=True)
    def sign_out_everywhere(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """End every session of this account."""
        _end_all(visit)
        return visit.to("/sign-in", cookies=[session_cookie(visit.request, None)])

    @post("/account/browsers/removal", guards=[EVERYBODY], sync_to_thread=True)
    def sign_out_there(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """End one session of this account: that of a browser which was left signed in."""
        chosen = form.text("browser")
        with visit.command() as session:
            if chosen.isascii() and chosen.isdigit() and len(chosen) < 19:
                sessions.end_own(session, own_seat(visit).account, int(chosen), real_time(visit, session))
        return visit.to("/account#browsers")

    @post("/session", guards=[EVERYBODY], sync_to_thread=True, status_code=204)
    def keep(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> None:
        """Go on after the warning: the guard has noted that somebody is there."""

    @get("/account", guards=[EVERYBODY], sync_to_thread=True)
    def account(self, visit: NamedDependency[Visit]) -> Page:
        """Whose account this is, another password, and the way out of every browser."""
        return own_account(visit)

    @post("/account/mobile", guards=[EVERYBODY], sync_to_thread=True)
    def change_mobile(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """The number to which urgent messages go as text."""
        try:
            with visit.command() as session:
                set_mobile(session, account=own_seat(visit).account, mobile=form.text("mobile"))
        except BadInput as refused:
            return own_account(visit, faults={"mobile": refused.reason})
        return visit.to("/account")

    @post("/account/password", guards=[EVERYBODY], sync_to_thread=True)
    def change_password(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Another password; every other browser is signed out, and this one gets a new session."""
        seat = own_seat(visit)
        fresh = form.fields.get("password", "")
        try:
            count_try(visit, seat.account.email)
            if not is_right(seat.account.password_hash, form.fields.get("current", "")):
                raise BadInput("this is not your password", field="current")
            with visit.command() as session:
                now = visit.ports.clock.read(session)
                set_password(session, account=seat.account, password=fresh, by=seat.actor, now=now)
        except (BadInput, TooManyGuesses) as refused:
            fault = refused.reason if isinstance(refused, BadInput) else str(refused)
            field = refused.field if isinstance(refused, BadInput) else "current"
            return own_account(visit, faults={field: fault})
        _end_all(visit)
        token = begin_session(visit, seat.account, is_half=False)
        return visit.to("/account", cookies=[session_cookie(visit.request, token)])


def sign_in_form(visit: Visit, *, onward: str, email: str = "", fault: str = "", status: int | None = None) -> Page:
    """The sign-in form, tied to this browser by a cookie of its own."""
    token = visit_token(visit.request) or sessions.new_token()
    return visit.page(
        "signing_in/form.html",
        status=status or (400 if fault else 200),
        cookies=[visit_cookie(visit.request, token), session_cookie(visit.request, None)],
        token=sessions.csrf_of(token),
        email=email,
        fault=fault,
        onward=safe_address(onward),
        elsewhere=[{"key": one.key, "name": one.name} for one in visit.installation.settings.openid],
        has_passkeys=passkeys.site_of(visit.installation.settings) is not None,
    )


def own_account(visit: Visit, *, faults: dict[str, str] | None = None) -> Page:
    """The account's own page, with its passkeys and the browsers in which it is signed in."""
    seat = own_seat(visit)
    account = seat.account
    with visit.look() as (session, _):
        mine = passkeys.of(session, account)
        wall = real_time(visit, session)
        return visit.page(
            "signing_in/account.html",
            status=400 if faults else 200,
            faults=faults or {},
            works_for=_works_for(session, visit, account),
            browsers=sessions.browsers_of(session, account, wall),
            here=seat.session_id,
            passkeys=mine,
            can_add_passkey=passkeys.site_of(visit.installation.settings) is not None,
        )


def _works_for(session: Session, visit: Visit, account: Account) -> str:
    """The name of the provider or the council; empty for who works for neither."""
    if account.provider:
        return provider_of(session, account.provider, visit.actor).name
    return names.authorities(visit.schemes(session))[account.authority] if account.authority else ""


def code_page(visit: Visit, *, onward: str, fault: str = "", status: int = 200) -> Page:
    """Where the second factor is given: a code, or a passkey where the account has one."""
    site, account = passkeys.site_of(visit.installation.settings), own_seat(visit).account
    with visit.look() as (session, _):
        has_passkeys = site is not None and bool(passkeys.of(session, account))
        return visit.page(
            "signing_in/code.html", status=status, fault=fault, onward=safe_address(onward), has_passkeys=has_passkeys
        )


def _enrolment(visit: Visit, secret: str, *, onward: str, fault: str = "") -> Page:
    grouped = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return visit.page(
        "signing_in/second_factor.html",
        status=400 if fault else 200,
        secret=secret,
        grouped=grouped,
        address=second_factor.setup_address(secret, own_seat(visit).account),
        fault=fault,
        onward=safe_address(onward),
    )


def _end_all(visit: Visit) -> None:
    with visit.command() as session:
        seat = own_seat(visit)
        sessions.end_all(session, seat.account, real_time(visit, session))
        at = visit.ports.clock.read(session)
        audit.append(session, seat.account.stream, "account.signed_out_everywhere", seat.actor, at)
