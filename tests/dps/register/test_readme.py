"""The README's state diagrams are the state tables' own."""

import re
from pathlib import Path

import pytest

from dps import register
from dps.kernel.states import StateTable
from dps.register.applications import Application
from dps.register.arrangements import Arrangement
from dps.register.blocks import Block
from dps.register.documents import DocumentCheck
from dps.register.holds import Hold
from dps.register.location_notices import LocationNotice
from dps.register.membership import Membership
from dps.register.suspensions import Suspension

README = Path(register.__file__).with_name("README.md")
TABLES = {
    table.STEPS.kind: table.STEPS
    for table in (Application, Membership, Suspension, Hold, Block, Arrangement, DocumentCheck, LocationNotice)
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_diagram_is_printed_from_its_table(kind: str) -> None:
    steps: StateTable = TABLES[kind]
    printed = re.search(rf"<!-- states:{kind} -->\n```mermaid\n(.*?)\n```\n<!-- /states -->", README.read_text(), re.S)

    assert printed is not None
    assert printed[1] == steps.diagram()


def test_every_diagram_in_the_readme_has_a_table() -> None:
    assert set(re.findall(r"<!-- states:(\S+) -->", README.read_text())) == set(TABLES)
