"""Passwords: argon2id, and the few rules of what is one.

Source: OWASP's figures for argon2id (19 MiB, two passes, one lane), of the Password Storage Cheat Sheet; NIST SP
800-63B for the rest: length counts, composition is not asked for.
"""

import base64

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from dps.kernel.entropy import SystemEntropy
from dps.kernel.errors import BadInput

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 200

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODYS = _HASHER.hash("the password of an account that is not there")


def hashed(password: str, *, email: str) -> str:
    """The hash that is stored; BadInput for what is too short, too long, or is the address itself."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        raise BadInput(f"use {LEAST_CHARACTERS} to {MOST_CHARACTERS} characters", field="password")
    if len(set(password)) < 5 or password.casefold() in (email, email.partition("@")[0]):
        raise BadInput("this is too easy to guess", field="password")
    return _HASHER.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Whether this is the password; as slow for an account that is not there (`stored` None)."""
    try:
        return _HASHER.verify(stored or _NOBODYS, password[: MOST_CHARACTERS + 1]) and stored is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


def new_password() -> str:
    """Twenty random characters, 100 bits, in groups that can be read out."""
    text = base64.b32encode(SystemEntropy().token(13)).decode().lower()[:20]
    return "-".join(text[start : start + 5] for start in range(0, 20, 5))
