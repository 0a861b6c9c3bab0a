"""`dps import providers FILE`: an older register's providers, from a spreadsheet.

Everything is tried first in a transaction that is taken back: every fault is named with its row and column, and nothing
is written before there is none. What is on the register already is left as it is, so that the same file may come again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlmodel import Session, col, select

from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput, DpsError, RegisteredAlready
from dps.kernel.ports import Ports
from dps.register.membership import admit
from dps.register.providers import (
    Location,
    Provider,
    add_location,
    register_provider,
)
from dps.schemes.model import Scheme
from web.assembly import opened
from web.commands.naming import scheme_named
from web.commands.speaking import BAD_INPUT, AsJson, say_json
from web.provider_rows import Fault, Faults, Newcomer, read_newcomers

Track = Callable[[Iterable[Newcomer]], Iterable[Newcomer]]
OPERATOR = Actor("command-line", Role.REGISTER_OFFICER)


@dataclass
class Imported:
    """What an import did, or would do."""

    providers: int = 0
    providers_known: int = 0
    locations: int = 0
    locations_known: int = 0
    memberships: int = 0


class _TakeBack(Exception):
    """Ends the transaction of a dry run."""


def import_providers(
    file: Annotated[Path, typer.Argument(help="A CSV (UTF-8) or XLSX file with a header row.")],
    scheme: Annotated[
        str | None,
        typer.Option(help="Also admit them to this scheme (key or file) by the columns lists, lots and localities."),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write it. Without this, it is only tried.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import providers and their registered locations; a dry run first, every fault with its row and column."""
    try:
        rules = None if scheme is None else scheme_named(scheme)
        newcomers, faults = read_newcomers(file, rules)
        imported = Imported()
        if not faults:
            with opened() as installation:
                # Tried and taken back even when it is to be written: either all of it is, or nothing.
                for is_tried in (True, False) if write else (True,):
                    try:
                        with installation.database.transaction() as session:
                            imported, faults = enter(
                                session, installation.ports, newcomers, rules, OPERATOR, track=shown
                            )
                            if is_tried or faults:
                                raise _TakeBack
                    except _TakeBack:
                        pass
                    if faults:
                        break
    except DpsError as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(BAD_INPUT) from None
    _say(file, imported, faults, is_written=write and not faults, as_json=as_json)
    if faults:
        raise typer.Exit(BAD_INPUT)


def enter(
    session: Session,
    ports: Ports,
    newcomers: Sequence[Newcomer],
    scheme: Scheme | None,
    actor: Actor,
    *,
    track: Track = iter,
) -> tuple[Imported, list[Fault]]:
    """Register all of them through the register's own commands. With a fault, the caller takes everything back.

    `track` shows how far it has come.
    """
    imported, faults = Imported(), Faults()
    for newcomer in track(newcomers):
        try:
            with session.begin_nested():
                _enter(session, ports, newcomer, scheme, actor, imported, faults)
        except DpsError as refused:
            faults.add(newcomer.row, refused.facts.get("field") or "", refused.facts.get("reason") or str(refused))
    return imported, sorted(faults.found)


def shown(newcomers: Iterable[Newcomer]) -> Iterator[Newcomer]:
    """The same, with a bar on a terminal that says how far it has come."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        yield from bar.track(list(newcomers), description="Registering")


def _enter(
    session: Session,
    ports: Ports,
    newcomer: Newcomer,
    scheme: Scheme | None,
    actor: Actor,
    imported: Imported,
    faults: Faults,
) -> None:
    locations = {one.regulator_id: one.provider_id for one in _known_locations(session, newcomer)}
    provider = _known_provider(session, newcomer, locations.values())
    if provider is None:
        provider = register_provider(
            session,
            ports,
            name=newcomer.name,
            company_number=newcomer.company_number,
            skills=newcomer.skills,
            accepted_flags=newcomer.accepted_flags,
            service_minutes=newcomer.service_minutes,
            most_carers=newcomer.most_carers,
            actor=actor,
        )
        imported.providers += 1
    else:
        imported.providers_known += 1
    assert provider.id is not None
    for entry in newcomer.locations:
        if locations.get(entry.regulator_id) == provider.id:
            imported.locations_known += 1
            continue
        try:
            add_location(
                session,
                ports,
                provider_id=provider.id,
                regulator_id=entry.regulator_id,
                name=entry.name,
                place=entry.place,
                lad=entry.lad,
                rating=entry.rating,
                registered_on=entry.registered_on,
                actor=actor,
            )
            imported.locations += 1
        except RegisteredAlready as other:
            faults.add(entry.row, "regulator_id", str(other))
    for _, lists, lots, localities in newcomer.places if scheme else ():
        assert scheme is not None
        made = admit(
            session,
            ports,
            provider_id=provider.id,
            scheme=scheme,
            lists=lists,
            lots=lots,
            localities=localities,
            actor=actor,
        )
        imported.memberships += len(made)


def _known_locations(session: Session, newcomer: Newcomer) -> Sequence[Location]:
    numbers = [entry.regulator_id for entry in newcomer.locations]
    return session.exec(select(Location).where(col(Location.regulator_id).in_(numbers))).all()


def _known_provider(session: Session, newcomer: Newcomer, owners: Iterable[int]) -> Provider | None:
    """By its company number; without one, by a location of the same name's provider."""
    if newcomer.company_number is not None:
        return session.exec(select(Provider).where(Provider.company_number == newcomer.company_number)).first()
    query = select(Provider).where(
        col(Provider.id).in_(set(owners)), col(Provider.company_number).is_(None), Provider.name == newcomer.name
    )
    return session.exec(query).first()


def _say(file: Path, imported: Imported, faults: Sequence[Fault], *, is_written: bool, as_json: bool) -> None:
    if as_json:
        stated = {"file": str(file), "written": is_written, **asdict(imported)}
        say_json(stated | {"faults": [fault._asdict() for fault in faults]})
        return
    for fault in faults:
        typer.echo(str(BadInput(fault.reason, file=str(file), row=fault.row, field=fault.column or None)), err=True)
    if faults:
        typer.echo(f"Nothing was written: {_count(len(faults), 'fault')}.", err=True)
        return
    new = (
        _count(imported.providers, "provider"),
        _count(imported.locations, "location"),
        _count(imported.memberships, "membership"),
    )
    typer.echo(f"{', '.join(new)} {'written' if is_written else 'to write'}.")
    if imported.providers_known:
        known = f"{_count(imported.providers_known, 'provider')}, {_count(imported.locations_known, 'location')}"
        typer.echo(f"{known} on the register already, left as they are.")
    if not is_written:
        typer.echo("Nothing was written: --write writes it.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
