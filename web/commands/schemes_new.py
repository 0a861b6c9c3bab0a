"""`dps schemes new`: walks a commissioner through a tenth council's file, with a sensible default for each question."""

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

import typer

from dps.kernel.errors import BadInput, BadScheme
from dps.kernel.money import parse_pence
from dps.places.postcodes import parse_district
from dps.register.providers import lad_code
from dps.schemes.drafting import Answers, draft
from dps.schemes.loader import load, presets
from dps.schemes.model import LegalBasis, Scheme
from dps.schemes.wording import LEGAL_BASES

Answer = TypeVar("Answer")


class Ask(Protocol):
    """How a question is asked: its words, how an answer is read, and what is offered."""

    def __call__(self, question: str, read: Callable[[str], Answer], *, default: str | None = None) -> Answer: ...


def new(
    out: Annotated[Path, typer.Argument(help="Where to write the file, such as ours.toml; it must not be there yet.")],
) -> None:
    """Write a new scheme file: a few questions, each with a default; every default in the file is marked as assumed."""
    if out.exists():
        raise BadInput("this file is there already: name another", file=out.name)
    text, scheme = _sound(Questions())
    out.write_text(text, encoding="utf-8")
    typer.echo(f"{out}: {scheme.name}, {len(scheme.lots)} lots, {len(scheme.localities)} localities.")
    typer.echo(f"Next: look for `# assumed` in it, then `dps schemes check {out}` and `dps schemes publish {out}`.")
    typer.echo(f"Try it on a synthetic year: `dps simulate --scheme {out} --against COPY.toml`.")


class Questions:
    """Asks and remembers: asked once more, a question offers what was typed before."""

    def __init__(self) -> None:
        self._typed: dict[str, str] = {}

    def ask(self, question: str, read: Callable[[str], Answer], *, default: str | None = None) -> Answer:
        """Ask until the answer can be read; what is wrong is said each time."""
        while True:
            offered = self._typed.get(question, default)
            # An empty default is not shown: else an empty answer is asked again without a word.
            given = str(typer.prompt(question, default=offered or "", show_default=offered is not None)).strip()
            try:
                if not given:
                    raise BadInput("this needs an answer; nothing is assumed for it")
                answer = read(given)
            except BadInput as bad:
                typer.echo(f"  {bad.facts['reason']}", err=True)
            else:
                self._typed[question] = given
                return answer


def _sound(questions: Questions) -> tuple[str, Scheme]:
    """The text of a file and its scheme; while the answers make no scheme together, they are gone through again."""
    while True:
        text = draft(_asked(questions.ask))
        try:
            return text, load(text)
        except BadScheme as bad:
            typer.echo(str(bad), err=True)
            typer.echo("Nothing is written yet. Once more: Enter keeps an answer, Ctrl-C stops.", err=True)


def _asked(ask: Ask) -> Answers:
    name = ask("The council's name", str)
    key = ask("A short key for the scheme", _new_key, default=_keyed(name))
    basis = ask(f"The legal basis ({', '.join(LegalBasis)})", _basis, default=LegalBasis.LIGHT_TOUCH_FRAMEWORK.value)
    typer.echo(f"  That is {LEGAL_BASES[basis]}.")
    starts = ask("The first day of the term", _day)
    ends = ask("The day after its last day, or none", _day_or_none, default=f"{starts.year + 4}-{starts:%m-%d}")
    lots = ask("The services bought, parted by commas", _named, default="Personal care, Reablement")
    areas = ask("The localities, parted by commas", _named)
    return Answers(
        key=key,
        name=f"{name}: home care",
        authority=key,
        authority_name=name,
        legal_basis=basis,
        starts=starts,
        ends=ends,
        lots=lots,
        localities={
            area: (said, ask(f"The postcode districts of {said}, parted by commas", _districts))
            for area, said in areas.items()
        },
        lads=ask("The council's district codes (such as E08000012), parted by commas", _lads),
        floor_pence_per_hour=ask("The lowest lawful price of a carer-hour, in pounds", parse_pence, default="18.00"),
        ceiling_pence_per_hour=ask("The highest lawful price, in pounds", parse_pence, default="28.00"),
        quality_weight=ask("How much quality counts of 100, the rest being price", _percent, default="40"),
    )


def _new_key(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) or len(text) > 32:
        raise BadInput("write lower-case letters, digits and single hyphens, 32 at most")
    if text in presets():
        raise BadInput(f"{text} is the key of a scheme that comes with the engine")
    return text


def _keyed(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:32].strip("-")


def _named(text: str) -> dict[str, str]:
    """Names by their keys; no two may share one."""
    named: dict[str, str] = {}
    for words in _listed(text):
        key = _keyed(words)
        if not key:
            raise BadInput(f"{words[:40]!r} needs a letter from a to z, or a digit")
        if key in named:
            raise BadInput(f"{named[key][:40]!r} and {words[:40]!r} are too much alike: name each differently")
        named[key] = words
    return named


def _basis(text: str) -> LegalBasis:
    try:
        return LegalBasis(text)
    except ValueError:
        raise BadInput(f"{text[:40]!r} is none of these: {', '.join(LegalBasis)}") from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadInput(f"{text[:40]!r} is no day; write one as 2026-04-01") from None


def _day_or_none(text: str) -> date | None:
    return None if text.lower() == "none" else _day(text)


def _listed(text: str) -> list[str]:
    found = [part.strip() for part in text.split(",") if part.strip()]
    if not found:
        raise BadInput("name at least one")
    return found


def _districts(text: str) -> list[str]:
    return [parse_district(part) for part in _listed(text)]


def _lads(text: str) -> list[str]:
    return [lad_code(part) for part in _listed(text)]


def _percent(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > 100:
        raise BadInput("a whole number from 0 to 100")
    return int(text)
