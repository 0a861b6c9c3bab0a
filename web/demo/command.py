"""`dps demo`: make a database, draw a market, play a week, say what happened, then serve it."""

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import inspect
from sqlmodel import Session, col, select

from bidding.sealing.opening import Identities
from bidding.timetable import Timetable
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.entropy import SeededEntropy
from dps.kernel.errors import Misconfigured
from dps.kernel.keys import create_keys, load_keyring
from dps.kernel.money import in_pounds
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.places.directory import DirectoryEntry
from dps.places.loading import load
from dps.places.localities import LocalityMap, districts_of
from dps.places.packaged import read
from dps.register.capacity import declare
from dps.register.documents import receive
from dps.register.limits import LimitPart, set_take_limit
from dps.register.membership import admit
from dps.register.providers import add_location, register_provider
from dps.schemes.loader import preset
from dps.schemes.model import Scheme
from dps.schemes.stored import publish_rules
from matching.allocation import SolverProcess
from web.demo.market import Market, Place, SyntheticProvider, draw, scaled
from web.demo.player import Player
from web.demo.results import results
from web.tables import metadata

STREAM = "DEMO"
_ADMINISTRATOR = Actor(ref="demo-administrator", role=Role.ADMINISTRATOR)
_COMMISSIONER = Actor(ref="demo-commissioner", role=Role.COMMISSIONER)
_OFFICER = Actor(ref="demo-register-officer", role=Role.REGISTER_OFFICER)


@dataclass
class _Counting:
    """A postman that only counts: a demonstration writes to nobody."""

    carried: int = 0

    def carry(self, message: OutboxMessage) -> None:
        self.carried += 1


def prepare_database(url: str) -> Database:
    """An empty database of this demonstration's own. Refuses one that holds anything a demonstration did not make."""
    database = Database(url)
    if inspect(database.engine).get_table_names():
        if not _was_made_by_demo(database):
            raise Misconfigured(
                reason="This database was not made by a demonstration: name an empty one in DPS_DATABASE_URL."
            )
        metadata.drop_all(database.engine)
    metadata.create_all(database.engine)
    return database


def _was_made_by_demo(database: Database) -> bool:
    names = set(inspect(database.engine).get_table_names())
    if "audit_event" not in names:
        return False
    with database.reading() as session:
        first = session.exec(select(audit.AuditEvent.stream).order_by(col(audit.AuditEvent.id)).limit(1)).first()
        return first in (None, STREAM)


def places_of(session: Session, scheme: Scheme) -> dict[str, list[Place]]:
    """Real postcodes by locality, in order; in a scaled scheme each twin has those of its original."""
    originals: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for locality in scheme.localities:
        originals.setdefault((locality.districts, locality.sectors), []).append(locality.key)
    firsts = [keys[0] for keys in originals.values()]
    area = LocalityMap([locality for locality in scheme.localities if locality.key in firsts])
    twins = {keys[0]: keys for keys in originals.values()}
    found: dict[str, list[Place]] = {locality.key: [] for locality in scheme.localities}
    query = (
        select(DirectoryEntry.canonical, DirectoryEntry.sector, DirectoryEntry.lad_code)
        .where(col(DirectoryEntry.easting).is_not(None))
        .order_by(col(DirectoryEntry.load_id))
    )
    for postcode, sector, lad in sorted(session.exec(query)):
        home = area.of(sector)
        for key in twins.get(home or "", []):
            found[key].append(Place(postcode=postcode, sector=sector, locality=key, lad=lad))
    return found


def centres_of(session: Session, places: dict[str, list[Place]]) -> dict[str, tuple[float, float]]:
    """The middle of each locality in kilometres; twins are kept apart by an offset."""
    where = {
        code: (easting, northing)
        for code, easting, northing in session.exec(
            select(DirectoryEntry.canonical, DirectoryEntry.easting, DirectoryEntry.northing)
        )
        if easting is not None and northing is not None
    }
    centres = {}
    for number, (key, here) in enumerate(places.items()):
        points = [where[place.postcode] for place in here]
        east = sum(point[0] for point in points) / max(len(points), 1) / 1000
        north = sum(point[1] for point in points) / max(len(points), 1) / 1000
        twin = int(key.rpartition("-")[2]) if key.rpartition("-")[2].isdigit() else 1
        centres[key] = (east + 500 * (twin - 1), north + 0.001 * number)
    return centres


def admit_all(session: Session, ports: Ports, scheme: Scheme, market: Market, now: datetime) -> list[str]:
    """Register the market's providers: documents, memberships, free hours, take limits. Returns their references."""
    documents = sorted({*scheme.admission.documents, *(kind for lot in scheme.lots for kind in lot.documents)})
    return [
        _admit(session, ports, scheme, one, number, documents, now)
        for number, one in enumerate(market.providers, start=1)
    ]


