"""`dps quality`: publish providers' scores, look at their history, appeal; providers that consistently fail."""

from datetime import datetime
from typing import Annotated, Any

import typer

from dps.contracts.enablement import (
    ChallengeReason,
    bars,
    challenge,
    fails_consistently,
    give_notice,
    records,
    uphold,
    withdraw_notice,
)
from dps.contracts.quality.recognition import (
    AppealReason,
    QualityScore,
    appeal,
    decide_appeal,
    history,
    publish_scores,
)
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.register.providers import provider_of
from dps.schemes.published import standing_scheme
from web.assembly import opened
from web.commands.naming import authority_named
from web.commands.speaking import OPERATOR, AsJson, say_json

app = typer.Typer(name="quality", help="Quality recognition, and providers that fail.", no_args_is_help=True)

By = Annotated[str, typer.Option("--by", help="The account that acts: who decides is not who began.")]
SchemeKey = Annotated[str, typer.Option("--scheme", help="The key of the published scheme.")]
AuthorityKey = Annotated[str | None, typer.Option("--authority", help="Whose, where the scheme has several.")]
ProviderRef = Annotated[str, typer.Option("--provider", help="The provider, PRV-….")]
ScoreRef = Annotated[str, typer.Argument(help="The score's reference, SCR-….")]
BarRef = Annotated[str, typer.Argument(help="The notice's reference, NTC-….")]


@app.command("publish")
def publish(
    scheme: SchemeKey,
    last_day: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day counted.")],
    authority: AuthorityKey = None,
    by: By = "command-line",
    as_json: AsJson = False,
) -> None:
    """Score every member of a scheme for the weeks up to a day, and tell each its score and how it came about."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        actor = Actor(by, Role.COMMISSIONER, authority=authority_named(rules, authority))
        rows = publish_scores(session, installation.ports, scheme=rules, last_day=last_day.date(), actor=actor)
    _say(rows, as_json=as_json)


@app.command("show")
def show(
    scheme: SchemeKey,
    provider: Annotated[str | None, typer.Option(help="One provider alone, PRV-….")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the scores published so far, with what they are made of."""
    with opened() as installation, installation.database.reading() as session:
        rows = list(history(session, scheme=scheme, actor=OPERATOR, provider=provider))
    _say(rows, as_json=as_json)


@app.command("appeal")
def make_appeal(
    score: ScoreRef,
    scheme: SchemeKey,
    provider: ProviderRef,
    reason: Annotated[AppealReason, typer.Option(help="What is wrong.")],
    by: By = "command-line",
) -> None:
    """Record a provider's appeal: the score before counts until it is decided."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        actor = Actor(by, Role.PROVIDER, provider=provider)
        row = appeal(session, installation.ports, score_ref=score, scheme=rules, reason=reason, actor=actor)
    typer.echo(f"{row.ref}: {row.state}.")


@app.command("decide")
def decide(
    score: ScoreRef,
    scheme: SchemeKey,
    is_right: Annotated[bool, typer.Option("--right/--wrong", help="Right: it is counted again.")],
    authority: AuthorityKey = None,
    by: By = "command-line",
) -> None:
    """Decide an appeal, as a commissioner who did not publish the score."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        actor = Actor(by, Role.COMMISSIONER, authority=authority_named(rules, authority))
        row = decide_appeal(session, installation.ports, score_ref=score, scheme=rules, is_right=is_right, actor=actor)
    typer.echo(f"{row.ref}: {row.state}, score {row.score}.")


@app.command("failing")
def failing(scheme: SchemeKey, as_json: AsJson = False) -> None:
    """List each provider's last requests with a budget, who fails consistently by the rule, and the notices given."""
    with opened() as installation, installation.database.reading() as session:
        rules = standing_scheme(session, scheme)
        today = installation.ports.clock.read(session).astimezone(LONDON).date()
        known = records(session, rules, today=today)
        notices = bars(session, scheme=scheme, actor=OPERATOR)
    rule = rules.enablement
    rows = [
        {
            "provider": one.provider,
            "failed": one.failed,
            "of": len(one.requests),
            "fails_consistently": rule is not None and fails_consistently(rule, one),
        }
        for one in known
    ]
    given = [{"ref": one.ref, "provider": one.provider, "state": one.state.value} for one in notices]
    if as_json:
        say_json({"providers": rows, "notices": given})
        return
    for row in rows:
        verdict = "  fails consistently" if row["fails_consistently"] else ""
        typer.echo(f"{row['provider']}  {row['failed']} of the last {row['of']} failed{verdict}")
    for notice in given:
        typer.echo(f"{notice['ref']}  {notice['provider']}  {notice['state']}")
    if not rows and not given:
        typer.echo("No request with a budget has been reviewed.")


@app.command("notice")
def notice(scheme: SchemeKey, provider: ProviderRef, authority: AuthorityKey = None, by: By = "command-line") -> None:
    """Tell a provider that fails consistently that it will be asked for no more requests with a budget."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        actor = Actor(by, Role.REGISTER_OFFICER, authority=authority_named(rules, authority))
        provider_id = provider_of(session, provider, OPERATOR).id or 0
        bar = give_notice(session, installation.ports, provider_id=provider_id, scheme=rules, actor=actor)
    typer.echo(
        f"{bar.ref}: {bar.failed} of {bar.of} failed; to be challenged until {bar.challenge_by:%Y-%m-%d %H:%M}Z."
    )


@app.command("challenge")
def make_challenge(
    bar: BarRef,
    scheme: SchemeKey,
    provider: ProviderRef,
    reason: Annotated[ChallengeReason, typer.Option(help="Why it is wrong.")],
    by: By = "command-line",
) -> None:
    """Record that a provider challenges its notice, which holds it off."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        actor = Actor(by, Role.PROVIDER, provider=provider)
        row = challenge(session, installation.ports, bar_ref=bar, scheme=rules, reason=reason, actor=actor)
    typer.echo(f"{row.ref}: {row.state}.")


@app.command("decide-challenge")
def decide_challenge(
    bar: BarRef,
    scheme: SchemeKey,
    upheld: Annotated[bool, typer.Option("--uphold/--withdraw", help="Whether the notice was right.")],
    authority: AuthorityKey = None,
    by: By = "command-line",
) -> None:
    """Decide a challenge, as a commissioner who did not give the notice."""
    with opened() as installation, installation.database.transaction() as session:
        rules = standing_scheme(session, scheme)
        actor = Actor(by, Role.COMMISSIONER, authority=authority_named(rules, authority))
        command = uphold if upheld else withdraw_notice
        row = command(session, installation.ports, bar_ref=bar, scheme=rules, actor=actor)
    typer.echo(f"{row.ref}: {row.state}.")


def _say(rows: list[QualityScore], *, as_json: bool) -> None:
    if as_json:
        say_json([_form(row) for row in rows])
        return
    for row in rows:
        typer.echo(f"{row.ref}  {row.provider}  {row.score:3} of 100  {row.state}  {row.first_day} to {row.last_day}")
        for part in row.parts:
            typer.echo(f"      {part['name']:12} counts {part['weight']:3}  {part['working']}")
    typer.echo(f"{len(rows)} scores." if rows else "No score.")


def _form(row: QualityScore) -> dict[str, Any]:
    names = ("ref", "provider", "state", "score", "first_day", "last_day", "counts", "parts", "rule_hash")
    return {name: getattr(row, name) for name in names}
