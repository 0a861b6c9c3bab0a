"""`dps demo`: make a database, draw a market, play a week, say what happened, then serve it."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from bidding.sealing.opening import Identities
from bidding.timetable import Timetable
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.clock import AcceleratedClock, SteppedClock
from dps.kernel.collecting import spare_what_is_loaded
from dps.kernel.database import Database
from dps.kernel.entropy import SeededEntropy, SystemEntropy
from dps.kernel.errors import Misconfigured
from dps.kernel.keys import create_keys, load_keyring
from dps.kernel.money import in_pounds
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.kernel.settings import Settings, read_settings
from dps.law.clocks import Clock as LegalClock
from dps.law.clocks import stages_lists
from dps.law.notices import record_notice
from dps.places.loading import load
from dps.places.localities import districts_of
from dps.places.packaged import read
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from dps.schemes.stored import publish_rules
from matching.allocation import SolverProcess
from web import serving
from web.commands.naming import scheme_named
from web.demo.following import Following
from web.demo.guide import closings_for, first_steps
from web.demo.letting import Letting
from web.demo.market import Market, draw, twins
from web.demo.player import Player
from web.demo.results import results
from web.demo.staging import (
    STREAM,
    admit_all,
    centres_of,
    places_of,
    prepare_database,
    prepare_folder,
    renew_papers,
)
from web.demo.visiting import most_asked, next_morning, prepare
from web.demo.week import Week
from web.security import api_keys

FOLDER = Path(".demo")
MINUTE_A_SECOND = 60
ADMINISTRATOR = Actor(ref="demo-administrator", role=Role.ADMINISTRATOR)
_COMMISSIONER = Actor(ref="demo-commissioner", role=Role.COMMISSIONER)


@dataclass
class _Counting:
    """A postman that only counts: a demonstration writes to nobody."""

    carried: int = 0

    def carry(self, message: OutboxMessage) -> None:
        self.carried += 1


def play(
    scheme: Scheme, *, seed: int, scale: int, database: Database, settings: Settings, console: Console
) -> tuple[dict[str, Any], SteppedClock, list[str]]:
    """Play one council, or so many twins of it, from nothing.

    Returns the results, the clock as it stands, and the references of the first council's providers.
    """
    if scheme.demo is None:
        raise Misconfigured(reason=f"The scheme {scheme.key} has no [demo] section.")
    spare_what_is_loaded()
    create_keys(settings.keys_dir, settings.identities_dir)
    clock = SteppedClock(scheme.demo.starts_at.astimezone(UTC) - timedelta(hours=1))
    entropy = SeededEntropy(f"{seed}/{scheme.key}")
    ports = Ports(clock=clock, entropy=entropy, keyring=load_keyring(settings.keys_dir))
    console.print(f"Loading real postcodes for {scheme.name} …")
    councils = twins(scheme, scale)
    markets = _prepare(database, ports, councils, seed)
    with database.transaction() as session:
        now, first = clock.read(session), 1
        refs = []
        for market in markets:
            refs.append(admit_all(session, ports, market, now, number=first))
            first += len(market.providers)
    solver = SolverProcess()
    try:
        timetable = Timetable(
            database=database,
            ports=ports,
            opener=Identities(settings.identities_dir),
            postman=_Counting(),
            solver=solver,
        )
        week = Week(database=database, ports=ports, clock=clock, timetable=timetable, seed=seed)
        player = Player(week, markets, refs)
        with _progress(console, sum(len(market.needs) for market in markets)) as report:
            player.play(report)
        # One council's care is enough to look at, however many were played.
        letting = Letting(database, ports, clock, councils[0], seed=seed)
        letting.let(timetable.sweep)
        Following(database, ports, clock, councils[0], seed=seed).play()
        letting.pay()
        timetable.sign_checkpoint()
    finally:
        solver.close()
    backend = database.url.get_backend_name()
    with database.reading() as session:
        found = results(session, scheme, seed=seed, tally=player.tally, database=backend)
    return found, clock, refs[0]


def _prepare(database: Database, ports: Ports, councils: Sequence[Scheme], seed: int) -> list[Market]:
    """Load the councils' places, publish their rules, and draw their markets. Twins stand on the same ground."""
    scheme = councils[0]
    edition = read(districts_of(scheme.localities))
    with database.transaction() as session:
        now = ports.clock.read(session)
        audit.append(session, STREAM, "demo.begun", ADMINISTRATOR, now, {"scheme": scheme.key, "seed": seed})
        load(session, edition, ADMINISTRATOR, now)
        for council in councils:
            publish_rules(session, council, _COMMISSIONER, now)
    with database.reading() as session:
        places = places_of(session, scheme)
        centres = centres_of(session, places)
    return [draw(council, places, centres, seed=seed, number=at) for at, council in enumerate(councils, start=1)]


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
        refresh_per_second=2,
        disable=not console.is_terminal,
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
        ("Variations, outcomes recorded", f"{found['variations']:,}, {found['outcomes_recorded']:,}"),
        ("Statements, paid", f"{found['statements']:,}, {in_pounds(found['paid_pence'])}"),
        *(
            (f"Stage {name}", f"{stage['rounds']:,} rounds, {stage['placed']:,} placed")
            for name, stage in found["stages"].items()
        ),
        ("Capacity sold twice", str(found["capacity_violations"])),
        ("Bids opened early, stored late", f"{found['early_openings']}, {found['late_bids_stored']}"),
        ("Statements that are not what the records say", str(found["misstatements"])),
        ("Trail whole", "yes" if found["audit_ok"] else "NO"),
    ]
    for name, value in rows:
        table.add_row(name, value)
    return table


