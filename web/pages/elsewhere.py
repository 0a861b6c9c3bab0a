"""Council staff who sign in at their council's own provider: away, and back with proof of who they are."""

from functools import cache
from typing import Any

import httpx
from litestar import Controller, Response, get
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from dps.kernel.errors import NotFound
from dps.kernel.logs import log
from dps.kernel.settings import IdentityProvider
from web.api.guards import anyone
from web.pages.cookies import elsewhere_cookie, elsewhere_token, session_cookie
from web.pages.homes import home_of
from web.pages.seating import begin_session, real_time, safe_address
from web.pages.signing_in import sign_in_form
from web.pages.visit import Visit
from web.security import openid

_NOT_LET_IN = (
    "You could not be signed in. Start again; if it happens twice, ask the person who looks after accounts whether "
    "there is one for you."
)
_NOT_THERE = "Your council's sign-in does not answer. Try again in a few minutes."


class SigningInElsewhere(Controller):
    """Open to everybody: what comes back is believed for its proof alone."""

    include_in_schema = False

    @get("/sign-in/with/{provider_key:str}", guards=[anyone], sync_to_thread=True)
    def away(
        self, provider_key: FromPath[str], visit: NamedDependency[Visit], next: FromQuery[str] = ""
    ) -> Response[Any]:
        """On to the council's provider. What has to come back is kept by the browser, sealed."""
        place = _place(_provider(visit, provider_key))
        try:
            with visit.look() as (session, _):
                now = real_time(visit, session)
            attempt, address = place.leaving(back=_back(visit), onward=safe_address(next), now=now)
        except (httpx.HTTPError, openid.NotLetIn):
            return sign_in_form(visit, onward=next, fault=_NOT_THERE, status=502)
        cookie = elsewhere_cookie(visit.request, attempt.sealed(visit.ports.keyring.application))
        return Redirect(address, status_code=303, cookies=[cookie])

    @get("/sign-in/back", guards=[anyone], sync_to_thread=True)
    def back(
        self,
        visit: NamedDependency[Visit],
    ) -> Response[Any]:
        """Back again: a new session for whose account it is, or the form with no word of why not."""
        gone = elsewhere_cookie(visit.request, None)
        try:
            with visit.look() as (session, _):
                now = real_time(visit, session)
            sealed = elsewhere_token(visit.request)
            attempt = openid.opened(visit.ports.keyring.application, sealed, now)
            provider = _provider(visit, attempt.provider)
            answer = dict(visit.request.query_params.items())
            claims = _place(provider).returned(answer, attempt, back=_back(visit), now=now)
            with visit.command() as session:
                at = visit.ports.clock.read(session)
                account = openid.account_of(session, provider, claims, now=now, trail_at=at)
        except httpx.HTTPError:
            return _refused(visit, _NOT_THERE, gone, status=502)
        except openid.NotLetIn as why:
            log().warning("sign_in.not_let_in", kind=str(why))
            return _refused(visit, _NOT_LET_IN, gone)
        token = begin_session(visit, account, is_half=False)
        onward = safe_address(attempt.onward) or home_of(account.actor)
        return visit.to(onward, cookies=[session_cookie(visit.request, token), gone])


def _refused(visit: Visit, fault: str, gone: Cookie, *, status: int = 400) -> Response[Any]:
    page = sign_in_form(visit, onward="", fault=fault, status=status)
    page.cookies.append(gone)
    return page


def _provider(visit: Visit, key: str) -> IdentityProvider:
    for provider in visit.installation.settings.openid:
        if provider.key == key:
            return provider
    raise NotFound(kind="way to sign in", ref=key)


@cache
def _place(provider: IdentityProvider) -> openid.Elsewhere:
    return openid.Elsewhere(provider)


def _back(visit: Visit) -> str:
    return f"{visit.installation.settings.address}/sign-in/back"
