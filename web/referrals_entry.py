"""Enters a file of referrals that was read: everything in one transaction, which a trial or a fault takes back.

The command line and the desk's page enter alike; both try first and write nothing before there is no fault.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sqlmodel import Session

from bidding.drafting import begin
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, DpsError
from dps.kernel.ports import Ports
from dps.packages.identity import Identity
from dps.packages.linking import link
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.places.directory import Existence, existence
from dps.schemes.model import Scheme
from web.assembly import Installation
from web.referrals_file import ReferralDraft, ReferralsFile, read_referrals

Track = Callable[[Iterable[ReferralDraft]], Iterable[ReferralDraft]]


@dataclass
class Entered:
    """What an import wrote, or would write: the referral of each row."""

    people: int = 0
    referrals: dict[int, str] = field(default_factory=dict)
    faults: list[BadInput] = field(default_factory=list)


def read(session: Session, ports: Ports, file: Path, scheme: Scheme, broker: Actor) -> ReferralsFile:
    """The file's rows for the broker's authority, with every fault; postcodes are asked of the loaded directory."""
    assert broker.authority is not None
    return read_referrals(
        file,
        scheme,
        authority=broker.authority,
        today=ports.clock.read(session).astimezone(LONDON).date(),
        exists=lambda postcode: existence(session, postcode) is not Existence.UNKNOWN,
    )


def entered(
    installation: Installation,
    found: ReferralsFile,
    scheme: Scheme,
    broker: Actor,
    name: str,
    *,
    is_tried: bool,
    track: Track = iter,
) -> Entered:
    """Enter every row; `name` is the file's, for the faults, and `track` shows how far it has come."""
    done = Entered()
    with installation.database.transaction() as session:
        _enter(session, installation.ports, found, scheme, broker, name, done, track)
        if is_tried or done.faults:
            session.rollback()
    return done


def _enter(
    session: Session,
    ports: Ports,
    found: ReferralsFile,
    scheme: Scheme,
    broker: Actor,
    name: str,
    done: Entered,
    track: Track,
) -> None:
    people: dict[Identity, Person] = {}
    groups: dict[str, list[tuple[ReferralDraft, Package]]] = {}
    for draft in track(found.drafts):
        try:
            with session.begin_nested():
                referral, package, person = begin(
                    session,
                    ports,
                    identity=draft.identity,
                    facts=draft.facts,
                    confidential=draft.confidential,
                    free_text=draft.free_text,
                    scheme=scheme,
                    actor=broker,
                    person=people.get(draft.identity),
                )
        except DpsError as refused:
            done.faults.append(_in_row(name, draft.row, refused))
        else:
            people[draft.identity] = person
            done.referrals[draft.row] = referral.ref
            if draft.group:
                groups.setdefault(draft.group, []).append((draft, package))
    done.people = len(people)
    if done.faults:
        return
    now = ports.clock.read(session)
    for members in groups.values():
        packages = [package for _, package in members]
        link(session, packages, kind=members[0][0].linked_as, actor=broker, now=now)


def _in_row(name: str, row: int, refused: DpsError) -> BadInput:
    reason = refused.facts.get("reason") or str(refused)
    return BadInput(str(reason), file=name, row=row, field=refused.facts.get("field"))
