"""What the product imports is named in pyproject.toml and pinned in the lock: nothing comes along by chance."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from tests.conftest import ROOT

PACKAGES = ("dps", "matching", "bidding", "web")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def canonical(requirement: str) -> str:
    """The name in a requirement, as an index writes it."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def named(*lists: list[str]) -> set[str]:
    return {canonical(requirement) for one in lists for requirement in one}


def imported_in(path: Path) -> set[str]:
    """The top names of every absolute import of a file, wherever in it they stand."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_every_package_that_is_imported_is_named() -> None:
    installed = packages_distributions()
    modules = {name for package in PACKAGES for path in (ROOT / package).rglob("*.py") for name in imported_in(path)}
    foreign = modules - sys.stdlib_module_names - set(PACKAGES)
    known = named(PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())

    unnamed = {name for name in foreign if not {canonical(one) for one in installed.get(name, [name])} & known}

    assert foreign
    assert unnamed == set()


def test_every_package_that_is_named_is_pinned() -> None:
    pinned = {canonical(line) for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line[:80]}

    assert named(PROJECT["dependencies"]) - pinned == set()
