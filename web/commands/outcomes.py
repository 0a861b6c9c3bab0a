"""`dps outcomes`: reviews and answers, people followed up, concerns, the council's indicators and the flex tracker.

Whoever works on the server names the account they act for (`--by`): who reviewed does not settle.
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer
from sqlmodel import Session

from dps.contracts.answers import answer_review, settle_review
from dps.contracts.contracts import Contract
from dps.contracts.outcomes import OutcomeReview, review_outcomes
from dps.contracts.payment.outcome_budget import ProvenException
from dps.contracts.quality.concerns import ConcernKind, ConcernTopic, close_concern, record_concern
from dps.contracts.quality.following_up import Whereabouts, due, follow_up
from dps.contracts.quality.indicators import Reported, report
from dps.contracts.standing import find_contract
from dps.contracts.variations.flexing import tracker
from dps.kernel.actors import Actor, Role
from dps.kernel.database import find
from dps.kernel.errors import NotFound
from dps.kernel.money import in_pounds
from dps.kernel.ports import Ports
from dps.schemes.published import standing_scheme
from dps.schemes.quality import IndicatorKey
from web.assembly import opened
from web.commands.naming import authority_named
from web.commands.speaking import OPERATOR, AsJson, say_json

app = typer.Typer(name="outcomes", help="Outcomes of care, and what is reported of them.", no_args_is_help=True)

ContractRef = Annotated[str, typer.Argument(help="The contract's reference, CON-….")]
ReviewRef = Annotated[str, typer.Argument(help="The review's reference, OTC-….")]
By = Annotated[str, typer.Option("--by", help="The account that acts; the trail names it.")]
SchemeKey = Annotated[str, typer.Option("--scheme", help="The key of the published scheme.")]
AuthorityKey = Annotated[str | None, typer.Option("--authority", help="Whose, where the scheme has several.")]
Met = Annotated[int, typer.Option(min=0, help="How many outcomes were met.")]


@app.command("review")
def review(
    contract: ContractRef,
    met: Met,
    agreed: Annotated[int, typer.Option(min=1, help="How many were agreed.")],
    last_day: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day looked at.")],
    exception: Annotated[ProvenException, typer.Option(help="Proven to an approver.")] = ProvenException.NONE,
    by: By = "command-line",
) -> None:
    """Record how many of a person's outcomes were met; an exception makes it an approver's act."""
    role = Role.BROKER if exception is ProvenException.NONE else Role.APPROVER
    made = _on_contract(
        contract,
        lambda session, ports, row: review_outcomes(
            session,
            ports,
            contract_ref=row.ref,
            met=met,
            agreed=agreed,
            last_day=last_day.date(),
            exception=exception,
            actor=Actor(by, role, authority=row.authority),
        ),
    )
    typer.echo(f"{made.ref}: {met} of {agreed} outcomes met.")


@app.command("answer")
def answer(
    review: ReviewRef,
    contests: Annotated[bool, typer.Option("--contests", help="It does not agree: an approver settles.")] = False,
    by: By = "command-line",
) -> None:
    """Record what the provider says to a review."""
    said = _on_review(
        review,
        lambda session, ports, contract: answer_review(
            session,
            ports,
            review_ref=review,
            scheme=standing_scheme(session, contract.scheme),
            agrees=not contests,
            actor=Actor(by, Role.PROVIDER, provider=contract.provider),
        ),
    )
    typer.echo(f"{review}: {said.state}.")


@app.command("settle")
def settle(
    review: ReviewRef,
    met: Met,
    exception: Annotated[ProvenException, typer.Option(help="Proven to the approver.")] = ProvenException.NONE,
    by: By = "command-line",
) -> None:
    """Settle what a provider contests, as an approver who did not make the review."""
    said = _on_review(
        review,
        lambda session, ports, contract: settle_review(
            session,
            ports,
            review_ref=review,
            met=met,
            exception=exception,
            actor=Actor(by, Role.APPROVER, authority=contract.authority),
        ),
    )
    typer.echo(f"{review}: {said.state}, {met} met.")


@app.command("due")
def due_people(
    scheme: SchemeKey,
    on: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Due by this day.")],
    authority: AuthorityKey = None,
    as_json: AsJson = False,
) -> None:
    """List whose people are to be followed up, the longest due first."""
    with opened() as installation, installation.database.reading() as session:
        rules = standing_scheme(session, scheme)
        broker = Actor("command-line", Role.BROKER, authority=authority_named(rules, authority))
        rows = due(session, scheme=rules, actor=broker, on=on.date())
    if as_json:
        say_json([asdict(row) for row in rows])
        return
    for row in rows:
        typer.echo(f"{row.contract}  {row.point:20}  due since {row.due_on}")
    typer.echo(f"{len(rows)} to follow up." if rows else "Nobody is due.")


@app.command("follow-up")
def follow_person_up(
    contract: ContractRef,
    point: Annotated[str, typer.Option(help="The scheme's point, as 91-days.")],
    whereabouts: Annotated[Whereabouts, typer.Option(help="How the person lives now.")],
    satisfaction: Annotated[int | None, typer.Option(min=1, max=5, help="1 not at all, 5 content.")] = None,
    by: By = "command-line",
) -> None:
    """Record how a person lives, so long after care began or ended."""
    _on_contract(
        contract,
        lambda session, ports, row: follow_up(
            session,
            ports,
            contract_ref=row.ref,
            scheme=standing_scheme(session, row.scheme),
            point=point,
            whereabouts=whereabouts,
            satisfaction=satisfaction,
            actor=Actor(by, Role.BROKER, authority=row.authority),
        ),
    )
    typer.echo(f"{contract}: {point} recorded.")


@app.command("concern")
def concern(
    contract: ContractRef,
    kind: Annotated[ConcernKind, typer.Option(help="A complaint, or a safeguarding investigation.")],
    topic: Annotated[ConcernTopic, typer.Option(help="What it is about.")],
    received_on: Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="The day it came in.")],
    by: By = "command-line",
) -> None:
    """Record a complaint or an investigation about a contract."""
    made = _on_contract(
        contract,
        lambda session, ports, row: record_concern(
            session,
            ports,
            contract_ref=row.ref,
            kind=kind,
            topic=topic,
            received_on=received_on.date(),
            actor=Actor(by, Role.BROKER, authority=row.authority),
        ),
    )
    typer.echo(f"{made.ref}: {made.kind}, {made.topic.replace('_', ' ')}.")


@app.command("close-concern")
def close(
    concern: Annotated[str, typer.Argument(help="The concern's reference, CNC-….")],
    authority: Annotated[str, typer.Option(help="Whose contract it is about.")],
    upheld: Annotated[bool, typer.Option("--upheld/--not-upheld", help="What was found.")],
    by: By = "command-line",
) -> None:
    """Say what was found of a complaint or an investigation."""
    with opened() as installation, installation.database.transaction() as session:
        actor = Actor(by, Role.BROKER, authority=authority)
        closed = close_concern(session, installation.ports, concern_ref=concern, is_upheld=upheld, actor=actor)
    typer.echo(f"{closed.ref}: {closed.state.replace('_', ' ')}.")


@app.command("report")
def indicators(
    scheme: SchemeKey,
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day.")],
    last: Annotated[datetime, typer.Option("--until", formats=["%Y-%m-%d"], help="The last day, included.")],
    authority: AuthorityKey = None,
    as_json: AsJson = False,
) -> None:
    """Count the scheme's indicators for a period; nobody is named."""
    with opened() as installation, installation.database.reading() as session:
        rules = standing_scheme(session, scheme)
        reader = Actor("command-line", Role.COMMISSIONER, authority=authority_named(rules, authority))
        rows = report(session, scheme=rules, first=first.date(), last=last.date(), actor=reader)
    if as_json:
        say_json([asdict(row) | {"percent": row.percent, "is_reached": row.is_reached} for row in rows])
        return
    for row in rows:
        typer.echo(_in_words(row))
    if not rows:
        typer.echo("The scheme reports no indicator.")


