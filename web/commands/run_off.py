"""`dps run-off`: look who could take a suspended provider's contracts over, then move them, one transaction each."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from bidding.run_off import advice, due_cases, move_case, run_off
from dps.kernel.actors import Actor, Role
from web.assembly import opened
from web.commands.speaking import AsJson, say_json

app = typer.Typer(name="run-off", help="What a suspended provider runs, moved to others.", no_args_is_help=True)

SuspensionRef = Annotated[str, typer.Argument(help="The suspension's reference, SUS-….")]
AuthorityKey = Annotated[str, typer.Option("--authority", help="Whose contracts.")]


@app.command("advise")
def advise(suspension: SuspensionRef, authority: AuthorityKey, as_json: AsJson = False) -> None:
    """Look who could take each contract over today. It is advice: nothing is moved or awarded."""
    with opened() as installation, installation.database.reading() as session:
        actor = Actor("command-line", Role.COMMISSIONER, authority=authority)
        found = advice(session, installation.ports, suspension_ref=suspension, actor=actor)
    if as_json:
        say_json(asdict(found))
        return
    for contract, able in found.eligible.items():
        said = found.takers.get(contract) or found.left.get(contract, "")
        typer.echo(f"{contract}  {able:3} could  {said}")
    typer.echo(f"Advice: {len(found.takers)} of {len(found.eligible)} contracts have somebody to take them over.")
    for note in found.notes:
        typer.echo(f"  {note}")


@app.command("decide")
def decide(
    suspension: SuspensionRef,
    authority: AuthorityKey,
    last_day: Annotated[
        datetime | None, typer.Option("--last-day", formats=["%Y-%m-%d"], help="Of a transfer: the last day of care.")
    ] = None,
    at_once: Annotated[bool, typer.Option("--at-once", help="End today: an approver's act.")] = False,
    by: Annotated[str, typer.Option("--by", help="The account that decides; the trail names it.")] = "command-line",
    as_json: AsJson = False,
) -> None:
    """Carry out what the suspension says of running contracts: each is taken back and brokered again."""
    role = Role.APPROVER if at_once else Role.BROKER
    with opened() as installation:
        with installation.database.transaction() as session:
            made = run_off(
                session,
                installation.ports,
                suspension_ref=suspension,
                last_day=last_day.date() if last_day else None,
                actor=Actor(by, role, authority=authority),
            )
        with installation.database.reading() as session:
            cases = due_cases(session)
        with Progress(console=Console(stderr=True), transient=True) as shown:
            for case_id in shown.track(cases, description="Moving"):
                with installation.database.transaction() as session:
                    move_case(session, installation.ports, case_id)
    if as_json:
        say_json({"ref": made.ref, "provider": made.provider, "last_day": made.last_day, "contracts": made.cases})
        return
    typer.echo(f"{made.ref}: {made.cases} contracts of {made.provider} are brokered again; last day {made.last_day}.")
