"""The README's state diagrams are the state tables' own."""

import re
from pathlib import Path

from dps import contracts
from dps.contracts.answers import OutcomeAnswer
from dps.contracts.area_contracts import AreaContractRow
from dps.contracts.contracts import Contract
from dps.contracts.enablement import EnablementBar
from dps.contracts.quality.concerns import Concern
from dps.contracts.quality.recognition import QualityScore
from dps.contracts.statements.records import Statement
from dps.contracts.variations.records import Variation


def test_the_diagrams_are_printed_from_their_tables() -> None:
    readme = Path(contracts.__file__).with_name("README.md").read_text()

    printed = dict(re.findall(r"<!-- states:(\S+) -->\n```mermaid\n(.*?)\n```\n<!-- /states -->", readme, re.DOTALL))

    rows = (Contract, Variation, Statement, AreaContractRow, OutcomeAnswer, EnablementBar, Concern, QualityScore)
    assert printed == {row.STEPS.kind.replace(" ", "-"): row.STEPS.diagram() for row in rows}
