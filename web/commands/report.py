"""`dps report`: what was awarded, for auditors and for the public; what the law makes due."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table as PrintedTable

from bidding.monthly.tables import Table, Unit, tables
from bidding.transparency.ocds import as_json as written
from bidding.transparency.ocds import release_package
from bidding.transparency.register import register_of_awards
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.money import in_pounds
from dps.law.clocks import Clock
from dps.law.notices import record_notice
from dps.law.watch import as_rows, clocks_seen
from dps.register.who_is_where import who_is_where
from dps.schemes.published import standing_scheme
from dps.schemes.wording import count
from web.assembly import opened
from web.commands.speaking import FAILED, OPERATOR, AsJson, say_json

app = typer.Typer(name="report", help="What was awarded, and what is due.", no_args_is_help=True)

SchemeKey = Annotated[str, typer.Option("--scheme", help="The key of the published scheme.")]


@app.callback()
def report() -> None:
    """What was awarded, and what is due."""


@app.command("awards")
def awards(
    scheme: SchemeKey,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day, as 2026-03-02.")],
    last: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day, included.")],
    as_json: AsJson = False,
) -> None:
    """The register of awards of these days: who got what, how, at which price. For those who answer for the scheme."""
    with opened() as installation, installation.database.reading() as session:
        rules = standing_scheme(session, scheme)
        found = register_of_awards(session, scheme=rules, first=first.date(), last=last.date(), actor=OPERATOR)
    if as_json:
        say_json(
            {
                "awards": [
                    {
                        "award": one.award,
                        "contract": one.contract,
                        "state": one.state,
                        "authority": one.authority,
                        "provider": one.supplier.ref,
                        "lot": one.lot,
                        "locality": one.locality,
                        "source": one.source,
                        "legal_basis": one.basis,
                        "agreed_on": one.agreed_on,
                        "starts_on": one.starts_on,
                        "weekly_minutes": one.weekly_minutes,
                        "weekly_pence": one.weekly_pence,
                    }
                    for one in found.awards
                ],
                "areas": [
                    {
                        "tender": one.tender,
                        "contract": one.contract,
                        "state": one.state,
                        "authority": one.authority,
                        "provider": one.supplier.ref,
                        "lots": one.lots,
                        "locality": one.locality,
                        "agreed_on": one.agreed_on,
                        "first_day": one.first_day,
                        "last_day": one.last_day,
                        "yearly_pence": one.yearly_pence,
                        "bids": one.bids,
                        "valid_bids": one.valid_bids,
                    }
                    for one in found.areas
                ],
                "otherwise": [
                    {
                        "placement": one.placement,
                        "authority": one.authority,
                        "provider": one.supplier.ref if one.supplier else None,
                        "lot": one.lot,
                        "locality": one.locality,
                        "how": one.how,
                        "approved_on": one.approved_on,
                        "weekly_pence": one.weekly_pence,
                        "proposed_by": {"account": one.proposed_by, "role": Role.BROKER},
                        "approved_by": {"account": one.approved_by, "role": Role.APPROVER},
                    }
                    for one in found.otherwise
                ],
                "lots": [
                    {
                        "lot": lot.lot,
                        "rounds": lot.rounds,
                        "bids": lot.bids,
                        "valid_bids": lot.valid_bids,
                        "bidders": lot.bidders,
                    }
                    for lot in found.lots
                ],
            }
        )
        return
    for one in found.awards:
        typer.echo(
            f"{one.agreed_on}  {one.award}  {one.supplier.ref}  {one.source:14}  {one.lot}, {one.locality}  "
            f"{in_pounds(one.weekly_pence)} a week"
        )
    for area in found.areas:
        typer.echo(
            f"{area.agreed_on}  {area.contract}  {area.supplier.ref}  {area.name}, {area.locality}: "
            f"{in_pounds(area.yearly_pence)} a year, until {area.last_day}; {area.valid_bids} of {area.bids} bids valid"
        )
    for placed in found.otherwise:
        typer.echo(
            f"{placed.approved_on}  {placed.placement}  {placed.supplier.ref if placed.supplier else 'other'}  "
            f"placed otherwise ({placed.how})  {placed.lot}, {placed.locality}  {in_pounds(placed.weekly_pence)} a week"
            f", by broker {placed.proposed_by} and approver {placed.approved_by}"
        )
    for lot in found.lots:
        bids = f"{count(lot.bids, 'bid')} ({lot.valid_bids} valid) of {count(lot.bidders, 'bidder')}"
        typer.echo(f"{lot.lot}: {count(lot.rounds, 'round')}, {bids}")
    typer.echo(
        f"{count(len(found.awards), 'award')}, {in_pounds(sum(one.weekly_pence for one in found.awards))} a week."
    )


@app.command("ocds")
def ocds(
    scheme: SchemeKey,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m"], help="The first month, as 2026-03.")],
    last: Annotated[datetime, typer.Option("--until", formats=["%Y-%m"], help="The last month, included.")],
    prefix: Annotated[str, typer.Option(help="The publisher's registered OCDS prefix, as ocds-a1b2c3.")],
    uri: Annotated[str, typer.Option(help="Where the package will be published, https://….")],
    out: Annotated[Path | None, typer.Option(help="Write to this file instead of the screen.")] = None,
) -> None:
    """Write the awards of whole months as an OCDS 1.1 release package: no person, no losing price."""
    with opened() as installation, installation.database.reading() as session:
        rules = standing_scheme(session, scheme)
        days = first.date(), last_of_month(last.date())
        found = register_of_awards(session, scheme=rules, first=days[0], last=days[1], actor=OPERATOR)
        package = release_package(found, prefix=prefix, uri=uri, now=installation.ports.clock.read(session))
    text = written(package)
    if out is None:
        typer.echo(text.decode())
    else:
        out.write_bytes(text + b"\n")
        typer.echo(f"{out}: {len(found.awards)} awards and {len(found.areas)} area contracts of {scheme}")


@app.command("clocks")
def clocks(scheme: SchemeKey, as_json: AsJson = False) -> None:
    """What the law makes due under a scheme: term, reopening, lists, notices, applications; exit code 1 if overdue."""
    with opened() as installation, installation.database.reading() as session:
        today = installation.ports.clock.read(session).astimezone(LONDON).date()
        rows = as_rows(clocks_seen(session, scheme=scheme, actor=OPERATOR), today)
    if as_json:
        say_json(rows)
    else:
        for row in rows:
            typer.echo(f"{row['limit']}  {row['state']:8}  {row['clock']:12}  {row['words']}")
        if not rows:
            typer.echo(f"Nothing is due under {scheme}.")
    if any(row["state"] == "overdue" for row in rows):
        raise typer.Exit(FAILED)


@app.command("lists")
def lists(
    scheme: SchemeKey,
    out: Annotated[Path | None, typer.Option(help="Write a workbook (XLSX) here instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """Who is on which list, for which service, where: what is published of lists that are asked one before another."""
    from web.lists_workbook import lists_workbook, rows_of

    with opened() as installation, installation.database.reading() as session:
        rules = standing_scheme(session, scheme)
        places = who_is_where(session, rules, actor=OPERATOR)
    if as_json:
        say_json([asdict(place) for place in places])
    elif out is not None:
        out.write_bytes(lists_workbook(places, rules))
        typer.echo(f"{out}: {count(len(places), 'place')} on the lists of {scheme}.")
    else:
        for row in rows_of(places, rules):
            typer.echo("  ".join(row))
        if not places:
            typer.echo(f"Nobody is on a list of {scheme} yet.")


@app.command("notice")
def notice(
    scheme: SchemeKey,
    clock: Annotated[Clock, typer.Option(help="Which clock it stops: tiers (the lists), or notice (a contract's).")],
    number: Annotated[str, typer.Option(help="The number or address under which it can be found.")],
    published_on: Annotated[datetime, typer.Option("--published-on", formats=["%Y-%m-%d"], help="As 2026-03-02.")],
    about: Annotated[str, typer.Option(help="The contract, CON-…; the scheme's lists need none.")] = "",
    by: Annotated[str, typer.Option("--by", help="The account that acts; the trail names it.")] = "command-line",
) -> None:
    """Record that a notice was published; its clock stops."""
    with opened() as installation, installation.database.transaction() as session:
        row = record_notice(
            session,
            scheme=standing_scheme(session, scheme),
            clock=clock,
            about=about,
            number=number,
            published_on=published_on.date(),
            actor=Actor(by, Role.ADMINISTRATOR),
            now=installation.ports.clock.read(session),
        )
        typer.echo(f"{row.clock} of {row.about}: published on {row.published_on} under {row.number}.")


def last_of_month(month: date) -> date:
    """The last day of the month in which this day lies."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


