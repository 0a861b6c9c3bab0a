"""`dps blocks`: hours bought in blocks, what of them is unused, and what a block is paid."""

from datetime import datetime
from typing import Annotated

import typer

from dps.contracts.payment.weekly_prices import saved_by_moving
from dps.contracts.payment.worked import in_time
from dps.contracts.statements.blocks import make_block_statement
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput
from dps.kernel.money import in_pounds
from dps.register.blocks import agree_block, block_named, blocks_of, end_block
from dps.register.holds import unused_minutes
from dps.register.providers import provider_of
from dps.schemes.published import standing_scheme
from web.assembly import opened
from web.commands.naming import authority_named, scheme_named
from web.commands.speaking import OPERATOR, AsJson, say_json

app = typer.Typer(name="blocks", help="Hours bought in blocks, used or not.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="The account that acts; the trail names it.")]
SchemeKey = Annotated[str, typer.Option("--scheme", help="The key of the published scheme.")]
AuthorityKey = Annotated[str | None, typer.Option("--authority", help="Whose, where the scheme has several.")]
BlockRef = Annotated[str, typer.Argument(help="The block's reference, HRS-….")]
From = Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")]
Until = Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day, included.")]


@app.command("agree")
def agree(
    scheme: SchemeKey,
    provider: Annotated[str, typer.Option(help="Whose hours, PRV-….")],
    lot: Annotated[str, typer.Option(help="For which lot.")],
    locality: Annotated[str, typer.Option(help="In which locality.")],
    hours: Annotated[int, typer.Option(min=1, help="Carer-hours a week.")],
    weekly_pence: Annotated[int, typer.Option(min=1, help="What they cost a week, in pence.")],
    first: From,
    authority: AuthorityKey = None,
    by: By = "command-line",
) -> None:
    """Buy a block of a provider's hours from a day on."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        made = agree_block(
            session,
            installation.ports,
            scheme=rules,
            provider_id=provider_of(session, provider, OPERATOR).id or 0,
            lot=lot,
            locality=locality,
            weekly_minutes=hours * 60,
            weekly_pence=weekly_pence,
            from_day=first.date(),
            actor=Actor(by, Role.COMMISSIONER, authority=authority_named(rules, authority)),
        )
    typer.echo(f"{made.ref}: {hours} hours a week of {made.provider} from {made.from_day}.")


@app.command("end")
def end(block: BlockRef, scheme: SchemeKey, authority: AuthorityKey = None, by: By = "command-line") -> None:
    """End a block today, once nothing is served from it."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        actor = Actor(by, Role.COMMISSIONER, authority=authority_named(rules, authority))
        row = end_block(session, installation.ports, block_ref=block, scheme=rules, actor=actor)
    typer.echo(f"{row.ref}: {row.state}, last day {row.last_day}.")


@app.command("list")
def listing(scheme: SchemeKey, as_json: AsJson = False) -> None:
    """List the blocks of a scheme, and how much of each is unused now."""
    with opened() as installation, installation.database.reading() as session:
        blocks = blocks_of(session, standing_scheme(session, scheme).key)
        found = [(one, unused_minutes(session, one.ref)) for one in blocks]
    if as_json:
        say_json(
            [
                {
                    "block": one.ref,
                    "provider": one.provider,
                    "lot": one.lot,
                    "locality": one.locality,
                    "weekly_minutes": one.weekly_minutes,
                    "unused_minutes": unused,
                    "weekly_pence": one.weekly_pence,
                }
                for one, unused in found
            ]
        )
        return
    for one, unused in found:
        hours = f"{in_time(one.weekly_minutes - unused)} used, {in_time(unused)} unused"
        typer.echo(f"{one.ref}  {one.provider}  {one.lot}, {one.locality}  {hours}")
    if not found:
        typer.echo("No block of hours is agreed. `dps blocks agree` buys one.")


@app.command("state")
def state(block: BlockRef, first: From, until: Until, by: By = "command-line") -> None:
    """Make the statement of a block for days that are past: used and unused hours are shown."""
    with opened() as installation, installation.database.transaction() as session:
        row = block_named(session, block)
        made = make_block_statement(
            session,
            installation.ports,
            block_ref=row.ref,
            scheme=standing_scheme(session, row.scheme),
            first_day=first.date(),
            last_day=until.date(),
            actor=Actor(by, Role.BROKER, authority=row.authority),
        )
        typer.echo(f"{made.ref}: {in_pounds(made.pence)}")
        for line in made.lines:
            typer.echo(f"  {line['about']}")
            for step in line["working"]:
                typer.echo(f"    {step}")


@app.command("saving")
def saving(
    scheme: Annotated[str, typer.Option("--scheme", help="A scheme's key or file.")],
    lot: Annotated[str, typer.Option(help="For which lot.")],
    before: Annotated[str, typer.Option(help="The tier that people are in.")],
    after: Annotated[str, typer.Option(help="The tier that a block moves them to.")],
    people: Annotated[int, typer.Option(min=1, help="How many people.")] = 1,
) -> None:
    """Say what a week costs less when a block moves people to another price tier."""
    payment = scheme_named(scheme).payment(lot)
    if payment is None or not payment.weekly_prices:
        raise BadInput(f"lot {lot!r} has no weekly prices", field="--lot")
    pence = saved_by_moving(payment.weekly_prices, before=before, after=after, people=people)
    typer.echo(f"{in_pounds(pence)} a week less" if pence >= 0 else f"{in_pounds(-pence)} a week more")
