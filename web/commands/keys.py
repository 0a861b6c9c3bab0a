"""`dps keys`: the installation's own keys, and the API keys of those who call it."""

from typing import Annotated

import typer

from dps.kernel.actors import Role
from dps.kernel.keys import create_keys, load_keyring, rotate_recipients, rotate_signing_key
from dps.kernel.settings import read_settings
from web.assembly import opened
from web.commands.naming import refuse_unknown
from web.commands.speaking import OPERATOR, AsJson, say_json
from web.security import api_keys

app = typer.Typer(name="keys", help="Keys: create, rotate, and the API keys of others.", no_args_is_help=True)
api = typer.Typer(name="api", help="API keys of providers' and councils' systems.", no_args_is_help=True)
app.add_typer(api)

BACK_UP = (
    "Back both folders up now, apart from the database and from each other: without the identities no live bid can be "
    "opened, and without the application key nothing personal can be read."
)


@app.command("create")
def create() -> None:
    """Make the application's key, the signing key, and the first identity. Keys that are there are never touched."""
    settings = read_settings()
    create_keys(settings.keys_dir, settings.identities_dir)
    typer.echo(f"Keys made in {settings.keys_dir}, the worker's identity in {settings.identities_dir}.")
    typer.echo(BACK_UP)


@app.command("rotate")
def rotate(
    signing: Annotated[
        bool, typer.Option("--signing", help="Renew the signing key instead; what the old one signed stays provable.")
    ] = False,
) -> None:
    """Make a new identity: closings made from now on are sealed to it, earlier ones stay readable to the old."""
    settings = read_settings()
    load_keyring(settings.keys_dir)
    if signing:
        typer.echo(f"Receipts and checkpoints are signed with key {rotate_signing_key(settings.keys_dir)} from now on.")
        typer.echo("Restart web processes and workers, and publish signing.pub.json anew.")
        return
    recipient = rotate_recipients(settings.keys_dir, settings.identities_dir)
    typer.echo(f"New closings are sealed to {recipient}. Restart web processes and workers.")
    typer.echo("Keep the old identities: bids of closings made before can be opened with nothing else.")


@api.command("create")
def create_api_key(
    label: Annotated[str, typer.Option(help="What the key is for.")],
    role: Annotated[Role, typer.Option(help="The one role it acts in.")],
    authority: Annotated[str | None, typer.Option(help="The authority it acts for.")] = None,
    provider: Annotated[str | None, typer.Option(help="The provider it acts for, PRV-….")] = None,
    account: Annotated[str | None, typer.Option(help="Another key for this account, USR-…; else a new one.")] = None,
    days: Annotated[int, typer.Option(min=1, max=api_keys.LONGEST_DAYS, help="How long it is in force.")] = 365,
    as_json: AsJson = False,
) -> None:
    """Make an API key for one account in one role. It is shown once and stored nowhere."""
    with opened() as installation, installation.database.transaction() as session:
        refuse_unknown(session, provider=provider, authority=authority)
        row, key = api_keys.create(
            session,
            installation.ports.entropy,
            label=label,
            role=role,
            authority=authority,
            provider=provider,
            days=days,
            by=OPERATOR,
            now=installation.ports.clock.read(session),
            account=account,
        )
    if as_json:
        say_json({"key": key, "name": row.name, "account": row.account, "expires_at": row.expires_at.isoformat()})
        return
    typer.echo(f"{row.name} for account {row.account}, until {row.expires_at:%-d %B %Y}. Shown once:", err=True)
    typer.echo(key)


@api.command("list")
def list_api_keys(as_json: AsJson = False) -> None:
    """List all API keys by name; none of them can be shown again."""
    with opened() as installation, installation.database.reading() as session:
        now = installation.ports.clock.read(session)
        rows = [
            {
                "name": row.name,
                "label": row.label,
                "account": row.account,
                "role": str(row.role),
                "for": row.provider or row.authority or "all authorities",
                "expires_at": row.expires_at.isoformat(),
                "in_force": row.is_in_force(now),
            }
            for row in api_keys.every_key(session)
        ]
    if as_json:
        say_json(rows)
        return
    for row in rows:
        state = f"until {row['expires_at']}" if row["in_force"] else "no longer in force"
        typer.echo(f"{row['name']}  {row['role']} for {row['for']}  {state}  {row['label']}")
    if not rows:
        typer.echo("No API key was made yet.")


@api.command("revoke")
def revoke_api_key(
    name: Annotated[str, typer.Argument(help="The key's name, as `dps keys api list` shows it.")],
) -> None:
    """End an API key at once."""
    with opened() as installation, installation.database.transaction() as session:
        api_keys.revoke(session, name=name, by=OPERATOR, now=installation.ports.clock.read(session))
    typer.echo(f"{name} is no longer in force.")
