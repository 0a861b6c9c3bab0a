"""`dps import register FILE`: a scheme's newer register; who joined, left or was rated anew, tried, then applied."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dps.kernel.errors import BadInput
from dps.register.reaccreditation import Changes, held_on, reaccredit
from dps.schemes.published import standing_scheme
from web.assembly import opened
from web.commands.speaking import BAD_INPUT, AsJson, say_json
from web.provider_rows import Fault, read_newcomers
from web.providers import OPERATOR, enter


class _TakeBack(Exception):
    """Ends the transaction of a dry run."""


def import_register(
    file: Annotated[
        Path, typer.Argument(help="The whole register as CSV (UTF-8) or XLSX, as `import providers` reads.")
    ],
    scheme: Annotated[str, typer.Option(help="The key of the published scheme whose register it is.")],
    write: Annotated[bool, typer.Option("--write", help="Apply it. Without this, it is only tried.")] = False,
    as_json: AsJson = False,
) -> None:
    """Re-accredit a scheme from its newer register: who joined, who left, whose rating changed; a dry run first."""
    with opened() as installation:
        with installation.database.reading() as session:
            rules = standing_scheme(session, scheme)
            known = {one.provider for one in held_on(session, scheme)}
        newcomers, faults = read_newcomers(file, rules)
        stated = {entry.regulator_id: entry.rating for one in newcomers for entry in one.locations}
        changes, joined = Changes((), (), ()), []
        if not faults:
            try:
                with installation.database.transaction() as session:
                    changes = reaccredit(session, installation.ports, scheme=rules, stated=stated, actor=OPERATOR)
                    _, faults = enter(session, installation.ports, newcomers, rules, OPERATOR)
                    held = held_on(session, scheme)
                    joined = sorted({one.provider for one in held} - known)
                    if faults or not write:
                        raise _TakeBack
            except _TakeBack:
                pass
    _say(file, joined, changes, faults, is_written=write and not faults, as_json=as_json)
    if faults:
        raise typer.Exit(BAD_INPUT)


def _say(
    file: Path, joined: list[str], changes: Changes, faults: list[Fault], *, is_written: bool, as_json: bool
) -> None:
    if as_json:
        stated = {"file": str(file), "written": is_written, "joined": joined, **asdict(changes)}
        say_json(stated | {"faults": [fault._asdict() for fault in faults]})
        return
    for fault in faults:
        typer.echo(str(BadInput(fault.reason, file=str(file), row=fault.row, field=fault.column or None)), err=True)
    if faults:
        typer.echo("Nothing was written.", err=True)
        return
    # Those who would join have no reference yet that lasts beyond a dry run.
    for ref in joined if is_written else ():
        typer.echo(f"{ref} joined")
    for ref in changes.left:
        typer.echo(f"{ref} left")
    for number in changes.closed:
        typer.echo(f"location {number} closed")
    for one in changes.rerated:
        typer.echo(f"location {one.regulator_id}: {one.was.replace('_', ' ')}, now {one.now.replace('_', ' ')}")
    counts = f"{len(joined)} joined, {len(changes.left)} left, {len(changes.closed)} locations closed"
    typer.echo(
        f"{counts}, {len(changes.rerated)} rated anew{'.' if is_written else ', if it is applied with --write.'}"
    )
