"""Writing a step of the database's history from the tables, for developers.

.venv/bin/python -m web.revision "what changes"      writes the next step: read it, then correct it by hand
.venv/bin/python -m web.revision --rewrite           writes the first step anew, while no release has carried it
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate.api import AutogenContext
from sqlmodel.sql.sqltypes import AutoString

from dps.kernel.columns import Day, Json, UtcDateTime, Whole
from dps.kernel.database import Database
from dps.migrations import history
from web.tables import metadata

VERSIONS = Path(history.__file__).parent / "versions"
FIRST = "All tables"


def main(arguments: list[str]) -> int:
    """Write one step and print its path."""
    parser = argparse.ArgumentParser(prog="python -m web.revision", description=__doc__)
    parser.add_argument("words", nargs="?", help="what changes, in a few words")
    parser.add_argument("--rewrite", action="store_true", help="write the first step anew")
    asked = parser.parse_args(arguments)
    steps = sorted(VERSIONS.glob("[0-9]*.py"))
    if asked.rewrite == bool(asked.words):
        parser.error("say what changes, or --rewrite")
    if asked.rewrite and len(steps) > 1:
        parser.error("there are later steps: the first one stays as it is")
    if asked.rewrite:
        for step in steps:
            step.unlink()
    sys.stdout.write(f"{write(asked.words or FIRST, len(sorted(VERSIONS.glob('[0-9]*.py'))) + 1)}\n")
    return 0


def write(words: str, number: int) -> Path:
    """Compare the tables with an empty database brought to the newest step, and write the difference as a step."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/empty.sqlite3")
        with database.engine.begin() as connection:
            settings = history.config(connection=connection, metadata=metadata, render_item=_rendered)
            settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            if number > 1:
                command.upgrade(settings, "head")
            made = command.revision(settings, message=words, autogenerate=True, rev_id=f"{number:04d}")
        database.dispose()
    assert made is not None
    assert not isinstance(made, list)
    path = Path(made.path)
    path.write_text(re.sub(r"(?m)^ +# ### .*\n", "", path.read_text()))
    for tool in (["check", "--fix-only", "--quiet"], ["format", "--quiet"]):
        subprocess.run([sys.executable, "-m", "ruff", *tool, str(path)], check=True)
    return path


def _rendered(kind: str, item: Any, _context: AutogenContext) -> str | bool:
    """The strict column types as plain ones: a step must not change when the engine's own types do."""
    if kind != "type":
        return False
    match item:
        case UtcDateTime():
            return "UTC"
        case Whole():
            return "WHOLE"
        case Json():
            return "JSON"
        case Day():
            return "sa.Date()"
        case sa.Enum():
            values = ", ".join(repr(value) for value in item.enums)
            kept = f"native_enum=False, create_constraint=True, length={item.length}"
            return f"sa.Enum({values}, name={item.name!r}, {kept})"
        case sa.LargeBinary():
            return "sa.LargeBinary()"
        case AutoString():
            return f"sa.String({item.length or ''})"
        case sa.BigInteger():
            return "ID" if re.search(r"sqlite", repr(item._variant_mapping)) else "sa.BigInteger()"
        case _:
            return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
