"""`dps statements`: make what is due, look at it line by line, agree it, pay it.

Whoever works on the server names the account they act for (`--by`), because who makes a statement does not pay it.
"""

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from sqlmodel import col, select

from dps.contracts.contracts import Contract
from dps.contracts.reasons import QueryReason
from dps.contracts.statements import moving
from dps.contracts.statements.making import make_area_statement, make_statement
from dps.contracts.statements.records import Statement, StatementState, find_statement, statements_seen
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput, DpsError, StatedAlready
from dps.kernel.money import in_pounds, parse_pence
from dps.schemes.published import standing_scheme
from web.assembly import Installation, opened
from web.commands.naming import authority_named
from web.commands.speaking import FAILED, OPERATOR, AsJson, say_json

app = typer.Typer(name="statements", help="What contracts and areas are paid.", no_args_is_help=True)

Ref = Annotated[str, typer.Argument(help="The statement's reference, PAY-….")]
By = Annotated[str, typer.Option("--by", help="The account that acts; the trail names it.")]
SchemeKey = Annotated[str, typer.Option("--scheme", help="The key of the published scheme.")]
AuthorityKey = Annotated[str | None, typer.Option("--authority", help="Whose, where the scheme has several.")]
First = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day, as 2026-03-02.")]
Last = Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day, included.")]


@app.command("make")
def make(
    scheme: SchemeKey,
    first: First,
    last: Last,
    contract: Annotated[str | None, typer.Option(help="One contract alone, CON-…; else every one served then.")] = None,
    authority: AuthorityKey = None,
    by: By = "command-line",
    as_json: AsJson = False,
) -> None:
    """Make the statements of a period, one for each contract served in it; those stated already are left out."""
    made: list[Statement] = []
    refused: dict[str, str] = {}
    with opened() as installation:
        with installation.database.reading() as session:
            rules = standing_scheme(session, scheme)
        broker = Actor(by, Role.BROKER, authority=authority_named(rules, authority))
        refs = [contract] if contract else _served(installation, broker, scheme, first.date(), last.date())
        with Progress(console=Console(stderr=True), transient=True) as shown:
            for ref in shown.track(refs, description="Stating"):
                try:
                    with installation.database.transaction() as session:
                        begins, ends = _within(
                            session.exec(select(Contract).where(Contract.ref == ref)).first(), first.date(), last.date()
                        )
                        made.append(
                            make_statement(
                                session,
                                installation.ports,
                                contract_ref=ref,
                                scheme=rules,
                                first_day=begins,
                                last_day=ends,
                                actor=broker,
                            )
                        )
                except StatedAlready:
                    if contract:
                        raise
                except DpsError as cannot:
                    if contract:
                        raise
                    refused[ref] = str(cannot)
    if as_json:
        say_json({"made": [_form(one) for one in made], "refused": refused})
    else:
        for one in made:
            typer.echo(f"{one.ref}  {one.first_day} to {one.last_day}  {in_pounds(one.pence)}")
        for ref, why in refused.items():
            typer.echo(f"{ref}: {why}", err=True)
        typer.echo(f"{len(made)} statements made, {in_pounds(sum(one.pence for one in made))}.")
    if refused:
        raise typer.Exit(FAILED)


@app.command("area")
def area(
    scheme: SchemeKey,
    lot: Annotated[str, typer.Option(help="The lot that is paid by area.")],
    locality: Annotated[str, typer.Option(help="The area.")],
    provider: Annotated[str, typer.Option(help="Its provider, PRV-….")],
    first: First,
    last: Last,
    cost: Annotated[str | None, typer.Option(help="What care in the area cost, as 2140000.00.")] = None,
    performance: Annotated[int | None, typer.Option(help="How far its outcomes were reached, in percent.")] = None,
    authority: AuthorityKey = None,
    by: By = "command-line",
    as_json: AsJson = False,
) -> None:
    """Make the statement of an area: its year's budget, or its people in bands."""
    with opened() as installation:
        with installation.database.reading() as session:
            rules = standing_scheme(session, scheme)
        with installation.database.transaction() as session:
            made = make_area_statement(
                session,
                installation.ports,
                scheme=rules,
                lot=lot,
                locality=locality,
                provider=provider,
                first_day=first.date(),
                last_day=last.date(),
                actual_pence=parse_pence(cost, field="--cost") if cost is not None else None,
                performance_percent=performance,
                actor=Actor(by, Role.BROKER, authority=authority_named(rules, authority)),
            )
    _say(made, as_json=as_json)


