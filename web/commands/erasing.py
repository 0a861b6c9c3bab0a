"""`dps erase`: destroy one person's key and all that it sealed, for good."""

from typing import Annotated

import typer

from bidding.erasing import erase_person
from dps.kernel.errors import PersonErased
from dps.packages.erasure import ErasureReason, scrub_due
from web.assembly import opened
from web.commands.speaking import FAILED, OPERATOR

Person = Annotated[str, typer.Argument(help="The person's reference, PER-….")]


def erase(
    person: Person,
    reason: Annotated[ErasureReason, typer.Option(help="Why; the trail keeps it.")],
    confirmed: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
) -> None:
    """Erase a person: nobody can read again who it was. Refused while a contract or a search of theirs is open.

    Run a second time it only clears the database's files again.
    """
    if not confirmed:
        typer.confirm(f"Erase {person} for good? Nothing brings it back.", abort=True)
    with opened() as installation:
        try:
            with installation.database.transaction() as session:
                erase_person(session, installation.ports, person_ref=person, reason=reason, actor=OPERATOR)
        except PersonErased:
            # What is left to do is to clear the files, where somebody's reading had kept that from ending.
            typer.echo(f"{person} had been erased before.")
        cleared = scrub_due(installation.database, installation.ports.clock.read)
    if not cleared:
        typer.echo("Erased, but somebody's reading kept the database's log from being cut: run this again.", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"{person} is erased, and the database's files are clear of it. Backups keep it until they are rotated.")
