"""`dps simulate`: a policy change is tried here before it is made."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dps.kernel.calendar import LONDON
from dps.schemes.model import Scheme
from web.commands.naming import scheme_named
from web.commands.speaking import AsJson, say_json
from web.simulation.chapters import in_short, names_of
from web.simulation.comparing import Comparison, compare
from web.simulation.report import page

PEOPLE_A_WEEK = 100
"""So many referrals a week where nothing else is asked for: a third of most demonstrations' week."""


def simulate(
    scheme: Annotated[
        str, typer.Option(help="The rules as they are: a key, or a scheme file. Its ground is played on.")
    ],
    against: Annotated[str, typer.Option(help="The rules to try: another key, or an edited copy of a file.")],
    weeks: Annotated[int, typer.Option(min=1, max=208, help="So many weeks from the scheme's demo.starts_at.")] = 52,
    seed: Annotated[int, typer.Option(help="The same seed draws the same people, providers and wishes.")] = 7,
    referrals: Annotated[
        int | None, typer.Option(min=1, max=2000, help="People a week; else 100, or the demo's if that is fewer.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write the report with its pictures here; else simulation.html. Not with --json."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play the same synthetic year under two rule sets, and say what differs.

    Nothing is stored and no database is asked. The same people are referred, to the same providers with the same
    wishes: time to place, where people are placed, what is missed, cost, and who wins differ by the rules alone.
    """
    first, second = scheme_named(scheme), scheme_named(against)
    console = Console(stderr=True)
    with _progress(console, first, second, weeks) as told:
        compared = compare(first, second, seed=seed, weeks=weeks, referrals=referrals or _usual(first), progress=told)
    if as_json:
        say_json(compared.to_dict())
        if out is None:
            return
    else:
        Console().print(_table(compared))
    file = out or Path("simulation.html")
    file.write_text(page(compared), encoding="utf-8")
    console.print(f"{file}: the report with its pictures.")


def _usual(scheme: Scheme) -> int | None:
    return min(PEOPLE_A_WEEK, scheme.demo.referrals) if scheme.demo else None


def _table(compared: Comparison) -> Table:
    names = names_of(compared)
    table = Table(
        title=f"{compared.weeks} synthetic weeks, {compared.people_a_week} people a week, seed {compared.seed}"
    )
    table.add_column("")
    for head in (*names, "Difference"):
        table.add_column(head, justify="right")
    for row in in_short(compared):
        table.add_row(*row)
    for note in (note for side in compared.sides for note in side.notes):
        table.caption = f"{table.caption} {note}" if table.caption else note
    return table


@contextmanager
def _progress(console: Console, first: Scheme, second: Scheme, weeks: int) -> Iterator[Callable[[int, datetime], None]]:
    """How far each rule set's year has come, by its own calendar."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("week {task.completed} of {task.total}, {task.fields[day]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        tasks = [bar.add_task(one.key, total=weeks, day="") for one in (first, second)]

        def told(side: int, at: datetime) -> None:
            assert first.demo is not None
            begun = min((at - first.demo.starts_at).days // 7 + 1, weeks)
            bar.update(tasks[side], completed=begun, day=f"{at.astimezone(LONDON):%-d %b %Y}")

        yield told
