"""The commands of `dps` that hold no identity, by name: a room's group or command, loaded once it is called."""

from collections.abc import Callable, Collection
from inspect import getdoc

import typer

Loaded = typer.Typer | Callable[..., None]


def _init() -> Loaded:
    from web.commands.installing import init

    return init


def _simulate() -> Loaded:
    from web.simulation.command import simulate

    return simulate


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


MOUNTED: dict[str, tuple[Callable[[], Loaded], str]] = {
    "init": (_init, "Make an installation: keys, database, postcodes, rules."),
    "simulate": (_simulate, "Try other rules on the same synthetic year."),
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
