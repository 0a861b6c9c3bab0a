"""What speaks against a release package of open data, by the standard's own schemas."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft4Validator, FormatChecker


def schema_faults(shared_data: Path, package: dict[str, Any]) -> list[str]:
    """The faults of a package and of its release; none if both are valid."""
    folder = shared_data / "ocds"
    release = json.loads((folder / "release-schema-1.1.5+lots+bids+techniques.json").read_bytes())
    whole = json.loads((folder / "schema-1.1.5" / "release-package-schema.json").read_bytes())
    whole["properties"]["releases"] = {"type": "array", "minItems": 1}
    return [*_faults(whole, package), *_faults(release, package["releases"][0])]


def _faults(schema: dict[str, Any], what: dict[str, Any]) -> list[str]:
    return [error.message for error in Draft4Validator(schema, format_checker=FormatChecker()).iter_errors(what)]
