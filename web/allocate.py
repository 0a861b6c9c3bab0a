"""`dps allocate`: files in, awards out. Exit 0 solved, 2 bad input (file, row, column, reason)."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from dps.kernel.errors import BadInput
from matching.allocation import Instance, Mode, Result, shared_process, solve
from matching.allocation.again import USUAL_STABILITY_PENCE, solve_again, without_bids
from matching.allocation.files import Paths, read_holders, read_instance
from matching.allocation.frontier import USUAL_RUNS
from matching.allocation.frontier import frontier as draw_frontier
from matching.allocation.rebrokering import rebroker
from matching.allocation.trades import Against
from matching.allocation.written import as_record, write_awards, write_text
from web import allocated


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
    declined: Annotated[
        list[str] | None,
        typer.Option(
            help="With --previous: a bid that fell away since; again for more. Little else changes, and the answer "
            "that starts afresh stands beside.",
        ),
    ] = None,
    leaving: Annotated[
        str | None, typer.Option(help="The packages are this provider's whole caseload: its own bids are set aside.")
    ] = None,
    known: Annotated[
        Path | None, typer.Option(help="With --leaving: known.csv (package, provider), whom each person knows.")
    ] = None,
    continuity_pence: Annotated[
        int, typer.Option(help="With --leaving: a week's price of moving one person away from whom they know.")
    ] = USUAL_STABILITY_PENCE,
    explain: Annotated[
        bool, typer.Option(help="Say why of every package and provider, with both ends of the other award's price.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
) -> None:
    """Allocate packages to providers: cost, capacity and coverage in balance, with a proof of how good it is."""
    words = Console(stderr=True)
    # It loads its libraries while the files are read.
    shared_process().begin()
    try:
        _refuse_mixtures(frontier, picture, out, declined or [], previous, leaving, known)
        instance = read_instance(Paths(packages, providers, bids, localities, policy, previous))
        run = _Run(instance, seed, time_limit, workers, words)
        if frontier is not None:
            record, lines = run.frontier(frontier, picture)
        else:
            result, record, lines = run.answer(declined or [], leaving, known, continuity_pence)
            if explain:
                record["explanation"], more = run.reasons(result)
                lines += more
            if out is not None:
                write_awards(result, out)
    except BadInput as fault:
        words.print(str(fault), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(2) from None
    for line in [json.dumps(record, ensure_ascii=False)] if as_json else lines:
        typer.echo(line)


Told = tuple[dict[str, Any], list[str]]
"""One answer, as `--json` prints it and in words."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What was asked of one instance."""

    instance: Instance
    seed: int
    time_limit: float | None
    workers: int
    words: Console

    @property
    def lot_seed(self) -> bytes:
        return f"dps allocate {self.seed}".encode()

    def answer(
        self, declined: Sequence[str], leaving: str | None, known: Path | None, continuity_pence: int
    ) -> tuple[Result, dict[str, Any], list[str]]:
        """The award, and how it is told."""
        if declined:
            with self.words.status("Allocating again …"):
                second = solve_again(
                    without_bids(self.instance, _bids(self.instance, declined)),
                    self.instance.previous,
                    lot_seed=self.lot_seed,
                    time_limit_s=self.time_limit,
                )
            record = {
                "steady": as_record(second.steady),
                "changes": [asdict(change) for change in second.changes],
                "cold": as_record(second.cold),
                "cold_changes": [asdict(change) for change in second.cold_changes],
            }
            return second.steady, record, list(allocated.of_second(second))
        if leaving is not None:
            with self.words.status("Placing the caseload …"):
                handover = rebroker(
                    self.instance,
                    leaving,
                    known={one.package: one.provider for one in read_holders(known)} if known else {},
                    continuity_pence=continuity_pence,
                    lot_seed=self.lot_seed,
                    time_limit_s=self.time_limit,
                )
            record = {**as_record(handover.result), "kept": handover.kept, "strange": handover.strange}
            return handover.result, record, list(allocated.of_handover(handover))
        result = self._solved()
        return result, as_record(result), list(allocated.of_award(result))

    def _solved(self) -> Result:
        with self.words.status("Allocating …") as status:

            def tell(objective_pence: int, bound_pence: int | None) -> None:
                at_least = "" if bound_pence is None else f", at least £{bound_pence / 100:,.0f}"
                status.update(f"Allocating … £{objective_pence / 100:,.0f} a week{at_least}")

            return solve(
                self.instance,
                lot_seed=self.lot_seed,
                time_limit_s=self.time_limit,
                workers=self.workers,
                progress=tell,
            )

    def reasons(self, result: Result) -> Told:
        """Why, of every package and provider."""
        if result.mode is Mode.PER_PACKAGE:
            reason = "packages are decided one by one, and each award's own reason says all: leave it away"
            raise BadInput(reason, field="--explain")
        # The compiler takes seconds to load: only who asks why waits for it.
        from matching.allocation.explaining import explain

        with self.words.status("Looking for the reasons …"):
            told = explain(self.instance, result)
        return asdict(told), list(allocated.of_reasons(told))

    def frontier(self, against: Against, picture: Path | None) -> Told:
        """What other rules would cost."""
        with self.words.status("Looking along the frontier …") as status:

            def tell(runs: int, points: int) -> None:
                status.update(f"Looking along the frontier … {runs} of at most {USUAL_RUNS} searches, {points} points")

            shown = draw_frontier(
                self.instance,
                lot_seed=self.lot_seed,
                against=against,
                time_limit_s=self.time_limit,
                progress=tell,
            )
        if picture is not None:
            write_text(shown.to_svg(), picture)
        return json.loads(shown.to_json()), shown.lines()


def _bids(instance: Instance, refs: Sequence[str]) -> Sequence[str]:
    here = {bid.ref for bid in instance.bids}
    for ref in refs:
        if ref not in here:
            raise BadInput(f"{ref} is no bid of bids.csv", field="--declined")
    return refs


def _refuse_mixtures(
    against: Against | None,
    picture: Path | None,
    out: Path | None,
    declined: Sequence[str],
    previous: Path | None,
    leaving: str | None,
    known: Path | None,
) -> None:
    if against is None and picture is not None:
        raise BadInput(
            "a picture is drawn of a frontier: add --frontier coverage, share or priority", field="--picture"
        )
    if against is not None and out is not None:
        raise BadInput("a frontier awards nothing: leave --out away, or leave --frontier away", field="--out")
    if declined and previous is None:
        raise BadInput("what was awarded before is needed too: add --previous awards.csv", field="--declined")
    if known is not None and leaving is None:
        raise BadInput("add --leaving with the provider that leaves", field="--known")
    if sum((against is not None, bool(declined), leaving is not None)) > 1:
        raise BadInput("--frontier, --declined and --leaving ask different things: one at a time", field="--leaving")
