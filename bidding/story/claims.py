"""What an award claims of itself, and whether the facts of its story bear it out. Pure: facts in, claims out.

A claim that does not hold is no verdict: two people may have overturned an award for a good reason, and then it is not
the run's. It is where an auditor reads on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bidding.sealing import checking

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence; `against` is what speaks against it, nothing where it holds."""

    words: str
    against: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.against


def claims(facts: Facts, ciphertexts: Mapping[str, bytes], public_keys: Mapping[str, str]) -> list[Claim]:
    """Every claim that this story makes, the sealing first, the money last. `public_keys`: hex by key id."""
    found: list[Claim] = []
    if facts["closing"] is not None:
        found += _of_sealing(facts, ciphertexts, public_keys)
    if facts["run"] is not None and facts["award"]["source"] == "allocation":
        found.append(Claim("The allocation run gave this award.", _not_of_run(facts)))
    if facts["run"] is not None and facts["run"]["replayed"] is not None:
        again = facts["run"]["replayed"]
        found.append(
            Claim(
                "The stored run, solved again, gives the same awards.", () if again == "the same awards" else (again,)
            )
        )
    found.append(Claim("Who decided had no declared interest in a provider that was asked.", _interested(facts)))
    found.append(Claim("Who typed a bid for a provider did not decide.", _typists(facts)))
    found.append(Claim("Two people stood behind whatever was overturned.", _alone(facts)))
    found.append(Claim("Two people stood behind whatever was placed otherwise.", _placed_alone(facts)))
    contract = facts["contract"]
    if contract is not None:
        found.append(
            Claim(
                "The contract's rates are those that were awarded.",
                () if contract["card"] == facts["award"]["card"] else (f"contract {contract['ref']} has another card",),
            )
        )
        found.append(Claim("What is paid follows from the rates awarded.", _paid_otherwise(contract["statements"])))
    return found


def area_claims(facts: Facts, ciphertexts: Mapping[str, bytes], public_keys: Mapping[str, str]) -> list[Claim]:
    """The same of an area contract's story."""
    contract = facts["area_contract"]
    is_same = facts["evaluation"] == facts["evaluated_again"]
    return [
        *_of_sealing(facts, ciphertexts, public_keys),
        Claim(
            "The evaluation, worked out again, is the one that was kept.",
            () if is_same else ("it comes to something else",),
        ),
        Claim(
            "The contract says what was bid.",
            () if contract["is_what_was_bid"] else (f"contract {contract['ref']} says something else",),
        ),
        Claim("Another person offered it than the one who published it.", _published_and_offered(facts)),
        Claim("Who decided had no declared interest in a provider that bid.", _interested(facts)),
        Claim("What is paid follows from what was bid, told and recorded.", _paid_otherwise(facts["statements"])),
    ]


def _of_sealing(facts: Facts, ciphertexts: Mapping[str, bytes], public_keys: Mapping[str, str]) -> Sequence[Claim]:
    return (
        Claim("Every bid is what its signed receipt says.", _receipts(facts, ciphertexts, public_keys)),
        Claim("No bid was received at or after its closing.", _late(facts)),
        Claim("Nobody could read a price before the closing.", _early(facts)),
    )


def _published_and_offered(facts: Facts) -> tuple[str, ...]:
    both = {*facts["people"]["published_by"]} & {*facts["people"]["offered_by"]}
    return tuple(f"{account} did both" for account in sorted(both))


def _receipts(facts: Facts, ciphertexts: Mapping[str, bytes], public_keys: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        f"bid {bid['ref']}: {fault}"
        for bid in facts["bids"]
        for fault in _of_receipt(bid, facts, ciphertexts, public_keys)
    )


def _of_receipt(
    bid: Facts, facts: Facts, ciphertexts: Mapping[str, bytes], public_keys: Mapping[str, str]
) -> Iterator[str]:
    """A bid of an earlier round is of another closing; one that did not stand to the end is in no manifest."""
    stood = bid["content"] is not None and bid["receipt"]["closing"] == facts["closing"]["closing"]
    yield from checking.faults(
        bid["receipt"],
        public_keys,
        ciphertext=ciphertexts[bid["ref"]],
        content=bid["content"],
        closing=facts["closing"] if stood else None,
    )


def _late(facts: Facts) -> tuple[str, ...]:
    closes_at = datetime.fromisoformat(facts["closing"]["closes_at"])
    return tuple(
        f"bid {bid['ref']} was received at {bid['received_at']}"
        for bid in _of_closing(facts)
        if datetime.fromisoformat(bid["received_at"]) >= closes_at
    )


def _early(facts: Facts) -> tuple[str, ...]:
    closing = facts["closing"]
    if closing["opened_at"] is None:
        return ()
    closes_at, opened_at = (datetime.fromisoformat(closing[name]) for name in ("closes_at", "opened_at"))
    return () if opened_at >= closes_at else (f"it was opened at {closing['opened_at']}",)


def _of_closing(facts: Facts) -> Sequence[Facts]:
    return [bid for bid in facts["bids"] if bid["receipt"]["closing"] == facts["closing"]["closing"]]


def _not_of_run(facts: Facts) -> tuple[str, ...]:
    award = facts["award"]
    given = [one for one in facts["run"]["awards"] if one["bid"] == award["bid"]]
    return () if any(one["provider"] == award["provider"] for one in given) else ("its answer does not name this bid",)


def _interested(facts: Facts) -> tuple[str, ...]:
    return tuple(f"{tie['account']} declared {tie['provider']}" for tie in facts["people"]["interests"])


def _typists(facts: Facts) -> tuple[str, ...]:
    people = facts["people"]
    return tuple(sorted({*people["typed_by"]} & {*people["approved_by"], *people["overturned_by"]}))


def _alone(facts: Facts) -> tuple[str, ...]:
    ends = [one for one in facts["people"]["decided"] if one["kind"] == "award.overturn"]
    first = {one["by"] for one in facts["people"]["decided"] if one["kind"] == "award.overturn_asked"}
    return tuple(f"{one['by']} overturned it alone" for one in ends if not first - {one["by"]})


def _placed_alone(facts: Facts) -> tuple[str, ...]:
    return tuple(
        f"{one['decided_by']} proposed and approved {one['ref']}"
        for one in facts["otherwise"]
        if one["state"] == "approved" and one["decided_by"] == one["proposed_by"]
    )


def _paid_otherwise(statements: Sequence[Facts]) -> tuple[str, ...]:
    return tuple(
        f"statement {one['ref']} says {one['pence']}p, and what is on record gives {one['reckoned_pence']}p"
        for one in statements
        if one["state"] != "withdrawn" and one["reckoned_pence"] not in (None, one["pence"])
    )
