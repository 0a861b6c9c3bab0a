"""A million events of the trail, verified on each database: goal 30 s (acceptance 4); and how fast events are appended.

    python -m tests.benchmarks.bench_trail [--events 1000000] [--processes 2] [--appends 2000] [--only sqlite]

The trail is synthetic and seeded: streams of a dozen events, two hundred of them at work at a time, a checkpoint every
so many events. It is written in bulk, which the verifier can't see. It is verified by one process, then by several, as
`dps audit verify` does; events go through `append`, one to a command and ten to a command; one event anywhere is
changed past the database's guard, and must be named. Prints one table, with the processor's seconds beside the clock's:
on a busy machine the two part. Ends with 1 if a fault is found that is none, the planted one is not, or several
processes miss the goal, in proportion to the number of events.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import SQLModel

from dps.kernel.actors import Actor, Role
from dps.kernel.audit import (
    ZERO_HASH,
    AuditEvent,
    AuditHead,
    Checkpoint,
    CheckpointHead,
    append,
    checkpoint_hash,
    event_hash,
)
from dps.kernel.database import Database
from dps.kernel.keys import SigningKey
from dps.kernel.parts import verify_quickly
from dps.kernel.verify import TrailReport, verify_trail
from tests.support.postgres import Cluster, find_binaries
from tests.support.tampering import unguard

GOAL_S_PER_MILLION = 30.0
NOON = datetime(2019, 6, 12, 11, 0, tzinfo=UTC)
BROKER = Actor(ref="USR-7Q2M-4XKD", role=Role.BROKER, authority="eastshire")
KEY = SigningKey(bytes(range(32)))
AT_WORK, LONGEST, BATCH = 200, 24, 5000

Row = tuple[type[SQLModel], dict[str, Any]]


def a_body(draw: Random, stream: str) -> dict[str, Any]:
    """What an ordinary step writes: a reference, two states, a few facts."""
    return {
        "ref": stream,
        "from": "published",
        "to": "closed",
        "bids": [f"BID-{draw.getrandbits(40):010X}" for _ in range(draw.randint(0, 3))],
        "cause": "the window has passed",
    }


def trail(number: int, per_checkpoint: int) -> Iterator[Row]:
    """The rows of a whole trail, each event before the checkpoint that signs it; heads come last."""
    draw, heads, moved = Random(7), dict[str, tuple[int, str]](), set[str]()
    at_work = [f"RND-{place:010d}" for place in range(AT_WORK)]
    left = [draw.randint(1, LONGEST) for _ in at_work]
    named, signed, last = AT_WORK, dict[str, int](), (0, ZERO_HASH)
    for count in range(1, number + 1):
        place = draw.randrange(AT_WORK)
        stream, at = at_work[place], NOON + timedelta(seconds=count, microseconds=draw.randrange(1_000_000))
        seq, previous = heads.get(stream, (0, ZERO_HASH))
        event: dict[str, Any] = {
            "stream": stream,
            "seq": seq + 1,
            "at": at,
            "actor": BROKER.ref,
            "role": "broker",
            "kind": "round.close",
            "body": a_body(draw, stream),
            "previous_hash": previous,
        }
        event["hash"] = event_hash(**event)
        yield AuditEvent, event
        heads[stream] = (seq + 1, event["hash"])
        moved.add(stream)
        left[place] -= 1
        if not left[place]:
            at_work[place], left[place], named = f"RND-{named:010d}", draw.randint(1, LONGEST), named + 1
        if count % per_checkpoint == 0:
            listed = sorted((stream, *heads[stream]) for stream in moved)
            last = yield from a_checkpoint(listed, at, last)
            signed |= {stream: seq for stream, seq, _ in listed}
            moved.clear()
    for stream, (seq, hash_) in heads.items():
        yield AuditHead, {"stream": stream, "seq": seq, "hash": hash_, "signed_seq": signed.get(stream, 0)}


def a_checkpoint(
    listed: list[tuple[str, int, str]], at: datetime, last: tuple[int, str]
) -> Generator[Row, None, tuple[int, str]]:
    seq, previous = last[0] + 1, last[1]
    digest = checkpoint_hash(seq=seq, at=at, heads=listed, previous_hash=previous)
    row = {"seq": seq, "at": at, "heads": len(listed), "previous_hash": previous, "hash": digest}
    yield Checkpoint, {**row, "key_id": KEY.key_id, "signature": KEY.sign(digest.encode())}
    for stream, head_seq, hash_ in listed:
        yield CheckpointHead, {"checkpoint_seq": seq, "stream": stream, "seq": head_seq, "hash": hash_}
    return seq, digest


def write(database: Database, rows: Iterator[Row]) -> None:
    """In bulk, checkpoints before the heads that name them."""
    waiting: dict[type[SQLModel], list[dict[str, Any]]] = {
        table: [] for table in (AuditEvent, Checkpoint, CheckpointHead, AuditHead)
    }

    def flush() -> None:
        with database.engine.begin() as connection:
            for table, batch in waiting.items():
                if batch:
                    connection.execute(insert(table), batch)
                    batch.clear()

    for table, row in rows:
        waiting[table].append(row)
        if len(waiting[table]) == BATCH:
            flush()
    flush()


def appended_per_second(database: Database, number: int, per_command: int) -> float:
    """Each event begins or goes on one of `number / 6` streams; each command is committed."""
    draw = Random(11)
    streams = [f"NEW-{per_command}-{place:06d}" for place in range(max(number // 6, 1))]
    began = time.perf_counter()
    for _ in range(number // per_command):
        with database.transaction() as session:
            for _ in range(per_command):
                stream = draw.choice(streams)
                append(session, stream, "round.close", BROKER, NOON, a_body(draw, stream))
    return number / (time.perf_counter() - began)


@contextmanager
def opened(kind: str) -> Iterator[Database]:
    """An empty database of this kind with the four tables of the trail."""
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            database = Database(f"sqlite:///{Path(folder) / 'trail.sqlite3'}")
            yield with_tables(database)
            database.dispose()
        else:
            with Cluster(find_binaries()) as cluster:
                database = Database(cluster.url(cluster.create()))
                yield with_tables(database)
                database.dispose()


def with_tables(database: Database) -> Database:
    SQLModel.metadata.create_all(database.engine)
    return database


@dataclass(frozen=True, slots=True)
class Verified:
    """One proof: what it found, its seconds by the wall and of processors, those of other processes included."""

    report: TrailReport
    wall_s: float
    processor_s: float


def verified(database: Database, processes: int) -> Verified:
    began, busy_since = time.perf_counter(), _busy()
    with database.reading() as session:
        keys = {KEY.key_id: KEY.public}
        alone = processes == 1
        report = verify_trail(session, keys) if alone else verify_quickly(session, keys, processes=processes)
    return Verified(report, time.perf_counter() - began, _busy() - busy_since)


def _busy() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def plant(database: Database, events: int) -> str:
    """Change one event of the trail; returns its stream."""
    which = {"id": Random(13).randint(1, events)}
    with database.engine.begin() as connection:
        unguard(connection)
        connection.execute(text("UPDATE audit_event SET actor = 'USR-FORGER' WHERE id = :id"), which)
        stream: str = connection.execute(text("SELECT stream FROM audit_event WHERE id = :id"), which).scalar_one()
    return stream


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--events", type=int, default=1_000_000)
    arguments.add_argument("--appends", type=int, default=2000)
    arguments.add_argument("--per-checkpoint", type=int, default=100)
    arguments.add_argument("--processes", type=int, default=2)
    arguments.add_argument("--only", choices=("sqlite", "postgresql"))
    asked = arguments.parse_args()
    goal = GOAL_S_PER_MILLION * asked.events / 1_000_000
    is_missed = False
    heads = (
        "", "events", "checkpoints", "by one", "processor", f"by {asked.processes}", "processors", "of goal",
        "appended/s", "by ten/s", "peak",
    )  # fmt: skip
    print("".join(f"{head:>12}" for head in heads))
    for kind in [asked.only] if asked.only else ["sqlite", "postgresql"]:
        with opened(kind) as database:
            write(database, trail(asked.events, asked.per_checkpoint))
            alone, shared = verified(database, 1), verified(database, asked.processes)
            singly, in_tens = (appended_per_second(database, asked.appends, number) for number in (1, 10))
            stream = plant(database, asked.events)
            planted = verified(database, asked.processes).report
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        report = alone.report
        told = (f"{report.events:,}", f"{report.checkpoints:,}", *(
            f"{seconds:.1f} s" for one in (alone, shared) for seconds in (one.wall_s, one.processor_s)
        ))  # fmt: skip
        speeds = (f"{shared.wall_s / goal:.0%}", f"{singly:,.0f}", f"{in_tens:,.0f}")
        print("".join(f"{cell:>12}" for cell in (kind, *told, *speeds, f"{peak:,.0f} MiB")))
        for fault in report.faults[:5]:
            print(f"  {fault}")
        is_found = any(fault.startswith(f"stream {stream}, event ") for fault in planted.faults)
        print(f"  the planted fault was {'found' if is_found else 'NOT found'}: {planted.faults[:1]}")
        is_missed |= shared.wall_s > goal or not report.ok or shared.report != report or not is_found
        is_missed |= report.events != asked.events
    return int(is_missed)


if __name__ == "__main__":
    sys.exit(main())
