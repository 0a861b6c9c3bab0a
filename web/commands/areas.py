"""`dps areas`: seek a provider for a whole area, offer the contract in line, and state what it is paid."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

import typer

from bidding.closings import Closing
from bidding.tenders.deciding import offer_area
from bidding.tenders.publishing import cancel_tender, publish_tender
from bidding.tenders.records import tender_of, tenders_seen
from dps.contracts.area_contracts import area_contract_of, area_contracts_of, end_area_contract
from dps.contracts.statements.area_contracts import make_area_contract_statement
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput
from dps.kernel.money import in_pounds, parse_pence
from dps.schemes.published import standing_scheme
from web.assembly import opened
from web.commands.naming import authority_named
from web.commands.speaking import OPERATOR, AsJson, say_json

app = typer.Typer(name="areas", help="Contracts for a whole area.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="The account that acts; the trail names it.")]
TenderRef = Annotated[str, typer.Argument(help="The tender's reference, TDR-….")]
ContractRef = Annotated[str, typer.Argument(help="The area contract's reference, LET-….")]
AuthorityKey = Annotated[str | None, typer.Option("--authority", help="Whose, where the scheme has several.")]


@app.command("seek")
def seek(
    scheme: Annotated[str, typer.Option("--scheme", help="The key of the published scheme.")],
    key: Annotated[str, typer.Option(help="Which of its area contracts.")],
    locality: Annotated[str, typer.Option(help="For which locality.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The contract's first day.")],
    authority: AuthorityKey = None,
    by: By = "command-line",
) -> None:
    """Ask for bids for one area; everybody who may bid is told."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        made = publish_tender(
            session,
            installation.ports,
            scheme=rules,
            key=key,
            locality=locality,
            from_day=first.date(),
            actor=Actor(by, Role.COMMISSIONER, authority=authority_named(rules, authority)),
        )
        closes_at = session.get_one(Closing, made.closing_id).closes_at.astimezone(LONDON)
        typer.echo(f"{made.ref}: bids are taken until {closes_at:%-d %B %Y, %H:%M}.")


@app.command("list")
def listing(as_json: AsJson = False) -> None:
    """List what is sought and what is let."""
    with opened() as installation, installation.database.reading() as session:
        tenders, contracts = tenders_seen(session, actor=OPERATOR), area_contracts_of(session, actor=OPERATOR)
    if as_json:
        say_json(
            {
                "tenders": [
                    {"tender": one.ref, "key": one.key, "locality": one.locality, "state": one.state} for one in tenders
                ],
                "area_contracts": [
                    {
                        "area_contract": one.ref,
                        "key": one.key,
                        "locality": one.locality,
                        "provider": one.provider,
                        "from_day": one.from_day,
                        "last_day": one.last_day,
                        "evaluated_pence": one.evaluated_pence,
                    }
                    for one in contracts
                ],
            }
        )
        return
    for tender in tenders:
        typer.echo(f"{tender.ref}  {tender.state:9}  {tender.key}, {tender.locality}")
    for row in contracts:
        typer.echo(f"{row.ref}  {row.provider}  {row.key}, {row.locality}  {row.from_day} to {row.last_day}")
    if not tenders and not contracts:
        typer.echo("No area is sought or let. `dps areas seek` asks for bids.")


@app.command("show")
def show(tender: TenderRef, as_json: AsJson = False) -> None:
    """Show the evaluation of a tender, bid by bid in line, with its working."""
    with opened() as installation, installation.database.reading() as session:
        row = tender_of(session, tender, OPERATOR)
    if as_json:
        say_json([one.to_dict() for one in row.evaluation])
        return
    typer.echo(f"{row.ref}: {row.state}")
    for one in row.evaluation:
        place = f"{one.place}. " if one.place else ""
        typer.echo(f"{place}{one.provider}  {in_pounds(one.yearly_pence)} a year, {one.total_points / 1000:.1f} points")
        for line in (*one.reasons, *one.working):
            typer.echo(f"    {line}")


@app.command("offer")
def offer(tender: TenderRef, by: By = "command-line") -> None:
    """Offer the contract to the next in line; another account than the one that published it does so."""
    with opened() as installation, installation.database.transaction() as session:
        actor = Actor(by, Role.APPROVER, authority=tender_of(session, tender, OPERATOR).authority)
        provider = offer_area(session, installation.ports, tender_ref=tender, actor=actor)
    typer.echo(f"{tender}: offered to {provider}.")


@app.command("cancel")
def cancel(tender: TenderRef, by: By = "command-line") -> None:
    """Take a tender back; its bidders are told."""
    with opened() as installation, installation.database.transaction() as session:
        actor = Actor(by, Role.COMMISSIONER, authority=tender_of(session, tender, OPERATOR).authority)
        cancel_tender(session, installation.ports, tender_ref=tender, actor=actor)
    typer.echo(f"{tender}: cancelled.")


@app.command("end")
def end(
    area_contract: ContractRef,
    last: Annotated[datetime, typer.Option("--last-day", formats=["%Y-%m-%d"], help="Its last day.")],
    by: By = "command-line",
) -> None:
    """Let an area contract end early."""
    with opened() as installation, installation.database.transaction() as session:
        authority = area_contract_of(session, area_contract, OPERATOR).authority
        end_area_contract(
            session,
            installation.ports,
            area_contract_ref=area_contract,
            last_day=last.date(),
            actor=Actor(by, Role.COMMISSIONER, authority=authority),
        )
    typer.echo(f"{area_contract}: ends on {last.date()}.")


@app.command("state")
def state(
    area_contract: ContractRef,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    until: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day, included.")],
    unit: Annotated[list[str] | None, typer.Option(help="What no visit records, as live-in=12; again.")] = None,
    cost: Annotated[str | None, typer.Option(help="What care in the area cost, as 149000.00.")] = None,
    reached: Annotated[list[str] | None, typer.Option(help="An outcome in percent, as at-home=93; again.")] = None,
    by: By = "command-line",
) -> None:
    """Make the statement of an area contract: units at the rates bid, or its days of the year's price."""
    with opened() as installation, installation.database.transaction() as session:
        made = make_area_contract_statement(
            session,
            installation.ports,
            area_contract_ref=area_contract,
            first_day=first.date(),
            last_day=until.date(),
            units=_numbers(unit or (), "--unit"),
            actual_pence=parse_pence(cost, field="--cost") if cost is not None else None,
            reached=_numbers(reached or (), "--reached"),
            actor=Actor(by, Role.BROKER, authority=area_contract_of(session, area_contract, OPERATOR).authority),
        )
        typer.echo(f"{made.ref}: {in_pounds(made.pence)}")
        for line in made.lines:
            typer.echo(f"  {in_pounds(line['pence'])}  {line['about']}")
            for step in line["working"]:
                typer.echo(f"    {step}")


def _numbers(texts: Iterable[str], field: str) -> dict[str, int]:
    """`personal-care=4600` and its like; BadInput for anything else, and for a key that stands twice."""
    found: dict[str, int] = {}
    for text in texts:
        key, _, number = text.partition("=")
        if not key or not number.isascii() or not number.isdigit() or key in found:
            raise BadInput(f"{text!r} is not one key with a whole number, such as personal-care=4600", field=field)
        found[key] = int(number)
    return found
