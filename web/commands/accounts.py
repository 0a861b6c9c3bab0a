"""`dps accounts`: the people who may sign in to the pages."""

from typing import Annotated

import typer

from dps.kernel.errors import NotFound
from web.assembly import opened
from web.commands.naming import refuse_unknown
from web.commands.speaking import OPERATOR, AsJson, say_json
from web.security import accounts, sessions
from web.security.passwords import new_password

app = typer.Typer(name="accounts", help="People who may sign in: add, list, close.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]


@app.command("add")
def add(
    email: Email,
    name: Annotated[str, typer.Option(help="How the pages address them.")],
    part: Annotated[accounts.Part, typer.Option(help="What the account is for.")],
    authority: Annotated[str | None, typer.Option(help="The authority they work for.")] = None,
    provider: Annotated[str | None, typer.Option(help="The provider they work for, PRV-….")] = None,
    as_json: AsJson = False,
) -> None:
    """Make an account with a password of its own, which is shown once. At first sign-in an authenticator is set up."""
    password = new_password()
    with opened() as installation, installation.database.transaction() as session:
        refuse_unknown(session, provider=provider, authority=authority)
        account = accounts.add_account(
            session,
            installation.ports.entropy,
            email=email,
            name=name,
            part=part,
            password=password,
            authority=authority,
            provider=provider,
            by=OPERATOR,
            now=installation.ports.clock.read(session),
        )
    if as_json:
        say_json({"account": account.ref, "email": account.email, "password": password})
        return
    typer.echo(f"{account.ref} for {account.email}. The password, shown once:", err=True)
    typer.echo(password)


@app.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """List every account."""
    with opened() as installation, installation.database.reading() as session:
        rows = [
            {
                "account": row.ref,
                "email": row.email,
                "name": row.name,
                "part": str(row.part),
                "for": row.provider or row.authority or "this installation",
                "second_factor": row.totp_secret is not None,
                "closed": row.closed_at is not None,
            }
            for row in accounts.every_account(session)
        ]
    if as_json:
        say_json(rows)
        return
    for row in rows:
        state = "closed" if row["closed"] else "open" if row["second_factor"] else "open, no authenticator yet"
        typer.echo(f"{row['account']}  {row['email']}  {row['part']} for {row['for']}  {state}")
    if not rows:
        typer.echo("There is no account yet: `dps accounts add` makes one.")


@app.command("new-password")
def renew(email: Email) -> None:
    """Give an account another password, shown once, and sign it out everywhere."""
    password = new_password()
    with opened() as installation, installation.database.transaction() as session:
        account = accounts.find_account(session, accounts.normal_email(email))
        if account is None:
            raise NotFound(kind="account", ref=email)
        now = installation.ports.clock.read(session)
        accounts.set_password(session, account=account, password=password, by=OPERATOR, now=now)
        sessions.end_all(session, account, now)
    typer.echo(password)


@app.command("close")
def close(email: Email) -> None:
    """End an account for good, and every session of it at once."""
    with opened() as installation, installation.database.transaction() as session:
        now = installation.ports.clock.read(session)
        account = accounts.close_account(session, email=email, by=OPERATOR, now=now)
        sessions.end_all(session, account, now)
    typer.echo(f"{account.email} can no longer sign in.")
