"""`dps`: the command line. Each command is loaded when it is called, and what it refuses is said in one line.

Of what is mounted here only `work` and `demo` hold identities; `serve` starts them in a process of their own.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Collection
from inspect import getdoc
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from dps.kernel.errors import DpsError, Misconfigured
from web.commands.speaking import FAILED, exit_code, words_of

Loaded = typer.Typer | Callable[..., None]

# Commands by name: a room's own group or command, loaded by the function.


def _init() -> Loaded:
    from web.commands.installing import init

    return init


def _demo() -> Loaded:
    from web.demo.command import demo

    return demo


def _simulate() -> Loaded:
    from web.simulation.command import simulate

    return simulate


def _serve() -> Loaded:
    return serve


def _work() -> Loaded:
    return work


def _migrate() -> Loaded:
    from web.commands.installing import migrate

    return migrate


def _keys() -> Loaded:
    from web.commands.keys import app

    return app


def _accounts() -> Loaded:
    from web.commands.accounts import app

    return app


def _messages() -> Loaded:
    from web.commands.messages import app

    return app


def _webhooks() -> Loaded:
    from web.commands.messages import hooks

    return hooks


def _schemes() -> Loaded:
    from web.schemes import app

    return app


def _places() -> Loaded:
    from web.places import app

    return app


def _import() -> Loaded:
    from web.commands.deliveries import import_deliveries
    from web.commands.importing import import_referrals
    from web.commands.reaccrediting import import_register
    from web.deliveries_file import COLUMNS as OF_DELIVERIES
    from web.deliveries_file import REQUIRED as NEEDED_OF_DELIVERIES
    from web.provider_rows import ADMITTED, NEEDED, OPTIONAL
    from web.providers import import_providers
    from web.referrals_file import COLUMNS, REQUIRED
    from web.sheets import columns_in_words

    def helped(command: Callable[..., None], columns: Collection[str], needed: Collection[str], *more: str) -> str:
        return "\n\n".join((getdoc(command) or "", columns_in_words(columns, needed), *more))

    providers = (*NEEDED, *OPTIONAL, *ADMITTED)
    week = "A week is written as: Mon-Fri 07:30-09:30 30m x2 personal_care; Sat,Sun 09:00-11:00 45m meals"
    app = typer.Typer(name="import", help="Bring in what another system holds.", no_args_is_help=True)
    app.command("providers", help=helped(import_providers, providers, NEEDED))(import_providers)
    app.command("register", help=helped(import_register, providers, NEEDED))(import_register)
    app.command("referrals", help=helped(import_referrals, COLUMNS, REQUIRED, week))(import_referrals)
    app.command("deliveries", help=helped(import_deliveries, OF_DELIVERIES, NEEDED_OF_DELIVERIES))(import_deliveries)
    return app


def _deliveries() -> Loaded:
    from web.commands.workbook import app

    return app


def _statements() -> Loaded:
    from web.commands.statements import app

    return app


def _outcomes() -> Loaded:
    from web.commands.outcomes import app

    return app


def _quality() -> Loaded:
    from web.commands.quality import app

    return app


def _run_off() -> Loaded:
    from web.commands.run_off import app

    return app


def _blocks() -> Loaded:
    from web.commands.blocks import app

    return app


def _areas() -> Loaded:
    from web.commands.areas import app

    return app


def _custody() -> Loaded:
    from web.commands.custody import app

    return app


def _arrangements() -> Loaded:
    from web.commands.arrangements import app

    return app


def _allocate() -> Loaded:
    from web.allocate import allocate

    return allocate


def _report() -> Loaded:
    from web.commands.report import app

    return app


def _erase() -> Loaded:
    from web.commands.erasing import erase

    return erase


def _backup() -> Loaded:
    from web.commands.backing_up import backup

    return backup


def _restore() -> Loaded:
    from web.commands.backing_up import restore

    return restore


def _audit() -> Loaded:
    from web.commands.auditing import app

    return app


def _retention() -> Loaded:
    from web.commands.retention import retention

    return retention


COMMANDS: dict[str, tuple[Callable[[], Loaded], str]] = {
    "init": (_init, "Make an installation: keys, database, postcodes, rules."),
    "demo": (_demo, "Play one council through a working week, then serve it."),
    "simulate": (_simulate, "Try other rules on the same synthetic year."),
    "serve": (_serve, "Serve the pages and the API, with a worker beside it."),
    "work": (_work, "Close, open, score, allocate, remind and sign what is due."),
    "migrate": (_migrate, "Bring the database to this release's shape."),
    "keys": (_keys, "Keys: create, rotate, and the API keys of others."),
    "accounts": (_accounts, "People who may sign in: add, list, close."),
    "messages": (_messages, "Messages: what did not arrive, and sending it again."),
    "webhooks": (_webhooks, "Systems that are called for each message."),
    "schemes": (_schemes, "Council schemes: the rules as data."),
    "places": (_places, "Postcodes and localities."),
    "import": (_import, "Bring in what another system holds."),
    "deliveries": (_deliveries, "A provider's monitoring workbook."),
    "statements": (_statements, "What contracts and areas are paid."),
    "outcomes": (_outcomes, "Outcomes of care, and what is reported of them."),
    "quality": (_quality, "Quality recognition, and providers that fail."),
    "run-off": (_run_off, "Move what a suspended provider runs to others."),
    "arrangements": (_arrangements, "Providers that supply together."),
    "areas": (_areas, "Contracts for a whole area: seek, offer, state."),
    "blocks": (_blocks, "Hours bought in blocks, used or not."),
    "custody": (_custody, "Key-holders who must help to open the dearest bids."),
    "allocate": (_allocate, "Files in, awards out."),
    "report": (_report, "What was awarded: the register, and open data."),
    "retention": (_retention, "Who may no longer be kept, and erasing them."),
    "erase": (_erase, "Destroy one person's key and all that it sealed."),
    "backup": (_backup, "Copy the database, the keys, the identities: each apart."),
    "restore": (_restore, "Put a copy back where nothing stands."),
    "audit": (_audit, "Prove that nothing was changed."),
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
