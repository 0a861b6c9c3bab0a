"""Setting the stage: an empty database of the demonstration's own, real postcodes, a market's providers admitted."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from shutil import rmtree

import sqlalchemy as sa
from sqlalchemy import MetaData, inspect, text
from sqlmodel import Session, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import Misconfigured
from dps.kernel.ports import Ports
from dps.migrations import history
from dps.places.directory import DirectoryEntry
from dps.register.arrangements import ArrangementKind, arrange
from dps.register.blocks import agree_block
from dps.register.capacity import declare
from dps.register.documents import receive
from dps.register.limits import LimitPart, set_take_limit
from dps.register.membership import admit
from dps.register.providers import add_location, provider_of, register_provider
from dps.schemes.model import Scheme
from web.demo.blocks import SyntheticBlock, block_of
from web.demo.homes import Spot, homes, middles
from web.demo.market import Market, Place
from web.demo.provider import SyntheticProvider
from web.tables import metadata

STREAM = "DEMO"
_MARK = "made-by-dps-demo"
_OFFICER = Actor(ref="demo-register-officer", role=Role.REGISTER_OFFICER)
PAPERS_LAST = timedelta(days=200)
"""So long are a provider's documents good, from the day on which they were shown."""


def prepare_folder(folder: Path) -> Path:
    """An empty folder for the demonstration's database and keys. Refuses one that holds anything else."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise Misconfigured(reason=f"{folder} was not made by a demonstration: move it away, or start elsewhere.")
        rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / _MARK).touch()
    return folder


def prepare_database(url: str) -> Database:
    """An empty database of this demonstration's own. Refuses one that holds anything a demonstration did not make."""
    # A week that a power cut breaks off is played again. Whoever serves it opens it anew, and waits for the disk.
    database = Database(url, durable=False)
    if inspect(database.engine).get_table_names():
        if not _was_made_by_demo(database):
            raise Misconfigured(
                reason="This database was not made by a demonstration: name an empty one in DPS_DATABASE_URL."
            )
        _empty(database)
    history.migrate(database, metadata)
    return database


def _empty(database: Database) -> None:
    """Drop every table there is, whatever version made it."""
    there = MetaData()
    there.reflect(database.engine)
    there.drop_all(database.engine)
    if not database.is_sqlite:
        with database.engine.begin() as connection:
            connection.execute(text("DROP SEQUENCE IF EXISTS clock_map_id_seq"))


def _was_made_by_demo(database: Database) -> bool:
    names = set(inspect(database.engine).get_table_names())
    if "audit_event" not in names:
        return False
    with database.reading() as session:
        first = session.exec(select(audit.AuditEvent.stream).order_by(col(audit.AuditEvent.id)).limit(1)).first()
        return first in (None, STREAM)


def places_of(session: Session, scheme: Scheme) -> dict[str, list[Place]]:
    """Real postcodes by locality, in order."""
    return homes(scheme, _spots(session))


def centres_of(session: Session, places: dict[str, list[Place]]) -> dict[str, tuple[float, float]]:
    """The middle of each locality in kilometres; no two are the same."""
    return middles(places, _spots(session))


def _spots(session: Session) -> list[Spot]:
    """Every postcode of the loaded directory, in order."""
    asked = (
        col(DirectoryEntry.canonical),
        col(DirectoryEntry.sector),
        col(DirectoryEntry.lad_code),
        col(DirectoryEntry.easting),
        col(DirectoryEntry.northing),
    )
    return [Spot(*row) for row in session.connection().execute(sa.select(*asked).order_by(asked[0]))]


def admit_all(session: Session, ports: Ports, market: Market, now: datetime, *, number: int = 1) -> list[str]:
    """Register the market's providers: documents, memberships, free hours, take limits. Returns their references.

    `number` is the first provider's, where those of other councils' markets came before.
    """
    scheme = market.scheme
    refs = [_admit(session, ports, scheme, one, at, now) for at, one in enumerate(market.providers, start=number)]
    if market.lead is not None:
        others = [ref for ref, one in zip(refs, market.providers, strict=True) if not one.places]
        arrange(
            session,
            ports,
            scheme=scheme,
            kind=ArrangementKind.LEAD,
            lead=refs[market.lead],
            members=dict.fromkeys(others),
            from_day=now.date(),
            actor=_OFFICER,
        )
    if (block := block_of(scheme, market.providers)) is not None:
        _buy_block(session, ports, scheme, block, refs, now)
    return refs


def renew_papers(session: Session, ports: Ports, scheme: Scheme, refs: Sequence[str], now: datetime) -> None:
    """Have these providers show their documents again, good from now on, as they do from year to year."""
    for ref in refs:
        _show_papers(session, ports, scheme, provider_of(session, ref, _OFFICER).id or 0, now)


def _show_papers(session: Session, ports: Ports, scheme: Scheme, provider_id: int, now: datetime) -> None:
    expires_on = now.date() + PAPERS_LAST
    for kind in sorted({*scheme.admission.documents, *(kind for lot in scheme.lots for kind in lot.documents)}):
        receive(
            session, ports, provider_id=provider_id, kind=kind, sha256="0" * 64, expires_on=expires_on, actor=_OFFICER
        )


def _buy_block(
    session: Session, ports: Ports, scheme: Scheme, block: SyntheticBlock, refs: list[str], now: datetime
) -> None:
    agree_block(
        session,
        ports,
        scheme=scheme,
        provider_id=provider_of(session, refs[block.holder], _OFFICER).id or 0,
        lot=block.lot,
        locality=block.locality,
        weekly_minutes=block.weekly_minutes,
        weekly_pence=block.weekly_pence,
        from_day=now.date(),
        actor=Actor("demo-commissioner", Role.COMMISSIONER, authority=scheme.authorities[0].key),
    )


def _admit(
    session: Session,
    ports: Ports,
    scheme: Scheme,
    one: SyntheticProvider,
    number: int,
    now: datetime,
) -> str:
    skills = sorted({skill for lot in scheme.lots for skill in lot.skills})
    provider = register_provider(
        session,
        ports,
        name=one.name,
        company_number=None,
        actor=_OFFICER,
        skills=skills,
        accepted_flags=one.flags,
        most_carers=one.most_carers,
    )
    assert provider.id is not None
    add_location(
        session,
        ports,
        provider_id=provider.id,
        regulator_id=f"1-{900_000_000 + number}",
        name=one.name,
        place=one.sector,
        lad=one.lad,
        rating=one.rating,
        registered_on=now.date() - timedelta(days=700),
        actor=_OFFICER,
    )
    _show_papers(session, ports, scheme, provider.id, now)
    for localities in dict.fromkeys(localities for _, localities in one.places):
        admit(
            session,
            ports,
            provider_id=provider.id,
            scheme=scheme,
            lists=[key for key, where in one.places if where == localities],
            lots=one.lots,
            localities=localities,
            actor=_OFFICER,
        )
    user = Actor(ref=f"demo-user-{provider.ref}", role=Role.PROVIDER, provider=provider.ref)
    if not one.places:
        return provider.ref  # works under another's lead, who declares its hours
    share = one.minutes // len(scheme.authorities)
    for authority in scheme.authorities:
        declare(
            session,
            ports,
            provider_id=provider.id,
            authority=authority.key,
            minutes=share,
            expires_at=now + timedelta(days=60),
            actor=user,
        )
    if one.max_packages is not None:
        parts = [LimitPart(packages=one.max_packages)]
        set_take_limit(session, ports, provider_id=provider.id, scheme=scheme, parts=parts, actor=user)
    return provider.ref
