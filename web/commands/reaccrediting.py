"""`dps import register FILE`: a scheme's newer register; who joined, left or was rated anew, tried, then applied."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dps.kernel.errors import BadInput
from dps.schemes.published import standing_scheme
from web.assembly import opened
from web.commands.speaking import BAD_INPUT, AsJson, say_json
from web.providers import OPERATOR, shown
from web.register_entry import Renewed, renewed


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
        found = renewed(installation, file, rules, OPERATOR, is_tried=not write, track=shown)
    _say(file, found, is_written=write and not found.faults, as_json=as_json)
    if found.faults:
        raise typer.Exit(BAD_INPUT)


def _say(file: Path, found: Renewed, *, is_written: bool, as_json: bool) -> None:
    joined, changes = [ref for ref, _ in found.joined], found.changes
    if as_json:
        stated = {"file": str(file), "written": is_written, "joined": joined, **asdict(changes)}
        say_json(stated | {"faults": [fault._asdict() for fault in found.faults]})
        return
    for fault in found.faults:
        typer.echo(str(BadInput(fault.reason, file=str(file), row=fault.row, field=fault.column or None)), err=True)
    if found.faults:
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
