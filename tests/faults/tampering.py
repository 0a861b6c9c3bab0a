"""Random edits, deletions, reorders and truncations of a written trail: the offline verifier finds each (line 4)."""

import json
import random
from collections.abc import Callable, Mapping, Sequence

from dps.kernel.trail_check import check
from dps.kernel.trail_file import trail_lines
from tests.faults.figures import Figure
from tests.support.world import World


def edited(lines: list[str], chance: random.Random) -> None:
    """One character of one line becomes another."""
    place = chance.randrange(len(lines))
    at = chance.randrange(len(lines[place]))
    other = chance.choice([one for one in '0aZ,[}" é' if one != lines[place][at]])
    lines[place] = lines[place][:at] + other + lines[place][at + 1 :]


def deleted(lines: list[str], chance: random.Random) -> None:
    del lines[chance.randrange(len(lines))]


def reordered(lines: list[str], chance: random.Random) -> None:
    """Two events of one stream, or two checkpoints, change places."""
    first = chance.randrange(1, len(lines))
    kin = [place for place in range(1, len(lines)) if lines[place][:24] == lines[first][:24] and place != first]
    second = chance.choice(kin or [0])
    lines[first], lines[second] = lines[second], lines[first]


def truncated(lines: list[str], chance: random.Random) -> None:
    """The end is cut off, and what the file says of itself is made to agree."""
    del lines[chance.randrange(1, len(lines)) :]
    events = sum(line.startswith('{"event"') for line in lines)
    checkpoints = sum(line.startswith('{"checkpoint"') for line in lines)
    lines[0] = f'{{"checkpoints":{checkpoints},"events":{events},"format":"dps-trail-1"}}'


def doubled(lines: list[str], chance: random.Random) -> None:
    place = chance.randrange(len(lines))
    lines.insert(place, lines[place])


WAYS: tuple[Callable[[list[str], random.Random], None], ...] = (edited, deleted, reordered, truncated, doubled)


def of_a_council(world: World, *, times: int) -> Figure:
    """A little council's own trail, exported, and tampered with."""
    bidder, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(bidder, referral, pence=1600)
    world.close(referral)
    world.timetable.sign_checkpoint()
    with world.database.reading() as session:
        lines = list(trail_lines(session))
    return tampered(lines, {name: key.hex() for name, key in world.ports.keyring.public_keys.items()}, times=times)


def tampered(lines: Sequence[str], public_keys: Mapping[str, str], *, times: int, seed: int = 7) -> Figure:
    """So many tamperings of this trail, each alone; one that is not found is a fault."""
    known = json.loads([line for line in lines if line.startswith('{"checkpoint":')][-1])["checkpoint"]["hash"]
    found, chance = Figure(4, "random tampering with an exported trail"), random.Random(seed)
    if check(lines, public_keys, known=known).faults:
        found.faults.append("the trail does not hold before anybody touched it")
    for number in range(times):
        way, copy = WAYS[number % len(WAYS)], list(lines)
        way(copy, chance)
        if copy == list(lines):
            continue
        if not check(copy, public_keys, known=known).faults:
            found.faults.append(f"{way.__name__} number {number} of seed {seed} was not found")
    found.counted = {"tamperings": times, "lines of trail": len(lines)}
    return found
