"""Keys: what signs, what encrypts at rest, and where the files lie.

Three kinds, made by `dps keys create`, kept in one directory that is backed up apart from the database:

- `application.key`: 32 bytes; encrypts standing data at rest and wraps each person's own key;
- `signing.key`: Ed25519; signs receipts and checkpoints; public keys, old ones too, are in `signing.pub.json`;
- `recipients.json`: the age recipients that closings are sealed to. Their identities are **not** here: they lie in a
  directory that only the worker is given (law 2), which `bidding/sealing/opening` alone reads.
"""

import base64
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from pathlib import Path

import pyrage
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dps.kernel.errors import Corrupted, Misconfigured

_NONCE_BYTES = 12


def key_id(public: bytes) -> str:
    """The short name of a public key: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


class SigningKey:
    """An Ed25519 key pair that signs and names itself."""

    def __init__(self, private: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(private)
        self.public = self._private.public_key().public_bytes_raw()
        self.key_id = key_id(self.public)

    def sign(self, message: bytes) -> str:
        """The signature in base64."""
        return base64.b64encode(self._private.sign(message)).decode()


def signature_holds(public: bytes, signature: str, message: bytes) -> bool:
    """Whether `signature` (base64) over `message` was made with the private half of `public`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


class SecretBox:
    """Encryption at rest with associated data: a value moved to another row can't be read there."""

    def __init__(self, key: bytes) -> None:
        self._cipher = ChaCha20Poly1305(key)

    def seal(self, plain: bytes, *, about: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, about.encode())

    def open(self, sealed: bytes, *, about: str) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about.encode())
        except InvalidTag:
            raise Corrupted(reason=f"What is stored about {about} can't be decrypted with this key.") from None


@dataclass(frozen=True)
class Keyring:
    """The keys that web and worker processes share. It can seal a bid; it can't open one."""

    application: SecretBox
    signing: SigningKey
    public_keys: dict[str, bytes]
    recipients: tuple[str, ...]
    _hmac_key: bytes

    def fingerprint(self, *parts: bytes) -> str:
        """A keyed digest: without the application key nobody can test a guess against it."""
        mac = hmac.new(self._hmac_key, digestmod=hashlib.sha256)
        for part in parts:
            mac.update(len(part).to_bytes(8, "big") + part)
        return mac.hexdigest()

    @property
    def recipients_id(self) -> str:
        return key_id("\n".join(self.recipients).encode())


def create_keys(directory: Path, identities: Path) -> None:
    """Make all keys. Refuses to touch a directory that already holds some."""
    for folder in (directory, identities):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise Misconfigured(reason=f"{folder} already holds keys: they are never overwritten.")
    _write(directory / "application.key", os.urandom(32))
    private = Ed25519PrivateKey.generate()
    _write(
        directory / "signing.key",
        private.private_bytes(
            serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption()
        ),
    )
    public = private.public_key().public_bytes_raw()
    _write(directory / "signing.pub.json", json.dumps({key_id(public): public.hex()}).encode())
    _write(directory / "recipients.json", b"[]")
    rotate_recipients(directory, identities)


def rotate_recipients(directory: Path, identities: Path) -> str:
    """Make a new age identity: new closings are sealed to it, earlier ones stay readable. Returns the recipient."""
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    _write(identities / f"{key_id(recipient.encode())}.age", str(identity).encode())
    _replace(directory / "recipients.json", json.dumps([recipient]).encode())
    return recipient


def load_keyring(directory: Path) -> Keyring:
    """Read the shared keys; says which file is missing and what to do."""
    try:
        secret = (directory / "application.key").read_bytes()
        signing = SigningKey((directory / "signing.key").read_bytes())
        public = json.loads((directory / "signing.pub.json").read_text())
        recipients = json.loads((directory / "recipients.json").read_text())
    except FileNotFoundError as missing:
        raise Misconfigured(
            reason=f"{missing.filename} is missing: run `dps keys create`, or restore the keys from their backup."
        ) from None
    if len(secret) != 32 or not recipients:
        raise Misconfigured(reason=f"The keys in {directory} are damaged: restore them from their backup.")
    return Keyring(
        application=SecretBox(_derive(secret, b"dps application encryption")),
        signing=signing,
        public_keys={name: bytes.fromhex(value) for name, value in public.items()},
        recipients=tuple(recipients),
        _hmac_key=_derive(secret, b"dps fingerprints"),
    )


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    _write(fresh, content)
    fresh.replace(path)
