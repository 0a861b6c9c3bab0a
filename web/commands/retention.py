"""`dps retention`: who may no longer be kept, and erasing them."""

from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bidding.erasing import erase_person
from bidding.retaining import Due, due_for_erasure
from dps.kernel.errors import StillServed, StillSought
from dps.packages.erasure import ErasureReason, scrub_due
from dps.schemes.published import standing_schemes
from web.assembly import Installation, opened
from web.commands.speaking import FAILED, OPERATOR, AsJson, say_json


def retention(
    erase: Annotated[
        bool, typer.Option("--erase", help="Erase them, for good; without it nothing is changed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the people whose time is over by the schemes' retention rules; with --erase, destroy their keys.

    What was asked for, bid, awarded and paid stays and names nobody, and the trail still verifies. Backups keep erased
    people until they are rotated.
    """
    with opened() as installation:
        with installation.database.reading() as session:
            rules = {scheme.key: scheme.retention for scheme in standing_schemes(session)}
            now = installation.ports.clock.read(session)
            due = due_for_erasure(session, rules=rules, actor=OPERATOR, now=now)
        kept = _erase(installation, due) if erase else []
        cleared = not erase or scrub_due(installation.database, installation.ports.clock.read)
    if as_json:
        listed = [{"person": one.person, "authority": one.authority, "since": one.since} for one in due]
        say_json({"due": listed, "erased": len(due) - len(kept) if erase else 0, "kept": kept})
    else:
        _say(due, kept, erase=erase)
    if not cleared:
        typer.echo("Somebody's reading kept the database's log from being cut: the worker tries it again.", err=True)
    if kept or not cleared:
        raise typer.Exit(FAILED)


def _erase(installation: Installation, due: list[Due]) -> list[str]:
    """Erase each in a transaction of its own. Returns whom something has come to since."""
    kept = []
    for one in track(due, "Erasing", console=Console(stderr=True), disable=not due):
        try:
            with installation.database.transaction() as session:
                erase_person(
                    session,
                    installation.ports,
                    person_ref=one.person,
                    reason=ErasureReason.RETENTION_ENDED,
                    actor=OPERATOR,
                )
        except (StillServed, StillSought):
            kept.append(one.person)
    return kept


def _say(due: list[Due], kept: list[str], *, erase: bool) -> None:
    if not due:
        typer.echo("Nobody is due: everybody's time still runs.")
        return
    table = Table("Person", "Authority", "Was cared for", "Due since")
    for one in due:
        table.add_row(one.person, one.authority, "yes" if one.was_served else "no", one.since.isoformat())
    Console().print(table)
    if erase:
        typer.echo(f"{len(due) - len(kept)} erased, for good.")
        for person in kept:
            typer.echo(f"{person} is kept: they are served, or a provider is sought, since this began.", err=True)
    else:
        typer.echo(f"{len(due)} due. Nothing was changed; run with --erase to destroy their keys.")
