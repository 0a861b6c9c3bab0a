"""Where bids come in: those that come at one moment share a transaction and its commit.

Most bids arrive in a closing's last minute, and a commit waits for the disk as long for forty bids as for one. None is
answered before the commit that holds it, so that nothing acknowledged can be lost (law 3). Each stands or falls by
itself (`handing_in`); only a group that could not be looked up, of which nothing was stored, is asked again one by one.
"""

from collections.abc import Sequence
from typing import Any

from bidding.bids.handed import Handed, Verdict, receipt_or_refusal
from bidding.bids.handing_in import hand_in_all
from bidding.bids.preparing import Entries, entries_of
from dps.kernel.database import Database, is_away
from dps.kernel.errors import AnsweredMeanwhile, NotFound
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
        self._together: Together[Handed, Verdict] = Together(self._taken, most=MOST)
        self._reading: Together[str, Entries | NotFound] = Together(self._read, most=MOST)

    def submit(self, **request: Any) -> dict[str, Any]:
        """The signed receipt; `request` is that of `Handed`. Raises what `submitting.submit` raises."""
        verdict = self._together.ask(Handed(**request))
        if isinstance(verdict, AnsweredMeanwhile):
            # A twin of this request was first, at another process: its receipt is this one's.
            verdict = self._together.ask(Handed(**request))
        return receipt_or_refusal(verdict)

    async def submitted(self, **request: Any) -> dict[str, Any]:
        """`submit` for a coroutine."""
        verdict = await self._together.awaited(Handed(**request))
        if isinstance(verdict, AnsweredMeanwhile):
            verdict = await self._together.awaited(Handed(**request))
        return receipt_or_refusal(verdict)

    async def entries(self, round_ref: str) -> Entries:
        """How to read a bid for this round (`entries_of`)."""
        found = await self._reading.awaited(round_ref)
        if isinstance(found, NotFound):
            raise found
        return found

    def _read(self, round_refs: Sequence[str]) -> Sequence[Entries | NotFound]:
        with self._database.reading() as session:
            found = entries_of(session, round_refs)
        return [found.get(ref) or NotFound(kind="round", ref=ref) for ref in round_refs]

    def _taken(self, requests: Sequence[Handed]) -> Sequence[Verdict]:
        try:
            return self._stored(requests)
        except Exception as fault:
            if len(requests) == 1 or is_away(fault):
                return [fault] * len(requests)
            log().warning("bids.taken_apart", number=len(requests), fault=type(fault).__name__)
            return [one for request in requests for one in self._taken([request])]

    def _stored(self, requests: Sequence[Handed]) -> list[Verdict]:
        return self._database.run(lambda session: hand_in_all(session, self._ports, requests))
