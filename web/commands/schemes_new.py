"""`dps schemes new`: walks a commissioner through a tenth council's file, with a sensible default for each question."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from dps.kernel.errors import BadInput, BadScheme
from dps.kernel.money import parse_pence
from dps.places.postcodes import parse_district
from dps.schemes.drafting import Answers, draft
from dps.schemes.loader import load, presets
from dps.schemes.model import LegalBasis
from dps.schemes.wording import LEGAL_BASES
from web.commands.speaking import BAD_INPUT

Answer = TypeVar("Answer")


def new(
    out: Annotated[Path, typer.Argument(help="Where to write the file, such as ours.toml; it must not be there yet.")],
) -> None:
    """Write a new scheme file: a few questions, each with a default; every default in the file is marked as assumed."""
    if out.exists():
        raise BadInput("this file is there already: name another", file=out.name)
    text = draft(_asked())
    try:
        scheme = load(text)
    except BadScheme as bad:
        typer.echo(str(bad), err=True)
        typer.echo("Nothing was written.", err=True)
        raise typer.Exit(BAD_INPUT) from None
    out.write_text(text, encoding="utf-8")
    typer.echo(f"{out}: {scheme.name}, {len(scheme.lots)} lots, {len(scheme.localities)} localities.")
    typer.echo(f"Next: look for `# assumed` in it, then `dps schemes check {out}` and `dps schemes publish {out}`.")
    typer.echo(f"Try it on a synthetic year: `dps simulate --scheme {out} --against COPY.toml`.")


def _asked() -> Answers:
    name = _ask("The council's name", str)
    key = _ask("A short key for the scheme", _new_key, default=_keyed(name))
    basis = _ask(
        f"The legal basis ({', '.join(LegalBasis)})", LegalBasis, default=LegalBasis.LIGHT_TOUCH_FRAMEWORK.value
    )
    typer.echo(f"  That is {LEGAL_BASES[basis]}.")
    starts = _ask("The first day of the term", date.fromisoformat)
    ends = _ask("The day after its last day, or none", _day_or_none, default=f"{starts.year + 4}-{starts:%m-%d}")
    lots = _ask("The services bought, parted by commas", _listed, default="Personal care, Reablement")
    localities = {}
    for area in _ask("The localities, parted by commas", _listed):
        localities[_keyed(area)] = _ask(f"The postcode districts of {area}, parted by commas", _districts)
    return Answers(
        key=key,
        name=f"{name}: home care",
        authority=key,
        authority_name=name,
        lads=_ask("The council's district codes (E…), parted by commas", _listed),
        legal_basis=basis,
        starts=starts,
        ends=ends,
        lots={_keyed(lot): lot for lot in lots},
        localities=localities,
        floor_pence_per_hour=_ask("The lowest lawful price of a carer-hour, in pounds", parse_pence, default="18.00"),
        ceiling_pence_per_hour=_ask("The highest lawful price, in pounds", parse_pence, default="28.00"),
        quality_weight=_ask("How much quality counts of 100, the rest being price", _percent, default="40"),
    )


def _ask(question: str, read: Callable[[str], Answer], *, default: str | None = None) -> Answer:
    """Ask until the answer can be read; what is wrong is said each time."""
    while True:
        given = typer.prompt(question, default=default)
        try:
            return read(str(given).strip())
        except BadInput as bad:
            typer.echo(f"  {bad.facts['reason']}", err=True)
        except ValueError:
            typer.echo(f"  {str(given)[:40]!r} can't be read here; a day is written as 2026-04-01", err=True)


def _new_key(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) or len(text) > 32:
        raise BadInput("write lower-case letters, digits and single hyphens, 32 at most")
    if text in presets():
        raise BadInput(f"{text} is the key of a scheme that comes with the engine")
    return text


def _keyed(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:32].strip("-")


def _day_or_none(text: str) -> date | None:
    return None if text.lower() == "none" else date.fromisoformat(text)


def _listed(text: str) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise BadInput("name at least one")
    return found


def _districts(text: str) -> list[str]:
    return [parse_district(part) for part in _listed(text)]


def _percent(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > 100:
        raise BadInput("a whole number from 0 to 100")
    return int(text)
