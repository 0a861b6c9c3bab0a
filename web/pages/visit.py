"""One request of a person for a page: who they are, what they look at, what they get back."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.response import Redirect
from sqlmodel import Session, col, select

from dps.kernel.actors import Actor, Role
from dps.kernel.ports import Ports
from dps.register.membership import Membership, MembershipState
from dps.schemes.loader import from_canonical
from dps.schemes.model import Scheme
from dps.schemes.published import standing_rules
from web.assembly import Installation
from web.pages.rendering import render
from web.security import sessions
from web.security.accounts import Part
from web.security.sessions import Seat

Page = Response[str]

_DESK = (
    ("/desk", "Work queue"),
    ("/desk/contracts", "Contracts"),
    ("/coverage", "Coverage"),
    ("/desk/interests", "Interests"),
    ("/rules", "Rules"),
)
_NAVIGATION: dict[Role, tuple[tuple[str, str], ...]] = {
    Role.PROVIDER: (
        ("/portal", "Home"),
        ("/portal/opportunities", "Opportunities"),
        ("/portal/areas", "Areas"),
        ("/portal/bids", "Bids"),
        ("/portal/offers", "Offers"),
        ("/portal/contracts", "Contracts"),
        ("/portal/prices", "Prices"),
        ("/portal/service", "Your service"),
    ),
    Role.BROKER: _DESK,
    Role.APPROVER: (*_DESK[:-1], ("/office/areas", "Areas"), _DESK[-1]),
    Role.REGISTER_OFFICER: (
        ("/register", "Applications"),
        ("/register/providers", "Providers"),
        ("/register/documents", "Documents"),
        ("/office/quality", "Quality"),
        ("/office/clocks", "Legal clocks"),
        ("/desk/interests", "Interests"),
        ("/rules", "Rules"),
    ),
    Role.COMMISSIONER: (
        ("/office/report", "Report"),
        ("/office/quality", "Quality"),
        ("/office/clocks", "Legal clocks"),
        ("/coverage", "Coverage"),
        ("/office/areas", "Areas"),
        ("/office/what-if", "What if"),
        ("/office/uplifts", "Prices"),
        ("/office/blocks", "Blocks"),
        ("/custody", "Key-holders"),
        ("/desk/interests", "Interests"),
        ("/rules", "Rules"),
    ),
    Role.REQUESTER: (("/requests", "Your people"), ("/rules", "Rules")),
    Role.AUDITOR: (
        ("/proof", "Proof"),
        ("/office/report", "Report"),
        ("/office/clocks", "Legal clocks"),
        ("/office/areas", "Areas"),
        ("/custody", "Key-holders"),
        ("/rules", "Rules"),
    ),
    Role.ADMINISTRATOR: (
        ("/accounts", "Accounts"),
        ("/custody", "Key-holders"),
        ("/proof", "Proof"),
        ("/rules", "Rules"),
    ),
}
_OTHERS = (("/rules", "Rules"),)
_UNDER = (
    ("/portal/open-list", "/portal/opportunities"),
    ("/portal/space", "/portal/opportunities"),
    ("/portal/blocks", "/portal/contracts"),
    ("/portal/quality", "/portal/service"),
    ("/portal/reviews", "/portal/contracts"),
    ("/portal/statements", "/portal/contracts"),
    ("/portal/variations", "/portal/contracts"),
    ("/portal/visits", "/portal/contracts"),
    ("/desk/area-contracts", "/desk/contracts"),
    ("/desk/concerns", "/desk/contracts"),
    ("/desk/area-statements", "/desk/contracts"),
    ("/desk/people", "/desk/contracts"),
    ("/desk/reviews", "/desk/contracts"),
    ("/desk/statements", "/desk/contracts"),
    ("/desk/variations", "/desk/contracts"),
    ("/desk/run-offs", "/desk/contracts"),
    ("/desk/follow-ups", "/desk/contracts"),
    ("/office/blocks", "/desk/contracts"),
    ("/office/proposals", "/office/what-if"),
    ("/register/arrangements", "/register/providers"),
    ("/register/hours", "/register/providers"),
    ("/register/hours", "/desk/contracts"),
    ("/register/locations", "/register/providers"),
    ("/register/newcomers", "/register/providers"),
    ("/register/renewal", "/register/providers"),
    ("/register/suspensions", "/register/providers"),
)
"""Which part of the work a page belongs to that has no place of its own in the navigation; each part has its own."""


@dataclass
class Visit:
    """A request and the house that answers it."""

    request: Request[Any, Any, Any]
    installation: Installation
    _looking: tuple[Session, datetime] | None = None

    @property
    def ports(self) -> Ports:
        return self.installation.ports

    @property
    def actor(self) -> Actor:
        actor: Actor = self.request.scope["user"]
        return actor

    @property
    def seat(self) -> Seat | None:
        seat: Seat | None = self.request.scope.get("auth")
        return seat

    @contextmanager
    def look(self) -> Iterator[tuple[Session, datetime]]:
        """One consistent look, and the council's time; a look within a look is the same one.

        So no request holds two connections, and a page's frame is of the same instant as its content.
        """
        if self._looking is not None:
            yield self._looking
            return
        with self.installation.database.reading() as session:
            self._looking = session, self.ports.clock.read(session)
            try:
                yield self._looking
            finally:
                self._looking = None

    @contextmanager
    def command(self) -> Iterator[Session]:
        """One command and its transaction."""
        with self.installation.database.transaction() as session:
            yield session

    def page(self, template: str, *, status: int = 200, cookies: list[Cookie] | None = None, **context: Any) -> Page:
        """The rendered page, inside the frame that everybody of this part sees."""
        with self.look() as (session, now):
            frame = self._frame(session, now)
        html = render(template, **frame, **context)
        return Response(html, status_code=status, media_type=MediaType.HTML, cookies=cookies or [])

    def to(self, path: str, *, cookies: list[Cookie] | None = None) -> Redirect:
        """POST, then look: the browser is sent on."""
        return Redirect(path, status_code=303, cookies=cookies or [])

    def every_scheme(self, session: Session) -> list[Scheme]:
        """All standing schemes: those that a provider might join, too."""
        return [_read(rules.rule_hash, rules.text) for rules in standing_rules(session)]

    def schemes(self, session: Session) -> list[Scheme]:
        """The standing schemes that concern whoever asks: the authority's own, or those a provider belongs to.

        Who is suspended belongs to it, and reads there why.
        """
        found = self.every_scheme(session)
        actor: Actor | None = self.request.scope.get("user")
        if actor is None or self.seat is None:
            return found
        if actor.provider is not None:
            mine = select(Membership.scheme).where(
                Membership.provider_ref == actor.provider, col(Membership.state) != MembershipState.REMOVED
            )
            keys = set(session.exec(mine))
            return [scheme for scheme in found if scheme.key in keys]
        if actor.authority is None:
            return found
        return [scheme for scheme in found if any(one.key == actor.authority for one in scheme.authorities)]

    def _frame(self, session: Session, now: datetime) -> dict[str, Any]:
        schemes = self.schemes(session)
        seat = self.seat if self.seat is not None and not self.seat.is_half else None
        path = self.request.url.path
        links = _NAVIGATION.get(self.actor.role, _OTHERS) if seat else ()
        if not any(scheme.area_contracts for scheme in schemes):
            links = tuple(link for link in links if link[1] != "Areas")
        if not any(scheme.custody for scheme in schemes):
            links = tuple(link for link in links if link[1] != "Key-holders")
        if seat and seat.account.part is Part.PROVIDER_ADMIN:
            links = (*links, ("/accounts", "Accounts"))
        here = _here(path, links)
        return {
            "council": _council(schemes, self.actor if seat else None),
            "colour": schemes[0].colour.lstrip("#") if len(schemes) == 1 else "1d70b8",
            "account": seat.account if seat else None,
            "navigation": [{"href": href, "text": text, "active": href == here} for href, text in links],
            "csrf": self.csrf,
            "is_demo": self.installation.settings.demo,
            "now": now,
            "session_lasts_s": int(sessions.IDLE.total_seconds()),
        }

    def council(self, session: Session) -> str:
        """The name of the council that whoever is signed in works for."""
        return _council(self.schemes(session), self.actor)

    @property
    def csrf(self) -> str:
        """What each form of the page carries along."""
        return self.seat.csrf if self.seat else ""


def _here(path: str, links: Iterable[tuple[str, str]]) -> str:
    """The link of the navigation under which this page stands, the closest one; empty where there is none."""
    places = [path, *(of for begins, of in _UNDER if path == begins or path.startswith(f"{begins}/"))]
    found = [href for href, _ in links for place in places if place == href or place.startswith(f"{href}/")]
    return max(found, key=len, default="")


def _council(schemes: list[Scheme], actor: Actor | None) -> str:
    if actor is not None and actor.authority is not None:
        for scheme in schemes:
            for one in scheme.authorities:
                if one.key == actor.authority:
                    return one.name
    return schemes[0].name if len(schemes) == 1 else "Home care bidding"


_READ: dict[str, Scheme] = {}
_LOCK = threading.Lock()


def _read(rule_hash: str, text: str) -> Scheme:
    """Rules never change under their hash: they are read once."""
    with _LOCK:
        if rule_hash not in _READ:
            _READ[rule_hash] = from_canonical(text)
        return _READ[rule_hash]


def provide_visit(request: Request[Any, Any, Any], installation: NamedDependency[Installation]) -> Visit:
    return Visit(request=request, installation=installation)
