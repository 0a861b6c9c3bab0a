"""What the register's tests may ask for besides a database."""

from pathlib import Path

import pytest

from dps.kernel.ports import Ports
from tests.dps.register.builders import the_ports


@pytest.fixture
def ports(tmp_path: Path) -> Ports:
    return the_ports(tmp_path)
