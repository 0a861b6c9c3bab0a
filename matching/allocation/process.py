"""The solver's own process: kept warm, ended when it hangs, replaced when it dies.

Parent and child speak in frames over the child's standard streams: one letter, eight bytes of length, the text.
"""

import atexit
import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from matching.allocation.outcome import Heard, Incumbent

PROGRESS, ANSWER, FAILED = b"p", b"a", b"f"
PREPARE = "prepare"
"""A request: load what large instances need, so that no time limit pays for it."""
START_LIMIT_S = 300.0
HEADER = 9
COMMAND = (sys.executable, "-m", "matching.allocation.child")


@dataclass(frozen=True, slots=True)
class Answer:
    """The child's text, or None, the reason in words, and the last incumbent it told before it was ended."""

    text: str | None
    why_not: str = ""
    last: Incumbent | None = None


class _NoMore(Exception):
    """The stream ended or the moment passed, in words."""


class SolverProcess:
    """One child process that answers one request at a time, whoever asks."""

    def __init__(self, command: Sequence[str] = COMMAND, start_limit_s: float = START_LIMIT_S) -> None:
        self._command = command
        self._start_limit_s = start_limit_s
        self._is_prepared = False
        self._has_greeted = False
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start the child and don't wait: it loads what it needs while the caller reads files, or a person thinks.

        Where somebody is being answered there is a child already, and nobody waits for that answer.
        """
        if self._lock.acquire(blocking=False):
            try:
                self._spawned()
            finally:
                self._lock.release()

    @property
    def is_busy(self) -> bool:
        """Whether somebody is being answered."""
        return self._lock.locked()

    @property
    def is_begun(self) -> bool:
        """Whether a child is there, loading or ready."""
        return self._child is not None and self._child.poll() is None

    def warm(self, *, large: bool = False) -> Answer:
        """Start the child and wait until it is ready; with `large` for the guided engine too."""
        with self._lock:
            return self._guarded(lambda: self._ready(large))

    def ask(self, request: str, limit_s: float, heard: Heard | None = None) -> Answer:
        """Send `request`, wait at most `limit_s`; a child that hangs, dies or fails is ended and the reason told."""
        last: Incumbent | None = None

        def hear(incumbent: Incumbent) -> None:
            nonlocal last
            last = incumbent
            if heard is not None:
                heard(incumbent)

        with self._lock:
            answer = self._guarded(lambda: self._exchange(self._running(), request, time.monotonic() + limit_s, hear))
        return replace(answer, last=last)

    def _guarded(self, exchange: Callable[[], Answer]) -> Answer:
        try:
            return exchange()
        except (_NoMore, OSError) as reason:
            self._end()
            return Answer(None, str(reason))
        except BaseException:
            self._end()
            raise

    def _ready(self, large: bool) -> Answer:
        child = self._running()
        if large and not self._is_prepared:
            self._exchange(child, PREPARE, time.monotonic() + self._start_limit_s, None)
            self._is_prepared = True
        return Answer("")

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        child = self._spawned()
        if not self._has_greeted:
            assert child.stdout is not None
            # Its greeting: the imports are done.
            _receive(child.stdout, HEADER, time.monotonic() + self._start_limit_s)
            self._has_greeted = True
        return child

    def _spawned(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            self._end()
            home = str(Path(__file__).parents[2])
            path = os.pathsep.join(part for part in (home, os.environ.get("PYTHONPATH", "")) if part)
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {"PYTHONPATH": path},
                start_new_session=True,
            )
            self._is_prepared = self._has_greeted = False
        return self._child

    def _exchange(
        self,
        child: subprocess.Popen[bytes],
        request: str,
        until: float,
        heard: Heard | None,
    ) -> Answer:
        assert child.stdin is not None
        assert child.stdout is not None
        _send(child.stdin, frame(ANSWER, request), until)
        while True:
            header = _receive(child.stdout, HEADER, until)
            text = _receive(child.stdout, int.from_bytes(header[1:], "big"), until).decode()
            kind = header[:1]
            if kind == ANSWER:
                return Answer(text)
            if kind == FAILED:
                raise _NoMore(f"the solver failed: {text}")
            if heard is not None:
                heard(Incumbent(*json.loads(text)))

    def _end(self) -> None:
        if self._child is None:
            return
        child, self._child = self._child, None
        if child.poll() is None:
            child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        child.wait()


def frame(kind: bytes, text: str) -> bytes:
    """One message as bytes."""
    body = text.encode()
    return kind + len(body).to_bytes(HEADER - 1, "big") + body


def _send(stream: IO[bytes], message: bytes, until: float) -> None:
    """Write without ever blocking past `until`: a hung child reads nothing and a pipe is small."""
    view = memoryview(message)
    descriptor = stream.fileno()
    os.set_blocking(descriptor, False)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_WRITE)
        while view:
            _await(selector, until)
            view = view[os.write(descriptor, view) :]


def _receive(stream: IO[bytes], length: int, until: float) -> bytes:
    received = bytearray()
    descriptor = stream.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while len(received) < length:
            _await(selector, until)
            block = os.read(descriptor, min(1 << 20, length - len(received)))
            if not block:
                raise _NoMore("the solver's process died")
            received += block
    return bytes(received)


def _await(selector: selectors.BaseSelector, until: float) -> None:
    left = until - time.monotonic()
    if left <= 0 or not selector.select(left):
        raise _NoMore("the solver gave no answer within its limit and was ended")


_shared: dict[int, SolverProcess] = {}
_shared_lock = threading.Lock()


def shared_process() -> SolverProcess:
    """This process's warm child; a forked copy of this process starts one of its own."""
    with _shared_lock:
        own = os.getpid()
        if own not in _shared:
            _shared.clear()
            _shared[own] = SolverProcess()
            atexit.register(_shared[own].close)
        return _shared[own]
