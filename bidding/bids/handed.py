"""What is handed in: one request to seal a bid, what is compared when it comes again, and what it is answered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bidding.bids.content import BidContent
from bidding.bids.storing import Along
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import canonical_json
from dps.kernel.errors import BadInput, DpsError, NotFound
from dps.kernel.idempotency import key_hash

Verdict = dict[str, Any] | Exception
"""The signed receipt, or why there is none: a refusal, or a fault that befell this bid alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One request to seal `content` for these rounds: several of one closing are a bundle.

    What the same provider has handed in for the same set of rounds is replaced. A broker may type a telephone bid for
    `provider`, who is asked to confirm it (`confirm_typed`); until then it lies beside the provider's own and replaces
    only what was typed before, and nothing tells the typist whether there is one. Who typed it can't decide the round.
    `along` is told the bid's reference, and writes what is to be stored with it or not at all.
    `waited` says how long ago the request was received whole: what our own queues cost is no lateness of the bidder.
    """

    rounds: Sequence[str]
    content: BidContent
    actor: Actor
    idempotency_key: str
    provider: str | None = None
    along: Along | None = None
    waited: Callable[[], timedelta] = timedelta

    @property
    def bidder(self) -> str:
        """The provider whose bid this is."""
        self.actor.needs("bid", Role.PROVIDER, Role.BROKER)
        if self.actor.role is Role.PROVIDER:
            if self.actor.provider is None or self.provider not in (None, self.actor.provider):
                raise NotFound(kind="provider", ref=self.provider or "")
            return self.actor.provider
        if self.provider is None:
            raise BadInput("a telephone bid names its provider", field="provider")
        return self.provider


@dataclass(frozen=True, slots=True)
class Case:
    """A request that can be read: who bids, under which key, and what is compared when it comes again."""

    request: Handed
    refs: tuple[str, ...]
    bidder: str
    key: str
    body: bytes


def case_of(request: Handed) -> Case | DpsError:
    """The request as it is judged, or why it can't be read."""
    try:
        bidder, refs = request.bidder, tuple(sorted(request.rounds))
        if not refs or len(set(refs)) != len(refs):
            raise BadInput("name each round once", field="rounds")
        body = canonical_json([list(refs), request.content.to_dict(), bidder]).encode()
        return Case(request, refs, bidder, key_hash(request.actor.ref, request.idempotency_key), body)
    except DpsError as refused:
        return refused


def turns_of(cases: Sequence[Case | DpsError]) -> list[list[int]]:
    """The numbers of the cases, in their order, parted where one follows on another: same key, or bidder and round."""
    turns: list[list[int]] = [[]]
    taken: set[object] = set()
    for number, case in enumerate(cases):
        if isinstance(case, Case):
            its: set[object] = {case.key, *((case.bidder, ref) for ref in case.refs)}
            if its & taken:
                turns.append([])
                taken = set()
            taken |= its
            turns[-1].append(number)
    return turns


def receipt_or_refusal(verdict: Verdict) -> dict[str, Any]:
    """The receipt; whatever else it is is raised."""
    if isinstance(verdict, Exception):
        raise verdict
    return verdict