@app.command("tracker")
def flexes(scheme: SchemeKey, authority: AuthorityKey = None, as_json: AsJson = False) -> None:
    """Add up the monitoring forms of the flexes: why, what came of them, what was averted, what it cost and saved."""
    with opened() as installation, installation.database.reading() as session:
        rules = standing_scheme(session, scheme)
        reader = Actor("command-line", Role.COMMISSIONER, authority=authority_named(rules, authority))
        found = tracker(session, scheme=rules, actor=reader)
    if as_json:
        say_json(asdict(found))
        return
    typer.echo(f"{found.flexes} flexes, {found.unreported} not reported yet.")
    for name, counts in (("reasons", found.by_reason), ("outcomes", found.by_outcome), ("averted", found.averted)):
        said = ", ".join(f"{key.replace('_', ' ')} {number}" for key, number in sorted(counts.items()))
        typer.echo(f"  {name}: {said or 'none'}")
    typer.echo(f"  committed {in_pounds(found.committed_pence)}, saved {in_pounds(found.saved_pence)}")


def _in_words(row: Reported) -> str:
    name = row.key.replace("_", " ") + (f" ({row.follow_up})" if row.follow_up else "")
    if row.of is None:
        figure = in_pounds(row.number) if row.key is IndicatorKey.SPEND else str(row.number)
    else:
        figure = f"{row.number} of {row.of}" + (f", {row.percent}%" if row.percent is not None else "")
    verdict = {True: ": reached", False: ": missed", None: ""}[row.is_reached]
    target = f"  target {row.target_percent}%{verdict}" if row.target_percent is not None else ""
    return f"{name:40}  {figure}{target}"


def _on_contract(ref: str, command: Callable[[Session, Ports, Contract], Any]) -> Any:
    """Run a command for the side of a contract that the caller names."""
    with opened() as installation, installation.database.transaction() as session:
        return command(session, installation.ports, find_contract(session, ref, actor=OPERATOR))


def _on_review(ref: str, command: Callable[[Session, Ports, Contract], Any]) -> Any:
    with opened() as installation, installation.database.transaction() as session:
        known = find(session, OutcomeReview, ref=ref)
        contract = session.get(Contract, known.contract_id) if known else None
        if contract is None:
            raise NotFound(kind="review", ref=ref)
        return command(session, installation.ports, contract)
