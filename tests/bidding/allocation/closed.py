"""A closing as far as its run, step by step, as a worker would take it there."""

from bidding import deadline
from bidding.allocation import runs
from bidding.allocation.runs import AllocationRun
from bidding.closings import Closing
from matching import allocation as solver
from tests.support.world import World


def scored(world: World, referral: str) -> int:
    """Close, open and score the closing that this referral's round is in, at its instant; returns its id."""
    world.clock.move_to(world.closes_at(referral))
    (closing,) = world.rows(Closing, Closing.id == world.round(referral).closing_id)
    assert closing.id is not None
    assert world.run(deadline.close, closing_id=closing.id)
    assert world.run(deadline.open_bids, closing_id=closing.id, opener=world.timetable.opener)
    assert world.run(deadline.score, closing_id=closing.id)
    return closing.id


def claimed(world: World, referral: str) -> AllocationRun:
    """The same, and its run claimed."""
    run = world.run(runs.claim, closing_id=scored(world, referral))
    assert run is not None
    return run


def instance_of(world: World, referral: str) -> solver.Instance:
    """What the closing of this referral is decided from."""
    return solver.instance_from_json(claimed(world, referral).instance)
