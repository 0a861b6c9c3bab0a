"""An audit pack proves itself away from the engine, names nobody, and is the same each time; on both databases."""

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from datetime import datetime
from pathlib import Path

import pytest

from dps.kernel.actors import Actor, Role
from dps.kernel.audit import checkpoint_hash, stored_event_hash
from dps.kernel.columns import canonical_json
from dps.kernel.database import Database
from tests.support.world import World
from web.packing import pack, write

AUDITOR = Actor(ref="auditor-1", role=Role.AUDITOR)


@pytest.fixture
def packed(database: Database, tmp_path: Path) -> tuple[World, str, bytes]:
    """A confirmed award that beat another bid, signed by a checkpoint, and its pack."""
    world = World(database, tmp_path)
    first, second = world.provider("First"), world.provider("Second")
    referral = world.referral()
    world.bid(first, referral, pence=1600)
    world.bid(second, referral, pence=1700)
    world.close(referral)
    world.accept_and_confirm(world.award(referral), first)
    world.timetable.sign_checkpoint()
    ref = world.award(referral).ref
    return world, ref, made(world, ref)


def made(world: World, ref: str) -> bytes:
    with world.database.reading() as session:
        content, found = pack(session, award_ref=ref, actor=AUDITOR, public_keys=world.ports.keyring.public_keys)
    assert all(claim.holds for claim in found)
    return content


def files_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_its_receipts_are_proved_from_its_own_files(packed: tuple[World, str, bytes], tmp_path: Path) -> None:
    folder = tmp_path / "taken away"
    with zipfile.ZipFile(io.BytesIO(packed[2])) as archive:
        archive.extractall(folder)
    receipts = sorted((folder / "bids").glob("*.receipt.json"))

    for receipt in receipts:
        bid = str(receipt).removesuffix(".receipt.json")
        whole = ["--bid", f"{bid}.age", "--content", f"{bid}.content.json", "--closing", "closing.json"]
        alone = [sys.executable, "-I", "checking.py", str(receipt), "--public-keys", "signing.pub.json", *whole]
        ran = subprocess.run(alone, cwd=folder, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stderr) == (0, "")

    assert len(receipts) == 2


def test_its_events_are_chained_up_to_heads_that_its_checkpoints_signed(packed: tuple[World, str, bytes]) -> None:
    files = files_of(packed[2])
    heads: dict[str, tuple[int, str]] = {}
    for line in files["trail.jsonl"].splitlines():
        event = json.loads(line)
        seq, previous = heads.get(event["stream"], (0, "0" * 64))
        at = datetime.fromisoformat(event["at"])
        said = (event["actor"], event["role"], event["kind"], canonical_json(event["body"]))
        assert (event["seq"], event["previous_hash"]) == (seq + 1, previous)
        assert stored_event_hash(event["stream"], event["seq"], at, *said, event["previous_hash"]) == event["hash"]
        heads[event["stream"]] = (event["seq"], event["hash"])

    signed: dict[str, tuple[int, str]] = {}
    for line in files["checkpoints.jsonl"].splitlines():
        one = json.loads(line)
        at = datetime.fromisoformat(one["at"])
        listed = sorted((stream, seq, hash_) for stream, seq, hash_ in one["heads"])
        digest = checkpoint_hash(seq=one["seq"], at=at, heads=listed, previous_hash=one["previous_hash"])
        assert digest == one["hash"]
        signed |= {stream: (seq, hash_) for stream, seq, hash_ in listed}

    assert heads
    assert {stream: signed.get(stream) for stream in heads} == heads


def test_it_names_no_person(packed: tuple[World, str, bytes]) -> None:
    canaries = (b"Synthetic Person", b"1 Example Street", b"01632 960001", b"Needs help to wash", b"Washes alone")
    everything = b"".join(files_of(packed[2]).values())

    assert [canary for canary in canaries if canary in everything] == []


def test_the_same_award_gives_the_same_bytes(packed: tuple[World, str, bytes]) -> None:
    world, ref, content = packed

    assert hashlib.sha256(made(world, ref)).digest() == hashlib.sha256(content).digest()


def test_a_page_to_read_is_whole(packed: tuple[World, str, bytes]) -> None:
    _, ref, content = packed

    page = files_of(content)["story.html"].decode()

    assert ref in page
    assert "does not hold" not in page
    assert "<script" not in page
    assert "http" not in page


def test_a_pack_is_written_whole_and_for_its_owner(tmp_path: Path) -> None:
    write(b"pack", tmp_path / "AWD.zip")

    assert (tmp_path / "AWD.zip").read_bytes() == b"pack"
    assert (tmp_path / "AWD.zip").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["AWD.zip"]
