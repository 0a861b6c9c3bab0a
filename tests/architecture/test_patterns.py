"""Every regular expression of the code, found in its source, reads 10,000 hostile characters in 50 ms (line 13)."""

import ast
import importlib
import re
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PACKAGES = ("dps", "matching", "bidding", "web")
LONGEST_S = 0.05
LENGTH = 10_000

_TAKING = {"compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"}
_PIECES = (
    *("a", "A", "0", " ", "-", ".", "@", "/", "<", "(", "'", '"', "_", "\n", "\t", "é", "=", ":", ",", "£", "\\", "%"),
    *("aA0 ", "a ", "A ", "0 ", "0-", "a-", "a.", "a@", "a,", "0,", "000,", "a:", "a=", " \n", "Aa ", "1 High ", "Mr "),
    *("<a ", "a=\"", " r ", " r =", "http://", "www.", "0/0/", "1 jan ", "flat 1", "L6 1AA "),
    *("&amp;", "{a}", "((", "))"),
)  # fmt: skip
_ENDS = ("", "!", "\0", "x", "0", "\n")


def sources() -> Iterator[tuple[Path, ModuleType]]:
    for package in PACKAGES:
        for path in sorted(Path(package).rglob("*.py")):
            if "migrations/versions" not in str(path) and path.name not in ("compile.py", "env.py", "__main__.py"):
                parts = path.with_suffix("").parts
                yield path, importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))


def patterns() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes], frozenset[str]]]:
    """(where, the pattern, how it is asked) of each call of `re`; one that can't be worked out is a failure."""
    for path, module in sources():
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.func.attr in _TAKING):
                continue
            flags = next((one.value for one in node.keywords if one.arg == "flags"), None)
            if node.func.attr == "compile" and len(node.args) > 1:
                flags = node.args[1]
            for given in _worked_out(node.args[0], path, module):
                made = given if isinstance(given, re.Pattern) else re.compile(given, _said(flags, path, module) or 0)
                ways = asked(tree, node) if node.func.attr == "compile" else frozenset({node.func.attr})
                yield f"{path}:{node.lineno}", made, ways


def _worked_out(argument: ast.expr, path: Path, module: ModuleType) -> list[Any]:
    """The pattern, or all that a module's constants hold where one of them is handed on."""
    if isinstance(argument, ast.Name) and argument.id not in vars(module):
        held = [one for one in vars(module).values() if isinstance(one, tuple)]
        return [text for one in held for text in one if isinstance(text, str)]
    return [_said(argument, path, module)]


def _said(expression: ast.expr | None, path: Path, module: ModuleType) -> Any:
    if expression is None:
        return None
    return eval(compile(ast.Expression(expression), str(path), "eval"), {**vars(module), "re": re})


def asked(tree: ast.Module, call: ast.Call) -> frozenset[str]:
    """How a compiled pattern is asked where its name stands; one without a name of its own in every way."""
    names = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.value is call
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    ways = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names
    }
    return frozenset(ways & _TAKING or {"search"})


def hostile() -> list[str]:
    return [
        (piece * LENGTH)[: LENGTH - len(end)] + end
        for piece in _PIECES
        for end in (_ENDS if len(piece) == 1 else ("", "!"))
    ]


def took(pattern: re.Pattern[str] | re.Pattern[bytes], how: Collection[str], text: str) -> float:
    """Seconds of this process's processor; the least of three where it seemed slow."""
    content = text if isinstance(pattern.pattern, str) else text.encode()
    whole = {"match": pattern.match, "fullmatch": pattern.fullmatch}
    asks = {whole.get(way, pattern.findall) for way in how}
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for ask in asks:
            ask(content)  # type: ignore[arg-type]
        best = min(best, time.process_time() - began)
        if best <= LONGEST_S:
            break
    return best


@pytest.mark.slow
def test_no_pattern_is_slow_on_hostile_text() -> None:
    texts, found = hostile(), list(patterns())

    slow = sorted(
        {
            f"{where}: {pattern.pattern!r} took {1000 * seconds:.0f} ms on {text[:12]!r}"
            for where, pattern, how in found
            for text in texts
            if (seconds := took(pattern, how, text)) > LONGEST_S
        }
    )

    assert len(found) > 40
    assert slow == []


def test_a_pattern_that_goes_back_over_and_over_is_slow() -> None:
    assert took(re.compile(r"\s+x"), ["search"], " " * LENGTH) > LONGEST_S
