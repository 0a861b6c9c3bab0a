"""`dps deliveries workbook OUT.xlsx`: a provider's visits that nobody has recorded yet, for it to fill in."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from dps.contracts.deliveries.expected import expected_visits
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput
from dps.schemes.published import standing_scheme
from web.assembly import opened
from web.commands.naming import refuse_unknown
from web.deliveries_workbook import workbook

app = typer.Typer(name="deliveries", help="A provider's monitoring workbook.", no_args_is_help=True)


@app.callback()
def deliveries() -> None:
    """A provider's monitoring workbook."""


@app.command("workbook")
def write_workbook(
    out: Annotated[Path, typer.Argument(help="The XLSX file to write.")],
    scheme: Annotated[str, typer.Option(help="The key of the published scheme that the contracts belong to.")],
    provider: Annotated[str, typer.Option(help="The provider's reference, PRV-….")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    last: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day.")],
) -> None:
    """Write one row a visit still to be recorded; `dps import deliveries` reads the file once it is filled in."""
    if out.suffix.lower() != ".xlsx":
        raise BadInput("name a file that ends in .xlsx", field="OUT")
    actor = Actor("command-line", Role.PROVIDER, provider=provider)
    with opened() as installation, installation.database.reading() as session:
        refuse_unknown(session, provider=provider, authority=None)
        rules = standing_scheme(session, scheme)
        visits = expected_visits(
            session, installation.ports, scheme=rules, first=first.date(), last=last.date(), actor=actor
        )
    content = workbook(visits)
    try:
        out.write_bytes(content)
    except OSError as fault:
        raise BadInput(f"{out} can't be written: {fault.strerror}", field="OUT") from None
    typer.echo(f"{len(visits)} visits of {len({visit.contract for visit in visits})} contracts: {out}")
