"""The README names every file of the kernel."""

import re
from pathlib import Path

from dps import kernel

FOLDER = Path(kernel.__file__).parent


def test_every_file_is_in_the_table_and_every_line_of_it_is_a_file() -> None:
    named = re.findall(r"^\| `(\w+)` \|", (FOLDER / "README.md").read_text(), re.M)

    assert named == sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__")
