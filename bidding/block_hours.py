"""Unused hours of a block come first: they are paid already, so a package that fits into them costs nothing more.

Before the ladder begins, whoever has room in a block for the package's lot and locality is offered it, the block agreed
first before the others. Who can't serve it is not asked. Where nobody takes it, the ladder begins at its first stage.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bidding.asking import assess_for_block
from bidding.referrals import Referral
from bidding.rounds import Round
from bidding.stages import BLOCK_STAGE, open_block_round
from dps.kernel.calendar import LONDON
from dps.kernel.ports import Ports
from dps.packages.packages import Package
from dps.register.blocks import Block, blocks_of
from dps.register.holds import unused_minutes
from dps.schemes.model import Scheme


def begin_with_block(
    session: Session, ports: Ports, referral: Referral, scheme: Scheme, *, predecessor: Round | None, now: datetime
) -> Round | None:
    """A round for the unused hours of blocks, if anybody eligible has room for the package."""
    package = session.get(Package, referral.package_id)
    assert package is not None
    for block in with_room(session, package, scheme, now):
        if assess_for_block(session, referral, package, scheme, block, now).eligible:
            return open_block_round(session, ports, referral, package, scheme, predecessor, now)
    return None


def with_room(session: Session, package: Package, scheme: Scheme, now: datetime) -> Sequence[Block]:
    """The blocks that run when the package must start, or today, and have as many unused minutes as it needs."""
    if scheme.blocks is None or package.lot not in scheme.blocks.lots or package.weekly_minutes is None:
        return ()
    day = package.earliest_start or now.astimezone(LONDON).date()
    return [
        block
        for block in blocks_of(
            session, scheme.key, authority=package.authority, lot=package.lot, locality=package.locality
        )
        if block.runs_on(day) and unused_minutes(session, block.ref) >= package.weekly_minutes
    ]


def is_block_round(round_: Round) -> bool:
    return round_.stage_key == BLOCK_STAGE
