"""`dps arrangements`: who supplies together, who delivers a contract, and members' shares of a statement."""

from datetime import datetime
from typing import Annotated

import typer

from dps.contracts.passing_on import pass_on, shares_of
from dps.contracts.standing import find_contract
from dps.contracts.statements.records import find_statement
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput
from dps.kernel.money import in_pounds
from dps.register.arrangements import ArrangementKind, arrange, end_arrangement
from dps.schemes.published import standing_scheme
from web.assembly import opened
from web.commands.naming import authority_named
from web.commands.speaking import OPERATOR, AsJson, say_json

app = typer.Typer(name="arrangements", help="Providers that supply together.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="The account that acts; the trail names it.")]
SchemeKey = Annotated[str, typer.Option("--scheme", help="The key of the published scheme.")]
AuthorityKey = Annotated[str | None, typer.Option("--authority", help="Whose, where the scheme has several.")]
From = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")]


@app.command("make")
def make(
    scheme: SchemeKey,
    kind: Annotated[ArrangementKind, typer.Option(help="A lead with subcontractors, or a consortium.")],
    lead: Annotated[str, typer.Option(help="Who is asked and answers, PRV-….")],
    member: Annotated[list[str], typer.Option(help="A subcontractor, PRV-…; or a member and its share, PRV-…=60.")],
    first: From,
    authority: AuthorityKey = None,
    by: By = "command-line",
) -> None:
    """Record who supplies together from a day on."""
    members = dict(_member(one) for one in member)
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        made = arrange(
            session,
            installation.ports,
            scheme=rules,
            kind=kind,
            lead=lead,
            members=members,
            from_day=first.date(),
            actor=Actor(by, Role.REGISTER_OFFICER, authority=authority_named(rules, authority)),
        )
    typer.echo(f"{made.ref}: {made.kind} of {made.lead} with {len(members)} members from {made.from_day}.")


@app.command("end")
def end(
    arrangement: Annotated[str, typer.Argument(help="The arrangement's reference, ARR-….")],
    scheme: SchemeKey,
    authority: AuthorityKey = None,
    by: By = "command-line",
) -> None:
    """End an arrangement today."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        actor = Actor(by, Role.REGISTER_OFFICER, authority=authority_named(rules, authority))
        row = end_arrangement(session, installation.ports, arrangement_ref=arrangement, scheme=rules, actor=actor)
    typer.echo(f"{row.ref}: {row.state}, last day {row.last_day}.")


@app.command("pass-on")
def pass_contract_on(
    contract: Annotated[str, typer.Argument(help="The contract's reference, CON-….")],
    to: Annotated[str, typer.Option(help="The subcontractor, PRV-…; or the lead, to take it back.")],
    first: From,
    by: By = "command-line",
) -> None:
    """Record for the lead which subcontractor delivers a contract from a day on."""
    with opened() as installation, installation.database.transaction() as session:
        row = find_contract(session, contract, actor=OPERATOR)
        actor = Actor(by, Role.PROVIDER, provider=row.provider)
        made = pass_on(session, installation.ports, contract_ref=row.ref, to=to, from_day=first.date(), actor=actor)
    typer.echo(f"{contract}: delivered by {made.provider} from {made.from_day}.")


@app.command("shares")
def shares(
    statement: Annotated[str, typer.Argument(help="The statement's reference, PAY-….")], as_json: AsJson = False
) -> None:
    """Show what each member gets of a statement."""
    with opened() as installation, installation.database.reading() as session:
        found = shares_of(session, find_statement(session, statement, actor=OPERATOR))
    if as_json:
        say_json(found)
        return
    for provider, pence in found.items():
        typer.echo(f"{provider}  {in_pounds(pence):>14}")


def _member(text: str) -> tuple[str, int | None]:
    provider, equals, share = text.partition("=")
    if not equals:
        return provider, None
    if not share.isdigit():
        raise BadInput(f"{share!r} is no whole percentage", field="--member")
    return provider, int(share)
