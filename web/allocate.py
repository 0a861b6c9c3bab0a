"""`dps allocate`: files in, awards out. Exit 0 solved, 2 bad input (file, row, column, reason)."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dps.kernel.errors import BadInput
from matching.allocation import Instance, Result, shared_process, solve
from matching.allocation.files import Paths, read_instance
from matching.allocation.frontier import USUAL_RUNS
from matching.allocation.frontier import frontier as draw_frontier
from matching.allocation.trades import Against
from matching.allocation.written import as_json, write_awards, write_text


def allocate(
    packages: Annotated[Path, typer.Option(help="packages.csv")],
    providers: Annotated[Path, typer.Option(help="providers.csv")],
    bids: Annotated[Path, typer.Option(help="bids.csv")],
    localities: Annotated[Path | None, typer.Option(help="localities.csv")] = None,
    policy: Annotated[Path | None, typer.Option(help="policy.toml")] = None,
    previous: Annotated[Path | None, typer.Option(help="An earlier awards.csv, to change little of.")] = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Stop after so many seconds: a what-if. Left out: counted work.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides drawn lots, nothing else.")] = 0,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Workers of a run with a time limit.")] = 2,
    out: Annotated[Path | None, typer.Option(help="Where awards.csv is written.")] = None,
    frontier: Annotated[
        Against | None,
        typer.Option(help="Award nothing: show what more coverage, lower share caps or more urgent people would cost."),
    ] = None,
    picture: Annotated[Path | None, typer.Option(help="Where the picture of a frontier is written, as SVG.")] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
) -> None:
    """Allocate packages to providers: cost, capacity and coverage in balance, with a proof of how good it is."""
    words = Console(stderr=True)
    # It loads its libraries while the files are read.
    shared_process().begin()
    try:
        _refuse_mixtures(frontier, picture, out)
        instance = read_instance(Paths(packages, providers, bids, localities, policy, previous))
        if frontier is not None:
            _show_frontier(instance, frontier, seed, time_limit, picture, words, as_json_=as_json_)
            return
        with words.status("Allocating …") as status:

            def tell(objective_pence: int, bound_pence: int | None) -> None:
                at_least = "" if bound_pence is None else f", at least £{bound_pence / 100:,.0f}"
                status.update(f"Allocating … £{objective_pence / 100:,.0f} a week{at_least}")

            result = solve(
                instance,
                lot_seed=f"dps allocate {seed}".encode(),
                time_limit_s=time_limit,
                workers=workers,
                progress=tell,
            )
        if out is not None:
            write_awards(result, out)
    except BadInput as fault:
        words.print(str(fault), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    if as_json_:
        typer.echo(as_json(result))
    else:
        _summarise(result)


def _refuse_mixtures(against: Against | None, picture: Path | None, out: Path | None) -> None:
    if against is None and picture is not None:
        raise BadInput(
            "a picture is drawn of a frontier: add --frontier coverage, share or priority", field="--picture"
        )
    if against is not None and out is not None:
        raise BadInput("a frontier awards nothing: leave --out away, or leave --frontier away", field="--out")


def _show_frontier(
    instance: Instance,
    against: Against,
    seed: int,
    time_limit: float | None,
    picture: Path | None,
    words: Console,
    *,
    as_json_: bool,
) -> None:
    with words.status("Looking along the frontier …") as status:

        def tell(runs: int, points: int) -> None:
            status.update(f"Looking along the frontier … {runs} of at most {USUAL_RUNS} searches, {points} points")

        shown = draw_frontier(
            instance,
            lot_seed=f"dps allocate {seed}".encode(),
            against=against,
            time_limit_s=time_limit,
            progress=tell,
        )
    if picture is not None:
        write_text(shown.to_svg(), picture)
    if as_json_:
        typer.echo(shown.to_json())
    else:
        for line in shown.lines():
            typer.echo(line)


def _summarise(result: Result) -> None:
    report = result.report
    gap = "not known" if result.gap is None else f"{result.gap:.2%}"
    typer.echo(
        f"{result.status}: {report.placed} placed, {report.unplaced} not ({report.unplaced_minutes / 60:,.1f} hours), "
        f"£{result.objective_pence / 100:,.2f} a week, gap {gap}, {result.seconds:.1f} s"
    )
    for package in result.unplaced:
        typer.echo(f"{package.package}: {package.words}")
    for note in (*(fault.words for fault in report.gave_way), *result.notes):
        typer.echo(note)
