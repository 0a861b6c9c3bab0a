"""`dps messages`: what did not arrive, and sending it again. `dps webhooks`: the systems that are called."""

from typing import Annotated

import typer

from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from web.assembly import opened
from web.commands.naming import refuse_unknown
from web.commands.speaking import OPERATOR, AsJson, say_json
from web.sending import letters, webhooks

app = typer.Typer(name="messages", help="Messages: what did not arrive, and sending it again.", no_args_is_help=True)
hooks = typer.Typer(name="webhooks", help="Systems that are called for each message.", no_args_is_help=True)

Authority = Annotated[str | None, typer.Option(help="The authority whose messages these are.")]
Provider = Annotated[str | None, typer.Option(help="The provider whose messages these are, PRV-….")]


@app.command("undelivered")
def undelivered(as_json: AsJson = False) -> None:
    """List what failed and has not arrived, or was given up; exit code 1 where there is any."""
    with opened() as installation, installation.database.reading() as session:
        rows = letters.undelivered(session)
    if as_json:
        say_json([{name: getattr(row, name) for name in row.__slots__} for row in rows])
    else:
        for row in rows:
            reader = row.account or row.recipient
            typer.echo(f"{row.ref}  {row.kind} {row.about} to {reader} by {row.channel}: {row.delivery}, {row.error}")
        if not rows:
            typer.echo("Everything that was tried has arrived.")
    raise typer.Exit(1 if rows else 0)


@app.command("again")
def again(ref: Annotated[str, typer.Argument(help="The letter, MSG-….")]) -> None:
    """Send a letter once more, under its own Message-ID."""
    with opened() as installation, installation.database.transaction() as session:
        now = installation.ports.clock.read(session)
        if not letters.send_again(session, ref=ref, now=now):
            raise NotFound(kind="letter that has left or was given up", ref=ref)
    typer.echo(f"{ref} is sent again in the next minute.")


@hooks.command("add")
def add(
    url: Annotated[str, typer.Argument(help="https://…")],
    authority: Authority = None,
    provider: Provider = None,
    kind: Annotated[list[str] | None, typer.Option(help="Only messages of this kind; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Have a system called for each message. Its secret is shown once."""
    with opened() as installation, installation.database.transaction() as session:
        refuse_unknown(session, provider=provider, authority=authority)
        row, secret = webhooks.add(
            session,
            installation.ports,
            url=url,
            kinds=kind or [],
            actor=_for(authority, provider),
            with_loopback=installation.settings.webhooks_to_loopback,
        )
    if as_json:
        say_json({"webhook": row.ref, "secret": secret})
        return
    typer.echo(f"{row.ref} for {row.recipient}. The secret, shown once:", err=True)
    typer.echo(secret)


@hooks.command("list")
def list_webhooks(authority: Authority = None, provider: Provider = None, as_json: AsJson = False) -> None:
    """List the systems that are called for one reader's messages."""
    with opened() as installation, installation.database.reading() as session:
        rows = webhooks.standing(session, webhooks.recipient_of(_for(authority, provider)))
    if as_json:
        say_json([{"webhook": row.ref, "url": row.url, "kinds": row.kinds} for row in rows])
        return
    for row in rows:
        typer.echo(f"{row.ref}  {row.url}  {', '.join(row.kinds) or 'every kind'}")
    if not rows:
        typer.echo("No system is called.")


@hooks.command("end")
def end(
    ref: Annotated[str, typer.Argument(help="The webhook, WEB-….")],
    authority: Authority = None,
    provider: Provider = None,
) -> None:
    """Call a system no more."""
    with opened() as installation, installation.database.transaction() as session:
        webhooks.end(session, installation.ports, ref=ref, actor=_for(authority, provider))
    typer.echo(f"{ref} is called no more.")


def _for(authority: str | None, provider: str | None) -> Actor:
    role = Role.PROVIDER if provider else OPERATOR.role
    return Actor(ref=OPERATOR.ref, role=role, authority=None if provider else authority, provider=provider)
