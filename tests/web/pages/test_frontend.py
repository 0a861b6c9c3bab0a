"""What browsers load: built from pinned packages, free of what belongs to GOV.UK or to the Crown."""

import json
from pathlib import Path

import pytest

from web.frontend.build import NAMES, STATIC, build, without_reserved_parts

FRONTEND = Path("web/frontend")


def test_the_style_sheet_names_no_transport_font_and_no_crown() -> None:
    names = json.loads((STATIC / NAMES).read_text())

    css = (STATIC / names["govuk.css"]).read_text()

    assert ".govuk-button" in css
    for reserved in ("GDS Transport", "/assets/", "crest", "woff", "sourceMappingURL"):
        assert reserved not in css
    assert not [file.name for file in STATIC.iterdir() if file.suffix in (".woff", ".woff2", ".png", ".ico")]


def test_a_release_that_names_its_fonts_in_a_new_way_is_refused() -> None:
    with pytest.raises(ValueError, match="look at it"):
        without_reserved_parts("body{font-family:'GDS Transport Website'}")


def test_a_file_changes_its_name_when_it_changes(tmp_path: Path) -> None:
    first = build(static=tmp_path / "static")
    again = build(static=tmp_path / "static")

    assert first == again == json.loads((STATIC / NAMES).read_text())
    assert all((tmp_path / "static" / name).is_file() for name in first.values())
    assert all(len(name.split(".")) == 3 for name in first.values())


def test_no_registry_stands_in_the_lock() -> None:
    lock = json.loads((FRONTEND / "package-lock.json").read_text())

    packages = {name: one for name, one in lock["packages"].items() if name}

    assert packages
    assert all("integrity" in one and "resolved" not in one for one in packages.values())
    assert "https://" not in (FRONTEND / ".npmrc").read_text()
