"""The web application: the pages and the API, put together here, served by `dps serve`, called by tests.

It is given an installation that can seal and not open. Every handler is synchronous and has a thread to itself while
it runs, but for those that hand in bids: a burst waits in the event loop, where guards ask too. Errors become answers
in one place each, `web/api/problems.py` and `web/pages/refusals.py`.
"""

from dataclasses import dataclass
from typing import Any

from litestar import Litestar, Request, Response, Router, get
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from sqlalchemy.exc import DataError

from dps.kernel.actors import Actor, Role
from dps.kernel.clock import Clock, DatabaseClock
from dps.kernel.errors import DpsError
from dps.migrations.history import newest
from web.api import problems
from web.api.audit import Audit
from web.api.awards import Awards
from web.api.bids import Bids
from web.api.changes import Changes, Webhooks
from web.api.changing import Beginnings, Flexes
from web.api.closings import Closings
from web.api.contracts import Contracts, Statements, Variations
from web.api.docs import DocsPage
from web.api.guards import SIGNED_IN, anyone, keys_in
from web.api.once import provide_write
from web.api.open_list import OpenList
from web.api.opportunities import Opportunities
from web.api.persons import Persons
from web.api.placements import Placements, Proposals
from web.api.quality import Reviews, Scores
from web.api.referrals import Referrals
from web.api.schemes import Schemes
from web.api.writing import Writing
from web.assembly import Installation, release
from web.metrics import Watched, metrics, watch
from web.notes import Notes
from web.pages import refusals
from web.pages.assets import names
from web.pages.guards import seats_in
from web.pages.routes import pages
from web.receiving import BODY_BYTES


@dataclass(frozen=True, slots=True)
class Health:
    """That the process answers and the database does."""

    status: str
    version: str
    migration: str


@get("/health", guards=[anyone], sync_to_thread=True, tags=["Service"])
def health(installation: NamedDependency[Installation]) -> Health:
    """Answers `ok` where the database answers; anything else is an error."""
    with installation.database.reading() as session:
        installation.ports.clock.read(session)
        session.connection().exec_driver_sql("SELECT 1")
    return Health(status="ok", version=release(), migration=newest())


@dataclass(frozen=True, slots=True)
class Me:
    """Who the API key belongs to."""

    account: str
    role: Role
    authority: str | None
    provider: str | None


@get("/me", guards=[SIGNED_IN], sync_to_thread=False, tags=["Service"])
def me(request: Request[Actor, Any, Any]) -> Me:
    """Who is asking, by the key that was sent."""
    actor = request.user
    return Me(account=actor.ref, role=actor.role, authority=actor.authority, provider=actor.provider)


def create_app(installation: Installation, wall: Clock | None = None) -> Litestar:
    """The application over one installation; whoever made the installation ends it.

    `wall` is real time, in which people's sessions run whatever the installation's clock shows; tests may give one.
    Misconfigured where the pages' style sheets were not built.
    """
    names()
    api = Router(
        "/api",
        route_handlers=[
            Schemes,
            Opportunities,
            Bids,
            Awards,
            OpenList,
            Referrals,
            Writing,
            Proposals,
            Placements,
            Persons,
            Closings,
            Audit,
            me,
            Contracts,
            Reviews,
            Scores,
            Beginnings,
            Variations,
            Flexes,
            Statements,
            Changes,
            Webhooks,
        ],
        dependencies={"write": Provide(provide_write, sync_to_thread=False)},
        security=[{"api_key": []}],
    )
    return Litestar(
        route_handlers=[health, metrics, api, pages(installation)],
        middleware=[watch],
        dependencies={"installation": Provide(provide_installation, sync_to_thread=False)},
        exception_handlers={
            DpsError: problems.refused,
            HTTPException: _turned_away,
            RecursionError: problems.unreadable,
            UnicodeDecodeError: problems.unreadable,
            DataError: problems.unstorable,
            OverflowError: problems.unstorable,
            Exception: problems.failed,
        },
        openapi_config=_openapi(),
        request_max_body_size=BODY_BYTES,
        state=State(state_over(installation, wall or DatabaseClock())),
        logging_config=None,
        response_headers=problems.HEADERS,
        debug=False,
    )


def state_over(installation: Installation, wall: Clock) -> dict[str, Any]:
    """All that an application knows of the installation that it serves."""
    return {
        "installation": installation,
        "wall": wall,
        "watched": Watched(),
        "notes": Notes(installation, wall),
        "api_keys": keys_in(installation),
        "seats": seats_in(installation, wall),
    }


def provide_installation(state: State) -> Installation:
    """The installation that is served."""
    installation: Installation = state.installation
    return installation


def _turned_away(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """What no route answers: a problem to a program, a page to a person."""
    is_for_programs = request.url.path.startswith(("/api", "/health", "/metrics"))
    return problems.turned_away(request, error) if is_for_programs else refusals.turned_away(request, error)


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="dps",
        version=release(),
        description="A dynamic purchasing and mini-competition engine for home care.",
        use_handler_docstrings=True,
        path="/api/docs",
        openapi_router=Router("/api/docs", route_handlers=[], guards=[anyone], include_in_schema=False),
        render_plugins=[DocsPage(), JsonRenderPlugin()],
        components=Components(
            security_schemes={
                "api_key": SecurityScheme(type="http", scheme="bearer", description="`dps keys api create` makes one.")
            }
        ),
    )
