"""`dps import referrals FILE`: persons, packages and drafts from a spreadsheet, published if asked.

Everything is tried first in a transaction that is taken back: every fault is named with its row and column, and
nothing is written before there is none. Publishing comes after, referral by referral: what is not ready stays a draft
and says what it lacks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlmodel import Session

from bidding.publishing import make_ready, publish
from bidding.referrals import open_referral
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, DpsError
from dps.kernel.ports import Ports
from dps.packages.identity import Identity
from dps.packages.linking import link
from dps.packages.packages import Package, create_package
from dps.packages.persons import Person, register_person
from dps.places.directory import Existence, existence
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from web.assembly import Installation, opened
from web.commands.naming import authority_named
from web.commands.speaking import BAD_INPUT, FAILED, AsJson, say_json
from web.referrals_file import ReferralDraft, ReferralsFile, read_referrals


@dataclass
class Entered:
    """What an import wrote, or would write: the referral of each row."""

    people: int = 0
    referrals: dict[int, str] = field(default_factory=dict)
    faults: list[BadInput] = field(default_factory=list)


def import_referrals(
    file: Annotated[Path, typer.Argument(help="A CSV (UTF-8) or XLSX file with a header row.")],
    scheme: Annotated[str, typer.Option(help="The key of the published scheme to buy under.")],
    authority: Annotated[
        str | None, typer.Option(help="Whose referrals they are, where the scheme has several.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write them. Without this, it is only tried.")] = False,
    publish_them: Annotated[
        bool, typer.Option("--publish", help="Also publish what is ready; goes with --write.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Import referrals; a dry run first, every fault with its row and column."""
    if publish_them and not write:
        raise BadInput("publishing needs --write", field="--publish")
    with opened() as installation:
        with installation.database.reading() as session:
            rules = standing_scheme(session, scheme)
            broker = Actor("command-line", Role.BROKER, authority=authority_named(rules, authority))
            found = _read(session, installation.ports, file, rules, broker)
        entered = Entered(faults=list(found.faults))
        for is_tried in (True, False) if write else (True,):
            if not entered.faults:
                entered = _entered(installation, found, rules, broker, file, is_tried=is_tried)
        is_written = write and not entered.faults
        unready = _published(installation, entered, rules, broker) if is_written and publish_them else {}
    _say(file, entered, unready, is_written=is_written, published=publish_them, as_json=as_json)


def _read(session: Session, ports: Ports, file: Path, scheme: Scheme, broker: Actor) -> ReferralsFile:
    assert broker.authority is not None
    return read_referrals(
        file,
        scheme,
        authority=broker.authority,
        today=ports.clock.read(session).astimezone(LONDON).date(),
        exists=lambda postcode: existence(session, postcode) is not Existence.UNKNOWN,
    )


def _entered(
    installation: Installation, found: ReferralsFile, scheme: Scheme, broker: Actor, file: Path, *, is_tried: bool
) -> Entered:
    """Enter every row in one transaction, which is taken back after a trial or a fault."""
    entered = Entered()
    with installation.database.transaction() as session:
        _enter(session, installation.ports, found, scheme, broker, file, entered)
        if is_tried or entered.faults:
            session.rollback()
    return entered


def _enter(
    session: Session, ports: Ports, found: ReferralsFile, scheme: Scheme, broker: Actor, file: Path, entered: Entered
) -> None:
    people: dict[Identity, Person] = {}
    groups: dict[str, list[tuple[ReferralDraft, Package]]] = {}
    with Progress(console=Console(stderr=True), transient=True) as shown:
        for draft in shown.track(found.drafts, description="Entering"):
            try:
                with session.begin_nested():
                    package = _package(session, ports, draft, people, scheme, broker)
                    entered.referrals[draft.row] = open_referral(session, ports, package=package, actor=broker).ref
            except DpsError as refused:
                entered.faults.append(_in_row(file, draft.row, refused))
            else:
                if draft.group:
                    groups.setdefault(draft.group, []).append((draft, package))
    entered.people = len(people)
    if entered.faults:
        return
    now = ports.clock.read(session)
    for members in groups.values():
        packages = [package for _, package in members]
        link(session, packages, kind=members[0][0].linked_as, actor=broker, now=now)


def _package(
    session: Session,
    ports: Ports,
    draft: ReferralDraft,
    people: dict[Identity, Person],
    scheme: Scheme,
    broker: Actor,
) -> Package:
    assert broker.authority is not None
    now = ports.clock.read(session)
    person = people.get(draft.identity)
    if person is None:
        person = register_person(
            session,
            ports.keyring,
            ports.entropy,
            authority=broker.authority,
            identity=draft.identity,
            actor=broker,
            now=now,
        )
        people[draft.identity] = person
    return create_package(
        session,
        ports.keyring,
        ports.entropy,
        person,
        facts=draft.facts,
        confidential=draft.confidential,
        free_text=draft.free_text,
        scheme=scheme,
        actor=broker,
        now=now,
    )


def _in_row(file: Path, row: int, refused: DpsError) -> BadInput:
    reason = refused.facts.get("reason") or str(refused)
    return BadInput(str(reason), file=file.name, row=row, field=refused.facts.get("field"))


def _published(installation: Installation, entered: Entered, scheme: Scheme, broker: Actor) -> dict[int, str]:
    """Publish each referral in a transaction of its own; returns by row why one could not be."""
    unready: dict[int, str] = {}
    with Progress(console=Console(stderr=True), transient=True) as shown:
        for row, ref in shown.track(entered.referrals.items(), description="Publishing"):
            try:
                with installation.database.transaction() as session:
                    make_ready(session, installation.ports, referral_ref=ref, scheme=scheme, actor=broker)
                    publish(session, installation.ports, referral_ref=ref, scheme=scheme, actor=broker)
            except DpsError as refused:
                unready[row] = str(refused)
    return unready


def _say(
    file: Path, entered: Entered, unready: Mapping[int, str], *, is_written: bool, published: bool, as_json: bool
) -> None:
    if as_json:
        say_json(
            {
                "file": str(file),
                "written": is_written,
                "people": entered.people,
                "referrals": {str(row): ref for row, ref in entered.referrals.items()} if is_written else {},
                "published": len(entered.referrals) - len(unready) if is_written and published else 0,
                "not_ready": [{"row": row, "reason": why} for row, why in unready.items()],
                "faults": [
                    {"row": fault.facts["row"], "column": fault.facts["field"], "reason": fault.facts["reason"]}
                    for fault in entered.faults
                ],
            }
        )
    else:
        _say_in_words(file, entered, unready, is_written=is_written, published=published)
    if entered.faults:
        raise typer.Exit(BAD_INPUT)
    if unready:
        raise typer.Exit(FAILED)


def _say_in_words(
    file: Path, entered: Entered, unready: Mapping[int, str], *, is_written: bool, published: bool
) -> None:
    for fault in entered.faults:
        typer.echo(str(fault), err=True)
    for row, why in unready.items():
        typer.echo(f"{file.name}, row {row}: not published. {why}", err=True)
    if entered.faults:
        typer.echo(
            f"Nothing was written: {len(entered.faults)} fault{'s' if len(entered.faults) > 1 else ''}.", err=True
        )
        return
    verb = "are drafted" if is_written else "would be drafted"
    typer.echo(f"{len(entered.referrals)} referrals of {entered.people} people {verb}.")
    if is_written and published:
        typer.echo(f"{len(entered.referrals) - len(unready)} of them are published.")
    if not is_written:
        typer.echo("Nothing was written: --write writes it.")
