"""What every way in ends with: a session of its own, counted guesses, and an address of this site to go on to."""

from typing import Any
from urllib.parse import urlsplit

from litestar.response import Redirect

from dps.kernel import audit
from web.pages.cookies import session_cookie
from web.pages.homes import home_of
from web.pages.visit import Visit
from web.security import sessions
from web.security.accounts import Account
from web.security.guesses import count_guess


def renewed(visit: Visit, seat: sessions.Seat, onward: str) -> Redirect:
    """A whole session with a token of its own in place of the half one."""
    with visit.command() as session:
        sessions.end(session, seat.session_id, real_time(visit, session))
    token = begin_session(visit, seat.account, is_half=False)
    return visit.to(safe_address(onward) or home_of(seat.actor), cookies=[session_cookie(visit.request, token)])


def seated(visit: Visit, account: Account, onward: str) -> Redirect:
    """A new session: whole where no second factor is asked for, which is in the demonstration alone."""
    is_half = account.totp_secret is not None or not visit.installation.settings.demo
    cookie = session_cookie(visit.request, begin_session(visit, account, is_half=is_half))
    if not is_half:
        return visit.to(safe_address(onward) or home_of(account.actor), cookies=[cookie])
    step = "/sign-in/code" if account.totp_secret is not None else "/sign-in/second-factor"
    return visit.to(f"{step}?next={safe_address(onward)}", cookies=[cookie])


def begin_session(visit: Visit, account: Account, *, is_half: bool) -> str:
    """A new session of this account; returns what the browser keeps."""
    with visit.command() as session:
        if not is_half:
            at = visit.ports.clock.read(session)
            audit.append(session, account.stream, "account.signed_in", account.actor, at)
        return sessions.begin(session, account, is_half=is_half, now=real_time(visit, session))


def count_try(visit: Visit, email: str) -> None:
    """One guess more at this name, before it is looked at; TooManyGuesses beyond the tenth."""
    with visit.command() as session:
        count_guess(session, visit.ports.keyring, name=email, now=real_time(visit, session))


def note_refusal(visit: Visit, account: Account | None, kind: str) -> None:
    """On the trail of the account, where there is one."""
    if account is not None:
        with visit.command() as session:
            audit.append(session, account.stream, kind, account.actor, visit.ports.clock.read(session))


def own_seat(visit: Visit) -> sessions.Seat:
    """The seat of whoever passed the route's guard."""
    assert visit.seat is not None
    return visit.seat


def real_time(visit: Visit, session: Any) -> Any:
    """Real time: a person's session does not run at a demonstration's pace."""
    return visit.request.app.state.wall.read(session)


def safe_address(onward: str) -> str:
    """An address of this site, or nothing: nobody is sent elsewhere by a link to the sign-in page."""
    parts = urlsplit(onward)
    is_ours = onward.startswith("/") and not onward.startswith(("//", "/\\")) and not parts.netloc
    return parts.path if is_ours and onward.isascii() and onward.isprintable() else ""
