"""`dps schemes`: look at council schemes, check a file, print the public rulebook."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from dps.kernel.errors import BadScheme, DpsError
from dps.schemes.differences import differences
from dps.schemes.loader import preset, presets, rule_hash
from dps.schemes.model import Scheme
from dps.schemes.rulebook import rulebook
from dps.schemes.wording import LEGAL_BASES, URGENCIES, count, day_words
from web.commands.naming import scheme_named
from web.commands.schemes_new import new
from web.commands.speaking import BAD_INPUT, AsJson, say_json

app = typer.Typer(name="schemes", help="Council schemes: the rules as data.", no_args_is_help=True)

MOST_LINES = 8
"""Two councils share no locality: a few sentences of each part say enough."""

Named = Annotated[str, typer.Argument(help="The key of a scheme that comes with the engine, or a scheme file.")]


@app.command("list")
def list_schemes(as_json: AsJson = False) -> None:
    """List the schemes that come with the engine."""
    with _faults_said():
        rows = [_row(preset(key)) for key in presets()]
        if as_json:
            say_json(rows)
            return
        width = max(len(row["key"]) for row in rows)
        for row in rows:
            typer.echo(f"{row['key']:{width}}  {row['name']}  ({row['term']})")


@app.command("check")
def check(
    schemes: Annotated[list[str], typer.Argument(help="Scheme files, or keys of schemes that come with the engine.")],
    as_json: AsJson = False,
) -> None:
    """Check scheme files; every fault of each is named, and the exit code is 2 if there is one."""
    answers: list[dict[str, Any]] = []
    for name in schemes:
        try:
            scheme = scheme_named(name)
        except BadScheme as bad:
            faults = [{"key": key, "reason": reason} for key, reason in bad.facts["faults"]]
            answers.append({"scheme": name, "ok": False, "faults": faults})
            if not as_json:
                typer.echo(str(bad), err=True)
        except DpsError as unknown:
            answers.append({"scheme": name, "ok": False, "faults": [{"key": "", "reason": str(unknown)}]})
            if not as_json:
                typer.echo(str(unknown), err=True)
        else:
            answers.append({"scheme": name, "ok": True, "faults": [], "rule_hash": rule_hash(scheme)})
            if not as_json:
                typer.echo(f"{name}: sound, rules {rule_hash(scheme)[:12]}")
    if as_json:
        say_json(answers)
    if not all(answer["ok"] for answer in answers):
        raise typer.Exit(BAD_INPUT)


@app.command("show")
def show(scheme: Named, as_json: AsJson = False) -> None:
    """Show a scheme in short; with --json, every key of it, defaults written out."""
    with _faults_said():
        shown = scheme_named(scheme)
        if as_json:
            say_json(shown.model_dump(mode="json") | {"rule_hash": rule_hash(shown)})
            return
        for line in _summary(shown, scheme):
            typer.echo(line)


@app.command("publish")
def publish(
    scheme: Named,
    out: Annotated[Path | None, typer.Option(help="Write the rulebook to this file instead of the screen.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the public rulebook of a scheme with a worked example of an award, as Markdown."""
    from bidding.worked_example import worked_example

    with _faults_said():
        published = scheme_named(scheme)
        rules, example = rulebook(published), worked_example(published)
        text = f"{rules}\n{example}"
        if out is not None:
            out.write_text(text, encoding="utf-8")
        if as_json:
            say_json({"key": published.key, "rule_hash": rule_hash(published), "rulebook": rules, "example": example})
        elif out is None:
            typer.echo(text, nl=False)
        else:
            typer.echo(f"{out}: the rulebook of {published.key}, rules {rule_hash(published)[:12]}")


@app.command("diff")
def diff(
    first: Named,
    second: Annotated[str, typer.Argument(help="The other: a key or a file.")],
    in_full: Annotated[bool, typer.Option("--all", help="Every sentence, however many there are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say in words what differs between two schemes; the exit code is 0 whether anything does or not."""
    with _faults_said():
        one, other = scheme_named(first), scheme_named(second)
        found = differences(one, other)
    if as_json:
        say_json([{"heading": part.heading, "first": part.first, "second": part.second} for part in found])
        return
    if not found:
        typer.echo(f"{first} and {second} have the same rules.")
    for part in found:
        typer.echo(f"{part.heading}")
        for name, lines in ((first, part.first), (second, part.second)):
            shown = lines if in_full else lines[:MOST_LINES]
            for line in shown:
                typer.echo(f"  {name}: {line}")
            if len(lines) > len(shown):
                typer.echo(f"  {name}: … and {len(lines) - len(shown)} more (--all)")


app.command("new")(new)


def _row(scheme: Scheme) -> dict[str, Any]:
    ends = scheme.term.ends
    return {
        "key": scheme.key,
        "name": scheme.name,
        "term": f"from {day_words(scheme.term.starts)}" + (f" until {day_words(ends)}" if ends else ""),
        "lots": [lot.key for lot in scheme.lots],
        "localities": len(scheme.localities),
        "evaluation": scheme.evaluation.rule.value,
        "allocation": scheme.allocation.mode.value,
        "rule_hash": rule_hash(scheme),
    }


def _summary(scheme: Scheme, named: str) -> Iterator[str]:
    row = _row(scheme)
    yield f"{scheme.name} ({scheme.key}), rules {row['rule_hash'][:12]}"
    yield f"Buyers      {', '.join(authority.name for authority in scheme.authorities)}"
    yield f"Legal basis {LEGAL_BASES[scheme.legal_basis]}"
    yield f"Term        {row['term']}"
    yield f"Lots        {', '.join(row['lots'])}"
    yield f"Localities  {', '.join(locality.key for locality in scheme.localities)}"
    yield f"Evaluation  {row['evaluation']}, allocated {row['allocation']}"
    yield f"Assumed     {count(len(scheme.assumed), 'point')}; `dps schemes publish {named}` lists them"
    for ladder in scheme.ladders:
        yield ""
        yield f"{', '.join(ladder.lots)}: {', '.join(URGENCIES[urgency] for urgency in ladder.urgencies)}"
        for place, stage in enumerate(ladder.stages, start=1):
            closing = ", published closing" if stage.closing == "published" else ""
            asked = ", ".join(stage.lists)
            yield f"  {place}. {stage.key}: {asked} in {stage.reach}, {stage.mode}, {stage.window.words()}{closing}"


@contextmanager
def _faults_said() -> Iterator[None]:
    """Bad input ends the command with its words and exit code 2, without a traceback."""
    try:
        yield
    except DpsError as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(BAD_INPUT) from None
    except OSError as failed:
        typer.echo(f"{failed.filename}: {failed.strerror}", err=True)
        raise typer.Exit(BAD_INPUT) from None
