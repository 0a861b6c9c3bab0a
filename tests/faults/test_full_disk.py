"""The disk is full: nothing acknowledged is lost, nothing refused is stored, and all goes on when there is room (9)."""

from pathlib import Path

import pytest

from tests.faults import full_disk

pytestmark = [pytest.mark.slow, pytest.mark.database, pytest.mark.timeout(300)]

# Where nothing may be mounted, test_storm.py fills SQLite's file by its own limit of pages.
if full_disk.can_mount():

    @pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
    def test_a_bid_on_a_full_disk_is_stored_or_refused_and_afterwards_all_goes_on(tmp_path: Path, kind: str) -> None:
        found = full_disk.campaign(tmp_path, kind)

        assert found.faults == []
        assert int(found.counted["refused with 503"]) >= full_disk.REFUSALS
