"""Public references that tell nothing and can't be counted through: `PKG-7K3M-9QXR-4TDC`.

A prefix for the kind, then 55 random bits in Crockford's base 32 and a check character over prefix and bits.
A typed reference is read forgivingly, but one wrong or two swapped characters are always noticed.
"""

import re
from enum import StrEnum

from dps.kernel.entropy import Entropy
from dps.kernel.errors import BadReference

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U."""

RANDOM_CHARACTERS = 11
"""55 bits: with a million references one guess in 3.6e10 meets any of them."""


class Kind(StrEnum):
    """What a reference names, and its prefix."""

    APPLICATION = "APP"
    AREA_CONTRACT = "LET"
    ARRANGEMENT = "ARR"
    AUTHORITY = "AUT"
    AWARD = "AWD"
    BAR = "NTC"
    BID = "BID"
    BLOCK = "HRS"
    CLOSING = "CLO"
    CONCERN = "CNC"
    CONTRACT = "CON"
    CUSTODIAN = "CSD"
    DECLARATION = "DEC"
    DOCUMENT = "DOC"
    EXCLUSION = "EXC"
    INVITATION = "INV"
    LOCATION_NOTICE = "LCN"
    MEMBERSHIP = "MEM"
    MESSAGE = "MSG"
    OUTCOME = "OTC"
    PACKAGE = "PKG"
    PASSKEY = "KEY"
    PAYMENT = "PAY"
    PERSON = "PER"
    PLACEMENT = "PLC"
    PROPOSAL = "PPS"
    PROVIDER = "PRV"
    QUESTION = "QUE"
    RECEIPT = "RCT"
    REFERRAL = "REF"
    REMARK = "REM"
    ROUND = "RND"
    RUN = "RUN"
    RUN_OFF = "ROF"
    SCORE = "SCR"
    SUSPENSION = "SUS"
    TENDER = "TDR"
    USER = "USR"
    VARIATION = "VAR"
    WEBHOOK = "WEB"
    WORKBOOK = "WBK"


_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015\u2212]+")
_KIND_AS_READ = {kind.value.translate(_READ_AS): kind for kind in Kind}
_LONGEST_INPUT = 60


def new_reference(kind: Kind, entropy: Entropy) -> str:
    """A fresh reference; whoever stores it has the unique constraint that a repeat would meet."""
    bits = int.from_bytes(entropy.token(7), "big") >> 1
    body = "".join(ALPHABET[bits >> shift & 31] for shift in range(50, -1, -5))
    return _written(kind, body + _check_character(kind, body))


def parse_reference(text: str, kind: Kind | None = None) -> str:
    """The canonical form of a typed reference; BadReference if it is none, or not one of `kind`.

    Case, spaces and hyphens don't matter; O is read as 0, and I and L as 1.
    """
    if len(text) > _LONGEST_INPUT:
        raise BadReference("this is too long for a reference")
    read = _SEPARATORS.sub("", text)
    if not re.fullmatch(r"[0-9A-Za-z]{15}", read):
        example = "7K3M9QXR4TD"
        named = kind or Kind.PACKAGE
        raise BadReference(
            f"{text!r} is no reference: it looks like {_written(named, example + _check_character(named, example))}"
        )
    read = read.upper().translate(_READ_AS)
    found, body, check = _KIND_AS_READ.get(read[:3]), read[3:-1], read[-1]
    if found is None:
        raise BadReference(f"{text!r} is no reference: nothing is called {text.strip()[:3]}")
    if "U" in body + check or _check_character(found, body) != check:
        raise BadReference(f"{text!r} has a slip in it: please check each character")
    if kind is not None and found is not kind:
        raise BadReference(f"{text!r} names a {found.name.lower()}, not a {kind.name.lower()}")
    return _written(found, body + check)


def kind_of(reference: str) -> Kind:
    """The kind of a reference in canonical form; BadReference for any other text."""
    if parse_reference(reference) != reference:
        raise BadReference(f"{reference!r} is not in canonical form")
    return Kind(reference[:3])


def _written(kind: Kind, body: str) -> str:
    return f"{kind.value}-{body[:4]}-{body[4:8]}-{body[8:]}"


def _check_character(kind: Kind, body: str) -> str:
    """A weighted sum over GF(32), weights x, x², x³ …: all differ, so a wrong or two swapped characters show."""
    total, weight = 0, 1
    for value in [ord(letter) - ord("A") for letter in kind.value] + [ALPHABET.index(letter) for letter in body]:
        weight = _product(weight, 2)
        total ^= _product(weight, value)
    return ALPHABET[total]


def _product(left: int, right: int) -> int:
    """Multiplication in GF(32), modulo the primitive polynomial x⁵ + x² + 1."""
    result = 0
    while right:
        if right & 1:
            result ^= left
        left, right = left << 1, right >> 1
        if left & 32:
            left ^= 0b100101
    return result
