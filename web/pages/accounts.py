"""The accounts of a council or a provider, for whoever looks after them: invite, close, renew, sign out."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from dps.kernel.errors import AccountKnown, BadInput
from web.pages.forms import Form
from web.pages.guards import MANAGERS
from web.pages.invitations import invited
from web.pages.seating import own_seat, real_time
from web.pages.visit import Page, Visit
from web.security import managing
from web.security.accounts import Part


class Accounts(Controller):
    """One's own people: those of the authority, or those of the provider."""

    path = "/accounts"
    include_in_schema = False

    @get("/", guards=[MANAGERS], sync_to_thread=True)
    def everybody(self, visit: NamedDependency[Visit]) -> Page:
        """Who may sign in, and in which part."""
        return _list(visit)

    @post("/", guards=[MANAGERS], sync_to_thread=True, status_code=200)
    def invite(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """A new account, whose person is sent a link to choose a password."""
        typed = {name: form.text(name) for name in ("email", "name", "part")}
        try:
            with visit.command() as session:
                account, path = managing.invite(
                    session,
                    visit.ports,
                    manager=own_seat(visit).account,
                    email=typed["email"],
                    name=typed["name"],
                    part=_part(typed["part"]),
                    wall=real_time(visit, session),
                )
        except BadInput as refused:
            return _list(visit, typed=typed, faults={str(refused.field or "email"): str(refused.reason)})
        except AccountKnown:
            return _list(visit, typed=typed, faults={"email": "this address has an account already"})
        return invited(visit, account, path, back="/accounts")

    @post("/{account_ref:str}/closure", guards=[MANAGERS], sync_to_thread=True)
    def close(self, account_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """End an account for good."""
        with visit.command() as session:
            managing.close(
                session,
                manager=own_seat(visit).account,
                ref=account_ref,
                now=visit.ports.clock.read(session),
                wall=real_time(visit, session),
            )
        return visit.to("/accounts")

    @post("/{account_ref:str}/renewal", guards=[MANAGERS], sync_to_thread=True, status_code=200)
    def renew(
        self, account_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """For somebody who lost a password or a device: both are chosen anew, by a link that they are sent."""
        with visit.command() as session:
            account, path = managing.renew(
                session,
                visit.ports,
                manager=own_seat(visit).account,
                ref=account_ref,
                wall=real_time(visit, session),
            )
        return invited(visit, account, path, back="/accounts")

    @post("/{account_ref:str}/sign-out", guards=[MANAGERS], sync_to_thread=True)
    def sign_out(
        self, account_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Sign somebody out of every browser."""
        with visit.command() as session:
            managing.sign_out(
                session,
                manager=own_seat(visit).account,
                ref=account_ref,
                now=visit.ports.clock.read(session),
                wall=real_time(visit, session),
            )
        return visit.to("/accounts")


def _part(text: str) -> Part:
    try:
        return Part(text)
    except ValueError:
        raise BadInput("choose what the account is for", field="part") from None


def _list(visit: Visit, *, typed: dict[str, str] | None = None, faults: dict[str, str] | None = None) -> Page:
    manager = own_seat(visit).account
    with visit.look() as (session, _):
        people = managing.looked_after(session, manager)
        return visit.page(
            "signing_in/accounts.html",
            status=400 if faults else 200,
            people=people,
            wall=real_time(visit, session),
            parts=managing.parts_for(manager) if manager.authority or manager.provider else (),
            typed=typed or {"email": "", "name": "", "part": ""},
            faults=faults or {},
        )
