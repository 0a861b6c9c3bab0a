"""Schemes: the published rules, open to everybody."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.enums import MediaType
from litestar.params import FromPath

from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.law.clocks import Clock
from dps.law.watch import clocks_seen
from dps.schemes.loader import rule_hash
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme, standing_schemes
from dps.schemes.rulebook import rulebook
from web.api.guards import ANSWERING, anyone
from web.assembly import Installation


@dataclass(frozen=True, slots=True)
class SeenScheme:
    """A scheme in a list."""

    key: str
    name: str
    colour: str
    authorities: list[str]
    lots: list[str]
    localities: list[str]
    starts: date
    ends: date | None
    rule_hash: str

    @classmethod
    def of(cls, scheme: Scheme) -> "SeenScheme":
        return cls(
            key=scheme.key,
            name=scheme.name,
            colour=scheme.colour,
            authorities=[authority.key for authority in scheme.authorities],
            lots=[lot.key for lot in scheme.lots],
            localities=[locality.key for locality in scheme.localities],
            starts=scheme.term.starts,
            ends=scheme.term.ends,
            rule_hash=rule_hash(scheme),
        )


@dataclass(frozen=True, slots=True)
class SeenClock:
    """Something that the law makes due before `limit`; from `warns` on it is said."""

    clock: Clock
    about: str
    warns: date
    limit: date
    is_overdue: bool
    words: str


class Schemes(Controller):
    """The rules that stand, as they were published."""

    path = "/schemes"
    tags = ("Schemes",)

    @get("/", guards=[anyone], sync_to_thread=True)
    def published(self, installation: NamedDependency[Installation]) -> list[SeenScheme]:
        """Every scheme whose rules were published."""
        with installation.database.reading() as session:
            return [SeenScheme.of(scheme) for scheme in standing_schemes(session)]

    @get("/{key:str}", guards=[anyone], sync_to_thread=True)
    def one(self, key: FromPath[str], installation: NamedDependency[Installation]) -> dict[str, Any]:
        """Every key of a scheme's rules, and their hash."""
        with installation.database.reading() as session:
            scheme = standing_scheme(session, key)
        return scheme.model_dump(mode="json", exclude={"demo"}) | {"rule_hash": rule_hash(scheme)}

    @get("/{key:str}/rulebook", guards=[anyone], sync_to_thread=True, media_type=MediaType.TEXT)
    def rulebook(self, key: FromPath[str], installation: NamedDependency[Installation]) -> str:
        """The rulebook in words, as Markdown."""
        with installation.database.reading() as session:
            return rulebook(standing_scheme(session, key))

    @get("/{key:str}/clocks", guards=[ANSWERING], sync_to_thread=True)
    def clocks(
        self, key: FromPath[str], request: Request[Actor, Any, Any], installation: NamedDependency[Installation]
    ) -> list[SeenClock]:
        """What the law makes due under a scheme, the most pressing first."""
        with installation.database.reading() as session:
            today = installation.ports.clock.read(session).astimezone(LONDON).date()
            return [
                SeenClock(due.clock, due.about, due.warns, due.limit, due.is_overdue(today), due.words)
                for due in clocks_seen(session, scheme=key, actor=request.user)
            ]