@app.command("month")
def month(
    scheme: SchemeKey,
    which: Annotated[str, typer.Argument(metavar="MONTH", help="Such as 2019-03.")],
    out: Annotated[Path | None, typer.Option(help="Write a workbook (XLSX) here instead.")] = None,
    as_json: AsJson = False,
) -> None:
    """What a month came to: time to place, the ladder, competition, prices, who won, what went round it."""
    from web.month import days_of, said, workbook
    from web.month import report as reckoned

    first, last = days_of(which)
    with opened() as installation, installation.database.reading() as session:
        rules = standing_scheme(session, scheme)
        found = reckoned(session, installation.ports, scheme=rules, first=first, last=last, actor=OPERATOR)
    if as_json:
        say_json(asdict(found))
    elif out is not None:
        out.write_bytes(workbook(found, about=f"{rules.name}, {first} to {last}."))
        typer.echo(f"{out}: written.")
    else:
        for table in tables(found):
            _print(table, said)


def _print(table: Table, said: Callable[[Any, Unit], str]) -> None:
    console = Console()
    if not table.rows:
        console.print(f"\n[bold]{table.title}[/bold]: {table.empty}")
        return
    printed = PrintedTable(title=f"{table.title}. {table.note}", title_justify="left", title_style="bold")
    for heading, unit in table.columns:
        printed.add_column(heading, justify="left" if unit in (Unit.WORDS, Unit.REFERENCE) else "right")
    for row in table.rows:
        printed.add_row(*(said(value, unit) for value, (_, unit) in zip(row, table.columns, strict=True)))
    console.print(printed)
