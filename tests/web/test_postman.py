"""Messages as files: a reference and a link, once each, nothing personal."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from dps.kernel.keys import Keyring
from dps.kernel.outbox import Delivery, OutboxMessage
from web.postman import SpoolPostman

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)


def a_message(about: str = "RND-7K3M-9QXR-4TDC") -> OutboxMessage:
    return OutboxMessage(
        ref="MSG-7K3M-9QXR-4TDC",
        recipient="provider:PRV-7K3M-9QXR-4TDC",
        kind="award_offered",
        about=about,
        facts={"closes_at": "2019-03-04T15:00:00+00:00"},
        posted_at=NOON,
        not_before=NOON,
        delivery=Delivery.QUEUED,
    )


def test_a_message_becomes_a_file_named_and_identified_by_its_reference(tmp_path: Path, keyring: Keyring) -> None:
    SpoolPostman(tmp_path / "spool", site="http://here:8000/", keyring=keyring).carry(a_message())

    (file,) = (tmp_path / "spool").iterdir()
    mail = message_from_bytes(file.read_bytes(), policy=default)
    assert file.name == "MSG-7K3M-9QXR-4TDC.eml"
    assert mail["Message-ID"] == "<MSG-7K3M-9QXR-4TDC@dps.invalid>"
    assert mail["X-Dps-Recipient"] == "provider:PRV-7K3M-9QXR-4TDC"
    assert mail["Subject"] == "Award offered: RND-7K3M-9QXR-4TDC"
    assert mail["Date"].datetime == NOON
    assert "http://here:8000/portal/opportunities/RND-7K3M-9QXR-4TDC" in mail.get_content()


def test_a_message_carried_twice_is_still_one(tmp_path: Path, keyring: Keyring) -> None:
    postman = SpoolPostman(tmp_path, site="http://here", keyring=keyring)

    postman.carry(a_message())
    first = (tmp_path / "MSG-7K3M-9QXR-4TDC.eml").read_bytes()
    postman.carry(a_message())

    assert [file.read_bytes() for file in tmp_path.iterdir()] == [first]


def test_a_folder_that_can_not_be_written_is_an_os_error(tmp_path: Path, keyring: Keyring) -> None:
    (tmp_path / "spool").write_text("a file stands here")

    with pytest.raises(OSError, match="spool"):
        SpoolPostman(tmp_path / "spool", site="http://here", keyring=keyring).carry(a_message())
