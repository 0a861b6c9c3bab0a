"""Questions of one moment share an answer's cost, and nothing else."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest

from dps.kernel.together import LONGEST_WAIT_S, Together, patience
from tests.support.race import race


def test_who_is_alone_is_answered_alone_and_at_once() -> None:
    asked: list[list[int]] = []
    doubling = Together(_noting(asked))

    answers = [doubling.ask(number) for number in (1, 2)]

    assert answers == [2, 4]
    assert asked == [[1], [2]]


def test_those_that_come_while_one_is_answered_are_answered_together_each_by_its_own() -> None:
    asked: list[list[int]] = []
    doubling = Together(_noting(asked), most=8)

    answers = race([_ask(doubling, number) for number in range(40)])

    assert answers == [2 * number for number in range(40)]
    assert sorted(number for group in asked for number in group) == list(range(40))
    assert max(map(len, asked)) <= 8


def test_what_waits_behind_a_slow_answer_is_one_group_in_the_order_in_which_it_came() -> None:
    asked: list[list[int]] = []
    slow, begun, may_end = _slow(asked)

    doubling = Together(slow)
    threads = [threading.Thread(target=doubling.ask, args=(number,)) for number in range(6)]
    threads[0].start()
    begun.wait(10)
    for number, thread in enumerate(threads[1:], start=1):
        thread.start()
        while len(doubling._queue) < number:
            pass
    may_end.set()
    for thread in threads:
        thread.join(10)

    assert asked == [[0], [1, 2, 3, 4, 5]]


def test_a_fault_is_everybodys_and_whoever_comes_next_is_answered() -> None:
    def refuse(numbers: Sequence[int]) -> list[int]:
        if 0 in numbers:
            raise ValueError("synthetic")
        return list(numbers)

    answering = Together(refuse)

    with pytest.raises(ValueError, match="synthetic"):
        answering.ask(0)
    assert answering.ask(1) == 1


def test_coroutines_of_one_event_loop_hold_it_up_for_nobody_and_share_an_answer() -> None:
    asked: list[list[int]] = []
    slow, begun, may_end = _slow(asked)

    async def all_at_once() -> list[int]:
        doubling = Together(slow)
        first = asyncio.create_task(doubling.awaited(0))
        while not begun.is_set():
            await asyncio.sleep(0)
        others = [asyncio.create_task(doubling.awaited(number)) for number in range(1, 6)]
        # The loop comes round, though the first is being answered.
        await asyncio.sleep(0)
        may_end.set()
        return await asyncio.gather(first, *others)

    answers = asyncio.run(all_at_once())

    assert answers == [0, 2, 4, 6, 8, 10]
    assert asked == [[0], [1, 2, 3, 4, 5]]


def test_coroutines_that_come_in_one_turn_of_the_loop_are_one_group_from_the_first() -> None:
    asked: list[list[int]] = []
    doubling = Together(_noting(asked), most=4)

    async def six() -> list[int]:
        return await asyncio.gather(*(doubling.awaited(number) for number in range(6)))

    assert asyncio.run(six()) == [0, 2, 4, 6, 8, 10]
    assert asked == [[0, 1, 2, 3], [4, 5]]


def test_whoever_was_answered_in_company_and_asks_again_is_in_the_next_group_with_those_who_waited() -> None:
    asked: list[list[int]] = []
    slow, begun, may_end = _slow(asked)
    patience = iter([10.0])

    async def asking() -> None:
        answering = Together(slow, waits=lambda _took_s: next(patience, 0.0))

        async def twice(number: int) -> None:
            await answering.awaited(number)
            # Not at once: an answer goes to somebody who reads it first.
            await asyncio.sleep(0.01)
            await answering.awaited(number + 10)

        again = [asyncio.create_task(twice(number)) for number in (1, 2)]
        while not begun.is_set():
            await asyncio.sleep(0)
        waiting = asyncio.create_task(answering.awaited(3))
        await asyncio.sleep(0)
        may_end.set()
        await asyncio.gather(waiting, *again)

    asyncio.run(asking())

    assert asked == [[1, 2], [3, 11, 12]]


def test_nobody_waits_for_one_alone_and_nobody_waits_long() -> None:
    asked: list[list[int]] = []
    answering = Together(_noting(asked), waits=lambda _took_s: 60.0)

    async def three_times() -> list[int]:
        return [await answering.awaited(number) for number in range(3)]

    assert asyncio.run(three_times()) == [0, 2, 4]
    assert asked == [[0], [1], [2]]
    assert (patience(0.004), patience(60)) == (0.002, LONGEST_WAIT_S)


def test_threads_and_coroutines_hand_on_to_each_other() -> None:
    doubling = Together(_noting([]), most=4)

    async def twenty() -> list[int]:
        return await asyncio.gather(*(doubling.awaited(number) for number in range(20)))

    answers = race([lambda: asyncio.run(twenty()), *(_ask(doubling, number) for number in range(20))])

    assert answers == [[2 * number for number in range(20)], *(2 * number for number in range(20))]


def test_a_fault_reaches_coroutines_and_one_that_has_gone_away_is_left_alone() -> None:
    begun, may_end = threading.Event(), threading.Event()

    def refuse(numbers: Sequence[int]) -> list[int]:
        begun.set()
        may_end.wait(10)
        raise ValueError("synthetic")

    async def asking() -> None:
        answering = Together(refuse)
        gone, waiting = (asyncio.create_task(answering.awaited(number)) for number in (1, 2))
        while not begun.is_set():
            await asyncio.sleep(0)
        gone.cancel()
        may_end.set()
        with pytest.raises(ValueError, match="synthetic"):
            await waiting
        assert gone.cancelled()

    asyncio.run(asking())


def _ask(doubling: Together[int, int], number: int) -> Callable[[], int]:
    return lambda: doubling.ask(number)


def _noting(asked: list[list[int]]) -> Callable[[Sequence[int]], list[int]]:
    def double(numbers: Sequence[int]) -> list[int]:
        asked.append(list(numbers))
        return [2 * number for number in numbers]

    return double


def _slow(
    asked: list[list[int]],
) -> tuple[Callable[[Sequence[int]], list[int]], threading.Event, threading.Event]:
    """Doubles when it may, notes what it was asked, and says when it was: (doubling, begun, may end)."""
    begun, may_end = threading.Event(), threading.Event()

    def slow(numbers: Sequence[int]) -> list[int]:
        asked.append(list(numbers))
        begun.set()
        may_end.wait(10)
        return [2 * number for number in numbers]

    return slow, begun, may_end