@app.command("list")
def list_statements(
    scheme: Annotated[str | None, typer.Option("--scheme", help="Those of one scheme.")] = None,
    state: Annotated[StatementState | None, typer.Option(help="Those in one state.")] = None,
    as_json: AsJson = False,
) -> None:
    """List statements, the earliest first."""
    with opened() as installation, installation.database.reading() as session:
        rows = statements_seen(session, actor=OPERATOR, scheme=scheme, state=state)
    if as_json:
        say_json([_form(row) for row in rows])
        return
    for row in rows:
        typer.echo(f"{row.ref}  {row.state:9}  {row.first_day} to {row.last_day}  {in_pounds(row.pence):>14}")
    typer.echo(f"{len(rows)} statements, {in_pounds(sum(row.pence for row in rows))}." if rows else "No statement yet.")


@app.command("show")
def show(statement: Ref, as_json: AsJson = False) -> None:
    """Show one statement with the working of every line."""
    with opened() as installation, installation.database.reading() as session:
        found = find_statement(session, statement, actor=OPERATOR)
    _say(found, as_json=as_json)


@app.command("agree")
def agree(statement: Ref, by: By = "command-line", as_json: AsJson = False) -> None:
    """Record that its provider agrees."""
    _move(moving.agree_statement, statement, lambda row: Actor(by, Role.PROVIDER, provider=row.provider), as_json)


@app.command("query")
def query(
    statement: Ref,
    reason: Annotated[QueryReason, typer.Option("--reason", help="What is wrong with it.")] = QueryReason.OTHER,
    by: By = "command-line",
    as_json: AsJson = False,
) -> None:
    """Record that its provider does not agree."""
    command = partial(moving.query_statement, reason=reason)
    _move(command, statement, lambda row: Actor(by, Role.PROVIDER, provider=row.provider), as_json)


@app.command("withdraw")
def withdraw(statement: Ref, by: By = "command-line", as_json: AsJson = False) -> None:
    """Take a statement back that is not paid: its days can be stated again."""
    _move(moving.withdraw_statement, statement, lambda row: Actor(by, Role.BROKER, authority=row.authority), as_json)


@app.command("pay")
def pay(
    statement: Ref,
    by: Annotated[str, typer.Option("--by", help="The approver's account: not the one that made it.")],
    as_json: AsJson = False,
) -> None:
    """Record the payment of an agreed statement, once."""
    _move(moving.pay_statement, statement, lambda row: Actor(by, Role.APPROVER, authority=row.authority), as_json)


def _move(command: Callable[..., Statement], ref: str, actor_for: Callable[[Statement], Actor], as_json: bool) -> None:
    with opened() as installation, installation.database.transaction() as session:
        found = find_statement(session, ref, actor=OPERATOR)
        moved = command(session, installation.ports, statement_ref=ref, actor=actor_for(found))
    _say(moved, as_json=as_json)


def _served(installation: Installation, broker: Actor, scheme: str, first: date, last: date) -> list[str]:
    """The broker's contracts of the scheme under which there was care on one of these days."""
    query = select(Contract.ref).where(
        Contract.authority == broker.authority,
        Contract.scheme == scheme,
        col(Contract.started_on) <= last,
        col(Contract.last_day).is_(None) | (col(Contract.last_day) >= first),
    )
    with installation.database.reading() as session:
        return list(session.exec(query.order_by(col(Contract.id))))


def _within(contract: Contract | None, first: date, last: date) -> tuple[date, date]:
    """The days of the period from the first visit to the last day of care."""
    if contract is None:
        return first, last
    begins = max(first, contract.started_on) if contract.started_on else first
    ends = min(last, contract.last_day) if contract.last_day else last
    if ends < begins:
        raise BadInput(f"contract {contract.ref} was not served then", field="--from")
    return begins, ends


def _form(statement: Statement) -> dict[str, Any]:
    names = ("ref", "state", "provider", "authority", "scheme", "lot", "locality", "first_day", "last_day")
    amounts = ("pence", "chargeable_pence", "to_discussion_pence", "rule_hash", "queried_because", "lines")
    return {name: getattr(statement, name) for name in (*names, *amounts)}


def _say(statement: Statement, *, as_json: bool) -> None:
    if as_json:
        say_json(_form(statement))
        return
    typer.echo(f"{statement.ref}, {statement.state}: {statement.first_day} to {statement.last_day}")
    for line in statement.lines:
        typer.echo(f"  {line['item']:12} {line['about']:30} {in_pounds(line['pence']):>14}")
        for step in line["working"]:
            typer.echo(f"      {step}")
    typer.echo(f"  due {in_pounds(statement.pence)}, of which chargeable {in_pounds(statement.chargeable_pence)}")
    if statement.to_discussion_pence:
        typer.echo(f"  to discussion {in_pounds(statement.to_discussion_pence)}")
