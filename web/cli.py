"""`dps`: the command line. Each command is loaded when it is called, and what it refuses is said in one line.

Of all commands only `work` and `demo` hold identities; `serve` starts them in a process of their own.
"""

import contextlib
import os
import signal
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from dps.kernel.errors import DpsError, Misconfigured
from web.commands.speaking import FAILED, exit_code, words_of
from web.mounted import MOUNTED, Loaded

# Those that hold identities, or start what does; all others are `mounted`.


def _demo() -> Loaded:
    from web.demo.command import demo

    return demo


def _serve() -> Loaded:
    return serve


def _work() -> Loaded:
    return work


COMMANDS: dict[str, tuple[Callable[[], Loaded], str]] = {
    "init": MOUNTED["init"],
    "demo": (_demo, "Play one council through a working week, then serve it."),
    "simulate": MOUNTED["simulate"],
    "serve": (_serve, "Serve the pages and the API, with a worker beside it."),
    "work": (_work, "Close, open, score, allocate, remind and sign what is due."),
    **MOUNTED,
}


class Commands(TyperGroup):
    """Loads a command when it is named, and turns what it refuses into a line and an exit code.

    Contexts are `Any` here: typer carries its own copy of click and exports none of its types.
    """

    _is_listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        load, words = COMMANDS[cmd_name]
        if self._is_listing:
            return TyperCommand(cmd_name, help=words)
        loaded = load()
        if isinstance(loaded, typer.Typer):
            return typer.main.get_group(loaded)
        alone = typer.Typer(add_completion=False)
        alone.command(cmd_name)(loaded)
        return typer.main.get_command(alone)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Name the commands without loading them, which takes seconds."""
        self._is_listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._is_listing = False

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except DpsError as refused:
            typer.echo(str(refused), err=True)
            raise typer.Exit(exit_code(refused)) from None
        except Exception as fault:
            words = words_of(fault)
            if words is None:
                raise
            typer.echo(words, err=True)
            raise typer.Exit(FAILED) from None


def _version(asked: bool) -> None:
    if asked:
        from web.assembly import release

        typer.echo(f"dps {release()}")
        raise typer.Exit


app = typer.Typer(
    name="dps", cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False
)


@app.callback()
def dps(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """A dynamic purchasing and mini-competition engine for home care.

    Settings come from the environment, DPS_…; see README.md.
    """


UntilInputEnds = Annotated[bool, typer.Option("--until-input-ends", hidden=True)]


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on; else DPS_HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = None,
    without_worker: Annotated[
        bool, typer.Option("--without-worker", help="Start a web process alone; workers run elsewhere.")
    ] = False,
    until_input_ends: UntilInputEnds = False,
) -> None:
    """Serve the pages and the API; a worker is started beside it, and alone is given the identities."""
    from dps.kernel.settings import read_settings
    from web import serving

    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = read_settings(**given)
    if without_worker:
        if os.environ.get(serving.IDENTITIES, serving.WITHHELD) != serving.WITHHELD:
            raise Misconfigured(reason=f"A web process is not given {serving.IDENTITIES}: only the worker may read it.")
        from web.listening import listen

        if until_input_ends:
            serving.end_with_input()
        listen(settings)
        return
    from web.assembly import opened

    with opened(settings):
        pass  # What is missing is said here, once, before two processes say it.
    arguments = [f"--{name}={value}" for name, value in given.items()]
    raise typer.Exit(serving.serve(os.environ, *arguments))


def work(
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, and end.")] = False,
    until_input_ends: UntilInputEnds = False,
) -> None:
    """Work: close, open, score, allocate, remind and sign what is due, every minute, until told to end."""
    from dps.kernel.logs import configure
    from dps.kernel.settings import read_settings
    from web import serving, worker

    settings = read_settings()
    configure(settings.log_level)
    if until_input_ends:
        serving.end_with_input()
    if once:
        worker.run_once(settings)
    else:
        worker.run(settings)


def main() -> None:
    """The console script."""
    with contextlib.suppress(AttributeError):
        # A reader that goes away (`dps … | head`) ends the command without a word.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    app()


if __name__ == "__main__":
    main()
