"""What the house forbids in a source file, each rule a function from a file to the lines that break it."""

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("dps", "matching", "bidding", "web")


@dataclass(frozen=True)
class Source:
    """One Python file: its path from the root, and its text."""

    path: str
    text: str

    @cached_property
    def nodes(self) -> list[ast.AST]:
        return list(ast.walk(ast.parse(self.text, self.path)))


Rule = Callable[[Source], Iterator[tuple[int, str]]]

CLOCK = "dps/kernel/clock.py"
ENTROPY = "dps/kernel/entropy.py"
KEYS = "dps/kernel/keys.py"
STATES = "dps/kernel/states.py"

_CLOCK_CALLS = {
    *("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"),
    *("func.now", "func.current_timestamp", "func.current_date", "func.clock_timestamp", "func.localtimestamp"),
}
_CLOCK_NAMES = {"time.time", "time.time_ns"}
_CLOCK_SQL = ("current_timestamp", "current_date", "localtimestamp", "clock_timestamp(", "now()", "('now'")
_CHANCE_CALLS = {"os.urandom", "uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4"}
_NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}


@cache
def source_files() -> list[Source]:
    """Every Python file of the product, parsed once."""
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return [Source(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]


def only_the_clock_reads_the_time(source: Source) -> Iterator[tuple[int, str]]:
    """No machine time, in Python or in SQL, outside the clock's own file. Source: design.md §6."""
    if source.path == CLOCK:
        return
    prose = _prose(source)
    for node in source.nodes:
        match node:
            case ast.Call(func=ast.Attribute() as called) if _last_two(called) in _CLOCK_CALLS:
                yield node.lineno, f"{_last_two(called)}() reads the machine's clock"
            case ast.ImportFrom(module=str(module)):
                for alias in node.names:
                    if f"{module}.{alias.name}" in _CLOCK_NAMES:
                        yield node.lineno, f"{module}.{alias.name} reads the machine's clock"
            case ast.Constant(value=str(text)) if node not in prose:
                if any(word in text.lower() for word in _CLOCK_SQL):
                    yield node.lineno, "SQL names the database's clock"


def only_entropy_draws(source: Source) -> Iterator[tuple[int, str]]:
    """No chance but the injected one; a numpy generator is given its seed. Source: design.md §6.

    Keys and nonces are the exception: those of a seeded generator would be no secret.
    """
    if source.path in (ENTROPY, KEYS):
        return
    for node in source.nodes:
        match node:
            case ast.Import():
                names = [alias.name for alias in node.names]
            case ast.ImportFrom(module=str(module)):
                names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
            case ast.Call(func=ast.Attribute() as called) if _last_two(called) in _CHANCE_CALLS:
                names = [_last_two(called)]
            case ast.Call(func=ast.Attribute(attr="default_rng") | ast.Name(id="default_rng"), args=[], keywords=[]):
                names = ["default_rng()"]
            case _:
                continue
        for name in names:
            if name in _CHANCE_CALLS | {"random", "secrets", "default_rng()"}:
                yield node.lineno, f"{name} draws outside Entropy"


def only_advance_moves_a_state(source: Source) -> Iterator[tuple[int, str]]:
    """No line but those of `advance` sets a state; a row is born in one. Source: design.md §1."""
    if source.path == STATES:
        return
    for node in source.nodes:
        match node:
            case ast.Attribute(attr="state", ctx=ast.Store() | ast.Del()):
                yield node.lineno, "assigns a state"
            case ast.Call(func=ast.Name(id="setattr"), args=[_, ast.Constant(value="state"), *_]):
                yield node.lineno, "assigns a state"
            case ast.Call(func=ast.Attribute(attr="values"), keywords=keywords):
                if any(keyword.arg == "state" for keyword in keywords) and not _inserts(node):
                    yield node.lineno, "updates a state"


def names_say_what_is_inside(source: Source) -> Iterator[tuple[int, str]]:
    """No module called by what it is not. Source: style.md."""
    for part in Path(source.path).with_suffix("").parts:
        if part in _NAMELESS:
            yield 1, f"a module named {part}"


def tables_read_their_own_annotations(source: Source) -> Iterator[tuple[int, str]]:
    """`from __future__ import annotations` breaks SQLModel tables."""
    if "table=True" in source.text:
        for node in source.nodes:
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                yield node.lineno, "postponed annotations in a file with tables"


RULES: list[Rule] = [
    only_the_clock_reads_the_time,
    only_entropy_draws,
    only_advance_moves_a_state,
    names_say_what_is_inside,
    tables_read_their_own_annotations,
]


def _prose(source: Source) -> set[ast.AST]:
    """The strings that are statements of their own: docstrings."""
    return {node.value for node in source.nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}


def _last_two(node: ast.Attribute) -> str:
    """`datetime.now` for `datetime.now` and for `datetime.datetime.now` alike."""
    match node.value:
        case ast.Name(id=owner) | ast.Attribute(attr=owner):
            return f"{owner}.{node.attr}"
        case _:
            return node.attr


def _inserts(call: ast.Call) -> bool:
    """Whether `….values(…)` ends a chain that began with an insert."""
    chain: ast.AST = call
    while isinstance(chain, ast.Call | ast.Attribute):
        chain = chain.func if isinstance(chain, ast.Call) else chain.value
    return isinstance(chain, ast.Name) and "insert" in chain.id
