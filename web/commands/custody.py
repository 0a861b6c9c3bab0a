"""`dps custody`: named key-holders, what they are handed and hand in, and the rehearsal of an opening.

`make-key` and `release` need neither network nor database: they are for a custodian's own machine.
"""

import json
import os
from pathlib import Path
from typing import Annotated, Any

import pyrage
import typer

from bidding.custody import (
    Custodian,
    active_custodians,
    every_custodian,
    hand_in_in,
    hand_out_in,
    note_rehearsed,
    register_custodian,
    withdraw_custodian,
)
from bidding.sealing import rehearsing
from bidding.sealing.sharing import Holder, release
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput
from dps.schemes.published import standing_scheme
from web.assembly import opened
from web.commands.speaking import OPERATOR, AsJson, say_json
from web.security.accounts import holder_account

app = typer.Typer(name="custody", help="Key-holders who must help to open the dearest bids.", no_args_is_help=True)
rehearsal = typer.Typer(name="rehearsal", help="Try an opening out, with no bid in it.", no_args_is_help=True)
app.add_typer(rehearsal)

SchemeKey = Annotated[str, typer.Option("--scheme", help="The key of the published scheme.")]
CustodianRef = Annotated[str, typer.Option("--custodian", help="Whose shares, CSD-….")]
Out = Annotated[Path, typer.Option("--out", help="The file to write; none is ever written over.")]
KeyFile = Annotated[Path, typer.Option("--key", help="The custodian's own key, as make-key wrote it.")]
Read = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file that was handed over.")]


@app.command("make-key")
def make_key(out: Out) -> None:
    """Make a custodian's key, on a machine of the custodian's own. It needs no network and no database."""
    identity = pyrage.x25519.Identity.generate()
    _write(out, f"{identity}\n")
    typer.echo(f"The key is in {out}. Keep it off this network, and a copy of it in another place.")
    typer.echo(f"Public part, to be registered: {identity.to_public()}")


@app.command("register")
def register(
    scheme: SchemeKey,
    holder: Annotated[str, typer.Option(help="Who holds the key: a post, such as 'Monitoring officer'.")],
    recipient: Annotated[str, typer.Option(help="The public part of their key, age1….")],
    account: Annotated[
        str, typer.Option(help="The e-mail address they sign in with, to take and release shares themselves.")
    ] = "",
) -> None:
    """Name a key-holder of a scheme: closings published from now on deal them a share."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        made = register_custodian(
            session,
            installation.ports,
            scheme=rules,
            holder=holder,
            recipient=recipient,
            account=holder_account(session, account).ref if account else None,
            actor=OPERATOR,
        )
    typer.echo(f"{made.ref}: {made.holder}. Rehearse an opening before you rely on it: dps custody rehearsal begin.")


@app.command("withdraw")
def withdraw(scheme: SchemeKey, custodian: CustodianRef) -> None:
    """Deal no more shares to a custodian whose key is lost, or who leaves; bids sealed before keep theirs."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        withdraw_custodian(session, installation.ports, custodian_ref=custodian, scheme=rules, actor=OPERATOR)
    typer.echo(f"{custodian} gets no more shares.")


@app.command("list")
def listing(scheme: SchemeKey, as_json: AsJson = False) -> None:
    """List a scheme's custodians, and when each last proved that its key opens what was dealt."""
    with opened() as installation, installation.database.reading() as session:
        found = every_custodian(session, standing_scheme(session, scheme).key)
    if as_json:
        say_json([_row(one) for one in found])
        return
    for one in found:
        typer.echo(f"{one.ref}  {one.state}  {one.holder}  {_rehearsed(one)}")
    if not found:
        typer.echo("No custodian is registered. `dps custody register` names one.")


def _rehearsed(one: Custodian) -> str:
    at = one.rehearsed_at
    return f"rehearsed on {at.astimezone(LONDON):%-d %B %Y}" if at else "never rehearsed"