def demo(
    scheme: Annotated[str, typer.Option(help="Which council's rules to play: a key, or a file.")] = "liverpool",
    seed: Annotated[int, typer.Option(help="The same seed plays the same week.")] = 7,
    scale: Annotated[int, typer.Option(min=1, max=50, help="So many twin councils: localities, people, closings.")] = 1,
    serve: Annotated[bool, typer.Option(help="Serve the pages and the API afterwards.")] = True,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Where to serve; else DPS_PORT, or 8000.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as one JSON object.")] = False,
) -> None:
    """Play one council through a working week with a synthetic market, then serve what came of it."""
    console = Console(stderr=True)
    rules = scheme_named(scheme)
    folder = prepare_folder(FOLDER)
    url = os.environ.get("DPS_DATABASE_URL") or f"sqlite:///{folder / 'demo.sqlite3'}"
    settings = read_settings(
        demo=True,
        database_url=url,
        keys_dir=folder / "keys",
        identities_dir=folder / "identities",
        spool_dir=folder / "spool",
        notes_dir=folder / "notes",
        clock="accelerated",
        **({} if port is None else {"port": port}),
    )
    if serve:
        # Said now, not after the week was played.
        serving.bound(settings.host, settings.port).close()
    database = prepare_database(settings.database_url)
    found, clock, refs = play(rules, seed=seed, scale=scale, database=database, settings=settings, console=console)
    if as_json:
        typer.echo(json.dumps(found))
    else:
        Console().print(summary(found))
    if serve:
        _serve(settings, database, clock, rules, refs, seed=seed)


def _prepare_areas(
    database: Database, ports: Ports, clock: SteppedClock, scheme: Scheme, refs: list[str], visitor: str, *, seed: int
) -> datetime | None:
    """What a visitor may bid for as a whole area, and until when; papers that ran out while time passed are renewed."""
    with database.transaction() as session:
        renew_papers(session, ports, scheme, refs, clock.instant)
    return Letting(database, ports, clock, scheme, seed=seed + 1).leave_open(visitor)


def _serve(
    settings: Settings, database: Database, clock: SteppedClock, played: Scheme, refs: list[str], *, seed: int
) -> None:
    """Let the demonstration's time run on from a working morning, a minute a second, and serve pages and API."""
    accelerated, entropy = AcceleratedClock(), SystemEntropy()
    ports = Ports(clock=accelerated, entropy=entropy, keyring=load_keyring(settings.keys_dir))
    with database.reading() as session:
        scheme = standing_scheme(session, played.key)
        places = places_of(session, scheme)
        # What is stored of a scheme are its rules: how it is played stands in the file alone.
        market = draw(played, places, centres_of(session, places), seed=seed + 1)
        provider = most_asked(session, refs)
    areas_close = _prepare_areas(database, replace(ports, clock=clock), clock, scheme, refs, provider, seed=seed)
    with database.transaction() as session:
        accelerated.start(session, origin=next_morning(scheme, clock.instant), rate=MINUTE_A_SECOND)
    if stages_lists(scheme):
        with database.transaction() as session:
            now = accelerated.read(session)
            record_notice(
                session,
                scheme=scheme,
                clock=LegalClock.TIERS,
                about="",
                number="synthetic",
                published_on=now.date(),
                actor=_COMMISSIONER,
                now=now,
            )
    visitors = prepare(database, ports, played.key, market, provider, ADMINISTRATOR)
    authority = scheme.authorities[0].key
    with database.transaction() as session:
        now = accelerated.read(session)
        parts = [(Role.BROKER, authority, None), (Role.AUDITOR, authority, None), (Role.PROVIDER, None, provider)]
        keys = [
            (role, api_keys.create(
                session, entropy, label=f"demonstration {role}", role=role, authority=of, provider=provider, days=60,
                by=ADMINISTRATOR, now=now,
            )[1])
            for role, of, provider in parts
        ]  # fmt: skip
    with database.reading() as session:
        now = accelerated.read(session)
        closings = closings_for(session, provider, ports.keyring, now)
    database.dispose()
    site = f"http://{settings.host}:{settings.port}"
    typer.echo(f"\nThe demonstration's clock now runs a minute a second. Open {site} and sign in, password")
    typer.echo(f"  {visitors.password}")
    typer.echo("for each of these accounts (two browsers, or a private window, let you be two people at once):")
    for part, email in visitors.emails.items():
        typer.echo(f"  {part.replace('_', ' '):16} {email}")
    for council, emails in visitors.others.items():
        typer.echo(f"{council} shares these rules, and has people and accounts of its own:")
        for part, email in emails.items():
            typer.echo(f"  {part.replace('_', ' '):16} {email}")
    typer.echo()
    for line in first_steps(site=site, visitors=visitors, closings=closings, now=now, areas_close=areas_close):
        typer.echo(line)
    typer.echo(f"\nThe API's manual is at {site}/api/docs; these keys open it:")
    for role, secret in keys:
        typer.echo(f'  {role:9} curl -H "Authorization: Bearer {secret}" {site}/api/me')
    typer.echo("Ctrl-C ends it.\n")
    environment = {
        **os.environ,
        "DPS_DEMO": "1",
        "DPS_CLOCK": "accelerated",
        "DPS_PORT": str(settings.port),
        "DPS_DATABASE_URL": settings.database_url,
        "DPS_KEYS_DIR": str(settings.keys_dir.resolve()),
        "DPS_IDENTITIES_DIR": str(settings.identities_dir.resolve()),
        "DPS_SPOOL_DIR": str(settings.spool_dir.resolve()),
        "DPS_NOTES_DIR": str(settings.notes_dir.resolve()),
    }
    raise typer.Exit(serving.serve(environment))
