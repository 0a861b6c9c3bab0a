"""Keys for the tests of the kernel."""

import pytest

from dps.kernel.keys import Keyring, create_keys, load_keyring


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    folder = tmp_path_factory.mktemp("installation")
    create_keys(folder / "keys", folder / "identities")
    return load_keyring(folder / "keys")
