"""Where bids come in: those that come at one moment share a transaction and its commit.

Most bids arrive in a closing's last minute, and a commit waits for the disk as long for forty bids as for one. None is
answered before the commit that holds it, so that nothing acknowledged can be lost (law 3). Each stands or falls by
itself: a refusal is a verdict that changes nothing, and a group whose storing failed is asked again one by one.
"""

from collections.abc import Sequence
from typing import Any

from bidding.bids.handing_in import Handed, Verdict, hand_in_all
from dps.kernel.database import Database, is_away
from dps.kernel.errors import AnsweredMeanwhile
from dps.kernel.logs import log
from dps.kernel.ports import Ports
from dps.kernel.together import Together

MOST = 64
"""Bids of one transaction: so many hold their bidders' invitations for some tens of milliseconds."""


class Intake:
    """One process's counter, at which any number of threads hand in."""

    def __init__(self, database: Database, ports: Ports) -> None:
        self._database = database
        self._ports = ports
        self._together: Together[Handed, Verdict | Exception] = Together(self._taken, most=MOST)

    def submit(self, **request: Any) -> dict[str, Any]:
        """The signed receipt; `request` is that of `Handed`. Raises what `submitting.submit` raises."""
        verdict = self._together.ask(Handed(**request))
        if isinstance(verdict, AnsweredMeanwhile):
            # A twin of this request was first, at another process: its receipt is this one's.
            verdict = self._together.ask(Handed(**request))
        if isinstance(verdict, Exception):
            raise verdict
        return verdict

    def _taken(self, requests: Sequence[Handed]) -> Sequence[Verdict | Exception]:
        try:
            return self._stored(requests)
        except Exception as fault:
            if len(requests) == 1 or is_away(fault):
                return [fault] * len(requests)
            log().warning("bids.taken_apart", number=len(requests), fault=type(fault).__name__)
            return [one for request in requests for one in self._taken([request])]

    def _stored(self, requests: Sequence[Handed]) -> list[Verdict]:
        return self._database.run(lambda session: hand_in_all(session, self._ports, requests))
