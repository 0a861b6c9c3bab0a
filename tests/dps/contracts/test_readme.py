"""The README's state diagram is the state table's own."""

import re
from pathlib import Path

from dps import contracts
from dps.contracts.contracts import STEPS


def test_the_diagrams_are_printed_from_their_tables() -> None:
    readme = Path(contracts.__file__).with_name("README.md").read_text()

    printed = dict(re.findall(r"<!-- states:(\S+) -->\n```mermaid\n(.*?)\n```\n<!-- /states -->", readme, re.DOTALL))

    assert printed == {"contract": STEPS.diagram()}
