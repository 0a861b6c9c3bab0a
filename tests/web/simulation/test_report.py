"""The report: every picture has its table, no script, nothing from elsewhere; and the command that writes it."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dps.schemes.loader import preset
from web.cli import app
from web.simulation.chapters import Unit, difference, said
from web.simulation.comparing import Comparison, compare
from web.simulation.report import page

PRESETS = Path(__file__).parents[3] / "dps" / "schemes" / "presets"


class Elements(HTMLParser):
    """What a page is made of, in order: (tag, attributes)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return compare(preset("st-helens"), preset("liverpool"), seed=7, weeks=1, referrals=15, providers=12, apart=False)


def test_each_picture_says_what_it_shows_and_is_followed_by_its_table(compared: Comparison) -> None:
    elements = Elements(page(compared)).found
    tags = [tag for tag, _ in elements]

    pictures = [at for at, (tag, _) in enumerate(elements) if tag == "svg"]

    assert len(pictures) == 6
    assert all(elements[at][1]["role"] == "img" and elements[at][1]["aria-label"] for at in pictures)
    for at in pictures:
        rest = tags[at + 1 :]
        assert rest.index("table") < (rest.index("svg") if "svg" in rest else len(rest))
    assert tags.count("caption") == tags.count("table")
    assert not {"script", "link", "img", "iframe"} & set(tags)


def test_what_was_translated_and_that_it_is_synthetic_stand_at_the_top(compared: Comparison) -> None:
    text = page(compared)

    assert text.index("Everything here is synthetic") < text.index("are played on the ground of st-helens") < 5000


@pytest.mark.parametrize(
    ("one", "other", "unit", "words"),
    [
        (805, 817, Unit.SHARE, "+1.2 points"),
        (1665, 1649, Unit.PENCE, "−£0.16"),
        (4320, 4320, Unit.TIME, "none"),
        (4320, 60, Unit.TIME, "−2 days 23 hours"),
        (None, 60, Unit.TIME, "–"),
        (120, 0, Unit.HOURS, "−2 hours"),
        (130, 120, Unit.HOURS, "none"),
    ],
)
def test_a_difference_is_the_second_less_the_first(one: int | None, other: int | None, unit: Unit, words: str) -> None:
    assert difference(one, other, unit) == words


def test_a_figure_that_there_is_none_of_says_so() -> None:
    assert said(None, Unit.TIME) == "none"


@pytest.mark.slow
def test_the_command_tries_an_edited_copy_and_writes_the_report(tmp_path: Path) -> None:
    copy = tmp_path / "tried.toml"
    copy.write_text((PRESETS / "halton.toml").read_text().replace('window = "4h"', 'window = "1h"'), encoding="utf-8")
    out = tmp_path / "report.html"
    asked = ["simulate", "--scheme", "halton", "--against", str(copy), "--weeks", "1", "--referrals", "10"]

    result = CliRunner().invoke(app, [*asked, "--json", "--out", str(out)])

    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["scheme"]["rules"] != found["against"]["rules"]
    assert found["scheme"]["people"] == found["against"]["people"] == 10
    assert "halton (against)" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["--scheme", "nowhere", "--against", "halton"], "no preset scheme 'nowhere'"),
        (["--scheme", "kent-flex", "--against", "halton"], "at most 21 weeks can be played"),
    ],
)
def test_what_cannot_be_played_is_refused_in_one_line(asked: list[str], words: str) -> None:
    result = CliRunner().invoke(app, ["simulate", *asked])

    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output
