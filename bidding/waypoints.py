"""Places on the way of a closing, an award and a message at which a process may die, by name.

`Ports.reached` is told of each. In life nobody listens; a test that kills a worker there shows that what was begun is
either whole or was never begun, and that the next sweep makes it good (laws 3 and 4). What is *kept* is committed.
"""

from enum import StrEnum


class Waypoint(StrEnum):
    CLOSING_FIXED = "closing.fixed"
    """Manifest and lots are fixed, the rounds still open, nothing committed."""
    CLOSING_CLOSED = "closing.closed"
    CLOSING_KEPT = "closing.kept"
    CONTENTS_WRITTEN = "opening.contents_written"
    OPENING_DONE = "opening.done"
    OPENING_KEPT = "opening.kept"
    SCORES_WRITTEN = "scoring.written"
    RUN_CLAIMED = "scoring.run_claimed"
    RUN_KEPT = "allocating.run_kept"
    RUN_SOLVED = "allocating.solved"
    RUN_STORED = "allocating.stored"
    AWARDS_PROPOSED = "awarding.proposed"
    AWARD_OFFERED = "awarding.offered"
    RUN_FINISHED = "awarding.finished"
    AWARD_ENDED = "awarding.ended"
    CONTRACT_MADE = "awarding.contract_made"
    ROUND_EXHAUSTED = "escalating.exhausted"
    STAGE_OPENED = "escalating.stage_opened"
    MESSAGES_CARRIED = "mailing.carried"
