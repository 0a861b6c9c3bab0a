"""`dps import deliveries FILE`: visits from the call monitoring, matched to their contracts.

Everything is tried first in a transaction that is taken back; with one fault nothing is written. A file sent twice
changes nothing.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from dps.kernel.actors import Actor, Role
from dps.schemes.published import standing_scheme
from web.assembly import opened
from web.commands.naming import authority_named, refuse_unknown
from web.commands.speaking import BAD_INPUT, AsJson, say_json
from web.deliveries_entry import Imported, imported
from web.deliveries_file import read_deliveries


def import_deliveries(
    file: Annotated[Path, typer.Argument(help="A CSV (UTF-8) or XLSX file with a header row.")],
    scheme: Annotated[str, typer.Option(help="The key of the published scheme that the contracts belong to.")],
    authority: Annotated[
        str | None, typer.Option(help="Whose contracts they are, where the scheme has several.")
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="Whose workbook it is: only this provider's contracts are recorded, in its name.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Record them. Without this, it is only tried.")] = False,
    as_json: AsJson = False,
) -> None:
    """Record visits from a file of the call monitoring; a dry run first, every fault with its row and column."""
    with opened() as installation:
        with installation.database.reading() as session:
            rules = standing_scheme(session, scheme)
            refuse_unknown(session, provider=provider, authority=None)
        actor = (
            Actor("command-line", Role.PROVIDER, provider=provider)
            if provider
            else Actor("command-line", Role.BROKER, authority=authority_named(rules, authority))
        )
        found = read_deliveries(file)
        done = Imported()
        for is_tried in (True, False) if write else (True,):
            if not done.faults:
                with Progress(console=Console(stderr=True), transient=True) as shown:
                    track = partial(shown.track, description="Recording")
                    done = imported(installation, found, rules, actor, file.name, is_tried=is_tried, track=track)
    _say(file, done, is_written=write and not done.faults, as_json=as_json)


def _say(file: Path, done: Imported, *, is_written: bool, as_json: bool) -> None:
    if as_json:
        say_json(
            {
                "file": str(file),
                "written": is_written,
                "contracts": len(done.contracts),
                "new": done.new,
                "known": done.known,
                "oddities": done.oddities,
                "faults": [
                    {"row": fault.facts["row"], "column": fault.facts["field"], "reason": fault.facts["reason"]}
                    for fault in done.faults
                ],
            }
        )
    else:
        _say_in_words(done, is_written=is_written)
    if done.faults:
        raise typer.Exit(BAD_INPUT)


def _say_in_words(done: Imported, *, is_written: bool) -> None:
    for fault in done.faults:
        typer.echo(str(fault), err=True)
    if done.faults:
        count = len(done.faults)
        typer.echo(f"Nothing was written: {count} fault{'s' if count > 1 else ''}.", err=True)
        return
    verb = "are recorded" if is_written else "would be recorded"
    typer.echo(f"{done.new} visits of {len(done.contracts)} contracts {verb}; {done.known} were known.")
    for oddity, count in _in_words(done.oddities).items():
        typer.echo(f"  {count} {oddity}")
    if not is_written:
        typer.echo("Nothing was written: --write writes it.")


def _in_words(oddities: Mapping[str, int]) -> dict[str, int]:
    return {oddity.replace("_", " "): count for oddity, count in oddities.items()}
