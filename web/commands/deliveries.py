"""`dps import deliveries FILE`: visits from the call monitoring, matched to their contracts.

Everything is tried first in a transaction that is taken back; with one fault nothing is written. A file sent twice
changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from sqlmodel import Session

from dps.contracts.deliveries.recording import Recorded, Recorder
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput, DpsError
from dps.kernel.ports import Ports
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from web.assembly import Installation, opened
from web.commands.naming import authority_named, refuse_unknown
from web.commands.speaking import BAD_INPUT, AsJson, say_json
from web.deliveries_file import DeliveriesFile, DeliveryDraft, read_deliveries


@dataclass
class Imported:
    """What was recorded, by contract, or why nothing was."""

    contracts: dict[str, Recorded] = field(default_factory=dict)
    faults: list[BadInput] = field(default_factory=list)

    @property
    def new(self) -> int:
        return sum(recorded.new for recorded in self.contracts.values())

    @property
    def known(self) -> int:
        return sum(recorded.known for recorded in self.contracts.values())

    @property
    def oddities(self) -> dict[str, int]:
        """How many records were odd, by what was odd."""
        counted: dict[str, int] = {}
        for recorded in self.contracts.values():
            for oddity, count in recorded.oddities.items():
                counted[oddity] = counted.get(oddity, 0) + count
        return dict(sorted(counted.items()))


def import_deliveries(
    file: Annotated[Path, typer.Argument(help="A CSV (UTF-8) or XLSX file with a header row.")],
    scheme: Annotated[str, typer.Option(help="The key of the published scheme that the contracts belong to.")],
    authority: Annotated[
        str | None, typer.Option(help="Whose contracts they are, where the scheme has several.")
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="Whose workbook it is: only this provider's contracts are recorded, in its name.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Record them. Without this, it is only tried.")] = False,
    as_json: AsJson = False,
) -> None:
    """Record visits from a file of the call monitoring; a dry run first, every fault with its row and column."""
    with opened() as installation:
        with installation.database.reading() as session:
            rules = standing_scheme(session, scheme)
            refuse_unknown(session, provider=provider, authority=None)
        actor = (
            Actor("command-line", Role.PROVIDER, provider=provider)
            if provider
            else Actor("command-line", Role.BROKER, authority=authority_named(rules, authority))
        )
        found = read_deliveries(file)
        imported = Imported(faults=list(found.faults))
        for is_tried in (True, False) if write else (True,):
            if not imported.faults:
                imported = _imported(installation, found, rules, actor, file, is_tried=is_tried)
    _say(file, imported, is_written=write and not imported.faults, as_json=as_json)


def _imported(
    installation: Installation, found: DeliveriesFile, scheme: Scheme, actor: Actor, file: Path, *, is_tried: bool
) -> Imported:
    """Record every row in one transaction, which is taken back after a trial or a fault."""
    imported = Imported()
    with installation.database.transaction() as session:
        _record(session, installation.ports, found, scheme, actor, file, imported)
        if is_tried or imported.faults:
            session.rollback()
    return imported


def _record(
    session: Session,
    ports: Ports,
    found: DeliveriesFile,
    scheme: Scheme,
    actor: Actor,
    file: Path,
    imported: Imported,
) -> None:
    # Contracts are locked in the order of their references, so that two imports never wait for each other in a ring.
    by_contract: dict[str, list[DeliveryDraft]] = {}
    for draft in found.drafts:
        by_contract.setdefault(draft.contract, []).append(draft)
    with Progress(console=Console(stderr=True), transient=True) as shown:
        for ref in shown.track(sorted(by_contract), description="Recording"):
            drafts = by_contract[ref]
            try:
                recorder = Recorder(session, ports, contract_ref=ref, scheme=scheme, actor=actor)
            except DpsError as refused:
                imported.faults.append(_in_row(file, drafts[0], refused, "contract"))
                continue
            for draft in drafts:
                try:
                    recorder.record(draft.record)
                except DpsError as refused:
                    imported.faults.append(_in_row(file, draft, refused, "visit"))
            imported.contracts[ref] = recorder.close()
    imported.faults.sort(key=lambda fault: fault.facts["row"])


def _in_row(file: Path, draft: DeliveryDraft, refused: DpsError, column: str) -> BadInput:
    reason = refused.facts.get("reason") or str(refused)
    return BadInput(str(reason), file=file.name, row=draft.row, field=refused.facts.get("field") or column)


def _say(file: Path, imported: Imported, *, is_written: bool, as_json: bool) -> None:
    if as_json:
        say_json(
            {
                "file": str(file),
                "written": is_written,
                "contracts": len(imported.contracts),
                "new": imported.new,
                "known": imported.known,
                "oddities": imported.oddities,
                "faults": [
                    {"row": fault.facts["row"], "column": fault.facts["field"], "reason": fault.facts["reason"]}
                    for fault in imported.faults
                ],
            }
        )
    else:
        _say_in_words(imported, is_written=is_written)
    if imported.faults:
        raise typer.Exit(BAD_INPUT)


def _say_in_words(imported: Imported, *, is_written: bool) -> None:
    for fault in imported.faults:
        typer.echo(str(fault), err=True)
    if imported.faults:
        count = len(imported.faults)
        typer.echo(f"Nothing was written: {count} fault{'s' if count > 1 else ''}.", err=True)
        return
    verb = "are recorded" if is_written else "would be recorded"
    typer.echo(f"{imported.new} visits of {len(imported.contracts)} contracts {verb}; {imported.known} were known.")
    for oddity, count in _in_words(imported.oddities).items():
        typer.echo(f"  {count} {oddity}")
    if not is_written:
        typer.echo("Nothing was written: --write writes it.")


def _in_words(oddities: Mapping[str, int]) -> dict[str, int]:
    return {oddity.replace("_", " "): count for oddity, count in oddities.items()}
