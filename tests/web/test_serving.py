"""`dps serve` as a process: it answers, it keeps the identities from the web process, and both end together."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select

import pytest

from dps.kernel.database import Database
from tests.conftest import ROOT
from tests.support.keys import put_keys
from tests.support.schema import stamp

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(tmp_path: Path, database: Database) -> dict[str, str]:
    """An installation without a scheme: enough to answer."""
    put_keys(tmp_path / "keys", tmp_path / "identities")
    stamp(database)
    return {
        **os.environ,
        "DPS_SECRET": "made-up-for-tests-made-up-for-tests",
        "DPS_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "DPS_KEYS_DIR": str(tmp_path / "keys"),
        "DPS_IDENTITIES_DIR": str(tmp_path / "identities"),
        "DPS_SPOOL_DIR": str(tmp_path / "spool"),
        "DPS_NOTES_DIR": str(tmp_path / "notes"),
    }


@contextmanager
def serving(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The watching process and the address that the web process said."""
    command = [sys.executable, "-m", "web.cli", "serve", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://[0-9.]+:\d+", said)
        assert found, said + (process.communicate()[1] if not said else "")
        yield process, found[0]
    finally:
        process.terminate()
        process.communicate(timeout=60)


def children_of(pid: int) -> dict[int, str]:
    """Each child's command line."""
    listed = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    rows = (line.strip().split(maxsplit=1) for line in listed.stdout.splitlines())
    return {int(child): arguments for child, arguments in rows}


def given(pid: int) -> dict[str, str]:
    """The environment that a process was started with, as the system shows it."""
    entries = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)


@contextmanager
def watched(process: subprocess.Popen[str]) -> Iterator[dict[int, str]]:
    """The children of a process; at the end all of them have ended, however that came about."""
    children = children_of(process.pid)
    handles = [os.pidfd_open(pid) for pid in children]
    try:
        yield children
        late = [pid for pid, handle in zip(children, handles, strict=True) if not select([handle], [], [], 60)[0]]
        assert late == []
    finally:
        for handle in handles:
            os.close(handle)


def test_it_answers_and_ends_cleanly(environment: dict[str, str]) -> None:
    with serving(environment) as (process, site):
        with urllib.request.urlopen(f"{site}/health") as answer:
            health = json.load(answer)
        assert process.stderr is not None
        started = process.stderr.readline()
        with watched(process) as children:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)

    assert health["status"] == "ok"
    assert json.loads(started)["event"] == "worker.started"
    assert len(children) == 2
    assert process.returncode == 0
    assert "Traceback" not in said
    assert [json.loads(line)["event"] for line in said.splitlines()][-1] == "worker.ended"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_worker_alone_is_given_the_identities(environment: dict[str, str]) -> None:
    with serving(environment) as (process, _):
        by_name = {
            "worker" if " work" in arguments else "web": given(pid)
            for pid, arguments in children_of(process.pid).items()
        }

    identities = environment["DPS_IDENTITIES_DIR"]
    assert by_name["worker"]["DPS_IDENTITIES_DIR"] == identities
    assert identities not in by_name["web"].values()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_when_the_worker_dies_the_web_process_ends_too(environment: dict[str, str]) -> None:
    with serving(environment) as (process, _), watched(process) as children:
        worker = next(pid for pid, arguments in children.items() if " work" in arguments)
        os.kill(worker, signal.SIGKILL)
        process.communicate(timeout=60)

    assert process.returncode != 0


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_when_the_watching_process_is_killed_both_end(environment: dict[str, str]) -> None:
    with serving(environment) as (process, _), watched(process) as children:
        process.kill()

    assert len(children) == 2


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_port_that_is_taken_is_said_in_one_line(environment: dict[str, str]) -> None:
    with serving(environment) as (_, site):
        command = [sys.executable, "-m", "web.cli", "serve", "--without-worker", "--port", site.rpartition(":")[2]]
        alone = {**environment, "DPS_IDENTITIES_DIR": os.devnull}
        second = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)

    assert second.returncode == 2
    assert "can't be had" in second.stderr
    assert len(second.stderr.splitlines()) == 1
