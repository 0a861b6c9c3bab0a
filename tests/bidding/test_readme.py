"""The README is true: its diagrams are the tables' own, its map names every room, its receipt is the receipt."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bidding
from bidding.awards.records import Award
from bidding.bids.records import Bid
from bidding.closings import Closing
from bidding.offers import OpenOffer
from bidding.otherwise.records import Placement
from bidding.questions import Question
from bidding.referrals import Referral
from bidding.rounds import Invitation, Round
from bidding.sealing.seal import Sealed, receipt_of, signed
from bidding.tenders.records import Tender
from dps.kernel.keys import SigningKey

ROOM = Path(bidding.__file__).parent
README = (ROOM / "README.md").read_text()
TABLES: tuple[type[Any], ...] = (
    Referral, Round, Invitation, Closing, Bid, Award, OpenOffer, Placement, Question, Tender,
)  # fmt: skip
NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)


def rows(heading: str) -> list[str]:
    """The first cell of each row of the table that has this heading."""
    _, _, below = README.partition(f"| {heading} |")
    return re.findall(r"^\| (.*?) \|", below.partition("\n\n")[0], re.M)


def test_the_diagrams_are_printed_from_their_tables() -> None:
    printed = re.findall(r"<!-- states:(.+?) -->\n```mermaid\n(.*?)\n```\n<!-- /states -->", README, re.S)

    assert dict(printed) == {table.STEPS.kind: table.STEPS.diagram() for table in TABLES}
    assert len(printed) == len(TABLES)


def test_the_map_names_every_room_and_no_other() -> None:
    rooms = {path.stem for path in ROOM.glob("*.py")} | {f"{path.parent.name}/" for path in ROOM.glob("*/__init__.py")}

    assert set(re.findall(r"`(.+?)`", " ".join(rows("room")))) == rooms - {"__init__"}


def test_every_law_has_its_place() -> None:
    assert [row.split()[0] for row in rows("law")] == list("123456789")


def test_the_receipt_has_the_fields_that_are_described() -> None:
    sealed = Sealed(ciphertext=b"sealed", ciphertext_sha256="0" * 64, commitment="1" * 64)
    receipt = receipt_of(
        bid="BID-1", rounds=[], closing="CLO-1", closes_at=NOON, received_at=NOON, sealed=sealed, sealed_to="0" * 16
    )

    said = re.findall(r"`(.+?)`", " ".join(rows("field")))

    assert said == list(signed(receipt, SigningKey(bytes(32))))
