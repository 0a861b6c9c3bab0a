"""What many ask at one moment, answered once for all of them.

Whoever finds nobody at work has what is waiting answered, himself included, and what comes meanwhile is the next group.
Under no load a question is answered alone and at once; the more there are, the more share the cost of an answer. A
thread waits in `ask`; an event loop goes on with others in `awaited`, which holds no thread, and those that come in one
turn of the loop are one group from the first. Whoever was answered there in company is likely to ask again: the next
group waits for as many, for a fraction of what the answer took (`patience`). Else the quickest of them would be
answered alone, and all of the others would wait for that.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


LONGEST_WAIT_S = 0.01
"""For company: no person notices it."""


def patience(took_s: float) -> float:
    """How many seconds to wait for company after an answer that took so many."""
    return min(took_s / 2, LONGEST_WAIT_S)


class _Waiting(Generic[Question, Answer]):
    """One question, and what has come of it: an answer, a fault, or a group to answer for."""

    __slots__ = ("answer", "asker", "fault", "group", "question", "turn")

    def __init__(self, question: Question, asker: "asyncio.Future[Answer] | None" = None) -> None:
        self.question = question
        self.asker = asker
        """Of a coroutine; a thread has its `turn`."""
        self.turn = threading.Event()
        self.group: list[_Waiting[Question, Answer]] = []
        self.answer: Answer | None = None
        self.fault: BaseException | None = None


class Together(Generic[Question, Answer]):
    """Hands questions, at most `most` at once and in the order in which they came, to `answer_all`.

    `answer_all` gives one answer for each; what it raises is raised to everybody who asked.
    """

    def __init__(
        self,
        answer_all: Callable[[Sequence[Question]], Sequence[Answer]],
        *,
        most: int = 64,
        waits: Callable[[float], float] = patience,
    ) -> None:
        self._answer_all = answer_all
        self._most = most
        self._waits = waits
        self._lock = threading.Lock()
        self._are_all_here = threading.Condition(self._lock)
        self._expected = 0
        self._queue: list[_Waiting[Question, Answer]] = []
        self._is_led = False
        # Answers for coroutines, whose own thread must not wait. Begun with the first of them.
        self._leader = ThreadPoolExecutor(1, thread_name_prefix="together")

    def ask(self, question: Question) -> Answer:
        """The answer to this question, however many share it; the calling thread waits, or answers for all."""
        mine: _Waiting[Question, Answer] = _Waiting(question)
        if self._joined(mine):
            self._serve_next()
        mine.turn.wait()
        if mine.group:
            self._lead(mine.group)
        if mine.fault is not None:
            raise mine.fault
        return mine.answer  # type: ignore[return-value]

    async def awaited(self, question: Question) -> Answer:
        """`ask` for a coroutine."""
        loop = asyncio.get_running_loop()
        asker: asyncio.Future[Answer] = loop.create_future()
        if self._joined(_Waiting(question, asker)):
            # After the others of this turn: else the first would be served alone, and all of them wait for that.
            loop.call_soon(self._serve_next)
        return await asker

    def _joined(self, mine: _Waiting[Question, Answer]) -> bool:
        """Wait in the queue; whether nobody was at work, so that whoever asks sees to it that somebody is."""
        with self._lock:
            self._queue.append(mine)
            if len(self._queue) == self._expected:
                self._are_all_here.notify()
            begins, self._is_led = not self._is_led, True
            return begins

    def _serve_next(self) -> None:
        """Have somebody answer those that have come, if any have."""
        with self._lock:
            group, self._queue = self._queue[: self._most], self._queue[self._most :]
            self._is_led = bool(group)
        if group and group[0].asker is not None:
            self._leader.submit(self._lead, group)
        elif group:
            group[0].group = group
            group[0].turn.set()

    def _lead(self, group: Sequence[_Waiting[Question, Answer]]) -> None:
        """Answer this group; then somebody answers those that came meanwhile."""
        began = time.monotonic()
        try:
            answers = self._answer_all([one.question for one in group])
            for one, answer in zip(group, answers, strict=True):
                one.answer = answer
        except BaseException as fault:
            for one in group:
                one.fault = fault
        if group[0].asker is None:
            # This thread asked for itself, and is to go on with its own answer.
            self._serve_next()
            _tell(group)
        else:
            # Counted before they are told: one that asks again at once is no other.
            expected = self._with_those_who_wait(len(group))
            _tell(group)
            self._wait_for(expected, self._waits(time.monotonic() - began))
            self._serve_next()

    def _with_those_who_wait(self, answered: int) -> int:
        with self._lock:
            return min(answered + len(self._queue), self._most)

    def _wait_for(self, expected: int, longest_s: float) -> None:
        """Let those who were answered ask again, beside those who waited already; nobody waits for one alone."""
        with self._lock:
            self._expected = expected
            if self._expected > 1:
                self._are_all_here.wait_for(lambda: len(self._queue) >= self._expected, longest_s)
            self._expected = 0


def _tell(group: Sequence[_Waiting[Question, Answer]]) -> None:
    """Wake everybody of an answered group: each thread, and each event loop once for all of its coroutines."""
    loops: dict[asyncio.AbstractEventLoop, list[_Waiting[Question, Answer]]] = {}
    for one in group:
        if one.asker is None:
            one.turn.set()
        else:
            loops.setdefault(one.asker.get_loop(), []).append(one)
    for loop, theirs in loops.items():
        # A loop that has ended meanwhile has nobody left who waits.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(_resume, theirs)


def _resume(answered: Sequence[_Waiting[Question, Answer]]) -> None:
    for one in answered:
        assert one.asker is not None
        if one.asker.done():
            # Whoever asked has gone away.
            continue
        if one.fault is not None:
            one.asker.set_exception(one.fault)
        else:
            one.asker.set_result(one.answer)  # type: ignore[arg-type]
