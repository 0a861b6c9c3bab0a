"""The checker finds each kind of loss, double and haste: what can't turn it red proves nothing by being green."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dps.kernel.database import Database
from tests.faults import checker
from tests.faults.checker import Evidence
from tests.faults.history import Operation, lines, read
from tests.faults.killing import CRISIS_WINDOW, Council, address_of
from tests.support.world import World

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Story:
    """What a sound story left behind."""

    evidence: Evidence
    history: list[Operation]
    now: datetime

    def faults(self, evidence: Evidence, history: list[Operation] | None = None) -> list[str]:
        told = self.history if history is None else history
        return checker.faults(evidence, told, least_window=CRISIS_WINDOW, now=self.now, crashes=1)


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Story:
    """One package bid for, awarded, declined, awarded again and confirmed; another that nobody bid for."""
    council = Council(World(database, tmp_path), tmp_path)
    referral, _ = council.begun(), council.begun(bids=False)
    council.world.close(referral)
    for step in ("decline", "accept", "confirm"):
        council.done(referral, step)
    council.carry()
    assert council.faults() == []
    carried = [line["carried"] for line in lines(tmp_path / "carried")]
    return Story(checker.gathered(address_of(council.world), carried), read(council.history.path), council.world.now)


def without(table: str, **where: object) -> Callable[[Evidence], None]:
    """The first row like this is gone."""

    def tamper(evidence: Evidence) -> None:
        evidence.tables[table].remove(_first(evidence, table, **where))

    return tamper


def twice(table: str, **where: object) -> Callable[[Evidence], None]:
    """The first row like this is there twice; `ref` names the second one."""
    other = {"ref": where.pop("ref")} if "ref" in where else {}

    def tamper(evidence: Evidence) -> None:
        evidence.tables[table].append({**_first(evidence, table, **where), "id": 10_000, **other})

    return tamper


def shifted(table: str, column: str, by: timedelta) -> Callable[[Evidence], None]:
    def tamper(evidence: Evidence) -> None:
        row = next(row for row in evidence[table] if row[column] is not None)
        row[column] += by

    return tamper


def changed(table: str, **columns: object) -> Callable[[Evidence], None]:
    def tamper(evidence: Evidence) -> None:
        for row in evidence[table]:
            row.update(columns)

    return tamper


def changed_first(table: str, kind: str, **columns: object) -> Callable[[Evidence], None]:
    return lambda evidence: _first(evidence, table, kind=kind).update(columns)


def _first(evidence: Evidence, table: str, **where: object) -> checker.Row:
    return next(row for row in evidence[table] if all(row[name] == value for name, value in where.items()))


TAMPERINGS: list[tuple[str, Callable[[Evidence], None]]] = [
    ("was acknowledged and is not there", without("bid")),
    ("is not what was acknowledged", changed("bid", ciphertext_sha256="0" * 64)),
    ("was published and is not", changed("referral", published_at=None)),
    ("was declined and is", changed("award", state="expired")),
    ("was confirmed and", without("contract")),
    ("was due and is scored", changed("closing", state="scored")),
    ("was never finished", changed("allocation_run", finished_at=None)),
    ("nobody is asked", without("round", state="published")),
    ("the contract of", without("contract")),
    ("doubled: closing.close", twice("audit_event", kind="closing.close")),
    ("doubled: run", twice("allocation_run")),
    ("doubled: opening", twice("opened_bid")),
    ("doubled: score", twice("scored_bid")),
    ("doubled: award alive", twice("award", state="confirmed")),
    ("doubled: contract", twice("contract")),
    ("doubled: invitation", twice("invitation")),
    ("doubled: successor", twice("round", stage_no=1)),
    ("doubled: message", twice("outbox_message", kind="award_offered")),
    ("came in at", shifted("bid", "received_at", 2 * HOUR)),
    ("was opened before the end", shifted("opened_bid", "opened_at", -HOUR)),
    ("was closed before its end", shifted("closing", "closed_at", -HOUR)),
    ("was proposed before the end", shifted("award", "proposed_at", -HOUR)),
    ("was proposed before its closing was closed", changed_first("audit_event", "award.proposed", id=0)),
    ("was open for", shifted("round", "closes_at", -HOUR)),
    ("does not say what is held", without("capacity_hold", state="committed")),
    ("oversold: (", changed("capacity_ledger", ceiling_minutes=0)),
    ("the trail says", changed("referral", state="held")),
    ("a step of", without("audit_event", kind="award.offer")),
    ("nothing on the trail of", twice("award", state="confirmed", ref="AWD-unknown")),
    ("is queued", changed("outbox_message", delivery="queued")),
    ("carried and never said", without("outbox_message")),
    ("was never told", without("outbox_message", kind="invitation")),
    ("its provider not told", without("outbox_message", kind="award_offered")),
    ("was carried 3 times", lambda evidence: evidence.carried.update([next(iter(evidence.carried))] * 2)),
]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_kind_of_tampering_is_found(story: Story) -> None:
    unseen = []
    for words, tamper in TAMPERINGS:
        tables = {name: [dict(row) for row in rows] for name, rows in story.evidence.tables.items()}
        other = Evidence(tables, story.evidence.carried.copy())
        tamper(other)
        found = story.faults(other)
        if not any(words in fault for fault in found):
            unseen.append((words, found))

    assert unseen == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_one_key_with_two_receipts_is_found(story: Story) -> None:
    first, second = [one for one in story.history if one.op == "bid"]

    found = story.faults(story.evidence, [first, replace(second, args=first.args)])

    assert any("one key got" in fault for fault in found)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_reserve_may_follow_while_the_clock_stands_before_the_end_again(story: Story) -> None:
    """What was closed in time stays closed; whoever then says no while the clock is put back is answered by it."""
    (reserve,) = [row for row in story.evidence["award"] if row["source"] == "reserve"]
    reserve["proposed_at"] -= HOUR

    assert story.faults(story.evidence) == []


def written_to(evidence: Evidence) -> Evidence:
    """The same with a letter about each message, that the mail server took over once."""
    letters = [
        {"id": row["id"], "ref": f"MSG-{row['id']}", "message_id": row["id"], "channel": "mail", "account_id": 1,
         "delivery": "sent"}
        for row in evidence["outbox_message"]
    ]  # fmt: skip
    mailed = Counter(letter["ref"] for letter in letters)
    return Evidence({**evidence.tables, "letter": letters}, evidence.carried, mailed)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_letter_that_did_not_reach_its_reader_once_is_found(story: Story) -> None:
    unread = []
    tamperings: list[tuple[str, Callable[[Evidence], None]]] = [
        ("is queued, taken over 1 times", changed("letter", delivery="queued")),
        ("is sent, taken over 0 times", lambda evidence: setattr(evidence, "mailed", Counter())),
        ("came 3 times", lambda evidence: (evidence.mailed or Counter()).update([*(evidence.mailed or ())] * 2)),
        ("was sent and never written", without("letter")),
        ("nobody is written to", without("letter")),
    ]
    assert story.faults(written_to(story.evidence)) == []
    for words, tamper in tamperings:
        other = written_to(story.evidence)
        tamper(other)
        if not any(words in fault for fault in story.faults(other)):
            unread.append(words)

    assert unread == []


def test_the_checker_knows_nothing_of_the_application() -> None:
    source = Path(checker.__file__).read_text() + (Path(checker.__file__).parent / "history.py").read_text()

    assert not [line for line in source.splitlines() if line.startswith(("from dps", "from bidding", "from web"))]
