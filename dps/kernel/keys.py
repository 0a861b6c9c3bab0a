"""Keys: what signs, what encrypts at rest, and where the files lie.

Three kinds, made by `dps keys create`, kept in one directory that is backed up apart from the database:

- `application.key`: 32 bytes; encrypts standing data at rest and wraps each person's own key;
- `signing.key`: Ed25519; signs receipts and checkpoints; public keys, old ones too, are in `signing.pub.json`, by which
  whatever an old key signed is checked for ever;
- `recipients.json`: the age recipients that closings are sealed to. Their identities are **not** here: they lie in a
  directory that only the worker is given (law 2), which `bidding/sealing/opening` alone reads.
"""

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pyrage
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dps.kernel.errors import Corrupted, Misconfigured

_NONCE_BYTES = 12
_SECRET_BYTES = 32

Parsed = TypeVar("Parsed")


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
        plain = base64.b64decode(signature)
        Ed25519PublicKey.from_public_bytes(public).verify(plain, message)
    except (InvalidSignature, ValueError):
        return False
    # The last digits hold bits that decoding drops: of the texts that decode alike, one is the signature.
    return base64.b64encode(plain).decode() == signature


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
        except (InvalidTag, ValueError):
            raise Corrupted(reason=f"What is stored about {about} can't be decrypted with this key.") from None


@dataclass(frozen=True)
class Keyring:
    """The keys that web and worker processes share. It can seal a bid; it can't open one."""

    application: SecretBox
    signing: SigningKey
    public_keys: dict[str, bytes]
    recipients: tuple[str, ...]
    _hmac_key: bytes = field(repr=False)

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
    if directory.samefile(identities):
        raise Misconfigured(reason=f"{directory} can't hold identities too: only the worker may read those.")
    _write(directory / "application.key", os.urandom(_SECRET_BYTES))
    _write(directory / "signing.pub.json", b"{}")
    rotate_signing_key(directory)
    _write(directory / "recipients.json", b"[]")
    rotate_recipients(directory, identities)


def rotate_signing_key(directory: Path) -> str:
    """Make a new signing key; what earlier ones signed stays provable. Returns its id.

    Processes that run go on with the key they read at their start.
    """
    public_keys = _read(directory / "signing.pub.json", _public_keys)
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    known = {name: key.hex() for name, key in {**public_keys, key_id(public): public}.items()}
    # Known before it signs: a signature of a key that is lost to everybody could never be checked.
    _replace(directory / "signing.pub.json", json.dumps(known, indent=1).encode())
    _replace(directory / "signing.key", private.private_bytes_raw())
    return key_id(public)


def rotate_recipients(directory: Path, identities: Path) -> str:
    """Make a new age identity: new closings are sealed to it, earlier ones stay readable. Returns the recipient."""
    if not identities.is_dir():
        raise Misconfigured(reason=f"{identities} is missing: name the directory of identities, or restore it.")
    _read(directory / "recipients.json", json.loads)
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    # On the disk before anything is sealed to it: a lost identity loses live bids.
    _write(identities / f"{key_id(recipient.encode())}.age", str(identity).encode())
    _replace(directory / "recipients.json", json.dumps([recipient]).encode())
    return recipient


def load_keyring(directory: Path) -> Keyring:
    """Read the shared keys; Misconfigured says which file is missing or damaged and what to do."""
    secret = _read(directory / "application.key", _secret)
    signing = _read(directory / "signing.key", SigningKey)
    public_keys = _read(directory / "signing.pub.json", _public_keys)
    if public_keys.get(signing.key_id) != signing.public:
        raise Misconfigured(reason=f"signing.pub.json does not know signing.key: restore {directory} from its backup.")
    return Keyring(
        application=SecretBox(_derive(secret, b"dps application encryption")),
        signing=signing,
        public_keys=public_keys,
        recipients=_read(directory / "recipients.json", _recipients),
        _hmac_key=_derive(secret, b"dps fingerprints"),
    )


def _read(path: Path, parse: Callable[[bytes], Parsed]) -> Parsed:
    try:
        return parse(path.read_bytes())
    except FileNotFoundError:
        reason = f"{path} is missing: run `dps keys create`, or restore the keys from their backup."
    except OSError as fault:
        reason = f"{path} can't be read ({fault.strerror}): give this process the right to read it."
    except (ValueError, TypeError, AttributeError, pyrage.RecipientError):
        reason = f"{path} is damaged: restore the keys from their backup."
    raise Misconfigured(reason=reason)


def _secret(content: bytes) -> bytes:
    if len(content) != _SECRET_BYTES:
        raise ValueError("a secret has 32 bytes")
    return content


def _public_keys(content: bytes) -> dict[str, bytes]:
    keys = {name: bytes.fromhex(text) for name, text in json.loads(content).items()}
    if any(name != key_id(key) for name, key in keys.items()):
        raise ValueError("a public key has another name than its own")
    return keys


def _recipients(content: bytes) -> tuple[str, ...]:
    recipients = tuple(json.loads(content))
    if not recipients:
        raise ValueError("closings are sealed to at least one recipient")
    for recipient in recipients:
        pyrage.x25519.Recipient.from_str(recipient)
    return recipients


def _derive(secret: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose).derive(secret)


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    _keep_names(path.parent)


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    _write(fresh, content)
    fresh.replace(path)
    _keep_names(path.parent)


def _keep_names(folder: Path) -> None:
    # A file whose name has not reached the disk is gone after a power cut.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
