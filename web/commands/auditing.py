"""`dps audit`: the proof that nothing was changed since it happened."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bidding.proof import verify as prove
from bidding.sealing import checking
from dps.kernel import trail_check
from dps.kernel.database import Database
from dps.kernel.errors import BadInput
from dps.kernel.keys import key_id, load_keyring
from dps.kernel.references import Kind, kind_of, parse_reference
from dps.kernel.settings import read_settings
from dps.kernel.trail_file import trail_lines
from dps.migrations.history import refuse_outdated
from web.commands.speaking import FAILED, OPERATOR, AsJson, say_json

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
    receipt: Annotated[
        Path | None, typer.Option(help="Check this receipt alone, offline; no database is asked.")
    ] = None,
    bid: Annotated[Path | None, typer.Option(help="With --receipt: the ciphertext that was received.")] = None,
    content: Annotated[
        Path | None, typer.Option(help="With --receipt: what the bid said, with its nonce, as JSON.")
    ] = None,
    closing: Annotated[Path | None, typer.Option(help="With --receipt: closing.json of an audit pack.")] = None,
    trail_file: Annotated[
        Path | None, typer.Option("--trail", help="Check this exported trail alone, offline; no database is asked.")
    ] = None,
    checkpoint: Annotated[
        str, typer.Option(help="With --trail: the hash of a checkpoint that you know, which must be there.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Recompute the trail and check every bid, receipt and closing; each fault is a line, and the exit code is 1."""
    if trail_file is not None:
        _verify_export(trail_file, public_keys, checkpoint, as_json=as_json)
        return
    if receipt is not None:
        _verify_receipt(receipt, public_keys, bid, content, closing, as_json=as_json)
        return
    if bid or content or closing:
        raise BadInput("--bid, --content and --closing belong to a --receipt", field="--receipt")
    settings = read_settings()
    keys = _public_keys(public_keys) if public_keys else load_keyring(settings.keys_dir).public_keys
    database = Database(settings.database_url)
    try:
        refuse_outdated(database)
        with Console(stderr=True).status("Checking the trail and the bids …"), database.reading() as session:
            trail, bids = prove(session, keys, processes=os.cpu_count() or 1)
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


@app.command("export")
def export(
    to: Annotated[Path, typer.Argument(help="The file to write, such as trail.jsonl; it must not exist.")],
) -> None:
    """Write the whole trail, every stream with its checkpoints, for `dps audit verify --trail` on any machine."""
    if to.exists():
        raise BadInput("this file is there already", file=str(to))
    database = Database(read_settings().database_url)
    fresh = to.with_name(f"{to.name}.new")
    try:
        refuse_outdated(database)
        with (
            Console(stderr=True).status("Writing the trail …"),
            database.reading() as session,
            fresh.open("w", encoding="utf-8", newline="\n") as file,
        ):
            lines = sum(bool(file.write(f"{line}\n")) for line in trail_lines(session))
        fresh.replace(to)
    except OSError as fault:
        raise BadInput(f"can't be written: {fault.strerror}", file=str(to)) from None
    finally:
        fresh.unlink(missing_ok=True)
        database.dispose()
    typer.echo(f"{to}: {lines - 1} events and checkpoints. Check it with `dps audit verify --trail {to}`.")


@app.command("pack")
def pack(
    what: Annotated[str, typer.Argument(metavar="REF", help="An award, AWD-…, or a contract for an area, LET-….")],
    out: Annotated[Path | None, typer.Option(help="The ZIP to write; else REF.zip here.")] = None,
    replay: Annotated[bool, typer.Option(help="Solve the stored allocation run again.")] = True,
) -> None:
    """Write the whole story of an award or an area contract, with all that proves it.

    The exit code is 1 where a claim does not hold.
    """
    from matching.allocation import SolverProcess
    from web.packing import pack as packed
    from web.packing import pack_area, write

    settings = read_settings()
    ref = parse_reference(what)
    is_area = kind_of(ref) is Kind.AREA_CONTRACT
    if not is_area:
        parse_reference(ref, Kind.AWARD)
    path = out or Path(f"{ref}.zip")
    database = Database(settings.database_url)
    process = SolverProcess() if replay and not is_area else None
    try:
        refuse_outdated(database)
        keys = load_keyring(settings.keys_dir).public_keys
        with Console(stderr=True).status("Gathering the story …"), database.reading() as session:
            if is_area:
                content, claims = pack_area(session, area_contract_ref=ref, actor=OPERATOR, public_keys=keys)
            else:
                content, claims = packed(session, award_ref=ref, actor=OPERATOR, public_keys=keys, replay=process)
        write(content, path)
    finally:
        database.dispose()
        if process is not None:
            process.close()
    against = [f"{claim.words} {words}" for claim in claims for words in claim.against]
    for words in against:
        typer.echo(words, err=True)
    typer.echo(f"{path}: {len(claims)} claims, {f'{len(against)} faults' if against else 'each holds'}.")
    if against:
        raise typer.Exit(FAILED)


def _verify_export(trail: Path, public_keys: Path | None, known: str, *, as_json: bool) -> None:
    keys = _public_keys(public_keys or read_settings().keys_dir / "signing.pub.json")
    try:
        found = trail_check.check_file(trail, {name: key.hex() for name, key in keys.items()}, known=known)
    except (OSError, UnicodeDecodeError):
        raise BadInput("is not there, or is no exported trail", file=str(trail)) from None
    if as_json:
        counts = {"events": found.events, "checkpoints": found.checkpoints}
        say_json({"ok": not found.faults, **counts, "faults": found.faults})
    else:
        for fault in found.faults:
            typer.echo(fault, err=True)
        words = f"{len(found.faults)} faults" if found.faults else "nothing was changed"
        typer.echo(f"{found.events} events and {found.checkpoints} checkpoints checked: {words}.")
    if found.faults:
        raise typer.Exit(FAILED)


def _verify_receipt(
    receipt: Path,
    public_keys: Path | None,
    bid: Path | None,
    content: Path | None,
    closing: Path | None,
    *,
    as_json: bool,
) -> None:
    keys = public_keys or read_settings().keys_dir / "signing.pub.json"
    try:
        faults = checking.check_files(receipt, keys, bid, content, closing)
    except checking.Unreadable as unreadable:
        raise BadInput(str(unreadable)) from None
    if as_json:
        say_json({"ok": not faults, "faults": faults})
    else:
        for fault in faults:
            typer.echo(fault, err=True)
        typer.echo("The receipt does not hold." if faults else "The receipt holds.")
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
