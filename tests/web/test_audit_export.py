"""`dps audit export` and its proof, offline."""

from pathlib import Path

import pytest

from tests.web.served import dps


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_an_exported_trail_is_proved_without_the_database_and_a_changed_one_is_not(installed: Path) -> None:
    trail, keys = installed / "trail.jsonl", str(installed / "keys" / "signing.pub.json")
    dps("work", "--once")

    exported = dps("audit", "export", str(trail))
    again = dps("audit", "export", str(trail))
    proved = dps("audit", "verify", "--trail", str(trail), "--public-keys", keys)
    trail.write_text(trail.read_text().replace('"clock"', '"block"').replace('"administrator"', '"nobody"'))
    changed = dps("audit", "verify", "--trail", str(trail), "--public-keys", keys)

    assert exported.exit_code == 0, exported.output
    assert (again.exit_code, proved.exit_code, changed.exit_code) == (2, 0, 1)
    assert "nothing was changed" in proved.stdout
    assert dps("audit", "verify", "--trail", str(installed / "none"), "--public-keys", keys).exit_code == 2
