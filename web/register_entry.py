"""Enters a scheme's newer register: who joined, who left, what closed, whose rating changed.

Everything is one transaction, which a trial or a fault takes back. The command line and the page enter alike.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from dps.kernel.actors import Actor
from dps.kernel.ports import Ports
from dps.register.reaccreditation import Changes, Held, held_on, reaccredit
from dps.schemes.model import Scheme
from web.assembly import Installation
from web.provider_rows import Fault, Newcomer, read_newcomers
from web.providers import Track, enter


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a newer register changed, or would change. `joined` are (reference, name); `names` of who was held before,
    by reference and by their locations' numbers.
    """

    joined: tuple[tuple[str, str], ...]
    changes: Changes
    names: dict[str, str]
    faults: tuple[Fault, ...]

    @property
    def is_the_same(self) -> bool:
        """Whether the file says what the register says already."""
        return not (self.joined or self.changes.left or self.changes.closed or self.changes.rerated)


def renewed(
    installation: Installation, file: Path, scheme: Scheme, actor: Actor, *, is_tried: bool, track: Track = iter
) -> Renewed:
    """Bring the scheme's register to what the file says. BadInput where it can't be the whole register."""
    newcomers, faults = read_newcomers(file, scheme)
    if faults:
        return Renewed((), Changes((), (), ()), {}, tuple(faults))
    with installation.database.transaction() as session:
        found = _renewed(session, installation.ports, newcomers, scheme, actor, track)
        if is_tried or found.faults:
            session.rollback()
    return found


def _renewed(
    session: Session, ports: Ports, newcomers: list[Newcomer], scheme: Scheme, actor: Actor, track: Track
) -> Renewed:
    before = held_on(session, scheme.key)
    stated = {entry.regulator_id: entry.rating for one in newcomers for entry in one.locations}
    changes = reaccredit(session, ports, scheme=scheme, stated=stated, actor=actor)
    _, faults = enter(session, ports, newcomers, scheme, actor, track=track)
    faults = [*_without_a_place(newcomers, {one.regulator_id for one in before}), *faults]
    known = {one.provider for one in before}
    joined = {one.provider: one.name for one in held_on(session, scheme.key) if one.provider not in known}
    return Renewed(tuple(sorted(joined.items())), changes, _names(before), tuple(faults))


def _without_a_place(newcomers: Iterable[Newcomer], held: Collection[str]) -> Iterator[Fault]:
    """Who is new to the scheme and named no place in it: it would stand in the register and on no list."""
    for one in newcomers:
        if not one.places and not any(entry.regulator_id in held for entry in one.locations):
            yield Fault(one.row, "lists", "is new to the scheme: name its lists, lots and localities, or leave it out")


def _names(held: Iterable[Held]) -> dict[str, str]:
    return {key: one.name for one in held for key in (one.provider, one.regulator_id)}
