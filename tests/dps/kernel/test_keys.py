"""Keys: made once, kept from others, rotated without losing what the old ones did."""

import base64
import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import Corrupted, Misconfigured
from dps.kernel.keys import (
    Keyring,
    SecretBox,
    SigningKey,
    create_keys,
    key_id,
    load_keyring,
    rotate_recipients,
    rotate_signing_key,
    signature_holds,
)

FILES = ("application.key", "signing.key", "signing.pub.json", "recipients.json")
PAIR = SigningKey(bytes(range(32)))
BOX = SecretBox(bytes(range(32)))


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A directory that holds `keys` and `identities`."""
    create_keys(tmp_path / "keys", tmp_path / "identities")
    return tmp_path


# Files


def test_what_was_created_can_be_loaded_and_is_the_same_each_time(installed: Path) -> None:
    one, other = (load_keyring(installed / "keys") for _ in range(2))

    assert one.signing.key_id == other.signing.key_id
    assert one.public_keys == {one.signing.key_id: one.signing.public}
    assert other.application.open(one.application.seal(b"plain", about="x"), about="x") == b"plain"
    assert one.fingerprint(b"a") == other.fingerprint(b"a")


def test_two_installations_share_no_key(installed: Path, keyring: Keyring) -> None:
    other = load_keyring(installed / "keys")

    assert other.signing.key_id != keyring.signing.key_id
    assert other.recipients != keyring.recipients
    assert other.fingerprint(b"a") != keyring.fingerprint(b"a")
    with pytest.raises(Corrupted):
        other.application.open(keyring.application.seal(b"plain", about="x"), about="x")


def test_every_key_is_for_its_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_keys(tmp_path / "keys", tmp_path / "identities")
        rotate_signing_key(tmp_path / "keys")
        rotate_recipients(tmp_path / "keys", tmp_path / "identities")
    finally:
        os.umask(before)

    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_identities_are_kept_apart_from_the_keys_that_processes_share(installed: Path) -> None:
    [identity] = (installed / "identities").iterdir()

    assert sorted(path.name for path in (installed / "keys").iterdir()) == sorted(FILES)
    assert b"AGE-SECRET-KEY" in identity.read_bytes()
    assert not any(b"AGE-SECRET-KEY" in path.read_bytes() for path in (installed / "keys").iterdir())


@pytest.mark.parametrize("occupied", ["keys", "identities"])
def test_keys_are_never_overwritten(tmp_path: Path, occupied: str) -> None:
    (tmp_path / occupied).mkdir()
    (tmp_path / occupied / "something").write_bytes(b"kept")

    with pytest.raises(Misconfigured, match=rf"{occupied} already holds keys: they are never overwritten"):
        create_keys(tmp_path / "keys", tmp_path / "identities")

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["something"]


def test_a_second_creation_changes_nothing(installed: Path) -> None:
    before = {path: path.read_bytes() for path in installed.rglob("*") if path.is_file()}

    with pytest.raises(Misconfigured, match="already holds keys"):
        create_keys(installed / "keys", installed / "identities")

    assert {path: path.read_bytes() for path in installed.rglob("*") if path.is_file()} == before


def test_one_directory_does_not_hold_keys_and_identities(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="can't hold identities too"):
        create_keys(tmp_path / "keys", tmp_path / "identities" / ".." / "keys")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_with_what_to_do(installed: Path, name: str) -> None:
    (installed / "keys" / name).unlink()

    with pytest.raises(Misconfigured, match=rf"{name} is missing: run `dps keys create`, or restore"):
        load_keyring(installed / "keys")


def test_a_missing_directory_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"keys/application\.key is missing: run `dps keys create`"):
        load_keyring(tmp_path / "keys")


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "content", [b"", b"short", b"\xff" * 33, b"[", b"{}", b"[]", b"null", b"3", b'{"a": 1}', b'["age1x"]']
)
def test_a_damaged_file_is_named_with_what_to_do(installed: Path, name: str, content: bytes) -> None:
    (installed / "keys" / name).write_bytes(content)

    with pytest.raises(Misconfigured, match=r"restore .* from (its|their) backup") as refused:
        load_keyring(installed / "keys")

    assert name in str(refused.value)


def test_a_file_that_can_not_be_read_is_named_with_what_to_do(installed: Path) -> None:
    (installed / "keys" / "signing.key").unlink()
    (installed / "keys" / "signing.key").mkdir()

    with pytest.raises(Misconfigured, match=r"signing\.key can't be read .*: give this process the right to read it"):
        load_keyring(installed / "keys")


def test_a_signing_key_from_elsewhere_is_refused(installed: Path, tmp_path: Path) -> None:
    (installed / "keys" / "signing.key").write_bytes(bytes(range(32)))

    with pytest.raises(Misconfigured, match=r"signing\.pub\.json does not know signing\.key"):
        load_keyring(installed / "keys")


def test_a_public_key_under_another_keys_name_is_refused(installed: Path) -> None:
    path = installed / "keys" / "signing.pub.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "0123456789abcdef": PAIR.public.hex()}))

    with pytest.raises(Misconfigured, match=r"signing\.pub\.json is damaged"):
        load_keyring(installed / "keys")


def test_a_keyring_does_not_print_what_it_keeps_secret(installed: Path) -> None:
    keyring = load_keyring(installed / "keys")
    secret = (installed / "keys" / "application.key").read_bytes()

    assert repr(secret)[2:-1] not in repr(keyring)
    assert "_hmac_key" not in repr(keyring)
    assert not hasattr(keyring, "identities")


# Rotation


def test_a_new_signing_key_signs_and_the_old_one_still_proves(installed: Path) -> None:
    old = load_keyring(installed / "keys").signing
    signature = old.sign(b"receipt")

    name = rotate_signing_key(installed / "keys")

    keyring = load_keyring(installed / "keys")
    assert (keyring.signing.key_id, set(keyring.public_keys)) == (name, {old.key_id, name})
    assert signature_holds(keyring.public_keys[old.key_id], signature, b"receipt")
    assert not signature_holds(keyring.public_keys[name], signature, b"receipt")


def test_a_new_recipient_takes_over_and_the_old_identity_stays(installed: Path) -> None:
    [old] = load_keyring(installed / "keys").recipients
    early = pyrage.encrypt(b"early", [pyrage.x25519.Recipient.from_str(old)])

    new = rotate_recipients(installed / "keys", installed / "identities")

    files = list((installed / "identities").iterdir())
    identities = [pyrage.x25519.Identity.from_str(file.read_text()) for file in files]
    assert load_keyring(installed / "keys").recipients == (new,)
    assert {str(identity.to_public()) for identity in identities} == {old, new}
    assert pyrage.decrypt(early, identities) == b"early"


def test_which_recipients_a_closing_was_sealed_to_has_a_name(installed: Path) -> None:
    before = load_keyring(installed / "keys")

    rotate_recipients(installed / "keys", installed / "identities")

    after = load_keyring(installed / "keys")
    assert len({before.recipients_id, after.recipients_id}) == 2
    assert after.recipients_id == load_keyring(installed / "keys").recipients_id


@pytest.mark.parametrize(
    ("missing", "words"),
    [("identities", "identities is missing"), ("keys", r"recipients\.json is missing: run `dps keys create`")],
)
def test_what_was_never_made_is_not_rotated(installed: Path, missing: str, words: str) -> None:
    (installed / missing).rename(installed / "elsewhere")

    with pytest.raises(Misconfigured, match=words):
        rotate_recipients(installed / "keys", installed / "identities")

    assert len(list((installed / "elsewhere").iterdir())) == (1 if missing == "identities" else len(FILES))


def test_an_identity_is_on_the_disk_before_anything_is_sealed_to_it(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []

    def note(descriptor: int) -> None:
        synced.append(os.path.relpath(os.readlink(f"/proc/self/fd/{descriptor}"), installed))

    monkeypatch.setattr(os, "fsync", note)

    recipient = rotate_recipients(installed / "keys", installed / "identities")

    identity = f"identities/{key_id(recipient.encode())}.age"
    assert synced == [identity, "identities", "keys/recipients.new", "keys", "keys"]


# Signatures


@given(st.binary(max_size=100))
def test_a_signature_holds_for_its_message_and_key_alone(message: bytes) -> None:
    signature = PAIR.sign(message)

    assert signature_holds(PAIR.public, signature, message)
    assert not signature_holds(PAIR.public, signature, message + b"\x00")
    assert not signature_holds(SigningKey(bytes(32)).public, signature, message)


@given(st.integers(0, 87), st.characters(max_codepoint=255))
def test_a_signature_with_any_letter_changed_does_not_hold(place: int, letter: str) -> None:
    signature = PAIR.sign(b"receipt")
    changed = signature[:place] + letter + signature[place + 1 :]

    assert signature_holds(PAIR.public, changed, b"receipt") is (changed == signature)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda signature: "",
        lambda signature: "no base64",
        lambda signature: signature[:-1],
        lambda signature: signature + "\n",
        lambda signature: f" {signature}",
        lambda signature: signature.rstrip("="),
        lambda signature: base64.b64encode(base64.b64decode(signature) + b"\x00").decode(),
        lambda signature: "é" * 88,
    ],
)
def test_a_text_that_is_no_signature_does_not_hold(spoil: Callable[[str], str]) -> None:
    assert not signature_holds(PAIR.public, spoil(PAIR.sign(b"receipt")), b"receipt")


@pytest.mark.parametrize("public", [b"", b"short", bytes(31), bytes(33)])
def test_nothing_holds_under_what_is_no_key(public: bytes) -> None:
    assert not signature_holds(public, PAIR.sign(b"receipt"), b"receipt")


def test_a_key_is_named_by_what_it_is() -> None:
    assert PAIR.key_id == key_id(PAIR.public)
    assert len({key_id(bytes([number]) * 32) for number in range(256)}) == 256


# Encryption at rest


@given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_what_was_sealed_about_something_opens_there_and_nowhere_else(plain: bytes, about: str) -> None:
    sealed = BOX.seal(plain, about=about)

    assert BOX.open(sealed, about=about) == plain
    with pytest.raises(Corrupted, match="can't be decrypted with this key"):
        BOX.open(sealed, about=f"{about}.")


@given(st.binary(min_size=1, max_size=60), st.integers(min_value=0), st.integers(1, 255))
def test_a_sealed_value_with_any_byte_changed_does_not_open(plain: bytes, place: int, change: int) -> None:
    sealed = bytearray(BOX.seal(plain, about="PER-1"))
    sealed[place % len(sealed)] ^= change

    with pytest.raises(Corrupted):
        BOX.open(bytes(sealed), about="PER-1")


@pytest.mark.parametrize("length", [0, 1, 7, 11, 12, 27])
def test_a_value_cut_short_does_not_open(length: int) -> None:
    with pytest.raises(Corrupted, match="PER-1"):
        BOX.open(BOX.seal(b"", about="PER-1")[:length], about="PER-1")


def test_one_plain_value_is_sealed_differently_each_time() -> None:
    assert len({BOX.seal(b"plain", about="PER-1") for _ in range(50)}) == 50


# Fingerprints


@given(st.lists(st.binary(max_size=8), max_size=4), st.lists(st.binary(max_size=8), max_size=4))
def test_a_fingerprint_tells_where_each_part_ends(keyring: Keyring, one: list[bytes], other: list[bytes]) -> None:
    assert (keyring.fingerprint(*one) == keyring.fingerprint(*other)) is (one == other)


def test_parts_that_join_alike_have_other_fingerprints(keyring: Keyring) -> None:
    parts = [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b""), (b"", b"abc")]

    assert len({keyring.fingerprint(*part) for part in parts}) == len(parts)


def test_public_keys_are_kept_as_json_by_name(installed: Path) -> None:
    kept = json.loads((installed / "keys" / "signing.pub.json").read_text())

    assert kept == {name: key.hex() for name, key in load_keyring(installed / "keys").public_keys.items()}
