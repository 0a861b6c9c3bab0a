"""Unused hours of a block come first: they are paid already, so a package that fits into them costs nothing more.

Before each stage of the ladder, whoever has room in a block for the package's lot and locality is offered it, the block
agreed first before the others: hours that came free since the stage before are asked too. Who can't serve it is not
asked, and nobody twice in a cycle. Where nobody takes it, the stage is opened.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from bidding.asking import assess_for_block
from bidding.awards.records import Award
from bidding.referrals import Referral
from bidding.rounds import Round
from bidding.stages import BLOCK_STAGE, open_block_round
from dps.kernel.calendar import LONDON
from dps.kernel.ports import Ports
from dps.packages.packages import Package
from dps.register.blocks import Block, blocks_of
from dps.register.holds import unused_minutes
from dps.schemes.model import Scheme


def ask_blocks(
    session: Session,
    ports: Ports,
    referral: Referral,
    scheme: Scheme,
    *,
    stage_no: int,
    predecessor: Round | None,
    now: datetime,
) -> Round | None:
    """A round for the unused hours of blocks before this stage, if anybody has room who can serve and was not asked."""
    package = session.get(Package, referral.package_id)
    assert package is not None
    blocks = with_room(session, package, scheme, now)
    tried = _tried(session, referral) if blocks else frozenset()
    for block in blocks:
        if block.provider not in tried and assess_for_block(session, referral, package, scheme, block, now).eligible:
            return open_block_round(session, ports, referral, package, scheme, stage_no, predecessor, now)
    return None


def _tried(session: Session, referral: Referral) -> frozenset[str]:
    """Whom this cycle has offered unused hours already."""
    query = (
        select(Award.provider)
        .join(Round, col(Round.id) == col(Award.round_id))
        .where(Round.referral_id == referral.id, Round.cycle == referral.cycle, Round.stage_key == BLOCK_STAGE)
    )
    return frozenset(session.exec(query))


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
