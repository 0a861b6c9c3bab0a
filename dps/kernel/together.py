"""What several threads ask at one moment, answered by one of them for all.

Nobody waits for company: whoever finds nobody at work answers what is waiting, himself included, and what comes
meanwhile is the next one's. Under no load a question is answered alone and at once; the more there are, the more share
the cost of an answer.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class _Waiting(Generic[Question, Answer]):
    """One thread, its question, and what has come of it: an answer, a fault, or a group to answer for."""

    __slots__ = ("answer", "fault", "group", "question", "turn")

    def __init__(self, question: Question) -> None:
        self.question = question
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

    def ask(self, question: Question) -> Answer:
        """The answer to this question, however many share it."""
        mine: _Waiting[Question, Answer] = _Waiting(question)
        with self._lock:
            if self._is_led:
                self._queue.append(mine)
            else:
                # Nobody waits then: whoever ends a group hands on what has come meanwhile.
                self._is_led = True
                mine.group.append(mine)
        if not mine.group:
            mine.turn.wait()
        if mine.group:
            self._lead(mine.group)
        if mine.fault is not None:
            raise mine.fault
        return mine.answer  # type: ignore[return-value]

    def _lead(self, group: Sequence[_Waiting[Question, Answer]]) -> None:
        """Answer this group; then the first of those that came meanwhile answers those."""
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
        if following:
            following[0].group = following
            following[0].turn.set()
        for one in group:
            one.turn.set()
