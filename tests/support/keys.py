"""The keys of a test's council: made once in a test process, written wherever a council is made.

`create_keys` waits for the disk seventeen times, so that no power cut loses a key; a test's council outlives none.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dps.kernel.keys import create_keys

Files = dict[str, bytes]


def put_keys(keys: Path, identities: Path) -> None:
    """Write shared keys and an identity into two folders that are not there yet."""
    for folder, files in zip((keys, identities), _made(), strict=True):
        folder.mkdir(parents=True, mode=0o700)
        for name, content in files.items():
            (folder / name).write_bytes(content)


@cache
def _made() -> tuple[Files, Files]:
    with TemporaryDirectory() as folder:
        folders = Path(folder, "keys"), Path(folder, "identities")
        create_keys(*folders)
        shared, own = ({file.name: file.read_bytes() for file in made.iterdir()} for made in folders)
        return shared, own
