"""API keys of one's own systems, for whoever looks after accounts: make, list, take back."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from dps.kernel.actors import Role
from dps.kernel.errors import BadInput
from web.pages.forms import Form
from web.pages.guards import MANAGERS
from web.pages.seating import own_seat
from web.pages.visit import Page, Visit
from web.security import managing_keys
from web.security.api_keys import LONGEST_DAYS

_FIELDS = ("label", "role", "days")
_DAYS = f"give the days as a whole number, 1 to {LONGEST_DAYS}"


class SystemKeys(Controller):
    """Those of the authority, or those of the provider."""

    path = "/accounts/keys"
    guards = (MANAGERS,)
    include_in_schema = False

    @get("/", sync_to_thread=True)
    def everyone(self, visit: NamedDependency[Visit]) -> Page:
        """Which keys there are, and until when."""
        return _list(visit, {"label": "", "role": "", "days": "365"})

    @post("/", sync_to_thread=True, status_code=200)
    def make(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """A new key, shown in this one answer, and nowhere else."""
        typed = {name: form.text(name) for name in _FIELDS}
        try:
            with visit.command() as session:
                key, secret = managing_keys.make(
                    session,
                    visit.ports.entropy,
                    manager=own_seat(visit).account,
                    label=typed["label"],
                    role=form.choice(Role, "role", "choose what the system does"),
                    days=form.whole("days", _DAYS) or 0,
                    now=visit.ports.clock.read(session),
                )
        except BadInput as refused:
            return _list(visit, typed, faults={str(refused.field or "label"): str(refused.reason)})
        return visit.page("signing_in/key.html", key=key, secret=secret)

    @post("/revocation", sync_to_thread=True)
    def revoke(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Take a key back: it opens nothing from now on."""
        with visit.command() as session:
            now = visit.ports.clock.read(session)
            managing_keys.revoke(session, manager=own_seat(visit).account, name=form.text("name"), now=now)
        return visit.to("/accounts/keys")


def _list(visit: Visit, typed: dict[str, str], faults: dict[str, str] | None = None) -> Page:
    manager = own_seat(visit).account
    with visit.look() as (session, now):
        keys = managing_keys.keys_of(session, manager)
        return visit.page(
            "signing_in/keys.html",
            status=400 if faults else 200,
            keys=keys,
            in_force={key.name for key in keys if key.is_in_force(now)},
            roles=managing_keys.roles_for(manager),
            longest=LONGEST_DAYS,
            typed=typed,
            faults=faults or {},
        )
