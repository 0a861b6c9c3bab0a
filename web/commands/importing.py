"""`dps import referrals FILE`: persons, packages and drafts from a spreadsheet, published if asked.

Everything is tried first in a transaction that is taken back: every fault is named with its row and column, and
nothing is written before there is none. Publishing comes after, referral by referral: what is not ready stays a draft
and says what it lacks.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from bidding.publishing import make_ready, publish
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput, DpsError
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from web.assembly import Installation, opened
from web.commands.naming import authority_named
from web.commands.speaking import BAD_INPUT, FAILED, AsJson, say_json
from web.referrals_entry import Entered, entered, read
from web.referrals_file import ReferralsFile


def import_referrals(
    file: Annotated[Path, typer.Argument(help="A CSV (UTF-8) or XLSX file with a header row.")],
    scheme: Annotated[str, typer.Option(help="The key of the published scheme to buy under.")],
    authority: Annotated[
        str | None, typer.Option(help="Whose referrals they are, where the scheme has several.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write them. Without this, it is only tried.")] = False,
    publish_them: Annotated[
        bool, typer.Option("--publish", help="Also publish what is ready; goes with --write.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import referrals; a dry run first, every fault with its row and column."""
    if publish_them and not write:
        raise BadInput("publishing needs --write", field="--publish")
    with opened() as installation:
        with installation.database.reading() as session:
            rules = standing_scheme(session, scheme)
            broker = Actor("command-line", Role.BROKER, authority=authority_named(rules, authority))
            found = read(session, installation.ports, file, rules, broker)
        done = Entered(faults=list(found.faults))
        for is_tried in (True, False) if write else (True,):
            if not done.faults:
                done = _entered(installation, found, rules, broker, file, is_tried=is_tried)
        is_written = write and not done.faults
        unready = _published(installation, done, rules, broker) if is_written and publish_them else {}
    _say(file, done, unready, is_written=is_written, published=publish_them, as_json=as_json)


def _entered(
    installation: Installation, found: ReferralsFile, scheme: Scheme, broker: Actor, file: Path, *, is_tried: bool
) -> Entered:
    with Progress(console=Console(stderr=True), transient=True) as shown:
        return entered(
            installation,
            found,
            scheme,
            broker,
            file.name,
            is_tried=is_tried,
            track=lambda drafts: shown.track(list(drafts), description="Entering"),
        )


def _published(installation: Installation, done: Entered, scheme: Scheme, broker: Actor) -> dict[int, str]:
    """Publish each referral in a transaction of its own; returns by row why one could not be."""
    unready: dict[int, str] = {}
    with Progress(console=Console(stderr=True), transient=True) as shown:
        for row, ref in shown.track(done.referrals.items(), description="Publishing"):
            try:
                with installation.database.transaction() as session:
                    make_ready(session, installation.ports, referral_ref=ref, scheme=scheme, actor=broker)
                    publish(session, installation.ports, referral_ref=ref, scheme=scheme, actor=broker)
            except DpsError as refused:
                unready[row] = str(refused)
    return unready


def _say(
    file: Path, done: Entered, unready: Mapping[int, str], *, is_written: bool, published: bool, as_json: bool
) -> None:
    if as_json:
        say_json(
            {
                "file": str(file),
                "written": is_written,
                "people": done.people,
                "referrals": {str(row): ref for row, ref in done.referrals.items()} if is_written else {},
                "published": len(done.referrals) - len(unready) if is_written and published else 0,
                "not_ready": [{"row": row, "reason": why} for row, why in unready.items()],
                "faults": [
                    {"row": fault.facts["row"], "column": fault.facts["field"], "reason": fault.facts["reason"]}
                    for fault in done.faults
                ],
            }
        )
    else:
        _say_in_words(file, done, unready, is_written=is_written, published=published)
    if done.faults:
        raise typer.Exit(BAD_INPUT)
    if unready:
        raise typer.Exit(FAILED)


def _say_in_words(file: Path, done: Entered, unready: Mapping[int, str], *, is_written: bool, published: bool) -> None:
    for fault in done.faults:
        typer.echo(str(fault), err=True)
    for row, why in unready.items():
        typer.echo(f"{file.name}, row {row}: not published. {why}", err=True)
    if done.faults:
        typer.echo(f"Nothing was written: {len(done.faults)} fault{'s' if len(done.faults) > 1 else ''}.", err=True)
        return
    verb = "drafted" if is_written else "would be drafted"
    typer.echo(f"Referrals: {len(done.referrals)}, of {done.people} people, {verb}.")
    if is_written and published:
        typer.echo(f"{len(done.referrals) - len(unready)} of them are published.")
    if not is_written:
        typer.echo("Nothing was written: --write writes it.")
