"""How commands speak: one clear line for what is refused, and the exit code that says whose move it is.

0 done · 1 refused, or something is wrong · 2 the input or the installation makes no sense.
"""

import json
from typing import Annotated, Any

import typer

from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput, DpsError, Misconfigured, NotFound

FAILED = 1
BAD_INPUT = 2

OPERATOR = Actor("command-line", Role.ADMINISTRATOR)
"""Whoever may run commands on the server. What is done so stands on the trail under this name."""

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of words.")]


def say_json(value: Any) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def exit_code(refused: DpsError) -> int:
    """2 for what the caller can put right by typing something else, 1 for the rest."""
    return BAD_INPUT if isinstance(refused, BadInput | Misconfigured | NotFound) else FAILED


def words_of(fault: BaseException) -> str | None:
    """The line for an expected fault that is no refusal of the engine; None for one that nobody expected."""
    from sqlalchemy.exc import OperationalError

    match fault:
        case OperationalError():
            return f"The database can't be used: {str(fault.orig).strip().splitlines()[0]}"
        case OSError(strerror=str(why), filename=name):
            return f"{name}: {why}" if name else why
        case _:
            return None
