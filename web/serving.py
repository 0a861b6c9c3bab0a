"""`dps serve`: a web process and a worker, kept apart and ended together.

The worker alone is given the identities' directory, through its environment; the web process is started without it,
so that nothing in it, nor in what the system shows of it, leads to the identities (law 2). This third process only
watches: when one of the two ends, or a signal comes, both end.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from dps.kernel.errors import Misconfigured

IDENTITIES = "DPS_IDENTITIES_DIR"
WITHHELD = os.devnull
"""What the web process is told instead: a path under which no identity can lie."""

PATIENCE_S = 30
"""How long a process may take to end before it is ended."""


def serve(environment: Mapping[str, str], *arguments: str) -> int:
    """Run both until one of them ends or SIGTERM or SIGINT comes; the exit code is 0 where a signal ended them.

    `environment` is what the worker gets; `arguments` go to the web process.
    """
    web = _started(["serve", "--without-worker", *arguments], {**environment, IDENTITIES: WITHHELD})
    worker = _started(["work"], environment)
    ended, asked = threading.Event(), threading.Event()
    for child in (web, worker):
        threading.Thread(target=_watch, args=(child, ended), daemon=True).start()

    def end(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        ended.wait()
        codes = [_ended(child) for child in (web, worker)]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 0 if asked.is_set() else max(1, *(abs(code) for code in codes))


def _started(arguments: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """One of this program's own commands, in a session of its own: Ctrl-C reaches it through here alone."""
    home = str(Path(__file__).parents[1])
    path = os.pathsep.join(part for part in (home, environment.get("PYTHONPATH", "")) if part)
    return subprocess.Popen(
        [sys.executable, "-m", "web.cli", *arguments, "--until-input-ends"],
        stdin=subprocess.PIPE,
        env={**environment, "PYTHONPATH": path},
        start_new_session=True,
    )


def _watch(child: subprocess.Popen[bytes], ended: threading.Event) -> None:
    child.wait()
    ended.set()


def _ended(child: subprocess.Popen[bytes]) -> int:
    """End a child: asked first, then made to."""
    child.terminate()
    try:
        return child.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def end_with_input() -> None:
    """Let this process end as by SIGTERM once its input does, which it does when its parent is gone, however."""

    def listen() -> None:
        # Unbuffered: a thread inside a buffered read keeps the interpreter from ending.
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=listen, daemon=True).start()


def bound(host: str, port: int) -> socket.socket:
    """The address to listen on; Misconfigured where it can't be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as taken:
        raise Misconfigured(
            reason=f"DPS_HOST and DPS_PORT: {host}:{port} can't be had ({os.strerror(taken.errno or 0)})."
            " Choose another with --port."
        ) from None
