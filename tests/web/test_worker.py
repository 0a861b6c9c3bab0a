"""The worker closes what is due with real keys, rings on, and ends when told to."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bidding.closings import Closing
from bidding.looking.due import next_closing_at
from dps.kernel.audit import AuditEvent, Checkpoint
from dps.kernel.database import Database
from dps.kernel.settings import Settings
from tests.support.world import World
from web import worker as working
from web.assembly import Installation
from web.sending.carrying import LetterRound
from web.worker import Worker, rung


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.fixture
def worker(world: World) -> Worker:
    installation = Installation(Settings(demo=True), world.database, world.ports)
    return Worker(installation, world.timetable, LetterRound(world.database, world.ports, []))


@pytest.fixture
def started(worker: Worker) -> Iterator[Worker]:
    """Ringing; ended with the test."""
    worker.start()
    yield worker
    worker.stop()


def test_a_sweep_closes_a_due_round_end_to_end_and_signs_at_once(world: World, worker: Worker) -> None:
    provider = world.provider("Provider")
    referral = world.referral()
    world.bid(provider, referral, pence=1650)
    closes_at = world.round(referral).closes_at
    assert closes_at is not None

    world.clock.move_to(closes_at)
    worker._scheduler.start(paused=True)
    worker.sweep()
    worker.stop()

    with world.database.reading() as session:
        closing = session.exec(select(Closing)).one()
        kinds = set(session.exec(select(AuditEvent.kind)))
        checkpoints = session.exec(select(Checkpoint)).all()
    assert str(closing.state) == "allocated"
    assert {"closing.close", "bid.open", "closing.score", "award.offer"} <= kinds
    assert [checkpoint.at for checkpoint in checkpoints] == [closes_at]


def test_a_bell_is_set_for_the_next_closing(world: World, worker: Worker) -> None:
    world.provider("Provider")
    world.referral()
    worker._scheduler.start(paused=True)

    worker.sweep()

    job = worker._scheduler.get_job("closing")
    with world.database.reading() as session:
        closes_at = next_closing_at(session, world.now)
    worker.stop()
    assert closes_at is not None
    assert job is not None


def test_no_bell_is_set_where_nothing_gathers(worker: Worker) -> None:
    worker._scheduler.start(paused=True)

    worker.sweep()

    assert worker._scheduler.get_job("closing") is None
    worker.stop()


def test_every_bell_rings_at_the_start(world: World, started: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = {job.id: job for job in started._scheduler.get_jobs()}

    assert {"sweep", "messages", "checkpoint"} <= jobs.keys()
    for name in ("sweep", "messages", "checkpoint"):
        job = jobs[name]
        assert (job.coalesce, job.max_instances, job.misfire_grace_time) == (True, 1, None)
        assert job.trigger.interval == timedelta(minutes=1)


def test_a_bell_that_fails_is_logged_by_kind_alone_and_rings_again(capsys: pytest.CaptureFixture[str]) -> None:
    rings: list[int] = []

    def fail() -> None:
        rings.append(1)
        raise RuntimeError("Synthetic Person, WA10 1AA, £17.77")

    rung("sweep", fail)
    rung("sweep", fail)

    said = "".join(capsys.readouterr())
    assert len(rings) == 2
    assert "RuntimeError" in said
    assert "Synthetic Person" not in said


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_worker_ends_when_it_is_told_to(world: World, worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM reaches a working worker: the bells stop, and `run` returns."""
    began = threading.Event()
    monkeypatch.setattr(working, "employed", _employing(worker, began))

    def tell() -> None:
        began.wait(30)
        os.kill(os.getpid(), signal.SIGTERM)

    told = threading.Thread(target=tell)
    told.start()

    working.run(worker.installation.settings)

    told.join()
    assert not worker._scheduler.running
    assert logging.getLogger("apscheduler").level == logging.CRITICAL


def _employing(worker: Worker, began: threading.Event) -> Callable[[Settings], Any]:
    @contextmanager
    def employed(_settings: Settings) -> Iterator[Worker]:
        worker.timetable.carry_messages = began.set  # type: ignore[method-assign,assignment]
        yield worker

    return employed