def _row(one: Custodian) -> dict[str, Any]:
    return {
        "custodian": one.ref,
        "state": str(one.state),
        "holder": one.holder,
        "recipient": one.recipient,
        "account": one.account,
        "rehearsed_at": one.rehearsed_at.isoformat() if one.rehearsed_at else None,
    }


@app.command("hand-out")
def hand_out(
    closing: Annotated[str, typer.Argument(help="A closing that has come, CLO-….")], custodian: CustodianRef, out: Out
) -> None:
    """Write a custodian's shares of a closing that has come to a file; only their key opens them."""
    with opened() as installation:
        given = hand_out_in(
            installation.database, installation.ports, closing_ref=closing, custodian_ref=custodian, actor=OPERATOR
        )
    _write_json(out, given)
    typer.echo(f"The shares of {custodian} are in {out}. Next, where the key is: dps custody release.")


@app.command("release")
def release_shares(file: Read, key: KeyFile, out: Out) -> None:
    """Open the shares with a custodian's key and seal them to the worker. It needs no network and no database."""
    released = release(_read_json(file), _text_of(key))
    _write_json(out, released)
    if released["closing"] == rehearsing.CLOSING:
        typer.echo(f"Released in {out}. Give it to whoever rehearses, for `dps custody rehearsal finish`.")
    else:
        typer.echo(f"Released in {out}. Next, on the server: dps custody hand-in {out}.")


@app.command("hand-in")
def hand_in(file: Read) -> None:
    """Hand in what a custodian released; the worker opens the closing once enough have."""
    with opened() as installation:
        closing = hand_in_in(installation.database, installation.ports, release=_read_json(file), actor=OPERATOR)
    typer.echo(f"Kept for {closing}. It opens within a minute once enough custodians have released their shares.")


@rehearsal.command("begin")
def begin(
    scheme: SchemeKey,
    folder: Annotated[Path, typer.Option("--folder", help="A new folder for the rehearsal's files.")],
) -> None:
    """Seal a page without a bid to all custodians, and write a hand-out for each of them."""
    with opened() as installation, installation.database.reading() as session:
        rules = standing_scheme(session, scheme)
        if rules.custody is None:
            raise BadInput(f"{scheme} asks for no custodians", field="--scheme")
        holders = [Holder(one.ref, one.recipient) for one in active_custodians(session, rules.key)]
        entropy = installation.ports.entropy
    if len(holders) < rules.custody.needed:
        raise BadInput(f"{len(holders)} custodians are registered and {rules.custody.needed} needed", field="--scheme")
    kept, given = rehearsing.begin(holders, needed=rules.custody.needed, entropy=entropy)
    folder.mkdir(mode=0o700)
    _write_json(folder / "kept.json", kept)
    for ref, one in given.items():
        _write_json(folder / f"{ref}.json", one)
        typer.echo(f"{folder / f'{ref}.json'}: for {ref}, to be released with its key.")
    typer.echo(f"When they are back: dps custody rehearsal finish {folder / 'kept.json'} RELEASE…")


@rehearsal.command("finish")
def finish(
    kept: Read,
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="What custodians released.")],
) -> None:
    """Open the rehearsal with what came back, and write down whose key is proved. 1 where it does not open."""
    proved, opens = rehearsing.finish(_read_json(kept), [_read_json(file) for file in files])
    with opened() as installation, installation.database.transaction() as session:
        note_rehearsed(session, installation.ports, custodians=proved, actor=OPERATOR)
    for ref in proved:
        typer.echo(f"{ref}: the key is proved.")
    if not opens:
        typer.echo("It does not open: too few shares that hold came back.", err=True)
        raise typer.Exit(1)
    typer.echo("It opens.")


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _write_json(path: Path, value: Any) -> None:
    _write(path, json.dumps(value, indent=1, sort_keys=True))


def _text_of(path: Path) -> str:
    return path.read_text(errors="replace")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(_text_of(path))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadInput("is none of the files that custodians are handed", field=str(path))
    return found
