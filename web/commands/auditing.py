"""`dps audit`: the proof that nothing was changed since it happened."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bidding.proof import verify as prove
from dps.kernel.database import Database
from dps.kernel.errors import BadInput
from dps.kernel.keys import key_id, load_keyring
from dps.kernel.settings import read_settings
from dps.migrations.history import refuse_outdated
from web.commands.speaking import FAILED, AsJson, say_json

app = typer.Typer(name="audit", help="Prove that nothing was changed.", no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Prove that nothing was changed."""


@app.command("verify")
def verify(
    public_keys: Annotated[
        Path | None,
        typer.Option(help="signing.pub.json, for an auditor who holds no other key; else that of DPS_KEYS_DIR."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute the trail and check every bid, receipt and closing; each fault is a line, and the exit code is 1."""
    settings = read_settings()
    keys = _public_keys(public_keys) if public_keys else load_keyring(settings.keys_dir).public_keys
    database = Database(settings.database_url)
    try:
        refuse_outdated(database)
        with Console(stderr=True).status("Checking the trail and the bids …"), database.reading() as session:
            trail, bids = prove(session, keys)
    finally:
        database.dispose()
    faults = [*trail.faults, *bids.faults]
    if as_json:
        counts = {"events": trail.events, "streams": trail.streams, "checkpoints": trail.checkpoints}
        say_json({"ok": not faults, **counts, "bids": bids.bids, "closings": bids.closings, "faults": faults})
    else:
        for fault in faults:
            typer.echo(fault, err=True)
        typer.echo(
            f"{trail.events} events in {trail.streams} streams, {trail.checkpoints} checkpoints, {bids.bids} bids and "
            f"{bids.closings} closings checked: {f'{len(faults)} faults' if faults else 'nothing was changed'}."
        )
    if faults:
        raise typer.Exit(FAILED)


def _public_keys(path: Path) -> dict[str, bytes]:
    try:
        keys = {str(name): bytes.fromhex(value) for name, value in json.loads(path.read_bytes()).items()}
    except (ValueError, TypeError, AttributeError):
        keys = {}
    if not keys or any(name != key_id(key) for name, key in keys.items()):
        raise BadInput("is no file of public keys such as signing.pub.json", file=path.name)
    return keys
