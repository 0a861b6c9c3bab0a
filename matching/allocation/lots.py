"""Lots: numbers hashed from the run's seed, so that neither the order of rows nor a name decides anything.

A lot depends on the seed and on a key alone. The seed hashes a number committed before bids were opened together
with the manifest of sealed bids (design.md, section 3), so nobody can choose it.
"""

from hashlib import sha256

LOT_BITS = 40


def lot(seed: bytes, kind: str, key: str) -> int:
    """The lot of `key` among its `kind`: LOT_BITS bits, lower is better."""
    name = kind.encode() + b"\x00" + key.encode()
    digest = sha256(len(seed).to_bytes(4, "big") + seed + name).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - LOT_BITS)
