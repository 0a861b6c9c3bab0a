"""What the pages for readers name is there: commands with their options, targets of make, files, settings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dps.kernel.settings import Settings
from tests.architecture.rules import PACKAGES, ROOT
from web.cli import COMMANDS, Commands

PAGES = sorted(
    path
    for path in (
        *(ROOT / name for name in ("README.md", "CHANGELOG.md", "deploy/README.md", "tests/faults/README.md")),
        *(page for package in PACKAGES for page in (ROOT / package).rglob("*.md") if "node_modules" not in page.parts),
    )
)
ROOMS = [page.parent for page in PAGES if re.search(r"^\| (file|room) \|", page.read_text(), re.M)]


def codes(page: Path) -> Iterator[str]:
    """What stands on a page as code: each line of a block, and what is quoted within a sentence."""
    text = page.read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    yield from (line.split("#")[0].strip() for block in blocks for line in block.splitlines())
    yield from (line.strip() for line in re.findall(r"^    (\S.*)", text, re.M))
    for paragraph in re.sub(r"^```.*?^```", "", text, flags=re.M | re.S).split("\n\n"):
        yield from (" ".join(code.split()) for code in re.findall(r"`([^`]+)`", paragraph))


def is_there(said: str) -> bool:
    """Whether `dps` knows what follows its name here: every word of a command, each of `a|b`, and every option."""
    reached: list[Any] = [Commands()]
    for word in said.split():
        deeper = [found for one in reached for name in word.split("|") if (found := below(one, name)) is not None]
        if word.startswith("--"):
            option = word.rstrip("…,;.:")
            if not any(option in params(one) for one in reached):
                return False
        elif deeper and len(deeper) == len(word.split("|")):
            reached = deeper
        elif any(hasattr(one, "list_commands") for one in reached) and re.fullmatch(r"[a-z][a-z|-]*", word):
            return False
    return True


def below(command: Any, name: str) -> Any:
    return command.get_command(None, name) if hasattr(command, "get_command") else None


def params(command: Any) -> set[str]:
    return {"--help", "--version"} | {opt for each in command.params for opt in (*each.opts, *each.secondary_opts)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_names_exists_with_its_options(page: Path) -> None:
    said = [found[1] for code in codes(page) if (found := re.match(r"(?:\S*=\S* +)*(?:\.venv/bin/)?dps +(\S.*)", code))]

    assert [one for one in said if not is_there(one)] == []


def test_a_command_or_an_option_that_is_none_is_seen() -> None:
    assert is_there("areas seek|show --help")
    assert is_there("demo --scheme st-helens --seed 11")
    assert not any(map(is_there, ("areas seek|seize", "audit prove", "demo --council x", "reports month")))
    assert set(COMMANDS) >= {"areas", "audit", "demo", "report"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_target_of_make_that_a_page_names_exists(page: Path) -> None:
    targets = re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text())

    assert {found[1] for code in codes(page) if (found := re.match(r"make ([a-z-]+)", code))} <= set(targets)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_setting_that_a_page_names_is_one(page: Path) -> None:
    known = {f"DPS_{name.upper()}" for name in Settings.model_fields}

    assert set(re.findall(r"\bDPS_[A-Z_]*[A-Z]", page.read_text())) <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_and_picture_that_a_page_leads_to_exists(page: Path) -> None:
    led = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())

    assert [one for one in led if not (page.parent / one).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_a_page_quotes_leads_somewhere(page: Path) -> None:
    """From the page's own folder, from the top, or from within a package: `looking/narrowing` is bidding's."""
    quoted = re.findall(r"`([a-z_]+(?:/[a-z_]+)+/?(?:\.py|\.html|\.toml)?)(?:\.[a-zA-Z_]+)?`", page.read_text())
    begins = [page.parent, ROOT, *(ROOT / package for package in PACKAGES), ROOT / "web/pages"]

    assert [one for one in quoted if not any((at / one).exists() or (at / f"{one}.py").exists() for at in begins)] == []


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_a_room_names_every_file_that_is_in_it_and_no_other(room: Path) -> None:
    table = re.search(r"^\| (?:file|room) \|.*?\n\n", (room / "README.md").read_text(), re.M | re.S)
    assert table is not None
    cells = [re.sub(r"\(.*?\)", "", line.split("|")[1]) for line in table[0].strip().splitlines()[2:]]
    named = {name for cell in cells for name in re.findall(r"\w+", cell)}
    quoted = [name for cell in cells for name in re.findall(r"`(.+?)`", cell)]
    there = {path.stem for path in room.glob("*.py")} | {path.parent.name for path in room.glob("*/__init__.py")}

    assert {name for name in there if not name.startswith("test_")} - named - {"__init__", "__main__"} == set()
    assert [one for one in quoted if not (room / one).exists() and not (room / f"{one}.py").exists()] == []


def test_the_changelog_has_each_kind_of_change_once_a_version_and_no_gap_between_its_lines() -> None:
    _, *versions = (ROOT / "CHANGELOG.md").read_text().split("\n## ")

    for version in versions:
        kinds = re.findall(r"^### (\w+)$", version, re.M)
        assert kinds == [kind for kind in ("Added", "Changed", "Removed", "Fixed") if kind in kinds], version[:20]
        assert re.findall(r"(?m)^(?:-|  ) ?.*\n\n(- .{,40})", version) == [], version[:20]
