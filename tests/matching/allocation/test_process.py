"""The solver's own process: ended when it hangs, replaced when it dies, and no part of the answer."""

import sys
import time
from dataclasses import replace
from threading import Thread

import pytest

from matching.allocation import (
    Policy,
    SolverProcess,
    Status,
    check,
    instance_from_json,
    instance_to_json,
    result_from_json,
    result_to_json,
    shared_process,
    solve,
)
from matching.allocation.book import objective
from matching.allocation.large import solve_large
from matching.allocation.outcome import Incumbent
from matching.allocation.problem import number
from matching.allocation.process import Answer
from matching.allocation.work import Work
from tests.matching.allocation.markets import SEED, a_market

MARKET = a_market(4, packages=10, providers=5, policy=Policy(coverage_pence=9_000, default_target=2))
GREETS = "import sys, time; sys.stdout.buffer.write(b'a' + bytes(8)); sys.stdout.flush(); "
HANGS = (sys.executable, "-c", GREETS + "time.sleep(600)")
DIES = (sys.executable, "-c", GREETS + "sys.stdin.buffer.read(9); sys.exit(1)")
NEVER_STARTS = (sys.executable, "-c", "import time; time.sleep(600)")
PRATTLES = (sys.executable, "-c", "import sys; sys.stdout.write('hello, world' * 99); sys.stdout.flush(); input()")


def test_the_child_gives_the_same_award_as_this_process() -> None:
    here = solve(MARKET, lot_seed=SEED, in_process=True)
    there = solve(MARKET, lot_seed=SEED)

    assert replace(there, seconds=0.0) == replace(here, seconds=0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "words"),
    [(HANGS, "was ended"), (NEVER_STARTS, "was ended"), (DIES, "stands in"), (PRATTLES, "stands in")],
)
def test_a_child_that_hangs_dies_or_prattles_leaves_the_labelled_greedy_award(
    command: tuple[str, ...], words: str
) -> None:
    process = SolverProcess(command, start_limit_s=1.0)
    began = time.monotonic()

    result = solve(MARKET, lot_seed=SEED, hang_after_s=1.0, process=process)

    assert result.status is Status.FALLBACK_GREEDY
    assert not result.counted
    assert words in result.notes[0]
    assert check(MARKET, result.awards).is_feasible
    assert time.monotonic() - began < 1.0 + 2.0
    process.close()


@pytest.mark.slow
def test_a_child_that_was_ended_is_replaced_for_the_next_run() -> None:
    process = SolverProcess()
    hung = solve(MARKET, lot_seed=SEED, hang_after_s=0.001, process=process)

    again = solve(MARKET, lot_seed=SEED, process=process)

    assert hung.status is Status.FALLBACK_GREEDY
    assert again.status is Status.OPTIMAL
    process.close()


def test_progress_is_told_from_the_child() -> None:
    heard: list[tuple[int, int | None]] = []

    result = solve(MARKET, lot_seed=SEED, progress=lambda best, bound: heard.append((best, bound)))

    assert heard[-1][0] == result.objective_pence


def test_a_stored_run_replays_to_the_same_award() -> None:
    first = solve(MARKET, lot_seed=SEED)

    stored = instance_from_json(instance_to_json(MARKET))
    kept = result_from_json(result_to_json(first))
    again = solve(stored, lot_seed=kept.lot_seed)

    assert stored == MARKET
    assert kept == first
    assert again.awards == first.awards


def test_the_shared_child_is_one_and_the_same() -> None:
    assert shared_process() is shared_process()


@pytest.mark.slow
def test_a_child_is_begun_without_waiting_for_whoever_is_being_answered() -> None:
    process = SolverProcess(HANGS)
    before = process.is_begun
    process.begin()
    answers: list[Answer] = []
    asking = Thread(target=lambda: answers.append(process.ask("", limit_s=3.0)))
    asking.start()
    while not process.is_busy:
        time.sleep(0.001)

    process.begin()

    assert not before
    assert process.is_begun
    assert answers == []
    asking.join()
    assert answers[0].text is None
    assert not process.is_begun


TELLS = (
    sys.executable,
    "-c",
    GREETS
    + "read = sys.stdin.buffer.read; read(int.from_bytes(read(9)[1:], 'big')); body = b'[[0], 1, 0]'; "
    + "sys.stdout.buffer.write(b'p' + len(body).to_bytes(8, 'big') + body); sys.stdout.flush(); time.sleep(600)",
)


@pytest.mark.slow
def test_a_what_if_whose_child_is_ended_keeps_the_best_award_that_the_child_had_told() -> None:
    process = SolverProcess(TELLS)

    result = solve(MARKET, lot_seed=SEED, time_limit_s=0.2, process=process)

    assert result.status is Status.FEASIBLE
    assert len(result.awards) == 1
    assert not result.counted
    assert "was ended" in result.notes[0]
    process.close()


def test_a_counted_run_whose_child_is_ended_never_takes_an_award_that_nobody_could_replay() -> None:
    process = SolverProcess(TELLS)

    result = solve(MARKET, lot_seed=SEED, hang_after_s=0.5, process=process)

    assert result.status is Status.FALLBACK_GREEDY
    process.close()


def test_a_large_run_ends_within_its_limit_however_short_and_tells_better_and_better_awards() -> None:
    market = a_market(
        7, packages=120, providers=40, localities=8, policy=Policy(coverage_pence=9_000, default_target=2)
    )
    problem = number(market, SEED)
    heard: list[Incumbent] = []

    outcome = solve_large(problem, Work(time_limit_s=1.0), heard.append)

    told = [incumbent.objective for incumbent in heard]
    assert told == sorted(told, reverse=True)
    assert [objective(problem, incumbent.won) for incumbent in heard] == told
    assert told[-1] == objective(problem, outcome.won)
    assert outcome.bound is not None
    assert all(incumbent.bound is None or incumbent.bound <= told[-1] for incumbent in heard)
