"""A receipt is proved by itself: by code that shares nothing with the engine, from files alone."""

import ast
import hashlib
import json
import subprocess
import sys
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.sealing import checking
from bidding.sealing.checking import canonical, check_files, faults
from bidding.sealing.seal import receipt_of, seal, signed
from dps.kernel.entropy import SeededEntropy
from dps.kernel.keys import Keyring, create_keys, load_keyring

RECEIVED_AT = datetime(2019, 3, 4, 12, 0, 0, 999_999, tzinfo=UTC)
CLOSES_AT = datetime(2019, 3, 4, 15, tzinfo=UTC)
CONTENT = {"card": {"basis": "per_hour", "prices": {"weekday": 1850}}, "starts_on": "2019-03-07"}


@pytest.fixture(scope="module")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    folder = tmp_path_factory.mktemp("keys")
    create_keys(folder / "keys", folder / "identities")
    return load_keyring(folder / "keys")


@pytest.fixture(scope="module")
def proved(keyring: Keyring) -> dict[str, Any]:
    """A receipt with everything that proves it, as `faults` takes it."""
    entropy = SeededEntropy("checking")
    number = entropy.token(32)
    sealed = seal(CONTENT, recipients=keyring.recipients, entropy=SeededEntropy("nonce"))
    nonce = SeededEntropy("nonce").token(16).hex()
    said = receipt_of(
        bid="BID-1",
        rounds=["RND-1"],
        closing="CLO-1",
        closes_at=CLOSES_AT,
        received_at=RECEIVED_AT,
        sealed=sealed,
        sealed_to=keyring.recipients_id,
    )
    manifest = [["BID-1", sealed.ciphertext_sha256, sealed.commitment]]
    return {
        "receipt": signed(said, keyring.signing),
        "public_keys": {name: key.hex() for name, key in keyring.public_keys.items()},
        "ciphertext": sealed.ciphertext,
        "content": {**CONTENT, "nonce": nonce},
        "closing": {
            "closing": "CLO-1",
            "manifest": manifest,
            "number": number.hex(),
            "number_sha256": hashlib.sha256(number).hexdigest(),
            "manifest_sha256": hashlib.sha256(canonical(manifest)).hexdigest(),
            "lot_seed": hashlib.sha256(number + sealed.commitment.encode()).hexdigest(),
        },
    }


def test_what_the_engine_writes_holds(proved: dict[str, Any]) -> None:
    assert list(faults(**proved)) == []


def test_every_changed_field_of_a_receipt_is_a_fault(proved: dict[str, Any]) -> None:
    unfound = []
    for name, value in proved["receipt"].items():
        changed = deepcopy(proved)
        changed["receipt"][name] = [*value, "RND-2"] if isinstance(value, list) else _other(value)
        if not list(faults(**changed)):
            unfound.append(name)

    assert unfound == []


@pytest.mark.parametrize("name", ["closing", "number", "number_sha256", "manifest_sha256", "lot_seed"])
def test_every_changed_field_of_the_closing_is_a_fault(proved: dict[str, Any], name: str) -> None:
    changed = deepcopy(proved)
    changed["closing"][name] = _other(changed["closing"][name])

    assert list(faults(**changed))


def test_a_bid_that_the_manifest_does_not_list_is_a_fault(proved: dict[str, Any]) -> None:
    changed = deepcopy(proved)
    changed["closing"]["manifest"] = []

    assert any("does not list it" in fault for fault in faults(**changed))


def test_other_bytes_and_another_content_are_faults(proved: dict[str, Any]) -> None:
    other_price = deepcopy(CONTENT) | {"nonce": proved["content"]["nonce"], "starts_on": "2019-03-08"}

    assert list(faults(**(proved | {"ciphertext": proved["ciphertext"] + b"\0"})))
    assert list(faults(**(proved | {"content": other_price})))


def test_a_key_of_another_name_proves_nothing(proved: dict[str, Any]) -> None:
    (name,) = proved["public_keys"]
    other = create_other_key()

    assert any("name" in fault for fault in faults(**(proved | {"public_keys": {name: other}})))
    assert any("not among" in fault for fault in faults(**(proved | {"public_keys": {"0" * 16: other}})))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_no_text_of_a_file_is_more_than_a_fault(proved: dict[str, Any], value: Any) -> None:
    """Whatever stands in a field, the answer is words, never an exception."""
    for part in ("receipt", "closing"):
        for name in proved[part]:
            list(faults(**(proved | {part: proved[part] | {name: value}})))


def test_it_imports_nothing_of_the_engine_and_runs_alone(proved: dict[str, Any], tmp_path: Path) -> None:
    source = Path(checking.__file__).read_text()
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    (tmp_path / "checking.py").write_text(source)
    (tmp_path / "receipt.json").write_text(json.dumps(proved["receipt"]))
    (tmp_path / "keys.json").write_text(json.dumps(proved["public_keys"]))
    alone = [sys.executable, "-I", "checking.py", "receipt.json", "--public-keys", "keys.json"]

    ran = subprocess.run(alone, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert imported - set(sys.stdlib_module_names) == {"cryptography"}
    assert (ran.returncode, ran.stdout) == (0, "The receipt holds.\n")


@pytest.mark.parametrize("content", ["", "[]", "[" * 100_000, '{"a": 1', "\x00", "{}"])
def test_a_file_that_is_none_is_named(proved: dict[str, Any], tmp_path: Path, content: str) -> None:
    keys, receipt = tmp_path / "keys.json", tmp_path / "receipt.json"
    keys.write_text(json.dumps(proved["public_keys"]))
    receipt.write_text(content)

    with pytest.raises(checking.Unreadable, match=r"receipt\.json"):
        check_files(receipt, keys, None, None, None)


def create_other_key() -> str:
    return hashlib.sha256(b"another").hexdigest()


def _other(value: Any) -> Any:
    return value + 1 if isinstance(value, int) else f"x{value[1:]}" if value[0] != "x" else f"y{value[1:]}"
