"""`dps demo` as a visitor runs it: a council is played, then pages and API are served on the running clock."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture
def visited(tmp_path: Path, port: int) -> Iterator[tuple[str, str]]:
    """What the demonstration of the smallest council says, and where it is served."""
    with started(tmp_path, port) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Serving on"):
                break
        assert said[-1].startswith("Serving on"), "".join(said)
        yield "".join(said), f"http://127.0.0.1:{port}"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def started(folder: Path, port: int) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DPS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "web.cli", "demo", "--scheme", "halton", "--seed", "3", "--port", str(port)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_demonstration_is_played_served_and_ended(visited: tuple[str, str]) -> None:
    said, site = visited

    assert "Trail whole" in said
    with httpx.Client(base_url=site, follow_redirects=True, timeout=30) as browser:
        form = browser.get("/sign-in").text
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', form)
        assert found
        password = re.search(r"^  ([a-z2-7]{5}(?:-[a-z2-7]{5}){3})$", said, re.MULTILINE)
        assert password
        broker = {"email": "broker@demonstration.example", "password": password[1], "csrf": found[1], "next": ""}
        assert "Work queue" in browser.post("/sign-in", data=broker).text
    for key in re.findall(r"Bearer (dps_\S+)\"", said):
        assert httpx.get(f"{site}/api/me", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert httpx.get(f"{site}/api/docs").status_code == 200


def test_a_port_that_is_taken_is_said_before_anything_is_played(tmp_path: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), started(tmp_path, port) as process:
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "can't be had" in said
    assert "--port" in said
    assert "Loading" not in said
