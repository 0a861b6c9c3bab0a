"""Records a file of visits that was read: everything in one transaction, which a trial or a fault takes back.

The command line and the portal's page record alike; both try first and write nothing before there is no fault. A file
sent twice changes nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sqlmodel import Session

from dps.contracts.deliveries.recording import Recorded, recorder_of
from dps.kernel.actors import Actor
from dps.kernel.errors import BadInput, DpsError
from dps.kernel.ports import Ports
from dps.schemes.model import Scheme
from web.assembly import Installation
from web.deliveries_file import DeliveriesFile, DeliveryDraft

Track = Callable[[Iterable[str]], Iterable[str]]


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


def imported(
    installation: Installation,
    found: DeliveriesFile,
    scheme: Scheme,
    actor: Actor,
    name: str,
    *,
    is_tried: bool,
    track: Track = iter,
) -> Imported:
    """Record every row; `name` is the file's, for the faults, and `track` shows how far it has come."""
    if found.faults:
        return Imported(faults=list(found.faults))
    done = Imported()
    with installation.database.transaction() as session:
        _record(session, installation.ports, found, scheme, actor, name, done, track)
        if is_tried or done.faults:
            session.rollback()
    return done


def _record(
    session: Session,
    ports: Ports,
    found: DeliveriesFile,
    scheme: Scheme,
    actor: Actor,
    name: str,
    done: Imported,
    track: Track,
) -> None:
    # Contracts are locked in the order of their references, so that two imports never wait for each other in a ring.
    by_contract: dict[str, list[DeliveryDraft]] = {}
    for draft in found.drafts:
        by_contract.setdefault(draft.contract, []).append(draft)
    for ref in track(sorted(by_contract)):
        drafts = by_contract[ref]
        try:
            recorder = recorder_of(session, ports, contract_ref=ref, scheme=scheme, actor=actor)
        except DpsError as refused:
            done.faults.append(_in_row(name, drafts[0], refused, "contract"))
            continue
        for place, bad in recorder.record([draft.record for draft in drafts]).items():
            done.faults.append(_in_row(name, drafts[place], bad, "visit"))
        done.contracts[ref] = recorder.close()
    done.faults.sort(key=lambda fault: fault.facts["row"])


def _in_row(name: str, draft: DeliveryDraft, refused: DpsError, column: str) -> BadInput:
    reason = refused.facts.get("reason") or str(refused)
    return BadInput(str(reason), file=name, row=draft.row, field=refused.facts.get("field") or column)