def _admit(
    session: Session,
    ports: Ports,
    scheme: Scheme,
    one: SyntheticProvider,
    number: int,
    documents: list[str],
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
    for kind in documents:
        expires_on = now.date() + timedelta(days=200)
        receive(
            session, ports, provider_id=provider.id, kind=kind, sha256="0" * 64, expires_on=expires_on, actor=_OFFICER
        )
    admit(
        session,
        ports,
        provider_id=provider.id,
        scheme=scheme,
        lists=one.lists,
        lots=one.lots,
        localities=one.localities,
        actor=_OFFICER,
    )
    user = Actor(ref=f"demo-user-{provider.ref}", role=Role.PROVIDER, provider=provider.ref)
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


def play(
    scheme_key: str, *, seed: int, scale: int, database: Database, folder: Path, console: Console
) -> dict[str, Any]:
    """Play one council from nothing to its results."""
    scheme = scaled(preset(scheme_key), scale)
    if scheme.demo is None:
        raise Misconfigured(reason=f"The scheme {scheme_key} has no [demo] section.")
    keys, identities = folder / "keys", folder / "identities"
    create_keys(keys, identities)
    clock = SteppedClock(scheme.demo.starts_at.astimezone(UTC) - timedelta(hours=1))
    ports = Ports(clock=clock, entropy=SeededEntropy(f"{seed}/{scheme_key}"), keyring=load_keyring(keys))
    console.print(f"Loading real postcodes for {scheme.name} …")
    edition = read(districts_of(scheme.localities))
    with database.transaction() as session:
        now = clock.read(session)
        audit.append(session, STREAM, "demo.begun", _ADMINISTRATOR, now, {"scheme": scheme_key, "seed": seed})
        load(session, edition, _ADMINISTRATOR, now)
        publish_rules(session, scheme, _COMMISSIONER, now)
    with database.reading() as session:
        places = places_of(session, scheme)
        centres = centres_of(session, places)
    market = draw(scheme, places, centres, seed=seed, scale=scale)
    with database.transaction() as session:
        refs = admit_all(session, ports, scheme, market, clock.read(session))
    solver = SolverProcess()
    try:
        timetable = Timetable(
            database=database, ports=ports, opener=Identities(identities), postman=_Counting(), solver=solver
        )
        with _progress(console, len(market.needs)) as report:
            player = Player(
                database=database,
                ports=ports,
                clock=clock,
                timetable=timetable,
                scheme=scheme,
                market=market,
                refs=refs,
                seed=seed,
                progress=report,
            )
            player.play()
    finally:
        solver.close()
    backend = database.url.get_backend_name()
    with database.reading() as session:
        return results(session, scheme, seed=seed, tally=player.tally, database=backend)


@contextmanager
def _progress(console: Console, needs: int) -> Iterator[Callable[[datetime, int, int], None]]:
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,} events, {task.fields[waiting]:,} to come"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as bar:
        task = bar.add_task("Playing the week", total=needs, waiting=needs)

        def report(at: datetime, played: int, waiting: int) -> None:
            shown = at.astimezone(LONDON)
            bar.update(
                task, description=f"{shown:%a %-d %b %H:%M}", completed=played, total=played + waiting, waiting=waiting
            )

        yield report


def summary(found: dict[str, Any]) -> Table:
    """The results as a table for people."""
    table = Table(title=f"{found['scheme']}: a synthetic week, seed {found['seed']}", show_header=False)
    hours = found["minutes_per_week"] / 60
    rows = [
        ("Referrals", f"{found['referrals']:,}"),
        ("Placed, unfilled, still seeking", f"{found['placed']:,}, {found['unfilled']:,}, {found['seeking']:,}"),
        ("Rounds, escalations", f"{found['rounds']:,}, {found['escalations']:,}"),
        ("Sealed bids, refused as late", f"{found['bids']:,}, {found['late_bids_refused']:,}"),
        ("Allocation runs", f"{found['allocation_runs']:,}"),
        ("Contracts in force", f"{found['contracts']:,}"),
        ("A week of care", f"{hours:,.0f} hours for {in_pounds(found['cost_pence_per_week'])}"),
        *(
            (f"Stage {name}", f"{stage['rounds']:,} rounds, {stage['placed']:,} placed")
            for name, stage in found["stages"].items()
        ),
        ("Capacity sold twice", str(found["capacity_violations"])),
        ("Bids opened early, stored late", f"{found['early_openings']}, {found['late_bids_stored']}"),
        ("Trail whole", "yes" if found["audit_ok"] else "NO"),
    ]
    for name, value in rows:
        table.add_row(name, value)
    return table


def demo(
    scheme: Annotated[str, typer.Option(help="Which council's rules to play.")] = "liverpool",
    seed: Annotated[int, typer.Option(help="The same seed plays the same week.")] = 7,
    scale: Annotated[int, typer.Option(min=1, max=50, help="So many times the localities, people and closings.")] = 1,
    serve: Annotated[bool, typer.Option(help="Serve the API and its documentation afterwards.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as one JSON object.")] = False,
) -> None:
    """Play one council through a working week with a synthetic market, then serve what came of it."""
    from dps.kernel.settings import read_settings

    settings = read_settings(demo=True)
    console = Console(stderr=True)
    folder = Path(tempfile.mkdtemp(prefix="dps-demo-"))
    database = prepare_database(settings.database_url)
    found = play(scheme, seed=seed, scale=scale, database=database, folder=folder, console=console)
    if as_json:
        typer.echo(json.dumps(found, indent=None if not console.is_terminal else 2))
    else:
        Console().print(summary(found))
