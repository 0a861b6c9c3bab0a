"""What many ask at one moment, answered once for all of them.

Nobody waits for company: whoever finds nobody at work has what is waiting answered, himself included, and what comes
meanwhile is the next group. Under no load a question is answered alone and at once; the more there are, the more share
the cost of an answer. A thread waits in `ask`; an event loop goes on with others in `awaited`, which holds no thread.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


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

    def __init__(self, answer_all: Callable[[Sequence[Question]], Sequence[Answer]], *, most: int = 64) -> None:
        self._answer_all = answer_all
        self._most = most
        self._lock = threading.Lock()
        self._queue: list[_Waiting[Question, Answer]] = []
        self._is_led = False
        # Answers for coroutines, whose own thread must not wait. Begun with the first of them.
        self._leader = ThreadPoolExecutor(1, thread_name_prefix="together")

    def ask(self, question: Question) -> Answer:
        """The answer to this question, however many share it; the calling thread waits, or answers for all."""
        mine: _Waiting[Question, Answer] = _Waiting(question)
        if self._is_first(mine):
            mine.group.append(mine)
        else:
            mine.turn.wait()
        if mine.group:
            self._lead(mine.group)
        if mine.fault is not None:
            raise mine.fault
        return mine.answer  # type: ignore[return-value]

    async def awaited(self, question: Question) -> Answer:
        """`ask` for a coroutine."""
        asker: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        mine = _Waiting(question, asker)
        if self._is_first(mine):
            self._leader.submit(self._lead, [mine])
        return await asker

    def _is_first(self, mine: _Waiting[Question, Answer]) -> bool:
        """Whether nobody is at work; else this one waits in the queue."""
        with self._lock:
            if not self._is_led:
                # Nobody waits then: whoever ends a group hands on what has come meanwhile.
                self._is_led = True
                return True
            self._queue.append(mine)
            return False

    def _lead(self, group: Sequence[_Waiting[Question, Answer]]) -> None:
        """Answer this group; then somebody answers those that came meanwhile."""
        try:
            answers = self._answer_all([one.question for one in group])
            for one, answer in zip(group, answers, strict=True):
                one.answer = answer
        except BaseException as fault:
            for one in group:
                one.fault = fault
        with self._lock:
            following, self._queue = self._queue[: self._most], self._queue[self._most :]
            self._is_led = bool(following)
        if following and following[0].asker is not None:
            self._leader.submit(self._lead, following)
        elif following:
            following[0].group = following
            following[0].turn.set()
        _tell(group)


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
