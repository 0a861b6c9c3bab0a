"""`dps accounts`: the people who may sign in to the pages."""

from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session

from dps.kernel.clock import DatabaseClock
from dps.kernel.errors import NotFound
from web.assembly import Installation, opened
from web.commands.naming import refuse_unknown
from web.commands.speaking import OPERATOR, AsJson, say_json
from web.security import accounts, invitations, managing, sessions
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
    """Make an account. Its person is sent the link that is printed here, chooses a password and sets up a code."""
    with opened() as installation, installation.database.transaction() as session:
        refuse_unknown(session, provider=provider, authority=authority)
        now = installation.ports.clock.read(session)
        account = accounts.add_account(
            session,
            installation.ports.entropy,
            email=email,
            name=name,
            part=part,
            password=new_password(),
            authority=authority,
            provider=provider,
            by=OPERATOR,
            now=now,
        )
        link = _link(installation, session, account, now)
    if as_json:
        say_json({"account": account.ref, "email": account.email, "link": link})
        return
    typer.echo(f"{account.ref} for {account.email}, who chooses a password here within a week, once:", err=True)
    typer.echo(link)


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
                "invited": row.invited_at is not None,
                "second_factor": row.totp_secret is not None,
                "closed": row.closed_at is not None,
            }
            for row in accounts.every_account(session)
        ]
    if as_json:
        say_json(rows)
        return
    for row in rows:
        state = "open" if row["second_factor"] else "open, no authenticator yet"
        state = "closed" if row["closed"] else "invited" if row["invited"] else state
        typer.echo(f"{row['account']}  {row['email']}  {row['part']} for {row['for']}  {state}")
    if not rows:
        typer.echo("There is no account yet: `dps accounts add` makes one.")


@app.command("new-password")
def renew(email: Email) -> None:
    """Take an account's password and authenticator away, sign it out, and send and print the link to begin anew."""
    with opened() as installation, installation.database.transaction() as session:
        account = accounts.find_account(session, accounts.normal_email(email))
        if account is None:
            raise NotFound(kind="account", ref=email)
        wall = DatabaseClock().read(session)
        path = managing.begin_anew(session, installation.ports, account=account, by=OPERATOR, wall=wall)
    typer.echo(f"{installation.settings.address}{path}")


@app.command("close")
def close(email: Email) -> None:
    """End an account for good, and every session of it at once."""
    with opened() as installation, installation.database.transaction() as session:
        now = installation.ports.clock.read(session)
        account = accounts.close_account(session, email=email, by=OPERATOR, now=now)
        sessions.end_all(session, account, DatabaseClock().read(session))
    typer.echo(f"{account.email} can no longer sign in.")


def _link(installation: Installation, session: Session, account: accounts.Account, now: datetime) -> str:
    """The link to choose a password, which is mailed as well."""
    # A link ends on real time, whatever a demonstration's clock shows.
    wall = DatabaseClock().read(session)
    path = invitations.ask_to_choose(session, installation.ports, account=account, by=OPERATOR, now=now, wall=wall)
    return f"{installation.settings.address}{path}"
